import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itObeysTheDeviceLaws } from './device-laws.ts'
import { VgaText } from './vga-text.ts'

const HZ = 70_000

describe('the VGA', () => {
  itObeysTheDeviceLaws({
    make: () => new VgaText(HZ),
    accesses: fc.array(
      fc.record({
        after: fc.nat(2000),
        port: fc.constantFrom(0x3c0, 0x3c1, 0x3c4, 0x3c5, 0x3c7, 0x3c8, 0x3c9, 0x3d4, 0x3d5, 0x3da),
        write: fc.integer({ min: -1, max: 255 }),
      }),
      { maxLength: 40 },
    ),
  })

  it('shows the page and the cursor that the CRT controller is told, whatever they are', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), (start, cursor) => {
        const vga = new VgaText(HZ)
        for (const [index, value] of [
          [0x0c, start >> 8],
          [0x0d, start & 255],
          [0x0e, cursor >> 8],
          [0x0f, cursor & 255],
        ] as const) {
          vga.writePort(0x3d4, 1, index)
          vga.writePort(0x3d5, 1, value)
          expect(vga.readPort(0x3d5, 1, 0)).toBe(value)
        }
        expect(vga.page).toMatchObject({ start, cursor })
        vga.writePort(0x3d4, 1, 0x0a)
        vga.writePort(0x3d5, 1, 0x20)
        expect(vga.page.cursor).toBe(-1)
      }),
      { seed: 9, numRuns: 20 },
    )
  })

  it('begins with the colours of every PC, and shows those that it is given', () => {
    const vga = new VgaText(HZ)
    const { palette, cursorRows, blinks } = vga.page
    expect(palette.slice(0, 8).map((colour) => colour.join())).toEqual([
      '0,0,0',
      '0,0,170',
      '0,170,0',
      '0,170,170',
      '170,0,0',
      '170,0,170',
      '170,85,0',
      '170,170,170',
    ])
    expect([palette[15], cursorRows, blinks]).toEqual([[255, 255, 255], [13, 14], true])
    vga.writePort(0x3c8, 1, 0x3f)
    for (const level of [63, 0, 32]) vga.writePort(0x3c9, 1, level)
    vga.readPort(0x3da, 1, 0)
    for (const value of [0x10, 0x04, 1, 0x3f]) vga.writePort(0x3c0, 1, value)
    expect([vga.page.palette[15], vga.page.palette[1], vga.page.blinks]).toEqual([[255, 0, 130], [255, 0, 130], false])
  })

  it('has one vertical retrace in each frame, so that a wait for it ends', () => {
    const vga = new VgaText(HZ)
    let rises = 0
    let before = 0
    for (let now = 0; now < 10 * 1000; now += 5) {
      const status = vga.readPort(0x3da, 1, now) & 8
      if (status > before) rises++
      before = status
    }
    expect(rises).toBe(10)
  })
})
