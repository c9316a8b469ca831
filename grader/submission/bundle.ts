/** Bundles a submission with esbuild, in memory: its files, and of the platform what they import. */
import { join } from 'node:path'
import { type BuildFailure, build, type Message, type Plugin } from 'esbuild'
import type { AnyLab } from '../contract/lab.ts'
import { GraderFailure } from '../failures.ts'
import { projectRoot } from '../project-root.ts'
import type { Diagnostic } from '../result/result.ts'
import { resolveImport, SOURCE_FOLDER } from './layout.ts'
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
export async function bundleSubmission(lab: AnyLab, files: SourceFiles): Promise<Bundle | Diagnostic[]> {
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
      logLevel: 'silent',
      tsconfigRaw: '{}',
      plugins: [submissionPlugin(lab, files)],
    })
    const text = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!.text
    return { code: text('.js'), map: text('.map') }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    const outside = error.errors.find(({ location }) => location?.file.startsWith(`${SOURCE_NAMESPACE}:`) !== true)
    if (outside !== undefined) {
      throw new GraderFailure(`The platform of the lab ${lab.id} cannot be bundled: ${outside.text}`)
    }
    return error.errors.map(toDiagnostic)
  }
}

function submissionPlugin(lab: AnyLab, files: SourceFiles): Plugin {
  const paths = new Set(files.keys())
  return {
    name: 'submission',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ kind, path, importer, namespace }) => {
        if (kind === 'entry-point') return { path, namespace: SOURCE_NAMESPACE }
        if (namespace !== SOURCE_NAMESPACE) return undefined
        const resolution = resolveImport(lab, importer, path, paths)
        if (resolution.kind === 'refused') return { errors: [{ text: resolution.why }] }
        if (resolution.kind === 'granted') return { path: resolution.module, external: true }
        if (resolution.kind === 'source') return { path: resolution.path, namespace: SOURCE_NAMESPACE }
        return { path: join(projectRoot(), resolution.projectPath) }
      })
      onLoad({ filter: /.*/, namespace: SOURCE_NAMESPACE }, ({ path }) => ({
        contents: files.get(path)!,
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
