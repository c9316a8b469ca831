/** Reads a text file of a submission: a regular file, no link, small, UTF-8; anything else is refused by name. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { WrongUse } from '../failures.ts'
import { reasonOf } from '../files.ts'

/** The largest file that is read, in bytes. */
const MAX_BYTES = 256 * 1024

/** The file's text; undefined when there is no such file. @throws WrongUse for whatever is no plain text file */
export function readPlainFile(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw new WrongUse(`${path} is a symbolic link; a submission holds plain files only.`)
    throw new WrongUse(`Cannot read ${path}: ${reasonOf(error)}.`)
  }
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw new WrongUse(`${path} is not a plain file.`)
    if (status.size > MAX_BYTES) {
      throw new WrongUse(`${path} has ${status.size} bytes; a submission's file may have ${MAX_BYTES}.`)
    }
    return decode(readFileSync(file), path)
  } finally {
    closeSync(file)
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new WrongUse(`${path} is not UTF-8 text.`)
  }
}
