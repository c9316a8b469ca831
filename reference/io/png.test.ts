import { crc32, inflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePng } from './png.ts'

/** The chunks of a file, each with its type and data; their sums are checked. */
function chunksOf(file: Uint8Array): [string, Buffer][] {
  const bytes = Buffer.from(file)
  expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const chunks: [string, Buffer][] = []
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(bytes.subarray(at + 4, at + 8 + length)))
    chunks.push([bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, at + 8 + length)])
    at += 12 + length
  }
  return chunks
}

describe('a PNG file', () => {
  it('holds the size, the colours and every dot of any picture', () => {
    const picture = fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20 }))
      .chain(([width, height]) =>
        fc.record({
          width: fc.constant(width),
          height: fc.constant(height),
          palette: fc.constant([[1, 2, 3] as const, [250, 251, 252] as const]),
          pixels: fc.uint8Array({ min: 0, max: 1, minLength: width * height, maxLength: width * height }),
        }),
      )
    fc.assert(
      fc.property(picture, (drawn) => {
        const chunks = chunksOf(encodePng(drawn))
        expect(chunks.map(([type]) => type)).toEqual(['IHDR', 'PLTE', 'IDAT', 'IEND'])
        const [header, palette, data] = chunks.map(([, bytes]) => bytes)
        expect([header!.readUInt32BE(0), header!.readUInt32BE(4), ...header!.subarray(8)]).toEqual([
          drawn.width,
          drawn.height,
          8,
          3,
          0,
          0,
          0,
        ])
        expect([...palette!]).toEqual([1, 2, 3, 250, 251, 252])
        const lines = inflateSync(data!)
        for (let row = 0; row < drawn.height; row++) {
          const line = lines.subarray(row * (drawn.width + 1), (row + 1) * (drawn.width + 1))
          expect([...line]).toEqual([0, ...drawn.pixels.subarray(row * drawn.width, (row + 1) * drawn.width)])
        }
      }),
      { seed: 3, numRuns: 30 },
    )
  })

  it('refuses a picture that does not hold what it says', () => {
    const picture = { width: 2, height: 2, palette: [], pixels: new Uint8Array(3) }
    expect(() => encodePng(picture)).toThrow('A picture of 2 × 2 dots cannot have 3.')
    const colours = new Array<[number, number, number]>(257).fill([0, 0, 0])
    expect(() => encodePng({ ...picture, palette: colours, pixels: new Uint8Array(4) })).toThrow('256 colours at most')
  })
})
