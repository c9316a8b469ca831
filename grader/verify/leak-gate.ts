/**
 * The leak gate: no part of a solution may stand in a starter. Texts are compared as n-grams of tokens, so that other
 * white space, comments or line breaks hide nothing.
 */
import ts from 'typescript'

/** Shorter runs of tokens are the language's idioms, not anybody's solution. */
const TOKENS = 16

export interface Leak {
  /** The file of the starter. */
  readonly file: string
  /** The tokens that it shares with the solution, the first run of them. */
  readonly text: string
}

/** One leak for each file that holds a run of tokens of the stripped parts. */
export function findLeaks(stripped: readonly string[], files: ReadonlyMap<string, string>): Leak[] {
  const secret = new Set(stripped.flatMap((part) => grams(tokensOf(part))))
  const leaks: Leak[] = []
  for (const [file, text] of files) {
    const found = grams(tokensOf(text)).find((gram) => secret.has(gram))
    if (found !== undefined) leaks.push({ file, text: found })
  }
  return leaks
}

function grams(tokens: readonly string[]): string[] {
  return tokens.slice(0, Math.max(0, tokens.length - TOKENS + 1)).map((_, i) => tokens.slice(i, i + TOKENS).join(' '))
}

function tokensOf(text: string): string[] {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2023, true, ts.LanguageVariant.Standard, text)
  const tokens: string[] = []
  while (scanner.scan() !== ts.SyntaxKind.EndOfFileToken) tokens.push(scanner.getTokenText())
  return tokens
}
