/** Where a submission lies, and how the files that count are read from there. */
import { readFromDirectory } from './directory.ts'

/** A folder on disk. */
export type SubmissionSource = { readonly directory: string }

/** How a sentence names the source. */
export function nameOf({ directory }: SubmissionSource): string {
  return directory
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
  return readFromDirectory(source.directory, paths)
}
