/**
 * The frame table: sixteen bytes for each frame of the host, and an overflow table for reference counts that their
 * bits do not hold (Waldspurger, OSDI 2002, §4.1). It is all that a service leaves to the one that replaces it.
 *
 * As bytes: {@link OWN_BYTES} of the service's own, a record for each frame, then eight bytes for each overflow, pfn and rest.
 * A record begins with the reference count in two bytes, least significant first: how many pages share the frame, 0
 * for a frame that is not shared. What else is in it is the service's own.
 */
import { SHARING_VARIANT } from './sharing-variant.ts'

export const OWN_BYTES = 16
export const RECORD_BYTES = 16
export const OVERFLOW_BYTES = 8

// @solution Where the other things that you must know of a frame stand in its record. Fourteen bytes are left.
const KIND_AT = 2
const VM_AT = 3
const HASH_AT = 4
const GFN_AT = 10
const LINK_AT = 13
/** Frames for each chain, on average. */
const CHAIN = 2

/** What the table knows of a frame: nothing, that its only page had this hash once, or that it is shared. */
type Kind = 'none' | 'hint' | 'shared'
const KINDS: readonly Kind[] = ['none', 'hint', 'shared']
// @end

export class FrameTable {
  // @solution The records, the overflow table, and a way to find the frames of a hash.
  readonly #frames: number
  readonly #records: DataView
  readonly #overflowed = new Map<number, number>()
  /** The first frame of each chain, as pfn + 1. */
  readonly #heads: Uint32Array
  // @end

  /** @param frames all pfns are below */
  constructor(frames: number) {
    // @solution
    this.#frames = frames
    this.#records = new DataView(new ArrayBuffer(frames * RECORD_BYTES))
    this.#heads = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, frames / CHAIN))))
    // @end
  }

