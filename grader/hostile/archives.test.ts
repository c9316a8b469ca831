import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, inflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { readFromArchive } from '../submission/archive.ts'
import { paxRecord, tar } from './tar.ts'
import { concatenated, crc32, deflatedZeros, zip } from './zip.ts'

const root = mkdtempSync(join(tmpdir(), 'archives-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const read = (bytes: Uint8Array, paths: readonly string[]) => {
  const archive = join(root, 'archive')
  writeFileSync(archive, bytes)
  return readFromArchive(archive, paths)
}
const runs = { seed: 5, numRuns: 40 }
const PATHS = ['src/a.ts', 'src/b.ts', 'src/c.ts']
const contents = fc.tuple(...PATHS.map(() => fc.uint8Array({ maxLength: 2000, size: 'max' })))

describe('the archives that attacks are made of', () => {
  it('are read back as they were written, when they do not lie: as zip, as tar and as tar in gzip', async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (texts) => {
        const entries = PATHS.map((name, n) => ({ name, content: texts[n]! }))
        for (const bytes of [zip(entries), tar(entries), new Uint8Array(gzipSync(tar(entries)))]) {
          const files = await read(bytes, PATHS)
          expect(PATHS.map((path) => [...(files.get(path) ?? [])])).toEqual(texts.map((text) => [...text]))
        }
      }),
      runs,
    )
  })

  it('have the checks that their formats define', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
    expect(paxRecord('path', 'x')).toBe('10 path=x\n'.replace('10', '9'))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 200 }), (value) => {
        const record = paxRecord('path', value)
        expect(Number(record.split(' ')[0])).toBe(record.length)
      }),
      runs,
    )
  })

  it('unpack to as much as a bomb says', () => {
    const { bytes, size } = deflatedZeros(1000, 77)
    expect(inflateRawSync(bytes)).toEqual(Buffer.alloc(size))
    expect(bytes.length).toBeLessThan(size / 10)
    expect(concatenated([Uint8Array.of(1), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3))
  })
})
