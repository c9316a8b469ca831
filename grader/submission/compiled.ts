/** What compiling a submission comes to, wherever it is done. */
import type { Diagnostic } from '../result/result.ts'
import type { Bundle } from './bundle.ts'
import { capDiagnostics } from './cap-diagnostics.ts'
import { type LabSources, SOURCE_FOLDER } from './layout.ts'

export interface CompileOptions {
  /** False leaves the type check out: for code that is known to compile, such as mutants. */
  readonly typeCheck: boolean
}

export type Compiled =
  | { readonly kind: 'compiled'; readonly bundle: Bundle }
  | {
      readonly kind: 'refused'
      readonly outcome: 'importRefused' | 'doesNotCompile'
      readonly diagnostics: readonly Diagnostic[]
    }

export function refuse(outcome: 'importRefused' | 'doesNotCompile', diagnostics: readonly Diagnostic[]): Compiled {
  return { kind: 'refused', outcome, diagnostics: capDiagnostics(diagnostics) }
}

/** The outcome of a submission that the compiler does not get to the end of. */
export function cannotCompile(lab: LabSources, why: string): Compiled {
  const file = `${SOURCE_FOLDER}/${lab.entry}`
  return refuse('doesNotCompile', [{ file, line: 1, column: 1, message: `The code cannot be compiled: ${why}.` }])
}
