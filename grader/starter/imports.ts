/** The imports of a skeleton: those that nothing uses any more go, and relative ones get their place in the starter. */
import { ts } from 'ts-morph'

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The text without the import names that occur nowhere else in it. Imports for effect stay. */
export function removeUnusedImports(sourceFile: ts.SourceFile): string {
  const used = identifiersOutsideImports(sourceFile)
  const edits: Edit[] = []
  for (const statement of sourceFile.statements) {
    if (!ts.isImportDeclaration(statement) || statement.importClause === undefined) continue
    const edit = trimImport(sourceFile, statement, statement.importClause, used)
    if (edit !== undefined) edits.push(edit)
  }
  return applyEdits(sourceFile.text, edits)
}

/** The text with every relative module specifier (import, export from, `import()`) put through `rewrite`. */
export function rewriteSpecifiers(sourceFile: ts.SourceFile, rewrite: (specifier: string) => string): string {
  const edits = specifiers(sourceFile)
    .filter((literal) => literal.text.startsWith('.'))
    .map((literal) => ({ start: literal.getStart(sourceFile) + 1, end: literal.end - 1, text: rewrite(literal.text) }))
  return applyEdits(sourceFile.text, edits)
}

/** The string literals of a file that name modules, those of types too. */
export function specifiers(sourceFile: ts.SourceFile): ts.StringLiteral[] {
  const found: ts.StringLiteral[] = []
  const visit = (node: ts.Node): void => {
    let literal: ts.Node | undefined
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) literal = node.moduleSpecifier
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      literal = node.arguments[0]
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) literal = node.argument.literal
    if (literal !== undefined && ts.isStringLiteral(literal)) found.push(literal)
    ts.forEachChild(node, visit)
  }
  visit(sourceFile)
  return found
}

function identifiersOutsideImports(sourceFile: ts.SourceFile): Set<string> {
  const used = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isIdentifier(node)) used.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(sourceFile)
  return used
}

function trimImport(
  sourceFile: ts.SourceFile,
  statement: ts.ImportDeclaration,
  clause: ts.ImportClause,
  used: ReadonlySet<string>,
): Edit | undefined {
  const bindings = clause.namedBindings
  const named = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : []
  const keptNames = named.filter((element) => used.has(element.name.text))
  const name = clause.name !== undefined && used.has(clause.name.text) ? clause.name.text : undefined
  const star =
    bindings !== undefined && ts.isNamespaceImport(bindings) && used.has(bindings.name.text)
      ? bindings.getText(sourceFile)
      : undefined
  const hadStar = bindings !== undefined && ts.isNamespaceImport(bindings)
  const unchanged =
    keptNames.length === named.length &&
    (name !== undefined) === (clause.name !== undefined) &&
    (star !== undefined) === hadStar
  if (unchanged) return undefined
  const parts = [
    name,
    star,
    keptNames.length > 0 ? `{ ${keptNames.map((element) => element.getText(sourceFile)).join(', ')} }` : undefined,
  ]
  const kept = parts.filter((part) => part !== undefined)
  const start = statement.getStart(sourceFile)
  if (kept.length === 0) {
    const lineEnd = sourceFile.text.indexOf('\n', statement.end)
    return { start, end: lineEnd < 0 ? statement.end : lineEnd + 1, text: '' }
  }
  const keyword = clause.phaseModifier === ts.SyntaxKind.TypeKeyword ? 'import type' : 'import'
  return {
    start,
    end: statement.end,
    text: `${keyword} ${kept.join(', ')} from ${statement.moduleSpecifier.getText(sourceFile)}`,
  }
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = text
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) {
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end)
  }
  return result
}
