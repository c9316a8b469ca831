/**
 * Reads a submission that is a folder on disk. No link is followed below its root: each folder on the way is opened by
 * itself, and the next name is looked up in what was opened.
 */
import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { WrongUse } from '../failures.ts'
import { reasonOf } from '../files.ts'
import { readPlainBytes, refuseLink } from './plain-file.ts'
import { Refused } from './refused.ts'

/** Where Linux gives a process its descriptors as paths: a name below one is looked up in the folder that is open. */
const DESCRIPTORS = '/proc/self/fd'
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY

/**
 * The bytes of those of `paths` that `directory` holds.
 *
 * @param paths from the directory, with `/`
 * @throws WrongUse when there is no such directory
 * @throws Refused when one of the paths is there and is no plain file
 */
export function readFromDirectory(directory: string, paths: readonly string[]): Map<string, Uint8Array> {
  requireDirectory(directory)
  let root: number
  try {
    root = openSync(directory, FOLDER)
  } catch (error) {
    throw new WrongUse(`Cannot read the directory ${directory}: ${reasonOf(error)}.`)
  }
  const files = new Map<string, Uint8Array>()
  try {
    for (const path of paths) {
      const bytes = readBelow(root, directory, '', path.split('/'))
      if (bytes !== undefined) files.set(path, bytes)
    }
  } finally {
    closeSync(root)
  }
  return files
}

/** @throws WrongUse when there is no such directory */
export function requireDirectory(directory: string): void {
  const status = statSync(directory, { throwIfNoEntry: false })
  if (status === undefined) throw new WrongUse(`There is no directory ${directory}.`)
  if (!status.isDirectory()) throw new WrongUse(`${directory} is not a directory.`)
}

/**
 * @param folder the descriptor of an open folder
 * @param where its path on disk
 * @param named its path in the submission; empty for the root
 */
function readBelow(
  folder: number,
  where: string,
  named: string,
  [first, ...rest]: readonly string[],
): Uint8Array | undefined {
  const name = named === '' ? first! : `${named}/${first}`
  const path = join(existsSync(DESCRIPTORS) ? `${DESCRIPTORS}/${folder}` : where, first!)
  if (rest.length === 0) {
    const bytes = readPlainBytes(path, name)
    requireUnmoved(folder, where, name)
    return bytes
  }
  const inner = openFolder(path, name)
  if (inner === undefined) return undefined
  try {
    return readBelow(inner, join(where, first!), name, rest)
  } finally {
    closeSync(inner)
  }
}

function openFolder(path: string, name: string): number | undefined {
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined) return undefined
  if (status.isSymbolicLink()) throw refuseLink(name)
  if (!status.isDirectory()) throw new Refused(name, `${name} is not a folder.`)
  try {
    return openSync(path, FOLDER | constants.O_NOFOLLOW)
  } catch (error) {
    throw new Refused(name, `${name} cannot be read: ${reasonOf(error)}.`)
  }
}

/** Where a name cannot be looked up in an open folder, this shows that it was still the folder of that path. */
function requireUnmoved(folder: number, where: string, name: string): void {
  const [opened, now] = [fstatSync(folder), statSync(where, { throwIfNoEntry: false })]
  if (now?.ino !== opened.ino || now.dev !== opened.dev) throw new Refused(name, `${name} moved while it was read.`)
}
