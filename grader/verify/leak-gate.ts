/**
 * The leak gate: no part of a solution may stand in a starter. Texts are compared as n-grams of tokens, so that other
 * white space, comments or line breaks hide nothing.
 */
import ts from 'typescript'

/** Shorter runs of tokens are the language's idioms, not anybody's solution. */
const TOKENS = 12
/** A part of a solution that is shorter than that counts as a whole, down to this length. */
const SHORTEST_PART = 8

export interface Leak {
  /** The file of the starter. */
  readonly file: string
  /** The tokens that it shares with the solution, the first run of them. */
  readonly text: string
}

/** One leak for each file that holds a run of tokens of the stripped parts. */
export function findLeaks(stripped: readonly string[], files: ReadonlyMap<string, string>): Leak[] {
  const parts = stripped.map(tokensOf)
  const leaks: Leak[] = []
  const lengths = new Set(
    parts.map(({ length }) => Math.min(TOKENS, length)).filter((length) => length >= SHORTEST_PART),
  )
  const secret = new Set(parts.flatMap((part) => grams(part, Math.min(TOKENS, part.length))))
  for (const [file, text] of files) {
    const tokens = tokensOf(text)
    const found = [...lengths].flatMap((length) => grams(tokens, length)).find((gram) => secret.has(gram))
    if (found !== undefined) leaks.push({ file, text: found })
  }
  return leaks
}

/** Every run of so many tokens. */
function grams(tokens: readonly string[], length: number): string[] {
  return tokens.slice(0, Math.max(0, tokens.length - length + 1)).map((_, i) => tokens.slice(i, i + length).join(' '))
}

function tokensOf(text: string): string[] {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2023, true, ts.LanguageVariant.Standard, text)
  const tokens: string[] = []
  while (scanner.scan() !== ts.SyntaxKind.EndOfFileToken) tokens.push(scanner.getTokenText())
  return tokens
}
