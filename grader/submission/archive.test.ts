import { mkdirSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { WrongUse } from '../failures.ts'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { type TarEntry, tar, type ZipEntry, zip } from './fixtures/archives.ts'
import { listing, makeTrees } from './fixtures/trees.ts'
import { readSubmission } from './read-submission.ts'

const trees = makeTrees()
afterAll(() => trees.remove())
const ENTRY = 'src/counter.ts'
const LINK = 0o120777
const MEGABYTE = 1_048_576

const read = (bytes: Uint8Array, name = 'work.zip') => readSubmission(counterLab, { archive: trees.file(name, bytes) })
const refusal = async (bytes: Uint8Array): Promise<string> => {
  const result = await read(bytes)
  if (result.kind === 'read') throw new Error('it was read')
  return `${result.reason.file}: ${result.reason.message}`
}
const plain = { name: ENTRY, content: 'x' }
const is = (text: string) => ({ kind: 'read', files: new Map([[ENTRY, text]]) })
type Pack = (entries: readonly { readonly name: string; readonly content: string }[]) => Buffer
const FORMATS: readonly (readonly [string, Pack])[] = [
  ['zip', (entries) => zip(entries)],
  ['zip, stored', (entries) => zip(entries.map((entry) => ({ ...entry, method: 0 })))],
  ['tar', (entries) => tar(entries)],
  ['tar.gz', (entries) => gzipSync(tar(entries))],
]

describe.each(FORMATS)('a submission in a %s', (_, pack) => {
  it('is its allowed files, at the root or in one folder, whatever lies beside them, and nothing is written', async () => {
    const names = fc.constantFrom('src/other.ts', 'package.json', 'README', 'src/deep/counter.ts', 'Makefile')
    const beside = fc.uniqueArray(names).map((all) => all.map((name) => ({ name, content: 'y' })))
    const roots = fc.constantFrom('', './', 'alice-hlt-idle-main/', './alice/')
    const texts = fc.string({ unit: 'grapheme', maxLength: 2000 })
    await fc.assert(
      fc.asyncProperty(texts, beside, beside, roots, async (text, before, after, root) => {
        fc.pre(!text.includes('\0') && !text.startsWith('\ufeff'))
        const entries = [
          ...before,
          { name: ENTRY, content: text },
          ...after.filter((one) => !before.some(({ name }) => name === one.name)),
        ]
        const bytes = pack(entries.map(({ name, content }) => ({ name: root + name, content })))
        const archive = trees.file('work.zip', bytes)
        const listed = listing(dirname(archive))
        expect(await readSubmission(counterLab, { archive })).toEqual(is(text))
        expect(listing(dirname(archive))).toEqual(listed)
      }),
      { seed: 1, numRuns: 20 },
    )
  })

  it('never ends in an exception, however it is damaged', async () => {
    const sound = pack([plain, { name: 'README', content: 'read me '.repeat(50) }])
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sound.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, change, cut) => {
          const bytes = Buffer.from(sound)
          bytes[at]! ^= change
          const result = await read(cut ? sound.subarray(0, at) : bytes)
          if (result.kind === 'read') expect([...result.files.keys()]).toEqual([ENTRY])
          else expect(result.reason.message).toMatch(/^\S.*\.$/)
        },
      ),
      { seed: 2, numRuns: 150 },
    )
  })

  it('is looked for in src, not in a folder that is called so by chance', async () => {
    expect(await read(pack([plain]))).toEqual(is('x'))
    expect(
      await read(
        pack([
          { name: 'a/src/counter.ts', content: '' },
          { name: 'b/x', content: '' },
        ]),
      ),
    ).toMatchObject({
      reason: { file: ENTRY, message: /^The submission has no/ },
    })
  })

  it('may come from macOS', async () => {
    const extra = ['__MACOSX/alice/src/._counter.ts', '._alice', 'alice/._src'].map((name) => ({ name, content: '\0' }))
    expect(await read(pack([...extra, { name: 'alice/src/counter.ts', content: 'x' }]))).toEqual(is('x'))
  })

  it.each([
    ['../../etc/cron.d/x', 'that leads out of its folder'],
    ['src/../../x', 'that leads out of its folder'],
    ['/etc/passwd', 'that starts at the root of a disk'],
    ['C:/x', 'that starts at the root of a disk'],
    ['..\\x', 'with a backslash in it; pack it with a tool that writes / between folders'],
  ])('is refused for the name %s', async (name, why) => {
    expect(await refusal(pack([plain, { name, content: '' }]))).toBe(`work.zip: work.zip holds a name ${why}.`)
  })

  it.each([
    ['the same', ENTRY],
    ['the same in other letters', 'src/Counter.ts'],
    ['the same by another way', 'src/./counter.ts'],
    ['the same in another folder’s letters', 'SRC/counter.ts'],
  ])('is refused for a name twice: %s', async (_, name) => {
    expect(await refusal(pack([plain, { name, content: 'y' }]))).toMatch(/ stands twice in work\.zip, as .* and as /)
  })

  it('is refused for too large a file, for bytes that are no text, and for too many entries', async () => {
    expect(await refusal(pack([{ name: ENTRY, content: 'x'.repeat(262_145) }]))).toMatch(
      /has 262145 bytes; it may have/,
    )
    expect(await refusal(pack([{ name: ENTRY, content: 'a\0' }]))).toMatch(/holds a NUL byte/)
    const many = Array.from({ length: 10_001 }, (_, index) => ({ name: `f${index}`, content: '' }))
    expect(await refusal(pack(many))).toMatch(
      /^work\.zip: work\.zip holds more than 10000 files and folders; leave out/,
    )
  })
})

