/** What the grading engine needs of a submission. */
import type { Connect } from '../contract/port.ts'
import type { Confinement, Diagnostic, Result } from '../result/result.ts'

/** A submission as the grading engine takes it, wherever its code runs. */
export interface PreparedSubmission {
  readonly identity: Result['submission']
  readonly outcome: Result['outcome']
  /** Why it cannot be run; empty when it can. */
  readonly diagnostics: readonly Diagnostic[]
  /** Makes its code ready to run. */
  open(): RunningSubmission
}

/** A submission whose code can be called, until it is closed. */
export interface RunningSubmission {
  /** Loads the code anew and connects to it. */
  load(): Connect<object>
  /** Connects in the same way to code that answers nothing. */
  canary(): Connect<object>
  /** What confines it; undefined when it runs in this process. */
  readonly confinement?: Confinement
  /** Processor time that it used outside of this process, in ms. */
  cpuMs(): number
  /** Ends it; comes back when all its processes are gone. */
  close(): void
}
