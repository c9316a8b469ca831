/**
 * What the guest may see: not one translation, but a set (Intel SDM vol. 3A §4.10.2.3). Until it flushes, a processor may
 * use any that the tables have held since the last flush that covered the page.
 */
import type { GuestPaging } from '../../../reference/index.ts'
import type { ModelMemory } from './memory.ts'

export const P = 1
export const W = 2
export const U = 4
export const A = 0x20
export const D = 0x40
export const PS = 0x80
export const G = 0x100

const LARGE_RESERVED = 0x3f_f000
/** P and RSVD of an error code. */
const RESERVED = 9
const INDEX = 0x3ff

export interface Access {
  readonly user: boolean
  readonly write: boolean
}

/** What one walk of the guest's tables comes to. */
export interface Walked {
  /** The error code without W/R and U/S when no access is allowed at all; −1: it is present. */
  readonly fault: number
  /** R/W and U/S of all levels. */
  readonly rights: number
  readonly gfn: number
  readonly accessed: boolean
  readonly dirty: boolean
  readonly global: boolean
  readonly large: boolean
  /** Where its entries are: of the directory, and of the table (−1 for a 4 MiB page). */
  readonly pdeAt: number
  readonly pteAt: number
}

export class Oracle {
  paging: GuestPaging = { globalPages: false, pageSizeExtensions: false, writeProtect: false }
  readonly #memory: ModelMemory
  /** All values of CR3, with the time of each load. */
  readonly #cr3s: { readonly since: number; readonly value: number }[] = []
  #flushedAll = 0
  readonly #flushedPages = new Map<number, number>()
  readonly #flushedRegions = new Map<number, number>()

  constructor(memory: ModelMemory) {
    this.#memory = memory
  }

  get cr3(): number {
    return this.#cr3s.at(-1)?.value ?? 0
  }

  setMode(paging: GuestPaging): void {
    this.paging = paging
    this.#flushedAll = ++this.#memory.time
  }

  loadCr3(value: number): void {
    this.#cr3s.push({ since: ++this.#memory.time, value })
  }

  /** INVLPG: of all of a 4 MiB page, if it is one and was one since all of it was last flushed. */
  invlpg(gva: number): void {
    const pdi = gva >>> 22
    const loaded = this.#cr3s.at(-1)?.since ?? 0
    const since = Math.max(this.#flushedAll, loaded, this.#flushedRegions.get(pdi) ?? 0)
    const pdes = this.#memory.valuesSince(entryAt(this.cr3, pdi), since)
    this.#memory.time++
    this.#flushedPages.set(gva >>> 12, this.#memory.time)
    if (pdes.every((pde) => this.#isLarge(pde))) this.#flushedRegions.set(pdi, this.#memory.time)
  }

  /** The walk of the tables as they are now. */
  now(gva: number): Walked {
    const upperAt = entryAt(this.cr3, gva >>> 22)
    const upper = this.#memory.read(upperAt)
    const lowerAt = this.#tableEntryAt(upper, gva)
    return this.#entries(upperAt, upper, lowerAt, lowerAt < 0 ? 0 : this.#memory.read(lowerAt), gva)
  }

  /** True when some walk that the guest must put up with has the property. */
  may(gva: number, property: (walked: Walked) => boolean): boolean {
    if (property(this.now(gva))) return true
    return this.#walks(gva, false).some(property) || this.#walks(gva, true).some((w) => w.global && property(w))
  }

  /** True when it had the property at any time at all. */
  ever(gva: number, property: (walked: Walked) => boolean): boolean {
    return this.#cr3s.some(({ value }) =>
      this.#memory
        .valuesSince(entryAt(value, gva >>> 22), 0)
        .some((pde) => this.#walk(entryAt(value, gva >>> 22), pde, gva, 0).some(property)),
    )
  }

  /** The error code that an access gets, or −1. */
  faultOf({ fault, rights }: Walked, { write, user }: Access): number {
    const code = (write ? 2 : 0) | (user ? 4 : 0)
    if (fault >= 0) return fault | code
    const isUser = (rights & U) !== 0
    const isWritable = (rights & W) !== 0
    const allowed = user ? isUser && (!write || isWritable) : !write || !this.paging.writeProtect || isWritable
    return allowed ? -1 : 1 | code
  }

  /** Everything that the tables have said of a page since it was flushed. */
  #walks(gva: number, global: boolean): Walked[] {
    const since = this.#since(gva >>> 12, global)
    const walks: Walked[] = []
    for (const cr3 of global ? this.#cr3sSince(since) : [this.cr3]) {
      const pdeAt = entryAt(cr3, gva >>> 22)
      for (const pde of this.#memory.valuesSince(pdeAt, since)) walks.push(...this.#walk(pdeAt, pde, gva, since))
    }
    return walks
  }

  /** Walks below one directory entry, by all that the table has held since a time. */
  #walk(pdeAt: number, pde: number, gva: number, since: number): Walked[] {
    const pteAt = this.#tableEntryAt(pde, gva)
    const ptes = pteAt < 0 ? [0] : this.#memory.valuesSince(pteAt, since)
    return ptes.map((pte) => this.#entries(pdeAt, pde, pteAt, pte, gva))
  }

  /** Where the table's entry is; −1: the walk ends at the directory. */
  #tableEntryAt(pde: number, gva: number): number {
    return (pde & P) === 0 || this.#isLarge(pde) ? -1 : entryAt(pde, (gva >>> 12) & INDEX)
  }

  /** What two entries come to; `pte` counts only where there is one. */
  #entries(pdeAt: number, pde: number, pteAt: number, pte: number, gva: number): Walked {
    const { globalPages, pageSizeExtensions } = this.paging
    const large = pteAt < 0 && (pde & P) !== 0
    const last = large ? pde : pte
    const isReserved = large ? (pde & LARGE_RESERVED) !== 0 : pageSizeExtensions && (pte & PS) !== 0
    const isPresent = (pde & last & P) !== 0
    return {
      fault: !isPresent ? 0 : isReserved ? RESERVED : -1,
      rights: pde & last & (U | W),
      gfn: large ? (pde >>> 12) + ((gva >>> 12) & INDEX) : last >>> 12,
      accessed: (pde & last & A) !== 0,
      dirty: (last & D) !== 0,
      global: globalPages && (last & G) !== 0,
      large,
      pdeAt,
      pteAt,
    }
  }

  #isLarge(pde: number): boolean {
    return this.paging.pageSizeExtensions && (pde & (P | PS)) === (P | PS)
  }

  /** When the page was last flushed, as a global one or as any other. */
  #since(vpn: number, global: boolean): number {
    const loaded = global ? 0 : (this.#cr3s.at(-1)?.since ?? 0)
    const page = this.#flushedPages.get(vpn) ?? 0
    const region = this.#flushedRegions.get(vpn >>> 10) ?? 0
    return Math.max(this.#flushedAll, loaded, page, region)
  }

  #cr3sSince(since: number): number[] {
    const first = this.#cr3s.findLastIndex((load) => load.since <= since)
    return this.#cr3s.slice(Math.max(first, 0)).map(({ value }) => value)
  }
}

/** Where an entry of a table is. */
export function entryAt(table: number, index: number): number {
  return ((table & -4096) >>> 0) + 4 * index
}
