/**
 * Reads a submission that is an archive: zip, tar, or tar packed by gzip, told apart by their contents. All of it happens in
 * memory; nothing is unpacked but the files that count, and nothing is written to disk.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { createGunzip } from 'node:zlib'
import { WrongUse } from '../failures.ts'
import { reasonOf } from '../files.ts'
import { damaged } from './archive-entries.ts'
import { SUBMISSION_LIMITS } from './limits.ts'
import { Refused } from './refused.ts'
import { isTar, readTar } from './tar.ts'
import { readZip } from './zip.ts'

/** How files begin: a zip archive, one without entries, and gzip with its only method (RFC 1952). */
const ZIP_STARTS = ['PK\x03\x04', 'PK\x05\x06']
const GZIP_START = '\x1f\x8b\x08'

/**
 * The bytes of those of `paths` that an archive holds.
 *
 * @throws WrongUse when there is no such file
 * @throws Refused when it cannot be read, or holds what a submission may not
 */
export async function readFromArchive(archive: string, paths: readonly string[]): Promise<Map<string, Uint8Array>> {
  const name = basename(archive)
  const bytes = readArchive(archive, name)
  const startsWith = (start: string) => bytes.toString('latin1', 0, start.length) === start
  if (ZIP_STARTS.some(startsWith)) return readZip(bytes, name, paths)
  if (startsWith(GZIP_START)) return readTar(gunzip(bytes, name), name, paths)
  if (isTar(bytes)) return readTar([bytes], name, paths)
  throw new Refused(name, `${name} is no archive that is read here: hand in a .zip, a .tar or a .tar.gz.`)
}

function readArchive(archive: string, name: string): Buffer {
  let file: number
  try {
    file = openSync(archive, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw new WrongUse(`Cannot read the archive ${archive}: ${reasonOf(error)}.`)
  }
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw new WrongUse(`${archive} is no file.`)
    const { archiveBytes } = SUBMISSION_LIMITS
    if (status.size > archiveBytes) {
      throw new Refused(name, `${name} has ${status.size} bytes; an archive may have ${archiveBytes}.`)
    }
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

async function* gunzip(bytes: Buffer, name: string): AsyncGenerator<Buffer> {
  const unpacked = createGunzip()
  unpacked.end(bytes)
  let sizeBytes = 0
  try {
    for await (const piece of unpacked as AsyncIterable<Buffer>) {
      sizeBytes += piece.length
      if (sizeBytes > SUBMISSION_LIMITS.unpackedBytes) {
        throw new Refused(name, `${name} unpacks to more than ${SUBMISSION_LIMITS.unpackedBytes} bytes.`)
      }
      yield piece
    }
  } catch (error) {
    throw error instanceof Refused ? error : damaged(name)
  }
}
