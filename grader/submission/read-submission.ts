/** Reads the files of a submission that count, those that the lab lets a student change, and nothing else of it. */
import type { AnyLab } from '../contract/lab.ts'
import type { Diagnostic } from '../result/result.ts'
import { allowedPaths } from './layout.ts'
import { decodeText } from './plain-file.ts'
import { Refused } from './refused.ts'
import { readFrom, type SubmissionSource } from './source.ts'

/** The files; or the one sentence that says why the submission cannot be read, which is the submitter's doing. */
export type SubmissionRead =
  | { readonly kind: 'read'; readonly files: Map<string, string> }
  | { readonly kind: 'refused'; readonly reason: Diagnostic }

/**
 * The lab's files in a submission; a file that is not the entry may be missing.
 *
 * @throws WrongUse with one sentence when there is no such source: that is the caller's mistake
 */
export async function readSubmission(lab: AnyLab, source: SubmissionSource): Promise<SubmissionRead> {
  try {
    const paths = allowedPaths(lab)
    const [entry] = paths
    const found = await readFrom(source, paths)
    if (!found.has(entry!))
      throw new Refused(entry!, `The submission has no ${entry}, which the lab ${lab.id} asks for.`)
    return { kind: 'read', files: new Map([...found].map(([path, bytes]) => [path, decodeText(bytes, path)])) }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { kind: 'refused', reason: { file: error.file, line: 1, column: 1, message: error.message } }
  }
}
