/**
 * Finds the marks of a solution file, `// @solution <hint>` to `// @end`, and the list of statements or members that
 * each pair stands in. A mark is a line comment; a hint goes on over the comment lines directly below its mark, and an
 * empty line ends it.
 */
import { ts } from 'ts-morph'

/** What a pair of marks encloses, by positions in the text. */
export interface Region {
  /** From the mark `@solution` to behind the mark `@end`. */
  readonly start: number
  readonly end: number
  /** Behind the hint, and before the mark `@end`: what is stripped. */
  readonly bodyStart: number
  readonly bodyEnd: number
  /** The hint, a line each; empty when there is none. */
  readonly hint: readonly string[]
  /** The block, class or file that the pair stands in. */
  readonly container: ts.Node
  /** The statements or members that it encloses. */
  readonly nodes: readonly ts.Node[]
  /** The line of the mark, from 1. */
  readonly line: number
}

interface Comment {
  readonly pos: number
  readonly end: number
  readonly text: string
}

const START = /^\/\/\s*@solution(?=\s|$)/
const END = /^\/\/\s*@end\s*$/
const SOLUTION_FILE = /^\/\/\s*@solution-file\b/

/** True for a file that no student may get any part of: its first comment is `// @solution-file`. */
export function isSolutionFile(text: string): boolean {
  const first = ts.getLeadingCommentRanges(text, ts.getShebang(text)?.length ?? 0)?.[0]
  return first !== undefined && SOLUTION_FILE.test(text.slice(first.pos, first.end))
}

/** The pairs of marks of a source file in their order. Throws on a pair that is not whole, with file and line. */
export function findRegions(sourceFile: ts.SourceFile): Region[] {
  const comments = commentsOf(sourceFile)
  const regions: Region[] = []
  let open: Comment | undefined
  for (const comment of comments) {
    if (START.test(comment.text)) {
      if (open !== undefined) {
        fail(
          sourceFile,
          comment.pos,
          `"@solution" stands inside the one of line ${lineOf(sourceFile, open.pos)}; end that one first with "// @end"`,
        )
      }
      open = comment
    } else if (END.test(comment.text)) {
      if (open === undefined)
        fail(sourceFile, comment.pos, '"@end" has no "@solution" before it; add the mark or delete this line')
      regions.push(regionOf(sourceFile, open, comment, comments))
      open = undefined
    }
  }
  if (open !== undefined)
    fail(sourceFile, open.pos, '"@solution" has no "@end"; add "// @end" behind the last statement to strip')
  return regions
}

/** Throws an error that names the file and the line. */
export function fail(sourceFile: ts.SourceFile, position: number, problem: string): never {
  throw new Error(`${sourceFile.fileName.replace(/^\//, '')}:${lineOf(sourceFile, position)}: ${problem}.`)
}

function lineOf(sourceFile: ts.SourceFile, position: number): number {
  return sourceFile.getLineAndCharacterOfPosition(position).line + 1
}

function regionOf(sourceFile: ts.SourceFile, open: Comment, close: Comment, comments: readonly Comment[]): Region {
  const container = innermost(sourceFile, open.pos)
  const elements = elementsOf(container)
  if (elements === undefined || container !== innermost(sourceFile, close.pos)) {
    const where = elements === undefined ? open.pos : close.pos
    fail(
      sourceFile,
      where,
      'this mark cuts a statement or member in two; put both marks between whole statements of one block, or whole members of one class',
    )
  }
  const hint = [open.text.replace(START, '').trim()]
  let bodyStart = open.end
  for (const comment of comments) {
    if (comment.pos < open.end || comment.pos >= close.pos || !comment.text.startsWith('//')) continue
    if (!/^[ \t]*\r?\n[ \t]*$/.test(sourceFile.text.slice(bodyStart, comment.pos))) break
    hint.push(comment.text.replace(/^\/\/\s?/, '').trimEnd())
    bodyStart = comment.end
  }
  return {
    start: open.pos,
    end: close.end,
    bodyStart,
    bodyEnd: close.pos,
    hint: hint.filter((line) => line !== ''),
    container,
    nodes: elements.filter((element) => element.getStart(sourceFile) > open.pos && element.end <= close.pos),
    line: lineOf(sourceFile, open.pos),
  }
}

/** The smallest node around a position; a node's doc comment counts as part of it. */
function innermost(sourceFile: ts.SourceFile, position: number): ts.Node {
  let found: ts.Node = sourceFile
  const visit = (node: ts.Node): void => {
    if (node.getStart(sourceFile, true) <= position && position < node.end) {
      found = node
      ts.forEachChild(node, visit)
    }
  }
  ts.forEachChild(sourceFile, visit)
  return found
}

function elementsOf(container: ts.Node): readonly ts.Node[] | undefined {
  if (ts.isSourceFile(container) || ts.isBlock(container) || ts.isModuleBlock(container)) return container.statements
  if (ts.isClassLike(container) || ts.isInterfaceDeclaration(container)) return container.members
  return undefined
}

function commentsOf(sourceFile: ts.SourceFile): Comment[] {
  const found = new Map<number, Comment>()
  const add = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of ranges ?? []) found.set(pos, { pos, end, text: sourceFile.text.slice(pos, end) })
  }
  const visit = (node: ts.Node): void => {
    if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return
    const children = node.getChildren(sourceFile)
    for (const child of children) visit(child)
    const isToken = children.length === 0 && node.kind !== ts.SyntaxKind.SyntaxList
    if (!isToken) return
    add(ts.getLeadingCommentRanges(sourceFile.text, node.getFullStart()))
    add(ts.getTrailingCommentRanges(sourceFile.text, node.end))
  }
  visit(sourceFile)
  return [...found.values()].sort((a, b) => a.pos - b.pos)
}
