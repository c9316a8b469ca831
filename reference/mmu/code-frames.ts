/**
 * Which frames hold decoded code, so that a write to a decoded instruction is noticed whoever makes it
 * (self-modifying code, Intel SDM vol. 3A §12.6).
 *
 * Blocks of decoded instructions are kept by the frame and offset of their first byte. A block that is dropped gets
 * `count` 0; who runs it is told through {@link CodeObserver}.
 */
import { FRAME_BYTES } from './layout.ts'

/** A hole in code: an immediate of 32 bits. */
export const HOLE_BYTES = 4

/** What the cache knows of a block of decoded instructions. */
export interface DecodedBlock {
  /** Its number of instructions; 0 when it is out of date. */
  count: number
}

/** A processor that has decoded code, and a TLB that must not let writes to it pass unseen. */
export interface CodeObserver {
  /** The frame at `frameOffset` (bytes into machine memory) now holds decoded code, or is traced: stores to it must be seen. */
  codeAppeared(frameOffset: number): void
  /** Some blocks went out of date, perhaps the running one. */
  codeDropped(): void
  /** Guest memory was mapped differently: no translation may be kept. */
  memoryRemapped(): void
}

/** The decoded code of one frame. */
export class CodeFrame {
  /** Blocks by the offset of their first byte, for 16-bit and for 32-bit code segments. */
  readonly blocks16: (DecodedBlock | undefined)[] = []
  readonly blocks32: (DecodedBlock | undefined)[] = new Array(FRAME_BYTES)
  /** 1 for each byte that belongs to a decoded instruction. */
  readonly covered = new Uint8Array(FRAME_BYTES)
  #live: DecodedBlock[] = []
  #listeners: (() => void)[] = []

  /** @param holes offsets in the frame of four bytes each that are read when the code runs, and may change */
  add(block: DecodedBlock, start: number, lengthBytes: number, codeSize: 16 | 32, holes: readonly number[] = []): void {
    const blocks = codeSize === 16 ? this.blocks16 : this.blocks32
    blocks[start] = block
    let from = start
    for (const hole of holes) {
      this.covered.fill(1, from, hole)
      from = hole + HOLE_BYTES
    }
    this.covered.fill(1, from, start + lengthBytes)
    this.#live.push(block)
  }

  /** True when one of `length` bytes from `start` on belongs to a decoded instruction. */
  covers(start: number, length: number): boolean {
    const end = Math.min(start + length, FRAME_BYTES)
    for (let i = start; i < end; i++) if (this.covered[i] === 1) return true
    return false
  }

  /** Someone made something of this frame's code, and wants to hear when that is out of date. */
  whenDropped(listener: () => void): void {
    this.#listeners.push(listener)
  }

  drop(): void {
    for (const block of this.#live) block.count = 0
    this.#live = []
    for (const listener of this.#listeners) listener()
    this.#listeners = []
    this.covered.fill(0)
  }
}
