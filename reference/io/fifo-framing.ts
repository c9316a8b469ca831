/**
 * How bytes and breaks of a serial port stand in a pipe: as they are, with escapes (as `termios` marks them with
 * PARMRK), or in packets of a type, a length and a payload.
 */
import { FIFO_VARIANT } from './fifo-variant.ts'

/** Stands for a break among the bytes that arrive. */
export const BREAK = 0x100

/** A piece of the pipe's stream, and how many bytes of the guest it carries; a break counts as one. */
export interface Unit {
  readonly guestBytes: number
  readonly bytes: Uint8Array
}

// @solution The numbers of your framing: the packets' types, the byte that an escaped break ends with.
const PACKET_DATA = 0
const PACKET_BREAK = 1
const ESCAPED_BREAK = 0
// @end

/** Bytes of the guest (1 to 16) as they stand in the pipe. */
export function encode(bytes: Uint8Array): Unit[] {
  // @solution One unit for all, or one for each byte: whatever lets you say how many bytes of the guest a part-written unit still holds.
  const { framing, escapeByte } = FIFO_VARIANT
  if (framing === 'raw') return [{ guestBytes: bytes.length, bytes: bytes.slice() }]
  if (framing === 'packets') {
    return [{ guestBytes: bytes.length, bytes: Uint8Array.of(PACKET_DATA, bytes.length, ...bytes) }]
  }
  return Array.from(bytes, (byte) => ({
    guestBytes: 1,
    bytes: byte === escapeByte ? Uint8Array.of(escapeByte, escapeByte) : Uint8Array.of(byte),
  }))
  // @end
}

/** A break as it stands in the pipe; none where the framing has no place for one. */
export function encodeBreak(): Unit | undefined {
  // @solution A raw pipe cannot say it.
  const { framing, escapeByte } = FIFO_VARIANT
  if (framing === 'raw') return undefined
  const bytes = framing === 'escaped' ? Uint8Array.of(escapeByte, ESCAPED_BREAK) : Uint8Array.of(PACKET_BREAK, 0)
  return { guestBytes: 1, bytes }
  // @end
}

/** Takes a pipe's stream apart; a sequence may come in any pieces. */
export class Decoder {
  /** The beginning of a sequence that has not ended yet: what `save` must keep. */
  pending: number[] = []

  /** The bytes for the guest, and {@link BREAK}s, that these bytes of the pipe complete. */
  decode(bytes: Uint8Array): number[] {
    // @solution Byte by byte: does it begin a sequence, go on with one, or end it?
    const { framing } = FIFO_VARIANT
    if (framing === 'raw') return [...bytes]
    const items: number[] = []
    for (const byte of bytes) items.push(...(framing === 'escaped' ? this.#unescape(byte) : this.#unpack(byte)))
    return items
    // @end
  }

  // @solution
  #unescape(byte: number): number[] {
    const { escapeByte } = FIFO_VARIANT
    if (this.pending.length === 0) {
      if (byte !== escapeByte) return [byte]
      this.pending = [byte]
      return []
    }
    this.pending = []
    return [byte === ESCAPED_BREAK ? BREAK : byte]
  }

  /** A payload is handed on byte by byte; pending is the type and how many bytes are left. */
  #unpack(byte: number): number[] {
    const [type, left] = this.pending
    if (type === undefined) {
      this.pending = [byte]
      return []
    }
    if (left === undefined) {
      this.pending = byte === 0 ? [] : [type, byte]
      return type === PACKET_BREAK ? [BREAK] : []
    }
    this.pending = left === 1 ? [] : [type, left - 1]
    return type === PACKET_DATA ? [byte] : []
  }
  // @end
}
