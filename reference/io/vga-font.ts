/**
 * The font of a VGA in text mode: a byte for each of the 16 rows of each of the 256 characters of code page 437, the leftmost
 * dot in bit 7 (IBM VGA manual, "Alphanumeric Modes"). Letters and signs come from pictures, accented letters from a
 * letter and a mark, lines and blocks from rules.
 */

import { LINE_CHARACTERS } from './vga-font-lines.ts'
import { GLYPH_SHEET } from './vga-font-sheet.ts'

export const GLYPH_ROWS = 16
const CHARACTERS = 256

/** The first screen row of a picture of the sheet, and how it is cut. */
const TOP = 2
const SHEET_ROWS = 12
const SHEET_PITCH = 8
/** Rows of a letter that stand above its small form. */
const ABOVE_SMALL = 3
const MARK_ROWS = 2
/** Bit 7 of a glyph's row, when the sheet's first column is its bit 6. */
const COLUMNS = 7

const SPACE = 0x20
const NO_BREAK_SPACE = 0xff
const BLOCKS: Readonly<Record<number, (column: number, row: number) => boolean>> = {
  176: (column, row) => (column + 2 * row) % 4 === 0,
  177: (column, row) => (column + row) % 2 === 0,
  178: (column, row) => (column + 2 * row) % 4 !== 0,
  219: () => true,
  220: (_, row) => row >= GLYPH_ROWS / 2,
  221: (column) => column < 4,
  222: (column) => column >= 4,
  223: (_, row) => row < GLYPH_ROWS / 2,
}

const MARKS: Readonly<Record<string, readonly [string, string]>> = {
  '´': ['....#..', '...#...'],
  '`': ['.#.....', '..#....'],
  '^': ['..##...', '.#..#..'],
  '¨': ['.#..#..', '.#..#..'],
  '˚': ['..##...', '..##...'],
  '~': ['.##..#.', '#..##..'],
}
/** Code, letter and mark. */
const ACCENTED = `81 u¨ 82 e´ 83 a^ 84 a¨ 85 a\` 86 a˚ 88 e^ 89 e¨ 8a e\` 8b i¨ 8c i^ 8d i\` 8e A¨ 8f A˚ 90 E´ 93 o^ 94 o¨ 95 o\`
  96 u^ 97 u\` 98 y¨ 99 O¨ 9a U¨ a0 a´ a1 i´ a2 o´ a3 u´ a4 n~ a5 N~`

/** The whole font: 16 bytes a character. */
export function vgaFont(): Uint8Array {
  const sheet = readSheet()
  for (const [, code, letter, mark] of ACCENTED.matchAll(/([0-9a-f]{2}) (.)(.)/g)) {
    sheet.set(Number.parseInt(code!, 16), accented(sheet.get(letter!.charCodeAt(0))!, MARKS[mark!]!, letter!))
  }
  const font = new Uint8Array(CHARACTERS * GLYPH_ROWS)
  for (const [code, picture] of sheet) font.set(picture.map(inked), code * GLYPH_ROWS)
  for (const [code, isSet] of Object.entries(BLOCKS)) font.set(block(isSet), Number(code) * GLYPH_ROWS)
  for (const [code, isSet] of LINE_CHARACTERS) font.set(block(isSet), code * GLYPH_ROWS)
  return font
}

/** Pictures of all 16 rows, by code. */
function readSheet(): Map<number, string[]> {
  const lines = GLYPH_SHEET.split('\n').slice(1, -1)
  const pictures = new Map<number, string[]>()
  for (let at = 0; at < lines.length; at += SHEET_ROWS + 1) {
    for (const [i, code] of lines[at]!.trim().split(/ +/).entries()) {
      const rows = lines
        .slice(at + 1, at + 1 + SHEET_ROWS)
        .map((line) => line.slice(i * SHEET_PITCH, i * SHEET_PITCH + COLUMNS))
      pictures.set(Number.parseInt(code, 16), [...blankRows(TOP), ...rows, ...blankRows(TOP)])
    }
  }
  for (const code of [0, SPACE, NO_BREAK_SPACE]) pictures.set(code, blankRows(GLYPH_ROWS))
  return pictures
}

/** A mark stands over a small letter in place of what is above it (the dot of an i), over a capital in the rows above. */
function accented(picture: readonly string[], mark: readonly string[], letter: string): string[] {
  const isSmall = letter === letter.toLowerCase()
  const rows = [...picture]
  if (isSmall) rows.splice(TOP, ABOVE_SMALL, ...blankRows(ABOVE_SMALL))
  rows.splice(isSmall ? TOP : 0, MARK_ROWS, ...mark)
  return rows
}

function blankRows(count: number): string[] {
  return new Array<string>(count).fill('.'.repeat(COLUMNS))
}

/** A row as the pen draws it: every dot, and the one right of it. */
function inked(row: string): number {
  let bits = 0
  for (const dot of row) bits = (bits << 1) | (dot === '#' ? 1 : 0)
  return (bits << 1) | bits
}

function block(isSet: (column: number, row: number) => boolean): number[] {
  return Array.from({ length: GLYPH_ROWS }, (_, row) => {
    let bits = 0
    for (let column = 0; column < 8; column++) bits = (bits << 1) | (isSet(column, row) ? 1 : 0)
    return bits
  })
}
