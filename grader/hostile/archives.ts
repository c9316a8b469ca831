/** Uploads that lead outside of their folder, blow up when they are unpacked, or say two things at once. */
import { gzipSync } from 'node:zlib'
import { type Hostile, inBrief, inFamily, KEEPS_ALL, NOT_READABLE } from './hostile.ts'
import type { Kit } from './kit.ts'
import { paxRecord, TAR_TYPE, type TarEntry, tar } from './tar.ts'
import { concatenated, deflatedZeros, ENCRYPTED, SYMLINK, type ZipEntry, zip } from './zip.ts'

const MEBI = 1 << 20

/** The right submission as entries. */
const right = (kit: Kit) => [...kit.right].map(([name, content]) => ({ name, content }))
const entryText = (kit: Kit) => kit.right.get(kit.entry) ?? ''

/** An upload of these entries and, before them, all of the right submission. */
const zipped = (more: (kit: Kit) => readonly ZipEntry[]) => (kit: Kit) =>
  ({ kind: 'archive', bytes: zip([...right(kit), ...more(kit)]) }) as const
const tarred = (more: (kit: Kit) => readonly TarEntry[]) => (kit: Kit) =>
  ({ kind: 'archive', bytes: tar([...right(kit), ...more(kit)]) }) as const
const bytes = (make: (kit: Kit) => Uint8Array) => (kit: Kit) => ({ kind: 'archive', bytes: make(kit) }) as const

