/** What the grading engine needs of a submission. */
import type { Connect } from '../contract/port.ts'
import type { Diagnostic, Result } from '../result/result.ts'

/** A submission as the grading engine takes it, wherever its code runs. */
export interface PreparedSubmission {
  readonly identity: Result['submission']
  /** Why it does not compile; empty when it does. */
  readonly diagnostics: readonly Diagnostic[]
  /** Loads the code anew and connects to it. */
  load(): Connect<object>
}
