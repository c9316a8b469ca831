/** Files: listed, asked whether they can be written, and written whole or not at all, by a temporary name beside the target. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { WrongUse } from './failures.ts'

/**
 * Writes `content` to `path`; a reader sees the old file or the new one, never a part.
 *
 * @throws WrongUse with a sentence for the person who named the path, when it cannot be written; nothing is left behind
 */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`)
  try {
    writeFileSync(temporary, content, { flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new WrongUse(`Cannot write ${path}: ${reasonOf(error)}.`)
  }
}

/** What the operating system said, in words. */
export function reasonOf(error: unknown): string {
  switch (errorCode(error)) {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'ENOTDIR':
      return 'a part of the path is not a folder'
    case 'EISDIR':
      return 'it is a folder'
    case 'EROFS':
      return 'the file system is read-only'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

/** Finds out before the work is done that its outcome could not be written. @throws WrongUse */
export function requireWritable(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK)
    if (!statSync(dirname(path)).isDirectory())
      throw new WrongUse(`Cannot write ${path}: ${dirname(path)} is no folder.`)
    if (existsSync(path) && statSync(path).isDirectory()) throw new WrongUse(`Cannot write ${path}: it is a folder.`)
  } catch (error) {
    throw error instanceof WrongUse ? error : new WrongUse(`Cannot write ${path}: ${reasonOf(error)}.`)
  }
}

/** Writes files below a folder, by their paths from there. */
export function writeTree(folder: string, files: Iterable<readonly [string, string | Uint8Array]>): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** The code of an error of the operating system, as `ENOENT`; undefined for any other error. */
export function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** Every file below a folder, by its path from there with `/` between names, in the order of paths. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort()
}
