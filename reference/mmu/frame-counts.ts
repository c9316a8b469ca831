/**
 * How many mappings each frame has: sixteen bits a frame, and an overflow table for the few that have more
 * (Waldspurger, "Memory Resource Management in VMware ESX Server", OSDI 2002, §4.1).
 */

/** What a count holds by itself; the rest of a larger one stands in the overflow table. */
const LARGEST = 0xffff

export class FrameCounts {
  readonly #counts: Uint16Array
  readonly #overflow = new Map<number, number>()

  /** @param end all pfns are below */
  constructor(end: number) {
    this.#counts = new Uint16Array(end)
  }

  /** 0: the frame is free, or the host has no such frame. */
  of(pfn: number): number {
    const count = this.#counts[pfn] ?? 0
    return count < LARGEST ? count : count + (this.#overflow.get(pfn) ?? 0)
  }

  add(pfn: number): void {
    if (this.#counts[pfn]! < LARGEST) this.#counts[pfn]!++
    else this.#overflow.set(pfn, (this.#overflow.get(pfn) ?? 0) + 1)
  }

  /** One mapping less; how many are left. @throws RangeError when there is none */
  remove(pfn: number): number {
    const count = this.of(pfn)
    if (count === 0) throw new RangeError(`Frame ${pfn} is not allocated.`)
    if (count <= LARGEST) this.#counts[pfn]!--
    else if (count === LARGEST + 1) this.#overflow.delete(pfn)
    else this.#overflow.set(pfn, count - 1 - LARGEST)
    return count - 1
  }
}
