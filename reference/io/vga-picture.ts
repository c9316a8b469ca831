/** What a VGA in text mode shows, as a picture: 80 × 25 cells of 9 × 16 dots (IBM VGA manual, "Alphanumeric Modes"). */
import type { IndexedPicture } from './png.ts'
import { GLYPH_ROWS, vgaFont } from './vga-font.ts'
import type { ScreenMemory } from './vga-screen.ts'
import { VGA_COLUMNS, VGA_ROWS, VGA_TEXT_BASE, VGA_TEXT_BYTES, type VgaPage } from './vga-text.ts'

const GLYPH_COLUMNS = 8
const CELL_COLUMNS = 9
/** Of these the ninth column shows what the eighth does, so that lines meet. */
const LINES_FIRST = 0xc0
const LINES_LAST = 0xdf
const WIDTH = VGA_COLUMNS * CELL_COLUMNS

/** The screen at a moment at which cursor and blinking characters are lit. */
export function screenPicture(memory: ScreenMemory, page: VgaPage): IndexedPicture {
  const font = vgaFont()
  const cells = memory.readBytes(VGA_TEXT_BASE, VGA_TEXT_BYTES)
  const pixels = new Uint8Array(WIDTH * VGA_ROWS * GLYPH_ROWS)
  for (let row = 0; row < VGA_ROWS; row++) {
    for (let column = 0; column < VGA_COLUMNS; column++) {
      const place = (page.start + row * VGA_COLUMNS + column) % (VGA_TEXT_BYTES / 2)
      const code = cells[2 * place]!
      const attribute = cells[2 * place + 1]!
      const ink = attribute & 15
      const paper = (attribute >> 4) & (page.blinks ? 7 : 15)
      const [cursorFirst, cursorLast] = place === page.cursor ? page.cursorRows : [GLYPH_ROWS, 0]
      for (let line = 0; line < GLYPH_ROWS; line++) {
        const bits = line >= cursorFirst && line <= cursorLast ? 0x1ff : cellBits(font, code, line)
        const at = (row * GLYPH_ROWS + line) * WIDTH + column * CELL_COLUMNS
        for (let dot = 0; dot < CELL_COLUMNS; dot++)
          pixels[at + dot] = (bits >> (GLYPH_COLUMNS - dot)) & 1 ? ink : paper
      }
    }
  }
  return { width: WIDTH, height: VGA_ROWS * GLYPH_ROWS, palette: page.palette, pixels }
}

/** Nine dots of a character, the leftmost one in bit 8. */
function cellBits(font: Uint8Array, code: number, line: number): number {
  const bits = font[code * GLYPH_ROWS + line]!
  return (bits << 1) | (code >= LINES_FIRST && code <= LINES_LAST ? bits & 1 : 0)
}