describe('a zip', () => {
  const folder = { name: 'src/', mode: 0o040755 }

  it.each<[string, readonly ZipEntry[], RegExp]>([
    [
      'a link',
      [folder, { name: ENTRY, content: '/etc/passwd', mode: LINK }],
      /^src\/counter\.ts: .* is a symbolic link;/,
    ],
    ['a link as src', [{ name: 'src', content: '/etc', mode: LINK }, plain], /^src: src is a symbolic link;/],
    ['a file as src', [{ name: 'src' }, plain], /^src: src is not a folder\.$/],
    ['a device', [{ name: ENTRY, mode: 0o020644 }], /is not a plain file\.$/],
    ['an encrypted file', [{ ...plain, flags: 1 }], /^src\/counter\.ts: .* is encrypted in work\.zip;/],
    ['an unknown method', [{ ...plain, method: 99 }], /^work\.zip: work\.zip is damaged/],
    ['a bomb that says so', [{ name: ENTRY, content: 'x'.repeat(5_000_000) }], /has 5000000 bytes; it may have/],
    ['a bomb that lies', [{ name: ENTRY, content: 'x'.repeat(5_000_000), sizeBytes: 10 }], /is damaged/],
    ['a size that is too large', [{ ...plain, sizeBytes: 10 }], /is damaged/],
    ['a wrong checksum', [{ ...plain, crc: 1 }], /is damaged/],
    ['NUL in a name', [{ name: `${ENTRY}\0.png` }], /holds a name with a NUL byte in it\.$/],
  ])('is refused for %s', async (_, entries, message) => {
    expect(await refusal(zip(entries))).toMatch(message)
  })

  it('may list its folders, and hold a bomb that is not looked at', async () => {
    const bomb = { name: 'bomb', content: 'x'.repeat(300_000), sizeBytes: 10 }
    expect(await read(zip([folder, plain, bomb]))).toEqual(is('x'))
  })

  it('may be empty, and has then no entry file', async () => {
    expect(await refusal(zip([]))).toMatch(/^src\/counter\.ts: The submission has no/)
  })

  it('is refused when it lists more entries than it has', async () => {
    expect(await refusal(zip([plain], { entryCount: 5 }))).toMatch(/is damaged/)
    expect(await refusal(zip([plain], { entryCount: 60_000 }))).toMatch(/holds more than 10000/)
  })
})

