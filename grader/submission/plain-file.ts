/** Reads a plain file: a regular one, no link, small, UTF-8 without NUL; anything else is refused by name. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { WrongUse } from '../failures.ts'
import { errorCode, reasonOf } from '../files.ts'
import { SUBMISSION_LIMITS } from './limits.ts'
import { Refused } from './refused.ts'

const LOOK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The text of a file that the caller named; undefined when there is no such file. @throws WrongUse for what is no plain text */
export function readPlainFile(path: string): string | undefined {
  try {
    const bytes = readPlainBytes(path, path)
    return bytes && decodeText(bytes, path)
  } catch (error) {
    throw error instanceof Refused ? new WrongUse(error.message) : error
  }
}

/**
 * The bytes of a submission's file; undefined when there is no such file. All that is asked about the file is asked of
 * the descriptor that it is then read from, so that it cannot change its nature in between.
 *
 * @param name how a refusal names it
 * @throws Refused when it is a link, no file, too large, or cannot be read
 */
export function readPlainBytes(path: string, name: string): Uint8Array | undefined {
  let file: number
  try {
    file = openSync(path, LOOK)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw refuseLink(name)
    if (code === 'ENXIO') throw refuseKind(name)
    throw new Refused(name, `${name} cannot be read: ${reasonOf(error)}.`)
  }
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw refuseKind(name)
    requireSize(status.size, name)
    return readAll(file, status.size, name)
  } finally {
    closeSync(file)
  }
}

/** @throws Refused when a file of `sizeBytes` is too large to be read */
export function requireSize(sizeBytes: number, name: string): void {
  if (sizeBytes <= SUBMISSION_LIMITS.fileBytes) return
  throw new Refused(name, `${name} has ${sizeBytes} bytes; it may have ${SUBMISSION_LIMITS.fileBytes}.`)
}

/** The text that the bytes of a file spell. @throws Refused when they spell none */
export function decodeText(bytes: Uint8Array, name: string): string {
  if (bytes.includes(0)) throw new Refused(name, `${name} holds a NUL byte, so it is no text.`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Refused(name, `${name} is not UTF-8 text.`)
  }
}

export function refuseLink(name: string): Refused {
  return new Refused(name, `${name} is a symbolic link; a submission may hold only plain files.`)
}

export function refuseKind(name: string): Refused {
  return new Refused(name, `${name} is not a plain file.`)
}

/** Reads what the file had when it was asked; one that grew meanwhile is not followed. */
function readAll(file: number, sizeBytes: number, name: string): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  let done = 0
  while (done < sizeBytes) {
    const count = readSync(file, bytes, done, sizeBytes - done, null)
    if (count === 0) throw new Refused(name, `${name} became shorter while it was read.`)
    done += count
  }
  return bytes
}
