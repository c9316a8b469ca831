/**
 * Which of a function's stripped regions must throw, so that the skeleton still compiles and an unwritten method says
 * so: the body is empty without the solution, or its end can be reached although callers wait for a value.
 */
import { ts } from 'ts-morph'
import { fail, type Region } from './marks.ts'

/** The function, method or accessor whose body holds a node; undefined at the top level or in a class body. */
export function functionAround(node: ts.Node): ts.FunctionLikeDeclaration | undefined {
  for (let current: ts.Node | undefined = node; current !== undefined; current = current.parent) {
    if (ts.isFunctionLike(current)) return current as ts.FunctionLikeDeclaration
    if (ts.isClassLike(current)) return undefined
  }
  return undefined
}

/** The name that a student knows a function by. */
export function functionName(node: ts.FunctionLikeDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return `the constructor of ${node.parent.name?.text ?? 'the class'}`
  if (node.name !== undefined) return node.name.getText()
  const owner = node.parent
  const named = ts.isVariableDeclaration(owner) || ts.isPropertyAssignment(owner) || ts.isPropertyDeclaration(owner)
  return named ? owner.name.getText() : 'this function'
}

/** The regions of one function that must throw in the skeleton. */
export function throwingRegions(
  sourceFile: ts.SourceFile,
  node: ts.FunctionLikeDeclaration,
  regions: readonly Region[],
): Set<Region> {
  const throwing = new Set<Region>()
  const body = node.body
  if (body === undefined || !ts.isBlock(body) || ts.isConstructorDeclaration(node)) return throwing
  const inBody = regions.filter((region) => region.container === body)
  const stripped = new Set(regions.flatMap((region) => region.nodes))
  const last = inBody.at(-1)
  if (last !== undefined && body.statements.every((statement) => stripped.has(statement))) throwing.add(last)
  if (!givesValue(body)) return throwing
  for (const region of [...regions].reverse()) {
    if (!canComplete(body, stripped, throwing)) break
    throwing.add(region)
  }
  if (canComplete(body, stripped, throwing)) {
    fail(
      sourceFile,
      node.getStart(sourceFile),
      `without its solution ${functionName(node)} may end with no value; put marks around its last statements too`,
    )
  }
  return throwing
}

/** True when some `return` of the function itself has a value. */
function givesValue(body: ts.Block): boolean {
  const visit = (node: ts.Node): boolean => {
    if (ts.isReturnStatement(node)) return node.expression !== undefined
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false
    return ts.forEachChild(node, visit) ?? false
  }
  return visit(body)
}

/** True when control may reach the end of a statement; what is unclear counts as reachable. */
function canComplete(node: ts.Node, stripped: ReadonlySet<ts.Node>, throwing: ReadonlySet<Region>): boolean {
  const goesOn = (inner: ts.Node): boolean => canComplete(inner, stripped, throwing)
  if (stripped.has(node)) return true
  if (ts.isReturnStatement(node) || ts.isThrowStatement(node)) return false
  if (ts.isBlock(node)) {
    const throws = [...throwing].some((region) => region.container === node)
    return !throws && node.statements.every(goesOn)
  }
  if (ts.isIfStatement(node)) {
    return node.elseStatement === undefined || goesOn(node.thenStatement) || goesOn(node.elseStatement)
  }
  if (ts.isTryStatement(node)) {
    if (node.finallyBlock !== undefined && !goesOn(node.finallyBlock)) return false
    return goesOn(node.tryBlock) || (node.catchClause !== undefined && goesOn(node.catchClause.block))
  }
  if (ts.isSwitchStatement(node)) {
    const clauses = node.caseBlock.clauses
    const last = clauses.at(-1)
    const complete = clauses.some(ts.isDefaultClause) && last !== undefined && !last.statements.every(goesOn)
    return !complete || breaksOut(node.caseBlock)
  }
  if (ts.isWhileStatement(node) || ts.isForStatement(node)) {
    const condition = ts.isWhileStatement(node) ? node.expression : node.condition
    const endless = condition === undefined || condition.kind === ts.SyntaxKind.TrueKeyword
    return !endless || breaksOut(node.statement)
  }
  return true
}

function breaksOut(node: ts.Node): boolean {
  if (ts.isBreakStatement(node)) return true
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false
  if (ts.isIterationStatement(node, false) || ts.isSwitchStatement(node)) return false
  return ts.forEachChild(node, breaksOut) ?? false
}
