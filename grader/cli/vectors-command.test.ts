import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadVectors } from '../../reference/cpu/vector-file.ts'
import { vectorsCommand } from './vectors-command.ts'

const FIXTURE = new URL('../../reference/cpu/fixtures/ia32-user.jsonl.gz', import.meta.url).pathname

describe('trapframe vectors', () => {
  const directory = mkdtempSync(join(tmpdir(), 'vectors-command-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  const vectors = loadVectors(FIXTURE).slice(0, 5)

  const run = (lines: readonly unknown[], maxFailures: number) => {
    const file = join(directory, 'some.jsonl')
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    let text = ''
    const status = vectorsCommand(file, { maxFailures }, { write: (piece) => (text += piece) })
    return { status, lines: text.trimEnd().split('\n') }
  }

  test('passing vectors: status 0 and one line', () => {
    expect(run(vectors, 10)).toEqual({ status: 0, lines: ['5 passed, 0 failed, 0 skipped'] })
  })

  test('failing vectors are printed up to the maximum, and all counted', () => {
    const wrong = vectors.map((v) => ({ ...v, out: { ...v.out, eip: 1 } }))
    const { status, lines } = run(wrong, 2)
    expect(status).toBe(1)
    expect(lines.filter((line) => line.startsWith('vector '))).toHaveLength(2)
    expect(lines.filter((line) => line.startsWith('  eip is'))).toHaveLength(2)
    expect(lines.at(-1)).toBe('0 passed, 5 failed, 0 skipped')
  })

  test('what the machine lacks is skipped', () => {
    expect(run([{ ...vectors[0], req: ['fpu'] }], 1).lines).toEqual(['0 passed, 0 failed, 1 skipped'])
  })

  test('a file that cannot be read: status 2 and one sentence', () => {
    const file = join(directory, 'cut.jsonl')
    writeFileSync(file, '{"id":')
    let text = ''
    expect(vectorsCommand(file, { maxFailures: 1 }, { write: (piece) => (text += piece) })).toBe(2)
    expect(text).toMatch(/cut\.jsonl:1: the file is cut off/)
  })
})
