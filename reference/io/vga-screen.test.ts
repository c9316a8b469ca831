import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { screenText } from './vga-screen.ts'

/** The text memory, all spaces, with `text` from cell `at` on. */
function memoryWith(text: string, at: number) {
  const bytes = Uint8Array.from({ length: 0x8000 }, (_, i) => (i % 2 === 0 ? 0x20 : 7))
  for (let i = 0; i < text.length; i++) bytes[(2 * (at + i)) % 0x8000] = text.charCodeAt(i)
  return { readBytes: (gpa: number, length: number) => bytes.slice(gpa - 0xb_8000, gpa - 0xb_8000 + length) }
}

describe('the screen as text', () => {
  it('shows each cell where it stands, from whichever cell the page starts', () => {
    fc.assert(
      fc.property(fc.nat(0x3fff), fc.nat(24), fc.nat(70), (start, row, column) => {
        const lines = screenText(memoryWith('hello', start + row * 80 + column), { start })
        expect(lines.length).toBe(25)
        expect(lines[row]).toBe(`${' '.repeat(column)}hello`)
        expect(lines.filter((line) => line !== '').length).toBe(1)
      }),
      { seed: 1, numRuns: 50 },
    )
  })

  it('gives every code one character', () => {
    const codes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
    const text = screenText(memoryWith(codes, 0), { start: 0 })
      .map((line) => line.padEnd(80))
      .join('')
    expect([...text.slice(0, 256)].length).toBe(256)
    expect([text[1], text[0x41], text[0xc9], text[0xdb]]).toEqual(['☺', 'A', '╔', '█'])
  })
})
