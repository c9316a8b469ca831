import { describe, expect, it } from 'vitest'
import { GLYPH_ROWS, vgaFont } from './vga-font.ts'

const font = vgaFont()
const glyph = (code: number) => [...font.subarray(code * GLYPH_ROWS, (code + 1) * GLYPH_ROWS)]
/** Codes of lines with an arm to each side, as Unicode's names say (U+2500–U+256C). */
const TO_THE_RIGHT = 'c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8da'
const UPWARDS = 'b3b4b5b6b9babcbdbec0c1c3c5c6c7c8cacccecfd0d3d4d7d8d9'
const isIn = (codes: string, code: number) => (codes.match(/../g) ?? []).some((each) => each === code.toString(16))
const lines = Array.from({ length: 0xdb - 0xb3 }, (_, i) => 0xb3 + i)

describe('the font', () => {
  it('has 256 characters, of which only the blanks look the same', () => {
    const blanks = [0, 0x20, 0xff]
    const pictures = Array.from({ length: 256 }, (_, code) => glyph(code).join())
    expect(font.length).toBe(4096)
    expect(new Set(pictures).size).toBe(256 - blanks.length + 1)
    for (const code of blanks) expect(glyph(code)).toEqual(new Array(GLYPH_ROWS).fill(0))
  })

  it('has lines that reach exactly the edges to which their characters have an arm', () => {
    for (const code of lines) {
      const rows = glyph(code)
      expect([code.toString(16), rows.some((row) => (row & 1) !== 0)]).toEqual([
        code.toString(16),
        isIn(TO_THE_RIGHT, code),
      ])
      expect([code.toString(16), rows[0] !== 0]).toEqual([code.toString(16), isIn(UPWARDS, code)])
    }
  })

  it('draws lines of one stroke and of two that go on in the next cell', () => {
    expect(glyph(0xb3)).toEqual(new Array(GLYPH_ROWS).fill(0b0001_1000))
    expect(glyph(0xba)).toEqual(new Array(GLYPH_ROWS).fill(0b0110_0110))
    expect(glyph(0xcd).slice(5, 10)).toEqual([0, 0xff, 0, 0xff, 0])
    expect(glyph(0xc9).slice(5, 10)).toEqual([0, 0b0111_1111, 0b0110_0000, 0b0110_0111, 0b0110_0110])
  })

  it('sets marks over letters: an i loses its dot, a capital keeps its top', () => {
    const e = glyph('e'.charCodeAt(0))
    expect(glyph(0x82).slice(5)).toEqual(e.slice(5))
    expect(glyph(0x82).slice(0, 5)).not.toEqual(e.slice(0, 5))
    expect(glyph(0x8e).slice(2)).toEqual(glyph('A'.charCodeAt(0)).slice(2))
    expect(glyph(0x8c).slice(5)).toEqual(glyph('i'.charCodeAt(0)).slice(5))
  })
})
