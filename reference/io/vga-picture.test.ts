import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { vgaFont } from './vga-font.ts'
import { screenPicture } from './vga-picture.ts'
import { VgaText } from './vga-text.ts'

const page = new VgaText(1).page

/** The text memory, blank but for one cell. */
function memoryWith(place: number, code: number, attribute: number) {
  const bytes = Uint8Array.from({ length: 0x8000 }, (_, i) => (i % 2 === 0 ? 0x20 : 7))
  bytes.set([code, attribute], (2 * place) % 0x8000)
  return { readBytes: (gpa: number, length: number) => bytes.slice(gpa - 0xb_8000, gpa - 0xb_8000 + length) }
}

/** The dots of a cell, as rows of nine. */
function cellOf({ width, pixels }: { width: number; pixels: Uint8Array }, row: number, column: number): number[][] {
  return Array.from({ length: 16 }, (_, line) => {
    const at = (row * 16 + line) * width + column * 9
    return [...pixels.subarray(at, at + 9)]
  })
}

describe('the screen as a picture', () => {
  it('shows each character where it stands, in its two colours', () => {
    const font = vgaFont()
    fc.assert(
      fc.property(
        fc.record({ start: fc.nat(0x3fff), row: fc.nat(24), column: fc.nat(79) }),
        fc.nat(255),
        fc.nat(255),
        fc.boolean(),
        ({ start, row, column }, code, attribute, blinks) => {
          const place = start + row * 80 + column
          const shown = screenPicture(memoryWith(place, code, attribute), { ...page, start, cursor: -1, blinks })
          expect([shown.width, shown.height]).toEqual([720, 400])
          const ink = attribute & 15
          const paper = blinks ? (attribute >> 4) & 7 : attribute >> 4
          const joins = code >= 0xc0 && code <= 0xdf
          const expected = Array.from({ length: 16 }, (_, line) => {
            const bits = [...font[code * 16 + line]!.toString(2).padStart(8, '0')]
            return [...bits, joins ? bits[7]! : '0'].map((bit) => (bit === '1' ? ink : paper))
          })
          expect(cellOf(shown, row, column)).toEqual(expected)
          const other = cellOf(shown, (row + 1) % 25, column)
          expect(new Set(other.flat())).toEqual(new Set([0]))
        },
      ),
      { seed: 5, numRuns: 30 },
    )
  })

  it('shows the cursor over its cell, from its first line to its last', () => {
    const shown = screenPicture(memoryWith(0, 0x20, 0x1e), { ...page, start: 0, cursor: 0 })
    const rows = cellOf(shown, 0, 0).map((line) => new Set(line))
    expect(rows.map((dots) => [...dots])).toEqual(
      Array.from({ length: 16 }, (_, line) => (line === 13 || line === 14 ? [14] : [1])),
    )
  })
})
