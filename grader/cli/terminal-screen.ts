/** A VGA's text screen on a terminal: rows that changed are drawn again, with the terminal's own colours (ECMA-48, SGR). */
import { type ScreenMemory, screenText } from '../../reference/io/vga-screen.ts'
import { VGA_COLUMNS, VGA_ROWS, VGA_TEXT_BASE, VGA_TEXT_BYTES, type VgaPage } from '../../reference/io/vga-text.ts'

const ESC = '\u001b['
const OTHER_SCREEN = `${ESC}?1049h`
const OWN_SCREEN = `${ESC}?1049l`
const CURSOR_ON = `${ESC}?25h`
const CURSOR_OFF = `${ESC}?25l`
const RESET = `${ESC}0m`
/** VGA counts blue, green, red; terminals red, green, blue. */
const TERMINAL_COLOUR = [0, 4, 2, 6, 1, 5, 3, 7]
const BRIGHT = 8
const INK = 30
const BRIGHT_INK = 90
const PAPER = 40
const BRIGHT_PAPER = 100
const BLINK_BIT = 0x80
const BLINK = 5

export class TerminalScreen {
  #shown: string[] = []
  #cursor = ''

  /** What the terminal must be sent so that it shows the screen as it is now; empty when it does already. */
  update(memory: ScreenMemory, page: VgaPage): string {
    const begin = this.#shown.length === 0 ? `${OTHER_SCREEN}${CURSOR_OFF}` : ''
    const rows = drawRows(memory, page)
    const changed = rows.map((row, i) => (row === this.#shown[i] ? '' : `${ESC}${i + 1};1H${row}`)).join('')
    this.#shown = rows
    const place = page.cursor - page.start
    const isSeen = place >= 0 && place < VGA_ROWS * VGA_COLUMNS
    const cursor = isSeen
      ? `${ESC}${Math.floor(place / VGA_COLUMNS) + 1};${(place % VGA_COLUMNS) + 1}H${CURSOR_ON}`
      : CURSOR_OFF
    if (changed === '' && cursor === this.#cursor) return ''
    this.#cursor = cursor
    return `${begin}${changed}${cursor}`
  }

  /** What gives the terminal back as it was; empty when nothing was drawn. */
  end(): string {
    return this.#shown.length === 0 ? '' : `${RESET}${CURSOR_ON}${OWN_SCREEN}`
  }
}

/** Each row with the sequences that set its colours. */
function drawRows(memory: ScreenMemory, { start, blinks }: VgaPage): string[] {
  const cells = memory.readBytes(VGA_TEXT_BASE, VGA_TEXT_BYTES)
  return screenText(memory, { start }).map((text, row) => {
    const characters = [...text.padEnd(VGA_COLUMNS)]
    let drawn = ''
    let before = -1
    for (let column = 0; column < VGA_COLUMNS; column++) {
      const attribute = cells[(2 * (start + row * VGA_COLUMNS + column) + 1) % VGA_TEXT_BYTES]!
      if (attribute !== before) drawn += colours(attribute, blinks)
      before = attribute
      drawn += characters[column]
    }
    return `${drawn}${RESET}`
  })
}

function colours(attribute: number, blinks: boolean): string {
  const behind = (attribute >> 4) & (blinks ? BRIGHT - 1 : 2 * BRIGHT - 1)
  const ink = TERMINAL_COLOUR[attribute & (BRIGHT - 1)]! + ((attribute & BRIGHT) === 0 ? INK : BRIGHT_INK)
  const paper = TERMINAL_COLOUR[behind & (BRIGHT - 1)]! + (behind < BRIGHT ? PAPER : BRIGHT_PAPER)
  return `${ESC}0;${blinks && (attribute & BLINK_BIT) !== 0 ? `${BLINK};` : ''}${ink};${paper}m`
}
