/**
 * Frames over a blocking pipe: four bytes of length and four of turn, little-endian, one of kind, then that much UTF-8
 * text. The length counts the text only. The judge counts its turns, and the subject answers with the turn's number.
 */
import { readSync, writeSync } from 'node:fs'

/** What a frame is, in one letter. */
export type FrameKind =
  /** Judge: here is the student's code, as JSON; subject: it is loaded. */
  | 'L'
  /** Judge: a request; subject: its outcome. */
  | 'C'
  /** Subject: asks an operation of the machine; judge: the reply. */
  | 'O'

export interface Frame {
  readonly kind: string
  readonly turn: number
  readonly text: string
}

/** The other side is gone: the pipe ended or broke. */
export class PipeEnded extends Error {}

/** The other side sent a frame that is longer than it may be. */
export class FrameTooLong extends Error {}

const HEADER_BYTES = 9
const TURN_AT = 4
const KIND_AT = 8
const READ_BYTES = 1 << 16

/** One end of a pair of pipes. */
export class FramePipe {
  readonly #input: number
  readonly #output: number
  readonly #maxBytes: number
  #buffer = Buffer.allocUnsafe(READ_BYTES)
  #start = 0
  #end = 0
  #outgoing = Buffer.allocUnsafe(READ_BYTES)

  /**
   * @param input the descriptor that is read, and `output` the one that is written
   * @param maxBytes the longest text of a frame that is taken
   */
  constructor(input: number, output: number, maxBytes: number) {
    this.#input = input
    this.#output = output
    this.#maxBytes = maxBytes
  }

  /** @throws PipeEnded when the other side is gone */
  write(kind: FrameKind, turn: number, text: string): void {
    const most = HEADER_BYTES + text.length * 3
    if (this.#outgoing.length < most) this.#outgoing = Buffer.allocUnsafe(most)
    const bytes = this.#outgoing
    const length = bytes.write(text, HEADER_BYTES, 'utf8')
    bytes.writeUInt32LE(length, 0)
    bytes.writeUInt32LE(turn, TURN_AT)
    bytes[KIND_AT] = kind.charCodeAt(0)
    for (let at = 0; at < HEADER_BYTES + length; ) {
      try {
        at += writeSync(this.#output, bytes, at, HEADER_BYTES + length - at)
      } catch (error) {
        throw new PipeEnded('write', { cause: error })
      }
    }
  }

  /** Waits for the next frame. @throws PipeEnded when the other side is gone; FrameTooLong */
  read(): Frame {
    this.#fill(HEADER_BYTES)
    const length = this.#buffer.readUInt32LE(this.#start)
    const turn = this.#buffer.readUInt32LE(this.#start + TURN_AT)
    const kind = String.fromCharCode(this.#buffer[this.#start + KIND_AT]!)
    if (length > this.#maxBytes) throw new FrameTooLong(`${length} bytes`)
    this.#fill(HEADER_BYTES + length)
    const from = this.#start + HEADER_BYTES
    const text = this.#buffer.toString('utf8', from, from + length)
    this.#start = from + length
    return { kind, turn, text }
  }

  /** Reads until `bytes` stand in the buffer. */
  #fill(bytes: number): void {
    if (this.#start === this.#end) this.#start = this.#end = 0
    if (this.#start + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes, READ_BYTES))
      this.#buffer.copy(larger, 0, this.#start, this.#end)
      this.#buffer = larger
      this.#end -= this.#start
      this.#start = 0
    }
    while (this.#end - this.#start < bytes) {
      const got = this.#readSome()
      if (got === 0) throw new PipeEnded('end')
      this.#end += got
    }
  }

  #readSome(): number {
    try {
      return readSync(this.#input, this.#buffer, this.#end, this.#buffer.length - this.#end, null)
    } catch (error) {
      throw new PipeEnded('read', { cause: error })
    }
  }
}
