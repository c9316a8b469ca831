/**
 * The guest's memory in the model: words by address, each with what it has held and since when, and the host's frames
 * behind it, which are in no order.
 */

/** Guest frames from 0 on that have memory. */
export const LOW_FRAMES = 32
/** 1024 guest frames in a row from here on have memory, too, and their frames are in a row: 4 MiB for one entry. */
export const LARGE_GFN = 1024
const LARGE_FRAMES = 1024
/** A table of the guest lies in the middle of those 4 MiB. */
export const INNER_TABLE = LARGE_GFN + 2
/** There is no memory here. */
export const HOLE_GFN = 40

const FIRST_LOW_PFN = 0x100
const FIRST_LARGE_PFN = 0x400
/** Prime to LOW_FRAMES, so that every frame has one place. */
const STRIDE = 13
/** Frames from here on are shadow pages. */
export const FIRST_SHADOW_FRAME = 0x8_0000

interface Held {
  readonly since: number
  readonly value: number
}

export class ModelMemory {
  /** Goes on with each write and each flush. */
  time = 0
  /** By page, and by byte offset in it. */
  readonly #pages = new Map<number, Map<number, Held[]>>()

  /** The frame behind a guest frame, or −1. */
  static frameOf(gfn: number): number {
    if (gfn < LOW_FRAMES) return FIRST_LOW_PFN + ((gfn * STRIDE + 5) % LOW_FRAMES)
    if (gfn >= LARGE_GFN && gfn < LARGE_GFN + LARGE_FRAMES) return FIRST_LARGE_PFN + gfn - LARGE_GFN
    return -1
  }

  /** The guest frame that a frame belongs to, or −1. */
  static gfnOf(pfn: number): number {
    if (pfn >= FIRST_LARGE_PFN && pfn < FIRST_LARGE_PFN + LARGE_FRAMES) return pfn - FIRST_LARGE_PFN + LARGE_GFN
    for (let gfn = 0; gfn < LOW_FRAMES; gfn++) if (ModelMemory.frameOf(gfn) === pfn) return gfn
    return -1
  }

  static largeFrameOf(gfn: number): number {
    return gfn === LARGE_GFN ? FIRST_LARGE_PFN : -1
  }

  /** A word; 0 where there is no memory. @param gpa a multiple of 4 */
  read(gpa: number): number {
    return this.#held(gpa)?.at(-1)?.value ?? 0
  }

  write(gpa: number, value: number): void {
    if (ModelMemory.frameOf(gpa >>> 12) < 0) return
    this.time++
    const held = this.#held(gpa)
    const entry = { since: this.time, value: value >>> 0 }
    if (held !== undefined) held.push(entry)
    else this.#pageOf(gpa >>> 12).set(gpa & 0xfff, [{ since: 0, value: 0 }, entry])
  }

  /** All bytes of a guest frame. */
  bytesOf(gfn: number): Uint8Array {
    const bytes = new Uint8Array(4096)
    const view = new DataView(bytes.buffer)
    for (const [offset, held] of this.#pages.get(gfn) ?? []) view.setUint32(offset, held.at(-1)!.value, true)
    return bytes
  }

  /** All that a word has held at any time from `since` on, the newest first. */
  valuesSince(gpa: number, since: number): number[] {
    const held = this.#held(gpa)
    if (held === undefined) return [0]
    const values: number[] = []
    for (let i = held.length - 1; i >= 0; i--) {
      values.push(held[i]!.value)
      if (held[i]!.since <= since) break
    }
    return values
  }

  #held(gpa: number): Held[] | undefined {
    return this.#pages.get(gpa >>> 12)?.get(gpa & 0xfff)
  }

  #pageOf(gfn: number): Map<number, Held[]> {
    const known = this.#pages.get(gfn)
    if (known !== undefined) return known
    const page = new Map<number, Held[]>()
    this.#pages.set(gfn, page)
    return page
  }
}
