/**
 * From a submission's files to its bundle, or to the reasons why there is none. Here, in this process: for code of the project
 * itself. What strangers wrote can keep a compiler busy for ever: see `compile-apart.ts`.
 */
import { GraderFailure } from '../failures.ts'
import { bundleSubmission } from './bundle.ts'
import { checkImports } from './check-imports.ts'
import { checkTypes } from './check-types.ts'
import { type Compiled, type CompileOptions, cannotCompile, refuse } from './compiled.ts'
import type { LabSources } from './layout.ts'
import type { SourceFiles } from './source-files.ts'

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
