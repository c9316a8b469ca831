/**
 * Where things lie in a student's tree, and what its files may import: `src/` is the student's, `platform/` is the
 * project's own files, whatever the submission holds under that name.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import type { AnyLab } from '../contract/lab.ts'
import { projectRoot } from '../project-root.ts'
import { isMarked } from '../starter/is-marked.ts'

/** What the ways of a submission to its bundle need of a lab: plain data. */
export type LabSources = Pick<AnyLab, 'id' | 'entry' | 'solution' | 'variantModule' | 'platform' | 'grants'>

/** The student's folder, and the machine's. */
export const SOURCE_FOLDER = 'src'
export const PLATFORM_FOLDER = 'platform'

/** What an import of a student's file leads to. */
export type Resolution =
  | { readonly kind: 'source'; readonly path: string }
  | { readonly kind: 'platform'; readonly projectPath: string }
  /** A module of the host that the lab grants. */
  | { readonly kind: 'granted'; readonly module: string }
  | { readonly kind: 'refused'; readonly why: string }

/** The place in a starter of one of the lab's solution files, given as project path. */
export function starterPath(projectPath: string): string {
  return `${SOURCE_FOLDER}/${basename(projectPath)}`
}

/** The files that a student may hand in, as `src/idle.ts`, the entry first. */
export function allowedPaths(lab: LabSources): string[] {
  const entry = `${SOURCE_FOLDER}/${lab.entry}`
  return [entry, ...lab.solution.map(starterPath).filter((path) => path !== entry)]
}

/**
 * Follows one import.
 *
 * @param from the importing file, as `src/idle.ts`
 * @param sources the paths of the submission's files
 */
export function resolveImport(
  lab: LabSources,
  from: string,
  specifier: string,
  sources: ReadonlySet<string>,
): Resolution {
  if (lab.grants?.modules.includes(specifier) === true) return { kind: 'granted', module: specifier }
  if (!specifier.startsWith('./') && !specifier.startsWith('../')) {
    return refused(`imports ${specifier}, which this lab does not allow`)
  }
  const path = posix.normalize(posix.join(posix.dirname(from), specifier))
  if (sources.has(path)) return { kind: 'source', path }
  if (!path.startsWith(`${PLATFORM_FOLDER}/`)) {
    return refused(
      path.startsWith(`${SOURCE_FOLDER}/`)
        ? `imports ${specifier}, but the submission has no ${path}; a lab takes only ${allowedPaths(lab).join(', ')}`
        : `imports ${specifier}, which this lab does not allow`,
    )
  }
  const projectPath = path.slice(PLATFORM_FOLDER.length + 1)
  if (!isInPlatform(lab, projectPath) || !existsSync(join(projectRoot(), projectPath))) {
    return refused(`imports ${specifier}, but this lab's platform has no ${projectPath}`)
  }
  return { kind: 'platform', projectPath }
}

/** True for a file that the starter's `platform/` holds: named by the lab, and no solution or part of one. */
export function isInPlatform(lab: LabSources, projectPath: string): boolean {
  const named = lab.platform.some((entry) => projectPath === entry || projectPath.startsWith(`${entry}/`))
  if (!named || lab.solution.includes(projectPath) || projectPath === lab.variantModule) return false
  const path = join(projectRoot(), projectPath)
  return !existsSync(path) || !isMarked(readFileSync(path, 'utf8'))
}

function refused(why: string): Resolution {
  return { kind: 'refused', why }
}

/** The folders on the way to a file: `src` and `src/a` of `src/a/b.ts`. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
