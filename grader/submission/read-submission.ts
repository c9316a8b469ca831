/** Reads the files of a submission that count, those that the lab lets a student change, and nothing else of it. */
import { lstatSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyLab } from '../contract/lab.ts'
import { WrongUse } from '../failures.ts'
import { allowedPaths, SOURCE_FOLDER } from './layout.ts'
import { readPlainFile } from './plain-file.ts'

/** The texts of a submission's files by their paths, as `src/idle.ts`. */
export type SourceFiles = ReadonlyMap<string, string>

/**
 * The lab's files in `directory`; a file that is not the entry may be missing.
 *
 * @throws WrongUse with one sentence when there is no such directory, no entry file, or a file is not plain text
 */
export function readSubmission(lab: AnyLab, directory: string): Map<string, string> {
  requireDirectory(directory)
  const [entry] = allowedPaths(lab)
  const missing = `${directory} is no submission of the lab ${lab.id}: it has no ${entry}.`
  const folder = statusOf(() => lstatSync(join(directory, SOURCE_FOLDER)))
  if (folder?.isSymbolicLink())
    throw new WrongUse(`${join(directory, SOURCE_FOLDER)} is a symbolic link, not a folder.`)
  if (!folder?.isDirectory()) throw new WrongUse(missing)
  const files = new Map<string, string>()
  for (const path of allowedPaths(lab)) {
    const text = readPlainFile(join(directory, path))
    if (text !== undefined) files.set(path, text)
    else if (path === entry) throw new WrongUse(missing)
  }
  return files
}

/** @throws WrongUse when there is no such directory */
export function requireDirectory(directory: string): void {
  const status = statusOf(() => statSync(directory))
  if (status === undefined) throw new WrongUse(`There is no directory ${directory}.`)
  if (!status.isDirectory()) throw new WrongUse(`${directory} is not a directory.`)
}

function statusOf(look: () => Stats): Stats | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
