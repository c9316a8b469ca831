import { execFileSync } from 'node:child_process'
import { symlinkSync, truncateSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { WrongUse } from '../failures.ts'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { listing, makeTrees } from './fixtures/trees.ts'
import { readSubmission } from './read-submission.ts'

const trees = makeTrees()
afterAll(() => trees.remove())
const read = (directory: string) => readSubmission(counterLab, { directory })
const ENTRY = 'src/counter.ts'

describe('a submission in a directory', () => {
  it('is its allowed files, whatever lies beside them, and nothing is written', async () => {
    const names = fc.constantFrom('src/other.ts', 'package.json', 'platform/x.ts', 'src/counter.ts.orig', '.git/config')
    const beside = fc.dictionary(names, fc.uint8Array({ maxLength: 40 }))
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), beside, async (text, others) => {
        fc.pre(!text.includes('\0') && !text.startsWith('\ufeff'))
        const directory = trees.make({ ...others, [ENTRY]: Buffer.from(text, 'utf8') })
        const before = listing(directory)
        const wellFormed = Buffer.from(text, 'utf8').toString('utf8')
        expect(await read(directory)).toEqual({ kind: 'read', files: new Map([[ENTRY, wellFormed]]) })
        expect(listing(directory)).toEqual(before)
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  it('that cannot be read is refused with a sentence, never with an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 12 }), async (bytes) => {
        const result = await read(trees.make({ [ENTRY]: bytes }))
        const isText = Buffer.from(Buffer.from(bytes).toString('utf8')).equals(bytes)
        expect(result.kind).toBe(isText && !bytes.includes(0) ? 'read' : 'refused')
      }),
      { seed: 2, numRuns: 100 },
    )
  })

  it.each([
    ['no src', () => trees.make({}), ENTRY, 'The submission has no src/counter.ts, which the lab counter asks for.'],
    ['src without the entry', () => trees.make({ 'src/x.ts': '' }), ENTRY, /^The submission has no src\/counter\.ts/],
    ['src as a file', () => trees.make({ src: '' }), 'src', 'src is not a folder.'],
    ['a folder as the entry', () => trees.make({ [`${ENTRY}/x`]: '' }), ENTRY, 'src/counter.ts is not a plain file.'],
    ['Latin-1', () => trees.make({ [ENTRY]: Uint8Array.of(0xff) }), ENTRY, 'src/counter.ts is not UTF-8 text.'],
    ['a surrogate', () => trees.make({ [ENTRY]: Uint8Array.of(0xed, 0xa0, 0x80) }), ENTRY, /is not UTF-8 text\.$/],
    ['NUL', () => trees.make({ [ENTRY]: 'a\0' }), ENTRY, 'src/counter.ts holds a NUL byte, so it is no text.'],
    [
      'a byte too many',
      () => trees.make({ [ENTRY]: 'x'.repeat(262_145) }),
      ENTRY,
      'src/counter.ts has 262145 bytes; it may have 262144.',
    ],
  ])('refuses %s', async (_, make, file, message) => {
    const result = await read(make())
    expect(result).toMatchObject({ kind: 'refused', reason: { file, line: 1, column: 1 } })
    expect(result.kind === 'refused' && result.reason.message).toMatch(message)
  })

  it('takes the largest file that is allowed', async () => {
    expect((await read(trees.make({ [ENTRY]: 'x'.repeat(262_144) }))).kind).toBe('read')
  })

  it('refuses a file of 300 MB without reading it', async () => {
    const directory = trees.make({ [ENTRY]: '' })
    truncateSync(join(directory, ENTRY), 300_000_000)
    const before = process.memoryUsage().arrayBuffers
    expect(await read(directory)).toMatchObject({ reason: { message: expect.stringMatching(/has 300000000 bytes/) } })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
  })

  it('follows no symbolic link, of a file or of a folder, dangling or not', async () => {
    const secret = trees.file('counter.ts', 'secret')
    for (const target of [secret, '/dev/zero', join(trees.root, 'none')]) {
      const directory = trees.make({ 'src/x': '' })
      symlinkSync(target, join(directory, ENTRY))
      expect(await read(directory)).toMatchObject({
        reason: { file: ENTRY, message: 'src/counter.ts is a symbolic link; a submission may hold only plain files.' },
      })
    }
    const directory = trees.make({})
    symlinkSync(dirname(secret), join(directory, 'src'))
    expect(await read(directory)).toMatchObject({ reason: { file: 'src', message: /^src is a symbolic link/ } })
  })

  it('waits for no pipe and opens no socket', async () => {
    const directory = trees.make({ 'src/x': '' })
    execFileSync('mkfifo', [join(directory, ENTRY)])
    expect(await read(directory)).toMatchObject({ reason: { message: 'src/counter.ts is not a plain file.' } })
    const other = trees.make({ 'src/x': '' })
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(other, ENTRY), resolve))
    expect(await read(other)).toMatchObject({ reason: { message: 'src/counter.ts is not a plain file.' } })
    await new Promise((resolve) => server.close(resolve))
  })

  it('leaves to the caller what the caller named wrongly, and follows the caller’s own link', async () => {
    await expect(read(join(trees.root, 'none'))).rejects.toThrow(/^There is no directory .*none\.$/)
    await expect(read(trees.file('f', ''))).rejects.toThrow(/f is not a directory\.$/)
    await expect(read(join(trees.root, 'none'))).rejects.toThrow(WrongUse)
    symlinkSync(trees.make({ [ENTRY]: 'x' }), join(trees.root, 'link'))
    expect((await read(join(trees.root, 'link'))).kind).toBe('read')
  })
})
