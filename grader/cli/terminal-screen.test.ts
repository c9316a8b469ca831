import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VgaText } from '../../reference/io/vga-text.ts'
import { TerminalScreen } from './terminal-screen.ts'

const page = new VgaText(1).page

function blank(): { bytes: Uint8Array; readBytes(gpa: number, length: number): Uint8Array } {
  const bytes = Uint8Array.from({ length: 0x8000 }, (_, i) => (i % 2 === 0 ? 0x20 : 7))
  return { bytes, readBytes: (gpa, length) => bytes.slice(gpa - 0xb_8000, gpa - 0xb_8000 + length) }
}

/** A terminal of 80 × 25 that knows as much as it is sent here. */
class Terminal {
  readonly cells = Array.from({ length: 25 }, () => new Array<string>(80).fill(' '))
  readonly colours = Array.from({ length: 25 }, () => new Array<string>(80).fill('0'))
  #row = 0
  #column = 0
  #colour = '0'

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are driven by them
    for (const [part, args, final] of text.matchAll(/\u001b\[([?0-9;]*)([a-zA-Z])|[^\u001b]/g)) {
      if (final === 'H')
        [this.#row, this.#column] = args!.split(';').map((each) => Number(each) - 1) as [number, number]
      else if (final === 'm') this.#colour = args!
      else if (final === undefined) {
        this.cells[this.#row]![this.#column] = part
        this.colours[this.#row]![this.#column++] = this.#colour
      }
    }
  }
}

describe('the screen on a terminal', () => {
  it('is drawn as it is, however often and wherever it changes', () => {
    const change = fc.record({ row: fc.nat(24), column: fc.nat(79), code: fc.integer({ min: 0x20, max: 0x7e }) })
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 8 }), (updates) => {
        const memory = blank()
        const screen = new TerminalScreen()
        const terminal = new Terminal()
        const expected = Array.from({ length: 25 }, () => new Array<string>(80).fill(' '))
        for (const update of updates) {
          for (const { row, column, code } of update) {
            memory.bytes[2 * (row * 80 + column)] = code
            expected[row]![column] = String.fromCharCode(code)
          }
          terminal.write(screen.update(memory, page))
          expect(terminal.cells).toEqual(expected)
          expect(screen.update(memory, page)).toBe('')
        }
      }),
      { seed: 2, numRuns: 30 },
    )
  })

  it('keeps its colours, and gives the terminal back', () => {
    const memory = blank()
    memory.bytes.set([0x41, 0x1e, 0x42, 0xcf], 0)
    const screen = new TerminalScreen()
    const terminal = new Terminal()
    expect(screen.end()).toBe('')
    terminal.write(screen.update(memory, page))
    expect(terminal.colours[0]!.slice(0, 3)).toEqual(['0;93;44', '0;5;97;41', '0;37;40'])
    terminal.write(screen.update(memory, { ...page, blinks: false }))
    expect(terminal.colours[0]![1]).toBe('0;97;101')
    expect(screen.end()).toContain('\u001b[?1049l')
  })

  it('shows the cursor only where it is on the page', () => {
    const screen = new TerminalScreen()
    expect(screen.update(blank(), { ...page, cursor: 81 })).toContain('\u001b[2;2H\u001b[?25h')
    expect(screen.update(blank(), { ...page, cursor: -1 })).toBe('\u001b[?25l')
  })
})
