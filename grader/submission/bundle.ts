/** Bundles a submission with esbuild, in memory: its files, and of the platform what they import. */
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { type BuildFailure, build, type Message, type Plugin } from 'esbuild'
import { GraderFailure } from '../failures.ts'
import { projectRoot } from '../project-root.ts'
import type { Diagnostic } from '../result/result.ts'
import { type LabSources, resolveImport, SOURCE_FOLDER } from './layout.ts'
import type { SourceFiles } from './source-files.ts'

/** The namespace of the submission's files; source maps show it before a path. */
export const SOURCE_NAMESPACE = 'submission'

export interface Bundle {
  /** A CommonJS module's text. */
  readonly code: string
  /** Its source map (revision 3) as JSON. */
  readonly map: string
}

/** The bundle, or what esbuild says against the submission's files. */
export async function bundleSubmission(lab: LabSources, files: SourceFiles): Promise<Bundle | Diagnostic[]> {
  try {
    const { outputFiles } = await build({
      absWorkingDir: projectRoot(),
      entryPoints: [`${SOURCE_FOLDER}/${lab.entry}`],
      bundle: true,
      write: false,
      outfile: 'submission.js',
      format: 'cjs',
      platform: 'neutral',
      target: 'es2023',
      sourcemap: 'external',
      sourcesContent: false,
      charset: 'utf8',
      // Else each level of nesting indents each line within it.
      minifyWhitespace: true,
      logLevel: 'silent',
      tsconfigRaw: '{}',
      plugins: [submissionPlugin(lab, files)],
    })
    const text = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!.text
    return { code: text('.js'), map: text('.map') }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    const outside = error.errors.find(
      ({ location }) => location !== null && !location.file.startsWith(`${SOURCE_NAMESPACE}:`),
    )
    if (outside !== undefined) {
      throw new GraderFailure(`The platform of the lab ${lab.id} cannot be bundled: ${outside.text}`)
    }
    return error.errors.map(toDiagnostic)
  }
}

function submissionPlugin(lab: LabSources, files: SourceFiles): Plugin {
  const paths = new Set(files.keys())
  return {
    name: 'submission',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ kind, path, importer, namespace }) => {
        if (kind === 'entry-point') return { path, namespace: SOURCE_NAMESPACE }
        // What the platform takes from Node the subject asks for by name, and gets when the lab grants it.
        if (namespace !== SOURCE_NAMESPACE) return isBuiltin(path) ? { path, external: true } : undefined
        const resolution = resolveImport(lab, importer, path, paths)
        if (resolution.kind === 'refused') return { errors: [{ text: resolution.why }] }
        if (resolution.kind === 'granted') return { path: resolution.module, external: true }
        if (resolution.kind === 'source') return { path: resolution.path, namespace: SOURCE_NAMESPACE }
        return { path: join(projectRoot(), resolution.projectPath) }
      })
      onLoad({ filter: /.*/, namespace: SOURCE_NAMESPACE }, ({ path }) => ({
        // A map that the student's file names would have esbuild tell other lines; of several, the last one counts.
        contents: `${files.get(path)!}\n//# sourceMappingURL=none`,
        loader: 'ts',
      }))
    },
  }
}

function toDiagnostic({ location, text }: Message): Diagnostic {
  const { file = SOURCE_FOLDER, line = 1, column = 0 } = location ?? {}
  return { file: file.replace(`${SOURCE_NAMESPACE}:`, ''), line, column: column + 1, message: text }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}
