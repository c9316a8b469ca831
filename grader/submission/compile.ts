/**
 * From a submission's files to its bundle, or to the reasons why there is none. Here, in this process: for code of the project
 * itself. What strangers wrote can keep a compiler busy for ever: see `compile-apart.ts`.
 */
import { GraderFailure } from '../failures.ts'
import type { Diagnostic } from '../result/result.ts'
import { type Bundle, bundleSubmission } from './bundle.ts'
import { capDiagnostics } from './cap-diagnostics.ts'
import { checkImports } from './check-imports.ts'
import { checkTypes } from './check-types.ts'
import { type LabSources, SOURCE_FOLDER } from './layout.ts'
import type { SourceFiles } from './source-files.ts'

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

/** @throws GraderFailure when the platform is at fault; never for anything in the files */
export async function compile(lab: LabSources, files: SourceFiles, { typeCheck }: CompileOptions): Promise<Compiled> {
  try {
    const imports = checkImports(lab, files)
    if (imports.length > 0) return refuse('importRefused', imports)
    const types = typeCheck ? checkTypes(lab, files) : []
    if (types.length > 0) return refuse('doesNotCompile', types)
    const bundle = await bundleSubmission(lab, files)
    return 'code' in bundle ? { kind: 'compiled', bundle } : refuse('doesNotCompile', bundle)
  } catch (error) {
    if (error instanceof GraderFailure) throw error
    const why = error instanceof RangeError ? 'it is nested too deeply' : 'the compiler fails on it'
    return cannotCompile(lab, why)
  }
}

/** The outcome of a submission that the compiler does not get to the end of. */
export function cannotCompile(lab: LabSources, why: string): Compiled {
  const file = `${SOURCE_FOLDER}/${lab.entry}`
  return refuse('doesNotCompile', [{ file, line: 1, column: 1, message: `The code cannot be compiled: ${why}.` }])
}

function refuse(outcome: 'importRefused' | 'doesNotCompile', diagnostics: readonly Diagnostic[]): Compiled {
  return { kind: 'refused', outcome, diagnostics: capDiagnostics(diagnostics) }
}
