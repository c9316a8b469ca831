/**
 * Makes a student's skeleton from a solution file: strips what stands between the marks `// @solution <hint>` and
 * `// @end`, puts the hint in its place, keeps signatures, doc comments and exports. Design §4.
 */
import { Project, ts } from 'ts-morph'
import { functionAround, functionName, throwingRegions } from './flow.ts'
import { removeUnusedImports, rewriteSpecifiers } from './imports.ts'
import { fail, findRegions, isSolutionFile, type Region } from './marks.ts'

export interface SkeletonOptions {
  /** Gives the module specifier for the starter's `src/` for one of the solution. Called for relative ones only. */
  rewriteImport(specifier: string): string
  /** Where the skeleton imports `NotWritten` from. */
  readonly notWritten?: string
}

export interface Skeleton {
  /** The skeleton's text; empty for a file that is dropped. */
  readonly text: string
  /** Each stripped part as it stood in the solution: what the leak gate looks for. */
  readonly stripped: string[]
  /** True when the file's first comment is `// @solution-file`: the student gets nothing of it. */
  readonly dropped: boolean
}

const NOT_WRITTEN = '../platform/grader/contract/not-written.ts'
const NO_HINT = 'Write this part.'
const COLUMNS = 120

/**
 * Makes the skeleton of one solution file.
 *
 * @param fileName the project path, for messages
 * @throws an error with file and line: a mark without its partner, a mark that cuts a statement in two, a mark around
 * an export, a function that the marks leave without a value
 */
export function makeSkeleton(solutionText: string, fileName: string, options: SkeletonOptions): Skeleton {
  if (isSolutionFile(solutionText)) return { text: '', stripped: [solutionText], dropped: true }
  const sourceFile = parse(fileName, solutionText)
  const regions = findRegions(sourceFile)
  refuseExports(sourceFile, regions)
  const throwing = allThrowing(sourceFile, regions)
  let text = solutionText
  for (const region of [...regions].reverse()) {
    text = replaceRegion(text, region, throwing.get(region))
  }
  text = removeUnusedImports(parse(fileName, text))
  text = rewriteSpecifiers(parse(fileName, text), options.rewriteImport)
  if (throwing.size > 0) text = addImport(parse(fileName, text), options.notWritten ?? NOT_WRITTEN)
  const stripped = regions.map((region) => solutionText.slice(region.bodyStart, region.bodyEnd).trim())
  return { text, stripped: stripped.filter((part) => part !== ''), dropped: false }
}

function parse(fileName: string, text: string): ts.SourceFile {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true })
  return project.createSourceFile(fileName, text).compilerNode
}

/** The regions that throw, each with the name of its function. */
function allThrowing(sourceFile: ts.SourceFile, regions: readonly Region[]): Map<Region, string> {
  const byFunction = new Map<ts.FunctionLikeDeclaration, Region[]>()
  for (const region of regions) {
    const around = functionAround(region.container)
    if (around !== undefined) byFunction.set(around, [...(byFunction.get(around) ?? []), region])
  }
  const throwing = new Map<Region, string>()
  for (const [node, own] of byFunction) {
    for (const region of throwingRegions(sourceFile, node, own)) throwing.set(region, functionName(node))
  }
  return throwing
}

function refuseExports(sourceFile: ts.SourceFile, regions: readonly Region[]): void {
  for (const region of regions) {
    const exported = region.nodes.find(isExport)
    if (exported !== undefined) {
      fail(
        sourceFile,
        exported.getStart(sourceFile),
        'a mark must not remove an export, others may import it; put the marks inside it, or take "export" away',
      )
    }
  }
}

function isExport(node: ts.Node): boolean {
  if (ts.isExportDeclaration(node) || ts.isExportAssignment(node)) return true
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined
  return modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword) ?? false
}

function replaceRegion(text: string, region: Region, method: string | undefined): string {
  const lineStart = text.lastIndexOf('\n', region.start - 1) + 1
  const lead = text.slice(lineStart, region.start)
  const ownLine = lead.trim() === ''
  const indent = /^[ \t]*/.exec(lead)?.[0] ?? ''
  const inFunction = functionAround(region.container) !== undefined
  const hint = region.hint.length === 0 && inFunction ? [NO_HINT] : region.hint
  const lines = hint.map((line, index) => `${indent}// ${index === 0 ? 'TODO: ' : ''}${line}`)
  if (method !== undefined) lines.push(...throwLines(indent, method, hint.join(' ')))
  const start = ownLine ? text.slice(0, lineStart) : `${text.slice(0, region.start).trimEnd()}\n`
  const lineEnd = text.indexOf('\n', region.end)
  const after = lineEnd < 0 ? '' : text.slice(lineEnd + 1)
  if (lines.length > 0) return `${start}${lines.join('\n')}\n${after}`
  return joinWithoutGap(start, after)
}

/** Joins the two sides of a part that left nothing behind, with at most one empty line and none at a brace. */
function joinWithoutGap(before: string, after: string): string {
  const opens = /(^|\{\s*)$/.test(before)
  const gap = /\n\s*\n$/.test(before)
  const closes = /^\s*(\}|$)/.test(after)
  if (closes) return `${before.trimEnd()}\n${after.replace(/^\s*\n/, '')}`
  return before + (opens || gap ? after.replace(/^([ \t]*\n)+/, '') : after)
}

function throwLines(indent: string, method: string, hint: string): string[] {
  const args = [quote(method), quote(hint)]
  const line = `${indent}throw new NotWritten(${args.join(', ')})`
  if (line.length <= COLUMNS) return [line]
  return [`${indent}throw new NotWritten(`, ...args.map((arg) => `${indent}  ${arg},`), `${indent})`]
}

function quote(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\')
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`
}

function addImport(sourceFile: ts.SourceFile, specifier: string): string {
  const text = sourceFile.text
  const line = `import { NotWritten } from '${specifier}'\n`
  const last = sourceFile.statements.filter(ts.isImportDeclaration).at(-1)
  if (last !== undefined) {
    const lineEnd = text.indexOf('\n', last.end)
    return lineEnd < 0 ? `${text}\n${line}` : text.slice(0, lineEnd + 1) + line + text.slice(lineEnd + 1)
  }
  const opening = ts.getLeadingCommentRanges(text, 0)?.[0]
  const first = sourceFile.statements[0]
  const ownDoc =
    first !== undefined &&
    opening !== undefined &&
    /\n\s*\n/.test(text.slice(opening.end, first.getStart(sourceFile, false)))
  if (opening === undefined || !ownDoc) return `${line}\n${text}`
  return `${text.slice(0, opening.end)}\n${line}${text.slice(opening.end).replace(/^\n*/, '\n')}`
}