export const archives: readonly Hostile[] = inFamily(
  'archive',
  inBrief([
    {
      id: 'zip-slip',
      tries: 'Lists a file whose name climbs out of the folder.',
      submission: zipped(({ bait }) => [{ name: `../../../../../../../../tmp/${bait.mark}`, content: 'x' }]),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-slip-to-the-entry',
      tries: 'Names the entry by a way that leaves the folder and comes back.',
      submission: bytes((kit) => zip([{ name: `src/../../submission/${kit.entry}`, content: entryText(kit) }])),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-absolute',
      tries: 'Lists files with absolute names, of Unix and of Windows.',
      submission: zipped(({ bait }) => [
        { name: `/tmp/${bait.mark}`, content: 'x' },
        { name: `C:\\${bait.mark}`, content: 'x' },
      ]),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-backslashes',
      tries: 'Climbs out of the folder by backslashes.',
      submission: zipped(({ bait }) => [{ name: `..\\..\\..\\tmp\\${bait.mark}`, content: 'x' }]),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-nul-in-name',
      tries: 'Ends the entry’s name early by a NUL, for readers that are written in C.',
      submission: bytes((kit) => zip([{ name: `${kit.entry}\0.png`, content: entryText(kit) }])),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-symlink',
      tries: 'Holds the entry as a symbolic link to a secret.',
      submission: bytes((kit) => zip([{ name: kit.entry, content: kit.bait.secretFile, mode: SYMLINK }])),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-symlinked-folder',
      tries: 'Holds src as a symbolic link to a folder, and then a file below it.',
      submission: (kit) => ({
        kind: 'archive',
        bytes: zip([{ name: 'src', content: '/tmp', mode: SYMLINK }, ...right(kit)]),
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-duplicate',
      tries: 'Lists the entry twice with different texts, so that two readers see two submissions.',
      submission: bytes((kit) => zip([...right(kit), { name: kit.entry, content: 'export const create = 1\n' }])),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-duplicate-in-case',
      tries: 'Lists the entry twice, in capitals the second time, for file systems that do not care.',
      submission: bytes((kit) => zip([...right(kit), { name: kit.entry.toUpperCase(), content: 'x' }])),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-two-names',
      tries: 'Names a file by the entry’s name in one header, and by another in the other.',
      submission: bytes((kit) => zip([{ name: 'notes.txt', localName: kit.entry, content: entryText(kit) }])),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-bomb',
      tries: 'Holds an entry of 2 GB of zeros in a few megabytes.',
      submission: bytes((kit) => zip([{ name: kit.entry, content: '', deflated: deflatedZeros(8 * MEBI, 256) }])),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-lying-size',
      tries: 'Says that its 2 GB are ten bytes.',
      submission: bytes((kit) =>
        zip([{ name: kit.entry, content: '', deflated: deflatedZeros(8 * MEBI, 256), claimedSize: 10 }]),
      ),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-overlapping',
      tries: 'Lists a thousand files that all share the same data.',
      submission: bytes((kit) => {
        const shared = Array.from({ length: 1000 }, (_, n) => ({ name: `more/${n}`, content: 'x', sharesWith: 0 }))
        return zip([{ name: 'zeros', content: '', deflated: deflatedZeros(MEBI, 64) }, ...right(kit), ...shared])
      }),
      expect: { outcomes: ['graded', 'notReadable'], points: 'atMostRight' },
    },
    {
      id: 'zip-many-entries',
      tries: 'Lists sixty thousand files.',
      submission: zipped(() => Array.from({ length: 60_000 }, (_, n) => ({ name: `n/${n}`, content: '' }))),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-encrypted',
      tries: 'Says that its entry is encrypted.',
      submission: bytes((kit) => zip(right(kit).map((each) => ({ ...each, flags: ENCRYPTED })))),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-truncated',
      tries: 'Ends in the middle.',
      submission: bytes((kit) => zip(right(kit)).slice(0, -40)),
      expect: NOT_READABLE,
    },
    {
      id: 'zip-in-a-comment',
      tries: 'Holds a second archive in its comment, with another end for readers that look from behind.',
      submission: bytes((kit) => {
        const second = Buffer.from(zip([{ name: kit.entry, content: 'export const create = 1\n' }])).toString('latin1')
        return zip(right(kit), second.replaceAll(/[^\0-\x7f]/g, '?'))
      }),
      expect: { outcomes: ['graded', 'notReadable'], points: 'atMostRight' },
    },
    {
      id: 'zip-name-of-escapes',
      tries: 'Lists files whose names steer terminals and runners.',
      submission: zipped(() => [
        { name: 'src/\u001b[2J\u001b]0;owned\u0007.ts', content: '' },
        { name: 'src/\n::set-output name=points::100', content: '' },
      ]),
      expect: { outcomes: ['graded', 'notReadable'], points: 'atMostRight' },
    },
    {
      id: 'zip-honest',
      tries: 'Is an honest upload in one top folder, with the rest that students leave in: this must count.',
      submission: (kit) => ({
        kind: 'archive',
        bytes: zip([
          ...right(kit).map(({ name, content }) => ({ name: `my-lab-main/${name}`, content })),
          { name: 'my-lab-main/package.json', content: '{"scripts":{"preinstall":"exit 1"}}' },
          { name: 'my-lab-main/node_modules/x/index.js', content: 'process.exit(1)' },
        ]),
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'tar-slip',
      tries: 'Lists a file whose name climbs out of the folder.',
      submission: tarred(({ bait }) => [{ name: `../../../../../../tmp/${bait.mark}`, content: 'x' }]),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-absolute',
      tries: 'Lists a file with an absolute name.',
      submission: tarred(({ bait }) => [{ name: `/tmp/${bait.mark}`, content: 'x' }]),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-pax-path',
      tries: 'Gives the harmless name of a file another meaning by an extended header.',
      submission: tarred(({ bait }) => [
        { name: 'PaxHeaders/x', type: TAR_TYPE.extended, content: paxRecord('path', `../../../tmp/${bait.mark}`) },
        { name: 'src/harmless.ts', content: 'x' },
      ]),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-long-name',
      tries: 'Gives a long name by the GNU way that climbs out of the folder.',
      submission: tarred(({ bait }) => [
        { name: '././@LongLink', type: TAR_TYPE.longName, content: `${'../'.repeat(60)}tmp/${bait.mark}\0` },
        { name: 'src/harmless.ts', content: 'x' },
      ]),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-symlink',
      tries: 'Holds the entry as a symbolic link to a secret.',
      submission: bytes((kit) => tar([{ name: kit.entry, type: TAR_TYPE.symbolicLink, target: kit.bait.secretFile }])),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-hard-link',
      tries: 'Holds the entry as a hard link to a secret.',
      submission: bytes((kit) => tar([{ name: kit.entry, type: TAR_TYPE.hardLink, target: kit.bait.secretFile }])),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-device',
      tries: 'Holds the entry as a device.',
      submission: bytes((kit) => tar([{ name: kit.entry, type: TAR_TYPE.device }])),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-fifo',
      tries: 'Holds the entry as a FIFO, on which a reader would wait for ever.',
      submission: bytes((kit) => tar([{ name: kit.entry, type: TAR_TYPE.fifo }])),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-duplicate',
      tries: 'Holds the entry twice.',
      submission: bytes((kit) => tar([...right(kit), { name: kit.entry, content: 'export const create = 1\n' }])),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-negative-size',
      tries: 'Gives its entry a negative size in base 256.',
      submission: bytes((kit) => tar([{ name: kit.entry, content: entryText(kit), sizeField: '\xff'.repeat(12) }])),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-huge-size',
      tries: 'Gives its entry a size of 8 GB, of which nothing follows.',
      submission: bytes((kit) => tar([{ name: kit.entry, content: 'x', sizeField: '77777777777\0' }])),
      expect: NOT_READABLE,
    },
    {
      id: 'tar-huge-header',
      tries: 'Gives an extended header the size of the whole archive, again and again.',
      submission: bytes((kit) =>
        tar([
          { name: 'pax', type: TAR_TYPE.extended, content: paxRecord('comment', 'x'.repeat(4 * MEBI)) },
          { name: 'pax', type: TAR_TYPE.extended, content: '999999999999 path=\n' },
          { name: kit.entry, content: entryText(kit) },
        ]),
      ),
      expect: { outcomes: ['graded', 'notReadable', 'importRefused'], points: 'atMostRight' },
    },
    {
      id: 'gzip-bomb',
      tries: 'Unpacks to 2 GB of zeros from a hundred members of a few kilobytes.',
      submission: bytes(() => {
        const member = new Uint8Array(gzipSync(new Uint8Array(16 * MEBI)))
        return concatenated(Array<Uint8Array>(128).fill(member))
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'gzip-in-gzip',
      tries: 'Packs the right submission twice, to see who unpacks without end.',
      submission: bytes((kit) => new Uint8Array(gzipSync(gzipSync(tar(right(kit)))))),
      expect: NOT_READABLE,
    },
    {
      id: 'no-archive',
      tries: 'Is no archive at all, but a program.',
      submission: bytes(() => new TextEncoder().encode('#!/bin/sh\ntouch /tmp/owned\n')),
      expect: NOT_READABLE,
    },
    {
      id: 'empty-archive',
      tries: 'Is an archive without entries.',
      submission: bytes(() => zip([])),
      expect: NOT_READABLE,
    },
  ]),
)
