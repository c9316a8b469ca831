/** A lab's own code in the layout of a submission, so that it takes the same way as a student's. */
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { Project } from 'ts-morph'
import type { AnyLab, BenignVariant, Edit, Mutant } from '../contract/lab.ts'
import { GraderFailure } from '../failures.ts'
import { projectRoot } from '../project-root.ts'
import { rewriteSpecifiers } from '../starter/imports.ts'
import type { Variant } from '../variant.ts'
import { PLATFORM_FOLDER, SOURCE_FOLDER, starterPath } from './layout.ts'

/** The reference solution for a variant, with its variant module. */
export function solutionFiles(lab: AnyLab, variant: Variant): Map<string, string> {
  return toStarterLayout(lab, variant, new Map(lab.solution.map((path) => [path, readProjectFile(path)])))
}

/**
 * The solution with a mutant's edits.
 *
 * @throws GraderFailure when an edit's text does not stand exactly once in its file
 */
export function mutantFiles(lab: AnyLab, variant: Variant, mutant: Mutant): Map<string, string> {
  const texts = new Map(lab.solution.map((path) => [path, readProjectFile(path)]))
  for (const { file, find, replace } of mutant.edits) {
    const who = `Mutant ${mutant.id} of ${lab.id}`
    const text = texts.get(file)
    if (text === undefined) throw new GraderFailure(`${who} edits ${file}, which is no solution file.`)
    texts.set(file, edited(text, [find, replace], file, who))
  }
  return toStarterLayout(lab, variant, texts)
}

function edited(text: string, [find, replace]: Edit, file: string, who: string): string {
  const parts = text.split(find)
  if (parts.length === 2) return parts.join(replace)
  throw new GraderFailure(
    `${who} edits a text in ${file} that stands there ${parts.length - 1} times, not once: ${find}`,
  )
}

/**
 * The solution with a benign variant in the place of the entry file.
 *
 * @throws GraderFailure when an edit's text does not stand exactly once in its file
 */
export function benignFiles(
  lab: AnyLab,
  variant: Variant,
  { id, file, edits = [] }: BenignVariant,
): Map<string, string> {
  const texts = new Map(lab.solution.map((path) => [path, readProjectFile(path)]))
  const entry = lab.solution.find((path) => posix.basename(path) === lab.entry)
  if (entry === undefined) throw new GraderFailure(`The lab ${lab.id} has no solution file ${lab.entry}.`)
  const projectPath = file === undefined ? entry : posix.join('assignments', lab.id, 'benign', file)
  let text = readProjectFile(projectPath)
  for (const edit of edits) text = edited(text, edit, projectPath, `The benign variant ${id} of ${lab.id}`)
  texts.delete(entry)
  const files = toStarterLayout(lab, variant, texts)
  files.set(`${SOURCE_FOLDER}/${lab.entry}`, rewriteImports(lab, projectPath, text))
  return files
}

/** Gives each project file its place in `src/` and its imports their new targets. */
function toStarterLayout(lab: AnyLab, variant: Variant, texts: ReadonlyMap<string, string>): Map<string, string> {
  const files = new Map<string, string>()
  for (const [path, text] of texts) files.set(starterPath(path), rewriteImports(lab, path, text))
  files.set(starterPath(lab.variantModule), lab.variantSource(variant))
  return files
}

function rewriteImports(lab: AnyLab, projectPath: string, text: string): string {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true })
  const sourceFile = project.createSourceFile(projectPath, text).compilerNode
  return rewriteSpecifiers(sourceFile, (specifier) => starterSpecifier(lab, projectPath, specifier))
}

/** The specifier, in a file of the starter's `src/`, for what a solution file imports: the lab's own, or the platform's. */
export function starterSpecifier(lab: AnyLab, projectPath: string, specifier: string): string {
  const target = posix.normalize(posix.join(posix.dirname(projectPath), specifier))
  const isOwn = lab.solution.includes(target) || target === lab.variantModule
  return isOwn ? `./${posix.basename(target)}` : `../${PLATFORM_FOLDER}/${target}`
}

function readProjectFile(path: string): string {
  try {
    return readFileSync(join(projectRoot(), path), 'utf8')
  } catch {
    throw new GraderFailure(`The project has no file ${path}, which its lab names.`)
  }
}
