/** Prepares a submission for grading: identity, compiler messages, and the student's code ready to connect to. */
import type { AnyLab } from '../contract/lab.ts'
import { GraderFailure } from '../failures.ts'
import type { PreparedSubmission } from '../grade/prepared-submission.ts'
import type { Diagnostic, Result } from '../result/result.ts'
import { bundleSubmission } from './bundle.ts'
import { checkImports } from './check-imports.ts'
import { checkTypes } from './check-types.ts'
import { identify } from './identify.ts'
import { loadBundle } from './load.ts'
import type { SourceFiles } from './read-submission.ts'

export interface PrepareOptions {
  /** False leaves the type check out: for code that is known to compile, such as mutants. Default true. */
  readonly typeCheck?: boolean
}

/** Prepares the files of a submission, as `src/idle.ts`. */
export async function prepareSubmission(
  lab: AnyLab,
  files: SourceFiles,
  { typeCheck = true }: PrepareOptions = {},
): Promise<PreparedSubmission> {
  const identity = identify(files)
  const refused = checkImports(lab, files)
  if (refused.length > 0) return broken(identity, refused)
  const errors = typeCheck ? checkTypes(lab, files) : []
  if (errors.length > 0) return broken(identity, errors)
  const bundle = await bundleSubmission(lab, files)
  if (!('code' in bundle)) return broken(identity, bundle)
  return { identity, diagnostics: [], load: loadBundle<object>(lab.port, bundle) }
}

/** A submission that could not be read, and why. */
export function refusedSubmission(reason: Diagnostic): PreparedSubmission {
  return broken(identify(new Map()), [reason])
}

function broken(identity: Result['submission'], diagnostics: readonly Diagnostic[]): PreparedSubmission {
  const load = () => {
    throw new GraderFailure('A submission that does not compile was to be run.')
  }
  return { identity, diagnostics, load }
}
