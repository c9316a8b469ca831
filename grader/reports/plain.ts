/**
 * Makes text of unknown origin safe to show as plain lines, before a report escapes it in its own way: no terminal
 * escapes, no control or direction-changing characters, no endless lines. Student code chooses some of what a report
 * quotes (messages, answers), so every view passes everything through here.
 */

/** How much a report quotes of one text. */
export interface Limits {
  /** The longest line, in characters. */
  readonly columns: number
  readonly lines: number
}

const QUOTED: Limits = { columns: 400, lines: 60 }
/** What is there to be copied is of no use when cut. */
export const COPIED: Limits = { columns: 50_000, lines: 2000 }

/** CSI and OSC sequences, and any other escape with its one letter (ECMA-48 §5). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)?/gsu
/** C0 (line ends and tabs apart), DEL, C1, and the marks that reorder or hide text (Unicode UAX #9, U+FEFF, U+2028). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu
/** Half of a surrogate pair: no character at all. */
const LONE_SURROGATES = /\p{Surrogate}/gu

/** The lines of a text: clean, no longer and no more than the limits; what is cut is said. */
export function plainLines(text: string, limits: Limits = QUOTED): string[] {
  const start = text.slice(0, limits.columns * limits.lines * 2)
  const clean = start.replace(ESCAPES, '').replace(LONE_SURROGATES, '\ufffd').replaceAll('\t', '  ')
  const lines = clean.split(/\r\n|\r|\n/)
  return clipLines(
    lines.map((line) => clipLine(line.replace(INVISIBLE, '').trimEnd(), limits.columns)),
    limits.lines,
  )
}

/**
 * Lines in which a GitHub runner finds no command: it takes what begins, after any spaces, with `::`, and in the older
 * form what holds `##[` (actions/runner, `ActionCommand.cs`).
 */
export function withoutCommands(lines: string): string {
  return lines.replaceAll(/^(\s*:)(?=:)/gm, '$1 ').replaceAll('##[', '## [')
}

/** A text as one clean line: line ends become spaces. */
export function plainLine(text: string, limits: Limits = QUOTED): string {
  const lines = plainLines(text, limits).map((line) => line.trim())
  return clipLine(lines.filter((line) => line !== '').join(' '), limits.columns)
}

/** The lines of several texts, as {@link plainLines} gives them. */
export function allPlainLines(texts: readonly string[], limits: Limits = QUOTED): string[] {
  return clipLines(
    texts.flatMap((text) => plainLines(text, limits)),
    limits.lines,
  )
}

function clipLine(line: string, columns: number): string {
  if (line.length <= columns) return line
  return `${[...line].slice(0, columns - 1).join('')}…`
}

/** Keeps the end: in a trace, the decisive line is the last. */
function clipLines(lines: readonly string[], most: number): string[] {
  if (lines.length <= most) return [...lines]
  const kept = lines.slice(lines.length - most + 1)
  return [`… ${lines.length - kept.length} lines before …`, ...kept]
}
