import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AnyLab } from '../../contract/lab.ts'
import { counterLab } from '../../grade/fixtures/counter-lab.ts'
import { projectRoot } from '../../project-root.ts'
import { loadRubric } from '../../rubric/rubric.ts'
import { runCaptured } from '../fixtures/run-captured.ts'

/** Runs `trapframe verify counter …` against the toy lab. */
function verify(args: readonly string[], lab: AnyLab = counterLab) {
  return runCaptured(['verify', 'counter', ...args], {
    list: () => ['counter'],
    load: async () => lab,
    rubric: () => loadRubric(lab, join(projectRoot(), 'grader/grade/fixtures/counter.yaml')),
  })
}

describe('trapframe verify --hostile', () => {
  it('prints a table, or JSON, and ends with 0 when all ended as they must', async () => {
    const table = await verify(['--hostile', '--only', 'no-archive'])
    expect([table.status, table.err]).toEqual([0, ''])
    expect(table.out).toContain('All of them ended as they must.')
    expect(table.out).toContain('| no-archive | Is no archive at all, but a program. | notReadable | 0 |')
    const json = await verify(['--hostile', '--only', 'no-archive', '--json'])
    expect(JSON.parse(json.out)).toMatchObject({
      lab: 'counter',
      problems: [],
      ended: [{ id: 'no-archive', outcome: 'notReadable', says: expect.stringContaining('no archive') as unknown }],
    })
  })

  it('ends with 1 and a sentence when something does not end as it must', async () => {
    const otherVariant = { ...counterLab, variantSource: () => 'export const LIMIT: number = 1\n' } as AnyLab
    const { status, out } = await verify(['--hostile', '--only', 'no-archive'], otherVariant)
    expect(status).toBe(1)
    expect(out).toMatch(/^- The reference itself scores \d+ of 100 \(.+\), so no attack was graded\.$/m)
  })

  it('refuses names that nobody has, and --only where there is nothing to choose from', async () => {
    expect(await verify(['--hostile', '--only', 'nobody'])).toMatchObject({ status: 2, out: '' })
    const { status, err } = await verify(['--only', 'archive'])
    expect([status, err]).toEqual([2, 'trapframe: --only goes with --hostile.\n'])
  })
})
