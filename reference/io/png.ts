/** A picture of few colours as a PNG file (W3C, Portable Network Graphics, 2nd edition: §5 datastream, §11 chunks). */
import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const BIT_DEPTH = 8
const COLOUR_INDEXED = 3
const CHUNK_OVERHEAD = 12
const MOST_COLOURS = 256

export interface IndexedPicture {
  readonly width: number
  readonly height: number
  /** Red, green and blue of each colour, 0–255; at most 256 colours. */
  readonly palette: readonly (readonly [number, number, number])[]
  /** The number of a colour for each dot, row by row. */
  readonly pixels: Uint8Array
}

/** @throws RangeError when the picture does not hold what it says */
export function encodePng({ width, height, palette, pixels }: IndexedPicture): Uint8Array {
  if (pixels.length !== width * height) {
    throw new RangeError(`A picture of ${width} × ${height} dots cannot have ${pixels.length}.`)
  }
  if (palette.length > MOST_COLOURS) throw new RangeError(`A palette has 256 colours at most, not ${palette.length}.`)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([BIT_DEPTH, COLOUR_INDEXED], 8)
  const lines = new Uint8Array((width + 1) * height)
  for (let row = 0; row < height; row++) {
    lines.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1)
  }
  return Buffer.concat([
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', header),
    chunk('PLTE', Uint8Array.from(palette.flat())),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', new Uint8Array(0)),
  ])
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(data.length + CHUNK_OVERHEAD)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length)
  return bytes
}
