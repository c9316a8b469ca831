/** What a VGA in text mode shows, as lines of text: code page 437, the font that every PC is born with. */
import { VGA_COLUMNS, VGA_ROWS, VGA_TEXT_BASE, VGA_TEXT_BYTES, type VgaPage } from './vga-text.ts'

/** 00h–1Fh, 7Fh, and 80h–FFh of code page 437. */
const LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼'
const DELETE = '⌂'
const HIGH =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ '
const FIRST_PRINTABLE = 0x20
const DELETE_CODE = 0x7f
const FIRST_HIGH = 0x80

/** The memory that the screen is read from. */
export interface ScreenMemory {
  readBytes(gpa: number, length: number): Uint8Array
}

/** 25 lines, without the spaces at their ends. */
export function screenText(memory: ScreenMemory, { start }: Pick<VgaPage, 'start'>): string[] {
  const cells = memory.readBytes(VGA_TEXT_BASE, VGA_TEXT_BYTES)
  return Array.from({ length: VGA_ROWS }, (_, row) =>
    Array.from({ length: VGA_COLUMNS }, (_, column) =>
      characterOf(cells[(2 * (start + row * VGA_COLUMNS + column)) % VGA_TEXT_BYTES]!),
    )
      .join('')
      .trimEnd(),
  )
}

function characterOf(code: number): string {
  if (code < FIRST_PRINTABLE) return LOW[code]!
  if (code === DELETE_CODE) return DELETE
  return code < FIRST_HIGH ? String.fromCharCode(code) : HIGH[code - FIRST_HIGH]!
}
