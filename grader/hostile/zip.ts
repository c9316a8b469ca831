/** Writes zip archives byte by byte (APPNOTE.TXT 6.3.10 §4.3), with whatever lies about themselves an attack wants. */
import { deflateRawSync } from 'node:zlib'

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
/** General purpose flags: UTF-8 names, encryption. */
const UTF8 = 0x0800
export const ENCRYPTED = 0x0001
const STORED = 0
const DEFLATED = 8
/** Made on Unix, by version 2.0; mode and type of the file stand in the upper half of the external attributes. */
const UNIX = 0x0314
const VERSION = 20
const PLAIN_FILE = 0o100644
export const SYMLINK = 0o120777

export interface ZipEntry {
  readonly name: string
  readonly content: string | Uint8Array
  /** Unix mode and type; default: a plain file. */
  readonly mode?: number
  readonly flags?: number
  /** Bytes that are already deflated, for content that nobody has to hold in memory. */
  readonly deflated?: { readonly bytes: Uint8Array; readonly crc: number; readonly size: number }
  /** The size that the headers give for the unpacked content; default: the true one. */
  readonly claimedSize?: number
  /** The name in the local header, when it shall differ from the directory's. */
  readonly localName?: string
  /** The entry whose data this one shares, by its place in the list. */
  readonly sharesWith?: number
}

export function zip(entries: readonly ZipEntry[], comment = ''): Uint8Array {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  const offsets: number[] = []
  let at = 0
  for (const entry of entries) {
    const { name, mode = PLAIN_FILE, flags = 0, localName = name, sharesWith } = entry
    const plain = typeof entry.content === 'string' ? new TextEncoder().encode(entry.content) : entry.content
    const packed = entry.deflated?.bytes ?? deflateRawSync(plain)
    const isStored = entry.deflated === undefined && packed.length >= plain.length
    const data = isStored ? plain : packed
    const size = entry.claimedSize ?? entry.deflated?.size ?? plain.length
    const common = numbers([
      [2, flags | UTF8],
      [2, isStored ? STORED : DEFLATED],
      [4, 0],
      [4, entry.deflated?.crc ?? crc32(plain)],
      [4, data.length],
      [4, size],
    ])
    const offset = sharesWith === undefined ? at : (offsets[sharesWith] ?? 0)
    offsets.push(offset)
    if (sharesWith === undefined) {
      const local = new TextEncoder().encode(localName)
      const header = [
        numbers([
          [4, LOCAL],
          [2, VERSION],
        ]),
        common,
        numbers([
          [2, local.length],
          [2, 0],
        ]),
        local,
        data,
      ]
      parts.push(...header)
      at += header.reduce((sum, { length }) => sum + length, 0)
    }
    const listed = new TextEncoder().encode(name)
    directory.push(
      numbers([
        [4, CENTRAL],
        [2, UNIX],
        [2, VERSION],
      ]),
      common,
      numbers([
        [2, listed.length],
        [2, 0],
        [2, 0],
        [2, 0],
        [2, 0],
        [4, mode * 0x10000],
        [4, offset],
      ]),
      listed,
    )
  }
  const listing = concatenated(directory)
  const words = new TextEncoder().encode(comment)
  const count = entries.length & 0xffff
  const end = numbers([
    [4, END],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, listing.length],
    [4, at],
    [2, words.length],
  ])
  return concatenated([...parts, listing, end, words])
}

/** Deflated zeros, `times` times `chunkBytes` of them, made of one piece of stream that is repeated (RFC 1951). */
export function deflatedZeros(chunkBytes: number, times: number): { bytes: Uint8Array; crc: number; size: number } {
  const FULL_FLUSH = 3
  const LAST_EMPTY_BLOCK = Uint8Array.of(0x03, 0x00)
  const piece = deflateRawSync(new Uint8Array(chunkBytes), { finishFlush: FULL_FLUSH })
  const bytes = concatenated([...Array<Uint8Array>(times).fill(piece), LAST_EMPTY_BLOCK])
  return { bytes, crc: 0, size: chunkBytes * times }
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Little-endian numbers, each with its size in bytes. */
function numbers(fields: readonly (readonly [size: number, value: number])[]): Uint8Array {
  const bytes = Buffer.alloc(fields.reduce((sum, [size]) => sum + size, 0))
  let at = 0
  for (const [size, value] of fields) at = bytes.writeUIntLE(value, at, size)
  return new Uint8Array(bytes)
}

const POLYNOMIAL = 0xedb88320

/** CRC-32 of ISO 3309, as zip and gzip use it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  }
  return ~crc >>> 0
}
