/** Refuses imports that a lab does not allow, those of types too, by name and line. */
import type { Diagnostic } from '../result/result.ts'
import { findImports, type Import } from './find-imports.ts'
import { type LabSources, resolveImport } from './layout.ts'
import type { SourceFiles } from './source-files.ts'

/** One diagnostic for each import that the lab does not allow, in the order of files and lines. */
export function checkImports(lab: LabSources, files: SourceFiles): Diagnostic[] {
  const sources = new Set(files.keys())
  const diagnostics: Diagnostic[] = []
  for (const [path, text] of files) {
    for (const one of findImports(path, text)) {
      const message = refusalOf(lab, path, one, sources)
      if (message === undefined) continue
      const before = text.slice(0, one.position)
      const column = one.position - before.lastIndexOf('\n')
      diagnostics.push({ file: path, line: before.split('\n').length, column, message })
    }
  }
  return diagnostics
}

/** What stands after the file and line: `imports node:fs, which this lab does not allow`. */
function refusalOf(
  lab: LabSources,
  from: string,
  { specifier, other }: Import,
  sources: ReadonlySet<string>,
): string | undefined {
  if (other !== undefined) return `${other}, which this lab does not allow`
  if (specifier === undefined) {
    return 'imports a name that is only known when it runs, which this lab does not allow: write it as a plain string'
  }
  const resolution = resolveImport(lab, from, specifier, sources)
  return resolution.kind === 'refused' ? resolution.why : undefined
}
