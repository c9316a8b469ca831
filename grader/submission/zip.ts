/** Reads files of a zip archive that lies in memory (APPNOTE.TXT 6.3), by its central directory. */
import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl'
import { ArchiveEntries, type ArchiveEntry, damaged, tooManyEntries } from './archive-entries.ts'
import { SUBMISSION_LIMITS } from './limits.ts'
import { Refused } from './refused.ts'

/** The file's mode in the upper half of the external attributes: its type, and the type of a symbolic link (stat.h). */
const TYPE_MASK = 0o170000
const TYPES_OF_FILES = [0, 0o100000]
const LINK_TYPE = 0o120000

/** @param name the archive's name in sentences; throws Refused */
export async function readZip(bytes: Buffer, name: string, paths: readonly string[]): Promise<Map<string, Uint8Array>> {
  try {
    // Names stay bytes: the library would refuse some of them with sentences of its own.
    const zip = await fromBufferPromise(bytes, { lazyEntries: true, decodeStrings: false })
    if (zip.entryCount > SUBMISSION_LIMITS.archiveEntries) throw tooManyEntries(name)
    const entries = new ArchiveEntries(name, paths)
    const kept = new Map<string, Entry>()
    for await (const entry of zip.eachEntry()) {
      const path = entries.add(describe(entry))
      if (path !== undefined) kept.set(path, entry)
    }
    const files = new Map<string, Uint8Array>()
    for (const [path, stored] of entries.select()) files.set(path, await unpack(zip, kept.get(stored)!, path, name))
    return files
  } catch (error) {
    throw error instanceof Refused ? error : damaged(name)
  }
}

function describe({ fileNameRaw, externalFileAttributes, uncompressedSize }: Entry): ArchiveEntry {
  const name = fileNameRaw.toString('utf8')
  const type = (externalFileAttributes >>> 16) & TYPE_MASK
  const isFile = TYPES_OF_FILES.includes(type)
  const kind = name.endsWith('/') ? 'folder' : type === LINK_TYPE ? 'link' : isFile ? 'file' : 'other'
  return { name, kind, sizeBytes: uncompressedSize }
}

async function unpack(zip: ZipFile, entry: Entry, path: string, archive: string): Promise<Uint8Array> {
  if (entry.isEncrypted()) throw new Refused(path, `${path} is encrypted in ${archive}; pack it without a password.`)
  const chunks: Buffer[] = []
  // The library stops when an entry unpacks to another size than it says, and what it says was checked.
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  if (crc32(bytes) !== entry.crc32) throw damaged(archive)
  return bytes
}
