/**
 * Finds all by which a TypeScript file asks for something outside of itself, in whatever spelling: declarations,
 * expressions, types, and comments that the compiler obeys.
 */
import type ts from 'typescript'
import { compiler } from './compiler.ts'

/** One such place. */
export interface Import {
  /** Where it stands, in the file's text. */
  readonly position: number
  /** The module's name as written; undefined when the code makes it up as it runs. */
  readonly specifier?: string | undefined
  /** What is asked for that is no module, as a sentence's verb and object: `uses import.meta`. */
  readonly other?: string
}

/** In the order of the text. @throws RangeError when the text is nested too deeply for the parser */
export function findImports(path: string, text: string): Import[] {
  const sourceFile = compiler.createSourceFile(path, text, compiler.ScriptTarget.ES2023, true, compiler.ScriptKind.TS)
  const found = references(sourceFile)
  const declaresRequire = declaredNames(sourceFile).has('require')
  for (const node of nodesOf(sourceFile)) {
    const one = importOf(node, sourceFile, declaresRequire)
    if (one !== undefined) found.push(one)
  }
  return found.sort((a, b) => a.position - b.position)
}

/** `/// <reference …>` and its like: the compiler would read the files that they name. */
function references(sourceFile: ts.SourceFile): Import[] {
  const { referencedFiles, typeReferenceDirectives, libReferenceDirectives, amdDependencies } = sourceFile
  const named = [...referencedFiles, ...typeReferenceDirectives, ...libReferenceDirectives].map(
    ({ pos, fileName }) => ({
      position: pos,
      other: `refers to ${fileName}`,
    }),
  )
  const rest = amdDependencies.map(({ path }) => ({ position: 0, other: `refers to ${path}` }))
  return [...named, ...rest]
}

function importOf(node: ts.Node, sourceFile: ts.SourceFile, declaresRequire: boolean): Import | undefined {
  const at = (literal: ts.Node | undefined): Import => ({
    position: (literal ?? node).getStart(sourceFile),
    specifier: literal !== undefined && compiler.isStringLiteralLike(literal) ? literal.text : undefined,
  })
  if (compiler.isImportDeclaration(node) || compiler.isExportDeclaration(node)) {
    if (node.moduleSpecifier === undefined) return undefined
    return node.attributes === undefined
      ? at(node.moduleSpecifier)
      : { position: node.attributes.getStart(sourceFile), other: 'imports something with attributes' }
  }
  if (compiler.isExternalModuleReference(node)) return at(node.expression)
  if (compiler.isImportTypeNode(node)) {
    return at(compiler.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument)
  }
  if (compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword) {
    return { position: node.getStart(sourceFile), other: 'uses import.meta' }
  }
  if (!compiler.isCallExpression(node)) return undefined
  const isImport = node.expression.kind === compiler.SyntaxKind.ImportKeyword
  const isRequire = !declaresRequire && compiler.isIdentifier(node.expression) && node.expression.text === 'require'
  return isImport || isRequire ? at(node.arguments[0]) : undefined
}

/** What the file itself gives a name to: a student's own `require` is none of ours. */
function declaredNames(sourceFile: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  for (const node of nodesOf(sourceFile)) {
    if (!compiler.isFunctionDeclaration(node) && !compiler.isVariableDeclaration(node) && !compiler.isParameter(node))
      continue
    const isAmbient = (compiler.getCombinedModifierFlags(node) & compiler.ModifierFlags.Ambient) !== 0
    if (!isAmbient && node.name !== undefined && compiler.isIdentifier(node.name)) names.add(node.name.text)
  }
  return names
}

/** Every node below, without recursion: the text is a stranger's. */
function* nodesOf(sourceFile: ts.SourceFile): Generator<ts.Node> {
  const waiting: ts.Node[] = [sourceFile]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node
    compiler.forEachChild(node, (child) => {
      waiting.push(child)
    })
  }
}
