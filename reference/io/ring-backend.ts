/** A back end that keeps the last bytes that a guest sent, for a test, a report or a person who looks later. Nothing arrives. */
import { ByteRing } from './byte-ring.ts'
import type { CharBackend } from './char-backend.ts'

export class RingBackend implements CharBackend {
  readonly mayReceive = false
  readonly waiting = 0
  readonly #ring: ByteRing

  /** @param capacity how many bytes are kept; the oldest go first */
  constructor(capacity: number) {
    this.#ring = new ByteRing(capacity)
  }

  transmit(bytes: Uint8Array): number {
    const kept = bytes.subarray(Math.max(0, bytes.length - this.#ring.count - this.#ring.room))
    if (kept.length > this.#ring.room) this.#ring.drop(kept.length - this.#ring.room)
    this.#ring.put(kept)
    return bytes.length
  }

  /** What is kept, oldest first. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#ring.count)
    for (let at = 0; at < all.length; ) {
      const piece = this.#ring.peek()
      all.set(piece, at)
      at += piece.length
      this.#ring.drop(piece.length)
    }
    this.#ring.put(all)
    return all
  }

  flush(): void {}
  receiverReady(): void {}
  close(): void {}
}
