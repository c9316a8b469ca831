/**
 * Type-checks a submission against the project's own platform files. Only the submission's files are reported.
 *
 * Parsed files of the library and the platform are kept between calls, so that grading a class, or a lab's mutants,
 * pays for them once.
 */
import { dirname, join, posix, relative, sep } from 'node:path'
import type ts from 'typescript'
import { GraderFailure } from '../failures.ts'
import { projectRoot } from '../project-root.ts'
import type { Diagnostic } from '../result/result.ts'
import { compiler } from './compiler.ts'
import { STUDENT_COMPILER_OPTIONS } from './compiler-options.ts'
import { grantedTypes } from './granted-types.ts'
import { type LabSources, resolveImport } from './layout.ts'
import type { SourceFiles } from './source-files.ts'

/** The folder, which need not exist, that the compiler believes the submission to lie in. */
const SUBMISSION_FOLDER = '.submission'
/** What student code may use of the world around it: something to print with. */
const AMBIENT_PATH = `${SUBMISSION_FOLDER}/ambient.d.ts`
const AMBIENT =
  'declare const console: Record<"log" | "info" | "warn" | "error" | "debug", (...items: unknown[]) => void>'

const parsed = new Map<string, ts.SourceFile | undefined>()
let options: ts.CompilerOptions | undefined
let lastProgram: ts.Program | undefined

/**
 * The compiler's errors in the submission's files, by file and line; empty when it compiles.
 *
 * @throws RangeError when the files are nested too deeply for the compiler, and what else it throws at them
 */
export function checkTypes(lab: LabSources, files: SourceFiles): Diagnostic[] {
  try {
    return check(lab, files)
  } catch (error) {
    // What the compiler keeps may be half done.
    parsed.clear()
    lastProgram = undefined
    throw error
  }
}

function check(lab: LabSources, files: SourceFiles): Diagnostic[] {
  const root = projectRoot()
  const sources = new Map([...files].map(([path, text]) => [join(root, SUBMISSION_FOLDER, path), text]))
  sources.set(join(root, AMBIENT_PATH), AMBIENT + grantedTypes(lab.grants?.modules ?? []))
  options ??= compilerOptions(root)
  const program = compiler.createProgram({
    rootNames: [...sources.keys()],
    options,
    host: compilerHost(lab, files, sources, options, root),
    ...(lastProgram === undefined ? {} : { oldProgram: lastProgram }),
  })
  lastProgram = program
  const diagnostics: Diagnostic[] = []
  for (const path of files.keys()) {
    const sourceFile = program.getSourceFile(join(root, SUBMISSION_FOLDER, path))
    if (sourceFile === undefined) throw new GraderFailure(`The compiler lost the file ${path}.`)
    const found = [...program.getSyntacticDiagnostics(sourceFile), ...program.getSemanticDiagnostics(sourceFile)]
    diagnostics.push(...found.map((diagnostic) => toDiagnostic(path, sourceFile, diagnostic, root)))
  }
  return diagnostics.sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  )
}

function compilerOptions(root: string): ts.CompilerOptions {
  const { options, errors } = compiler.convertCompilerOptionsFromJson({ ...STUDENT_COMPILER_OPTIONS, types: [] }, root)
  if (errors.length > 0)
    throw new GraderFailure(`The compiler refuses the options of student code: ${errors[0]!.messageText}`)
  return options
}

/** A host that sees the submission in memory, and the project's files wherever it asks for the platform. */
function compilerHost(
  lab: LabSources,
  files: SourceFiles,
  sources: ReadonlyMap<string, string>,
  options: ts.CompilerOptions,
  root: string,
): ts.CompilerHost {
  const base = compiler.createCompilerHost(options)
  const paths = new Set(files.keys())
  const submissionRoot = join(root, SUBMISSION_FOLDER)
  const platform = compiler.createModuleResolutionCache(root, (name) => name, options)
  return {
    ...base,
    fileExists: (name) => sources.has(name) || base.fileExists(name),
    readFile: (name) => sources.get(name) ?? base.readFile(name),
    getCurrentDirectory: () => root,
    writeFile: () => {},
    getSourceFile(name, languageVersionOrOptions) {
      const text = sources.get(name)
      if (text !== undefined) {
        const sourceFile = compiler.createSourceFile(name, text, languageVersionOrOptions, true)
        return Object.assign(sourceFile, { version: text })
      }
      if (!parsed.has(name)) parsed.set(name, versioned(base.getSourceFile(name, languageVersionOrOptions), name))
      return parsed.get(name)
    },
    resolveModuleNameLiterals(literals, containingFile, redirected, compilerOptions, containingSource) {
      const inside = relative(submissionRoot, containingFile)
      return literals.map((literal) => {
        if (inside.startsWith('..')) {
          const mode = compiler.getModeForUsageLocation(containingSource, literal, compilerOptions)
          return compiler.resolveModuleName(
            literal.text,
            containingFile,
            compilerOptions,
            base,
            platform,
            redirected,
            mode,
          )
        }
        const from = inside.split(sep).join(posix.sep)
        const resolution = resolveImport(lab, from, literal.text, paths)
        if (resolution.kind === 'refused' || resolution.kind === 'granted') return { resolvedModule: undefined }
        const target =
          resolution.kind === 'source' ? join(submissionRoot, resolution.path) : join(root, resolution.projectPath)
        return { resolvedModule: { resolvedFileName: target, extension: compiler.Extension.Ts } }
      })
    },
    directoryExists: (name) => name.startsWith(submissionRoot) || dirname(name) === name || base.directoryExists!(name),
  }
}

/** `createProgram` reuses an old program's file only when both carry the same version. */
function versioned(sourceFile: ts.SourceFile | undefined, version: string): ts.SourceFile | undefined {
  return sourceFile && Object.assign(sourceFile, { version })
}

function toDiagnostic(file: string, sourceFile: ts.SourceFile, diagnostic: ts.Diagnostic, root: string): Diagnostic {
  const { line, character } = sourceFile.getLineAndCharacterOfPosition(diagnostic.start ?? 0)
  const message = compiler.flattenDiagnosticMessageText(diagnostic.messageText, ' ').replaceAll(/\s+/g, ' ')
  const text = message.replaceAll(`${root}/${SUBMISSION_FOLDER}/`, '').replaceAll(`${root}/`, 'platform/')
  return { file, line: line + 1, column: character + 1, message: `TS${diagnostic.code}: ${text}` }
}
