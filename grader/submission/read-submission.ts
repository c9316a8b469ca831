/**
 * Reads the files of a submission that count, and nothing else of it: those that the lab lets a student change, each a
 * regular file of UTF-8 text of at most 256 KiB.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyLab } from '../contract/lab.ts'
import { WrongUse } from '../failures.ts'
import { reasonOf } from '../files.ts'
import { allowedPaths, SOURCE_FOLDER } from './layout.ts'

/** The largest file that a lab reads, in bytes. */
const MAX_BYTES = 256 * 1024

/** The texts of a submission's files by their paths, as `src/idle.ts`. */
export type SourceFiles = ReadonlyMap<string, string>

/**
 * The lab's files in `directory`; a file that is no part of the entry may be missing.
 *
 * @throws WrongUse with one sentence when there is no such directory, no entry file, or a file is not plain text
 */
export function readSubmission(lab: AnyLab, directory: string): Map<string, string> {
  requireFolder(directory, `There is no directory ${directory}`)
  const [entry] = allowedPaths(lab)
  const missing = `${directory} is no submission of the lab ${lab.id}: it has no ${entry}`
  requireFolder(join(directory, SOURCE_FOLDER), missing)
  const files = new Map<string, string>()
  for (const path of allowedPaths(lab)) {
    const text = readSource(directory, path)
    if (text !== undefined) files.set(path, text)
    else if (path === entry) throw new WrongUse(`${missing}.`)
  }
  return files
}

function requireFolder(path: string, otherwise: string): void {
  let status: ReturnType<typeof lstatSync> | undefined
  try {
    status = lstatSync(path)
  } catch {
    throw new WrongUse(`${otherwise}.`)
  }
  const isRoot = !otherwise.includes('submission')
  if (status.isDirectory() || (isRoot && status.isSymbolicLink())) return
  throw new WrongUse(`${otherwise}: ${path} is not a directory.`)
}

function readSource(directory: string, path: string): string | undefined {
  const full = join(directory, path)
  let file: number
  try {
    file = openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw new WrongUse(`${full} is a symbolic link; a submission holds plain files only.`)
    throw new WrongUse(`Cannot read ${full}: ${reasonOf(error)}.`)
  }
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw new WrongUse(`${full} is not a plain file.`)
    if (status.size > MAX_BYTES) {
      throw new WrongUse(`${full} has ${status.size} bytes; a submission's file may have ${MAX_BYTES}.`)
    }
    return decode(readFileSync(file), full)
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