describe('a tar', () => {
  it.each<[string, readonly TarEntry[], RegExp]>([
    ['a link', [{ name: ENTRY, type: '2', target: '/etc/passwd' }], /^src\/counter\.ts: .* is a symbolic link;/],
    ['a hard link', [{ name: ENTRY, type: '1', target: 'src/x' }], /^src\/counter\.ts: .* is a symbolic link;/],
    ['a link as src', [{ name: 'src', type: '2', target: '/etc' }, plain], /^src: src is a symbolic link;/],
    ['a character device', [{ name: ENTRY, type: '3' }], /is not a plain file\.$/],
    ['a pipe', [{ name: ENTRY, type: '6' }], /is not a plain file\.$/],
    ['a sparse file', [{ name: ENTRY, type: 'S' }], /is not a plain file\.$/],
    ['a size beyond the end', [{ ...plain, sizeBytes: 5000 }], /^work\.zip: work\.zip is damaged/],
    ['a terabyte', [{ name: ENTRY, sizeBytes: 8 ** 11 - 1 }], /is damaged|has 8589934591 bytes/],
  ])('is refused for %s', async (_, entries, message) => {
    expect(await refusal(tar(entries))).toMatch(message)
    expect(await refusal(gzipSync(tar(entries)))).toMatch(message)
  })

  it('keeps long names of the extended header, and only of the file that it stands before', async () => {
    const record = (text: string) => {
      for (let length = text.length + 3; ; length++)
        if (`${length} ${text}\n`.length === length) return `${length} ${text}\n`
    }
    const extended = { name: 'x', type: 'x', content: record(`path=${ENTRY}`) }
    expect(await read(tar([extended, { name: 'y', content: 'x' }, { name: 'z' }]))).toEqual(is('x'))
    const outside = { name: 'x', type: 'x', content: record('path=../../etc/passwd') }
    expect(await refusal(tar([outside, { name: 'y' }, plain]))).toMatch(/leads out of its folder/)
  })

  it('ends where it says, whatever follows', async () => {
    const trailing = Buffer.concat([tar([plain]), Buffer.alloc(5_000_000, 1)])
    expect(await read(gzipSync(trailing))).toEqual(is('x'))
  })

  it('is refused when gzip unpacks to too much, and when it is packed twice', async () => {
    const header = tar([{ name: 'bomb', sizeBytes: 300 * MEGABYTE }]).subarray(0, 512)
    const zeros = gzipSync(Buffer.alloc(MEGABYTE))
    const bomb = Buffer.concat([gzipSync(header), ...Array.from({ length: 300 }, () => zeros)])
    expect(await refusal(bomb)).toBe('work.zip: work.zip unpacks to more than 268435456 bytes.')
    expect(await refusal(gzipSync(gzipSync(tar([plain]))))).toMatch(/holds no tar archive\.$/)
    expect(await refusal(gzipSync('hello'))).toMatch(/holds no tar archive\.$/)
  })
})

describe('an archive', () => {
  it('is told by its contents, not by its name', async () => {
    expect(await read(tar([plain]), 'work.zip')).toEqual(is('x'))
    expect(await read(zip([plain]), 'work.tar')).toEqual(is('x'))
  })

  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['rar', 'Rar!\x1a\x07\x00'],
    ['xz', '\xfd7zXZ\x00'],
  ])('is refused when it is %s', async (_, content) => {
    expect(await refusal(Buffer.from(content, 'latin1'))).toMatch(
      /is no archive that is read here: hand in a \.zip, a \.tar or/,
    )
  })

  it('is refused unread when it is too large', async () => {
    const archive = trees.file('work.zip', zip([plain]))
    truncateSync(archive, 300_000_000)
    expect(await readSubmission(counterLab, { archive })).toMatchObject({
      reason: { message: 'work.zip has 300000000 bytes; an archive may have 67108864.' },
    })
  })

  it('leaves to the caller what the caller named wrongly', async () => {
    const folder = join(trees.root, 'folder')
    mkdirSync(folder)
    for (const archive of [join(trees.root, 'none'), folder, '/dev/null']) {
      await expect(readSubmission(counterLab, { archive })).rejects.toThrow(WrongUse)
    }
  })
})
