/** Refuses imports that a lab does not allow, those of types too, by name and line. */
import ts from 'typescript'
import type { AnyLab } from '../contract/lab.ts'
import type { Diagnostic } from '../result/result.ts'
import { resolveImport } from './layout.ts'
import type { SourceFiles } from './source-files.ts'

/** One diagnostic for each import that leads nowhere, in the order of files and lines. */
export function checkImports(lab: AnyLab, files: SourceFiles): Diagnostic[] {
  const sources = new Set(files.keys())
  const diagnostics: Diagnostic[] = []
  for (const [path, text] of files) {
    for (const { fileName, pos } of ts.preProcessFile(text, true, true).importedFiles) {
      const resolution = resolveImport(lab, path, fileName, sources)
      if (resolution.kind !== 'refused') continue
      const before = text.slice(0, pos)
      const line = before.split('\n').length
      diagnostics.push({ file: path, line, column: pos - before.lastIndexOf('\n'), message: resolution.why })
    }
  }
  return diagnostics
}
