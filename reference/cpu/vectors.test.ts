import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { loadVectors, type Vector } from './vector-file.ts'
import { runRealModeVectors, runVectors, type VectorResult } from './vectors.ts'

const FIXTURE = new URL('./fixtures/ia32-user.jsonl.gz', import.meta.url).pathname
const VECTORS = 8425
const REAL_MODE_VECTORS = 1546

const vectors = loadVectors(FIXTURE)

function failures(results: Iterable<VectorResult>): { count: number; failed: string[] } {
  let count = 0
  const failed: string[] = []
  for (const { vector, differences, skipped } of results) {
    count++
    if (skipped !== undefined || differences.length > 0) {
      failed.push(`${vector.id} ${vector.mn} ${vector.bytes}: ${skipped ?? differences.join(', ')}`)
    }
  }
  return { count, failed }
}

describe('a real processor', () => {
  test('every vector measured on it gives the same state here', () => {
    expect(failures(runVectors(vectors))).toEqual({ count: VECTORS, failed: [] })
  })

  test('every vector gives the same state when it is translated', () => {
    expect(failures(runVectors(vectors, 'wasm'))).toEqual({ count: VECTORS, failed: [] })
  })

  test('16-bit vectors give the same state in real mode', () => {
    expect(failures(runRealModeVectors(vectors))).toEqual({ count: REAL_MODE_VECTORS, failed: [] })
  })
})

describe('the comparison', () => {
  const vector = vectors.find((v) => v.cat === 'alu' && v.out.eax !== undefined)!
  const differencesOf = (changed: Vector) => [...runVectors([changed])][0]!.differences

  test('sees a register, a flag, EIP and a byte that differ', () => {
    expect(differencesOf({ ...vector, out: { ...vector.out, eax: vector.out.eax! ^ 1 } })).toHaveLength(1)
    expect(differencesOf({ ...vector, out: { ...vector.out, eflags: vector.out.eflags ^ 1 } })).toHaveLength(1)
    expect(differencesOf({ ...vector, out: { ...vector.out, eip: vector.out.eip + 1 } })).toHaveLength(1)
    expect(differencesOf({ ...vector, out: { ...vector.out, mem: [[0x200000, '00']] } })).toEqual([
      '[200000] is cc, want 0',
    ])
  })

  test('skips what the machine lacks, and says what that is', () => {
    expect([...runVectors([{ ...vector, req: ['fpu'] }])][0]!.skipped).toBe('fpu')
  })
})

describe('a vector file that cannot be used gives one sentence', () => {
  const directory = mkdtempSync(join(tmpdir(), 'vectors-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  const write = (name: string, content: string | Buffer) => {
    const file = join(directory, name)
    writeFileSync(file, content)
    return file
  }
  const lines = gunzipSync(readFileSync(FIXTURE)).toString().split('\n').slice(0, 3)

  test('a missing file', () => {
    expect(() => loadVectors(join(directory, 'none'))).toThrow(/none cannot be read/)
  })

  test('a gzip file that is cut off', () => {
    expect(() => loadVectors(write('cut.gz', readFileSync(FIXTURE).subarray(0, 1000)))).toThrow(/truncated or damaged/)
  })

  test('lines that are cut off', () => {
    expect(() => loadVectors(write('cut', lines.join('\n').slice(0, -5)))).toThrow(/cut:3: the file is cut off/)
  })

  test('a line that is no JSON, and one that is no vector', () => {
    expect(() => loadVectors(write('json', `${lines[0]}\n{"id":\n`))).toThrow(/json:2: this line is no JSON/)
    expect(() => loadVectors(write('shape', `${lines[0]}\n{"id":"x"}\n`))).toThrow(/shape:2: .* "id" is not a number/)
  })

  test('an empty file', () => {
    expect(() => loadVectors(write('empty', ''))).toThrow(/holds no vectors/)
  })

  test('plain JSON lines are as good as gzip', () => {
    expect(loadVectors(write('plain', `${lines.join('\n')}\n`))).toHaveLength(3)
    expect(loadVectors(write('no-newline', lines.join('\n')))).toHaveLength(3)
  })
})
