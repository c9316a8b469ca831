/** A ring of bytes with a fixed size: what back ends hold between the guest and the host. */

export class ByteRing {
  readonly #bytes: Uint8Array
  #start = 0
  #count = 0

  /** @param capacity in bytes */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  get room(): number {
    return this.#bytes.length - this.#count
  }

  /** Takes as many of the bytes as there is room for, the first ones; how many. */
  put(bytes: Uint8Array): number {
    const taken = Math.min(this.room, bytes.length)
    const end = (this.#start + this.#count) % this.#bytes.length
    const first = Math.min(taken, this.#bytes.length - end)
    this.#bytes.set(bytes.subarray(0, first), end)
    this.#bytes.set(bytes.subarray(first, taken), 0)
    this.#count += taken
    return taken
  }

  /** The oldest bytes that lie in one piece, without taking them out; a view that is good until the next call. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#start, Math.min(this.#start + this.#count, this.#bytes.length))
  }

  /** Takes the oldest bytes out. */
  drop(count: number): void {
    this.#start = (this.#start + count) % this.#bytes.length
    this.#count -= count
    if (this.#count === 0) this.#start = 0
  }
}
