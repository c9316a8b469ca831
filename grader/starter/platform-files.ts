/** The files of a starter's `platform/`: the machine as the lab needs it, without tests, fixtures or any solution. */
import { readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { Project } from 'ts-morph'
import type { AnyLab } from '../contract/lab.ts'
import { GraderFailure } from '../failures.ts'
import { filesBelow } from '../files.ts'
import { projectRoot } from '../project-root.ts'
import { specifiers } from './imports.ts'
import { isMarked } from './is-marked.ts'

/** What every starter needs of the grader, for its tests and for `npm run grade`. */
const GRADER_FILES = [
  'grader/bundle-program.ts',
  'grader/confine',
  'grader/contract',
  'grader/failures.ts',
  'grader/files.ts',
  'grader/grade/canary.ts',
  'grader/grade/card.ts',
  'grader/grade/drawings.ts',
  'grader/grade/grade-submission.ts',
  'grader/grade/prepared-submission.ts',
  'grader/grade/run-suites.ts',
  'grader/port',
  'grader/project-root.ts',
  'grader/replay',
  'grader/reports/markdown.ts',
  'grader/reports/plain.ts',
  'grader/reports/terminal.ts',
  'grader/reports/words.ts',
  'grader/reports/workflow-commands.ts',
  'grader/result/digest.ts',
  'grader/result/result.ts',
  'grader/rubric/rubric-schema.ts',
  'grader/rubric/score.ts',
  'grader/seeds.ts',
  'grader/starter/is-marked.ts',
  'grader/subject',
  'grader/submission/bundle.ts',
  'grader/submission/cap-diagnostics.ts',
  'grader/submission/check-imports.ts',
  'grader/submission/check-types.ts',
  'grader/submission/compile-apart.ts',
  'grader/submission/compile-child.ts',
  'grader/submission/compile.ts',
  'grader/submission/compiled.ts',
  'grader/submission/compiler-options.ts',
  'grader/submission/compiler.ts',
  'grader/submission/find-imports.ts',
  'grader/submission/granted-types.ts',
  'grader/submission/identify.ts',
  'grader/submission/layout.ts',
  'grader/submission/limits.ts',
  'grader/submission/locate.ts',
  'grader/submission/prepare.ts',
  'grader/submission/source-files.ts',
  'grader/variant.ts',
]

/** Text of each file by its project path, in the order of paths. */
export function platformFiles(lab: AnyLab): Map<string, string> {
  const texts = new Map<string, string>()
  for (const path of [...new Set([...lab.platform, ...GRADER_FILES])].flatMap(sourceFiles).sort()) {
    const text = readFileSync(join(projectRoot(), path), 'utf8')
    if (!isMarked(text) && path !== lab.variantModule) texts.set(path, text)
  }
  dropWhatLacksAnImport(texts)
  return texts
}

/** A file itself, or the sources in a folder. */
function sourceFiles(path: string): string[] {
  const full = join(projectRoot(), path)
  let isFolder: boolean
  try {
    isFolder = statSync(full).isDirectory()
  } catch {
    throw new GraderFailure(`The project has no ${path}, which a lab's platform names.`)
  }
  const paths = isFolder ? filesBelow(full).map((name) => posix.join(path, name)) : [path]
  return paths.filter(isSource)
}

function isSource(path: string): boolean {
  return path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('/fixtures/')
}

/** What imports a file that is not there (a solution, mostly) is of no use without it, and so on. */
function dropWhatLacksAnImport(texts: Map<string, string>): void {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true })
  const imports = new Map<string, string[]>()
  for (const [path, text] of texts) {
    const { compilerNode } = project.createSourceFile(`/${path}`, text)
    const relative = specifiers(compilerNode).flatMap(({ text: specifier }) =>
      specifier.startsWith('.') ? [specifier] : [],
    )
    imports.set(
      path,
      relative.map((specifier) => posix.normalize(posix.join(posix.dirname(path), specifier))),
    )
  }
  for (let dropped = true; dropped; ) {
    dropped = false
    for (const [path, needed] of imports) {
      if (needed.every((each) => texts.has(each))) continue
      texts.delete(path)
      imports.delete(path)
      dropped = true
    }
  }
}
