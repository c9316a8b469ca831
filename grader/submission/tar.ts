/** Reads files of a tar archive (POSIX pax, ustar, GNU) that comes in pieces. */
import { Parser, type ReadEntry } from 'tar'
import { ArchiveEntries, type ArchiveEntry, damaged } from './archive-entries.ts'
import { Refused } from './refused.ts'

/** Where a tar header says that it is one, and what it says (POSIX ustar interchange format). */
const MAGIC_OFFSET = 257
const MAGIC = 'ustar'

/** True for bytes that begin a tar archive. */
export function isTar(bytes: Buffer): boolean {
  return bytes.toString('latin1', MAGIC_OFFSET, MAGIC_OFFSET + MAGIC.length) === MAGIC
}

/**
 * @param name the archive's name in sentences
 * @throws Refused, and whatever `pieces` throws
 */
export async function readTar(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  name: string,
  paths: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const entries = new ArchiveEntries(name, paths)
  const kept = new Map<string, Buffer[]>()
  const parser = new Parser({ strict: true })
  let failure: Error | undefined
  let isOver = false
  const note = (entry: ReadEntry): void => {
    try {
      const path = failure === undefined ? entries.add(describe(entry)) : undefined
      const chunks: Buffer[] = []
      if (path !== undefined) {
        kept.set(path, chunks)
        entry.on('data', (chunk) => chunks.push(chunk))
      } else entry.resume()
    } catch (error) {
      failure = error as Error
      entry.resume()
    }
  }
  parser.on('entry', note)
  parser.on('ignoredEntry', note)
  parser.on('eof', () => {
    isOver = true
  })
  parser.on('error', () => {
    failure ??= damaged(name)
  })
  let isFirst = true
  for await (const piece of pieces) {
    // The parser unpacks by itself what looks packed, without a limit; so nothing but tar reaches it.
    if (isFirst && !isTar(piece)) throw new Refused(name, `${name} holds no tar archive.`)
    isFirst = false
    parser.write(piece)
    if (failure !== undefined) throw failure
    // What follows the end is not looked at: the parser would gather all of it.
    if (isOver) break
  }
  parser.end()
  if (failure !== undefined) throw failure
  return new Map([...entries.select()].map(([path, stored]) => [path, Buffer.concat(kept.get(stored)!)]))
}

function describe({ path, type, size }: ReadEntry): ArchiveEntry {
  return { name: path, kind: kindOf(type, path), sizeBytes: size }
}

function kindOf(type: string, path: string): ArchiveEntry['kind'] {
  switch (type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
      return path.endsWith('/') ? 'folder' : 'file'
    case 'Directory':
    case 'GNUDumpDir':
      return 'folder'
    case 'Link':
    case 'SymbolicLink':
      return 'link'
    default:
      return 'other'
  }
}
