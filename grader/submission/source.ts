/** Where a submission lies, and how the files that count are read from there. */
import { statSync } from 'node:fs'
import { WrongUse } from '../failures.ts'
import { readFromArchive } from './archive.ts'
import { readFromDirectory } from './directory.ts'
import { readFromRepository } from './repository.ts'

export type SubmissionSource =
  /** A folder on disk. */
  | { readonly directory: string }
  /** A commit of a git repository, bare or not. */
  | { readonly repository: string; readonly revision: string }
  /** A zip or tar file, packed by gzip or not. */
  | { readonly archive: string }

/**
 * The source that a person named: a commit of the repository at `path`, or else the folder or archive there.
 *
 * @throws WrongUse when there is nothing
 */
export function sourceAt(path: string, revision?: string): SubmissionSource {
  if (revision !== undefined) return { repository: path, revision }
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) throw new WrongUse(`There is no directory or archive ${path}.`)
  return status.isDirectory() ? { directory: path } : { archive: path }
}

/** How a sentence names the source. */
export function nameOf(source: SubmissionSource): string {
  if ('directory' in source) return source.directory
  return 'archive' in source ? source.archive : `${source.repository} at ${source.revision}`
}

/**
 * The bytes of those of `paths` that the source holds; nothing else of it is read.
 *
 * @throws WrongUse when there is no such source
 * @throws Refused when what it holds cannot be read
 */
export async function readFrom(
  source: SubmissionSource,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  if ('directory' in source) return readFromDirectory(source.directory, paths)
  if ('archive' in source) return readFromArchive(source.archive, paths)
  return readFromRepository(source.repository, source.revision, paths)
}