  /** How many pages share a frame. */
  count(pfn: number): number {
    // @solution A count that has overflowed stands in two places.
    const count = this.#records.getUint16(pfn * RECORD_BYTES, true)
    return count < largestCount() ? count : count + (this.#overflowed.get(pfn) ?? 0)
    // @end
  }

  setCount(pfn: number, count: number): void {
    // @solution As much as the bits hold stands in the record; no rest, no overflow.
    const largest = largestCount()
    this.#records.setUint16(pfn * RECORD_BYTES, Math.min(count, largest), true)
    if (count > largest) this.#overflowed.set(pfn, count - largest)
    else this.#overflowed.delete(pfn)
    // @end
  }

  /** The table as bytes, with the service's own ones before it. */
  save(own: Uint8Array): Uint8Array {
    // @solution
    const bytes = new Uint8Array(OWN_BYTES + this.#records.byteLength + this.#overflowed.size * OVERFLOW_BYTES)
    bytes.set(own)
    bytes.set(new Uint8Array(this.#records.buffer), OWN_BYTES)
    const view = new DataView(bytes.buffer)
    let at = OWN_BYTES + this.#records.byteLength
    for (const [pfn, rest] of this.#overflowed) {
      view.setUint32(at, pfn, true)
      view.setUint32(at + 4, rest, true)
      at += OVERFLOW_BYTES
    }
    return bytes
    // @end
  }

  /** Takes over a table; gives the service's own bytes. */
  restore(bytes: Uint8Array): Uint8Array {
    // @solution Is what you need to find the frames of a hash in the table?
    const end = OWN_BYTES + this.#records.byteLength
    new Uint8Array(this.#records.buffer).set(bytes.subarray(OWN_BYTES, end))
    const overflow = new DataView(bytes.buffer, bytes.byteOffset + end)
    for (let at = 0; at + end < bytes.length; at += OVERFLOW_BYTES) {
      this.#overflowed.set(overflow.getUint32(at, true), overflow.getUint32(at + 4, true))
    }
    for (let pfn = 0; pfn < this.#frames; pfn++) {
      if (this.kind(pfn) !== 'none') this.#link(pfn)
    }
    return bytes.slice(0, OWN_BYTES)
    // @end
  }

  // @solution
  kind(pfn: number): Kind {
    return KINDS[this.#records.getUint8(pfn * RECORD_BYTES + KIND_AT)]!
  }

  /** The page that a hint is about. */
  pageOf(pfn: number): { vm: number; gfn: number } {
    const at = pfn * RECORD_BYTES
    return { vm: this.#records.getUint8(at + VM_AT), gfn: this.#getThreeBytes(at + GFN_AT) }
  }

  /** The contents of this page had this hash when it was looked at. */
  putHint(pfn: number, hash: number, vm: number, gfn: number): void {
    const at = pfn * RECORD_BYTES
    this.#records.setUint8(at + VM_AT, vm)
    this.#setThreeBytes(at + GFN_AT, gfn)
    this.#put(pfn, 'hint', hash)
  }

  /** The frame is shared from now on, at no page yet. */
  putShared(pfn: number, hash: number): void {
    this.#put(pfn, 'shared', hash)
  }

  /** The table knows nothing of the frame any more. */
  remove(frame: number): void {
    if (this.kind(frame) === 'none') return
    this.setCount(frame, 0)
    const chain = this.#chainOf(this.#hash(frame))
    const next = this.#getThreeBytes(frame * RECORD_BYTES + LINK_AT)
    if (this.#heads[chain] === frame + 1) this.#heads[chain] = next
    else {
      let before = this.#heads[chain]! - 1
      for (let link = this.#next(before); link !== frame; link = this.#next(before)) before = link
      this.#setThreeBytes(before * RECORD_BYTES + LINK_AT, next)
    }
    this.#records.setUint8(frame * RECORD_BYTES + KIND_AT, KINDS.indexOf('none'))
  }

  /** The frames of a hash, shared ones first. */
  find(hash: number): number[] {
    const found: number[] = []
    for (let pfn = this.#heads[this.#chainOf(hash)]! - 1; pfn >= 0; pfn = this.#next(pfn)) {
      if (this.#hash(pfn) !== hash) continue
      if (this.kind(pfn) === 'shared') found.unshift(pfn)
      else found.push(pfn)
    }
    return found
  }

  /** What all counts add up to, and how many frames it takes. */
  get totals(): { pages: number; frames: number; alone: number } {
    const totals = { pages: 0, frames: 0, alone: 0 }
    for (let pfn = 0; pfn < this.#frames; pfn++) {
      const count = this.count(pfn)
      if (count === 0) continue
      totals.pages += count
      totals.frames++
      if (count === 1) totals.alone++
    }
    return totals
  }

  #put(pfn: number, kind: Kind, hash: number): void {
    this.remove(pfn)
    const at = pfn * RECORD_BYTES
    this.#records.setUint32(at + HASH_AT, hash % 2 ** 32, true)
    this.#records.setUint16(at + HASH_AT + 4, Math.floor(hash / 2 ** 32), true)
    this.#records.setUint8(at + KIND_AT, KINDS.indexOf(kind))
    this.#link(pfn)
  }

  #link(pfn: number): void {
    const chain = this.#chainOf(this.#hash(pfn))
    this.#setThreeBytes(pfn * RECORD_BYTES + LINK_AT, this.#heads[chain]!)
    this.#heads[chain] = pfn + 1
  }

  #next(pfn: number): number {
    return this.#getThreeBytes(pfn * RECORD_BYTES + LINK_AT) - 1
  }

  #hash(pfn: number): number {
    const at = pfn * RECORD_BYTES + HASH_AT
    return this.#records.getUint16(at + 4, true) * 2 ** 32 + this.#records.getUint32(at, true)
  }

  #chainOf(hash: number): number {
    return ((hash % 2 ** 32) ^ Math.floor(hash / 2 ** 32)) & (this.#heads.length - 1)
  }

  #getThreeBytes(at: number): number {
    return this.#records.getUint16(at, true) | (this.#records.getUint8(at + 2) << 16)
  }

  #setThreeBytes(place: number, bytes: number): void {
    this.#records.setUint16(place, bytes & 0xffff, true)
    this.#records.setUint8(place + 2, bytes >>> 16)
  }
  // @end
}

// @solution
/** The largest count that a record holds by itself. */
function largestCount(): number {
  return 2 ** SHARING_VARIANT.countBits - 1
}
// @end
