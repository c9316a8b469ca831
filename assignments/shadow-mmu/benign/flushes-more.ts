/**
 * A shadow MMU that is careful with the TLB: INVLPG flushes all of it, and whatever changes in the shadow at a fault is
 * flushed for its page. That is never wrong, and costs walks only.
 */
import {
  ACCESSED,
  DIRTY,
  GLOBAL,
  LARGE,
  PRESENT,
  type Shadow,
  ShadowCache,
  USER,
  WRITABLE,
} from '../../../reference/mmu/shadow-cache.ts'
import type { BitsSet, FaultAnswer, GuestPaging, ShadowMachine, ShadowMmu } from '../../../reference/mmu/shadow-port.ts'
import { SHADOW_VARIANT } from '../../../reference/mmu/shadow-variant.ts'

/** Bits of a page fault's error code. */
const FAULT_PRESENT = 1
const FAULT_WRITE = 2
const FAULT_USER = 4
const FAULT_RESERVED = 8

const RIGHTS = USER | WRITABLE
const FRAME_SHIFT = 12
const PAGE_MASK = -4096
const INDEX_MASK = 0x3ff
/** Bits 12–21 of a 4 MiB page's entry, and bit 7 of a page-table entry with CR4.PSE. */
const LARGE_RESERVED = 0x3f_f000
const TABLE_RESERVED = 0x80
/** A directory that is written to so often without being walked is something else by now. */
const FLOOD = 3

/** An access that faulted. */
interface Access {
  readonly write: boolean
  readonly user: boolean
}

/** What the sptes of a page are made from. */
interface Mapping {
  /** U/S and R/W of all levels together. */
  readonly rights: number
  readonly dirty: boolean
  readonly global: boolean
}

const NO_ACCESS: Access = { write: false, user: false }
const RETRY: FaultAnswer = { do: 'retry' }

class Shadowing implements ShadowMmu {
  readonly #machine: ShadowMachine
  readonly #cache: ShadowCache
  #paging: GuestPaging = { writeProtect: false, pageSizeExtensions: false, globalPages: false }
  #cr3: number | undefined

  constructor(machine: ShadowMachine) {
    this.#machine = machine
    this.#cache = new ShadowCache(machine)
  }

  setMode(paging: GuestPaging): void {
    const before = this.#paging
    this.#paging = paging
    const isOther = before.pageSizeExtensions !== paging.pageSizeExtensions || before.globalPages !== paging.globalPages
    if (isOther) this.#cache.zapAll()
    if (this.#cr3 !== undefined) this.#enter(this.#cr3)
    this.#cache.flushAll()
  }

  loadCr3(cr3: number): void {
    this.#enter(cr3)
  }

  invlpg(gva: number): void {
    const cache = this.#cache
    const { root } = cache
    const pdi = gva >>> 22
    const upper = root?.sptes.get(pdi) ?? 0
    const leaf = (upper & LARGE) === 0 ? cache.at(upper >>> FRAME_SHIFT) : undefined
    if (leaf?.unsync === true) {
      const index = (gva >>> FRAME_SHIFT) & INDEX_MASK
      const [now = 0] = this.#machine.readGuest(leaf.gfn * 4096 + 4 * index, 1)
      cache.follow(leaf, index, now)
    }
    cache.flushAll()
  }

  pageFault(gva: number, error: number): FaultAnswer {
    const access = { write: (error & FAULT_WRITE) !== 0, user: (error & FAULT_USER) !== 0 }
    const code = error & (FAULT_WRITE | FAULT_USER)
    const inject = (bits: number): FaultAnswer => ({ do: 'inject', error: code | bits })
    const { pageSizeExtensions, globalPages } = this.#paging
    const pdeAt = this.#entryAt(this.#cr3 ?? 0, gva >>> 22)
    const pde = this.#read(pdeAt)
    if ((pde & PRESENT) === 0) return inject(0)
    if (pageSizeExtensions && (pde & LARGE) !== 0) {
      if ((pde & LARGE_RESERVED) !== 0) return inject(FAULT_PRESENT | FAULT_RESERVED)
      if (!this.#allows(pde, access)) return inject(FAULT_PRESENT)
      return this.#mapLarge(gva, pdeAt, pde, access)
    }
    const index = (gva >>> FRAME_SHIFT) & INDEX_MASK
    const start = index & -SHADOW_VARIANT.prefetch
    const around = this.#machine.readGuest((pde & PAGE_MASK) + 4 * start, SHADOW_VARIANT.prefetch)
    const pte = around[index - start]! | 0
    if ((pte & PRESENT) === 0) return inject(0)
    if (pageSizeExtensions && (pte & TABLE_RESERVED) !== 0) return inject(FAULT_PRESENT | FAULT_RESERVED)
    const rights = pde & pte & RIGHTS
    if (!this.#allows(rights, access)) return inject(FAULT_PRESENT)
    const newPte = pte | ACCESSED | (access.write ? DIRTY : 0)
    this.#setBits([
      [pdeAt, pde, pde | ACCESSED],
      [((pde & PAGE_MASK) >>> 0) + 4 * index, pte, newPte],
    ])
    const gfn = pte >>> FRAME_SHIFT
    const gpa = ((pte & PAGE_MASK) | (gva & 0xfff)) >>> 0
    const [frame = -1] = this.#machine.frames([gfn])
    if (frame < 0) return { do: 'mmio', gpa }
    const canWrite = !access.write || this.#mayWrite(gfn)
    const leaf = this.#leafOf(gva, pde, { gfn: pde >>> FRAME_SHIFT, direct: false, access: pde & RIGHTS })
    const global = globalPages && (newPte & GLOBAL) !== 0
    const mapping = { rights, dirty: (newPte & DIRTY) !== 0, global }
    this.#map(leaf, index, gfn, frame, mapping, access, newPte)
    this.#prefetch(leaf, index, start, around, pde)
    this.#cache.flushPage(gva)
    return canWrite && !(access.write && this.#cache.isTraced(gfn)) ? RETRY : { do: 'emulate', gpa }
  }

  guestWrote(gpa: number, words: readonly number[]): void {
    const cache = this.#cache
    const first = (gpa & 0xfff) >>> 2
    let dropped = false
    for (const shadow of cache.shadowsOf(gpa >>> FRAME_SHIFT)) {
      for (const [i, now] of words.entries()) dropped = cache.follow(shadow, first + i, now) || dropped
      if (shadow !== cache.root && ++shadow.writes > FLOOD) cache.zap(shadow)
    }
    if (dropped && SHADOW_VARIANT.flush === 'eager') cache.flushAll()
    cache.done()
  }
  /** The directory at `cr3` becomes the one that is walked, and what the guest wrote to unseen is compared. */
  #enter(cr3: number): void {
    this.#cr3 = cr3
    this.#cache.syncAll()
    const role = { gfn: cr3 >>> FRAME_SHIFT, level: 2, direct: false, access: RIGHTS } as const
    this.#cache.setRoot(this.#cache.obtain({ ...role, writeProtect: this.#paging.writeProtect }))
  }

  /** A page of 4 MiB: by one entry if the machine can, else by as many of 4 KiB as are used. */
  #mapLarge(gva: number, pdeAt: number, pde: number, access: Access): FaultAnswer {
    const { globalPages } = this.#paging
    const newPde = pde | ACCESSED | (access.write ? DIRTY : 0)
    this.#setBits([[pdeAt, pde, newPde]])
    const first = pde >>> FRAME_SHIFT
    const index = (gva >>> FRAME_SHIFT) & INDEX_MASK
    const gfn = first + index
    const gpa = ((gfn << FRAME_SHIFT) | (gva & 0xfff)) >>> 0
    const global = globalPages && (pde & GLOBAL) !== 0
    const mapping = { rights: pde & RIGHTS, dirty: (newPde & DIRTY) !== 0, global }
    const cache = this.#cache
    const canWrite = !access.write || this.#mayWrite(gfn)
    const whole = SHADOW_VARIANT.largeEntries && !cache.tracesAny(first) ? this.#machine.largeFrame(first) : -1
    if (whole >= 0) {
      const spte = (whole << FRAME_SHIFT) | LARGE | this.#spteBits(mapping, access)
      cache.map(this.#root, gva >>> 22, first, spte, newPde)
      cache.done()
      return RETRY
    }
    const start = index & -SHADOW_VARIANT.prefetch
    const gfns = Array.from({ length: SHADOW_VARIANT.prefetch }, (_, i) => first + start + i)
    const frames = this.#machine.frames(gfns)
    if (frames[index - start]! < 0) return { do: 'mmio', gpa }
    const leaf = this.#leafOf(gva, newPde, { gfn: first, direct: true, access: newPde & (RIGHTS | DIRTY | GLOBAL) })
    for (const [i, frame] of frames.entries()) {
      if (frame < 0 || (start + i !== index && leaf.sptes.has(start + i))) continue
      this.#map(leaf, start + i, gfns[i]!, frame, mapping, start + i === index ? access : NO_ACCESS, newPde)
    }
    cache.done()
    return canWrite && !(access.write && cache.isTraced(gfn)) ? RETRY : { do: 'emulate', gpa }
  }

  /** The neighbours that the guest has used before. */
  #prefetch(leaf: Shadow, index: number, start: number, around: readonly number[], pde: number): void {
    const wanted: number[] = []
    for (const [i, pte] of around.entries()) {
      const isUsed = (pte & (PRESENT | ACCESSED)) === (PRESENT | ACCESSED)
      const isReserved = this.#paging.pageSizeExtensions && (pte & TABLE_RESERVED) !== 0
      if (isUsed && !isReserved && start + i !== index && !leaf.sptes.has(start + i)) wanted.push(i)
    }
    if (wanted.length === 0) return
    const frames = this.#machine.frames(wanted.map((i) => around[i]! >>> FRAME_SHIFT))
    for (const [n, i] of wanted.entries()) {
      const pte = around[i]! | 0
      const global = this.#paging.globalPages && (pte & GLOBAL) !== 0
      const mapping = { rights: pde & pte & RIGHTS, dirty: (pte & DIRTY) !== 0, global }
      if (frames[n]! >= 0) this.#map(leaf, start + i, pte >>> FRAME_SHIFT, frames[n]!, mapping, NO_ACCESS, pte)
    }
  }

  #map(leaf: Shadow, index: number, gfn: number, frame: number, mapping: Mapping, access: Access, from: number): void {
    const bits = this.#spteBits(mapping, access)
    const traced = this.#cache.isTraced(gfn)
    this.#cache.map(leaf, index, gfn, (frame << FRAME_SHIFT) | (traced ? bits & ~WRITABLE : bits), from)
  }

  /** The leaf page for `gva`, linked to the root. */
  #leafOf(gva: number, pde: number, role: { gfn: number; direct: boolean; access: number }): Shadow {
    const leaf = this.#cache.obtain({ ...role, level: 1, writeProtect: this.#paging.writeProtect })
    this.#cache.link(this.#root, gva >>> 22, leaf, pde | ACCESSED)
    this.#cache.touch(this.#root)
    return leaf
  }

  /** A guest frame may be written to without a trace, perhaps because its table need not be watched until the next flush. */
  #mayWrite(gfn: number): boolean {
    return !this.#cache.isTraced(gfn) || this.#cache.unsync(gfn)
  }

  /**
   * Rights of an spte. With CR0.WP = 0 the guest's kernel may write where nobody may; no bits say that and let users read, so
   * the page belongs to whoever used it last.
   */
  #spteBits({ rights, dirty, global }: Mapping, access: Access): number {
    const isUser = (rights & USER) !== 0
    const base = PRESENT | (global && SHADOW_VARIANT.globalEntries ? GLOBAL : 0)
    const writable = dirty ? WRITABLE : 0
    if ((rights & WRITABLE) !== 0) return base | (rights & USER) | writable
    if (this.#paging.writeProtect) return base | (rights & USER)
    if (!isUser || (access.write && !access.user)) return base | writable
    return base | USER
  }

  #allows(rights: number, { write, user }: Access): boolean {
    const mayWrite = !write || (rights & WRITABLE) !== 0
    if (!user) return mayWrite || !this.#paging.writeProtect
    return mayWrite && (rights & USER) !== 0
  }

  get #root(): Shadow {
    return this.#cache.root!
  }

  #entryAt(base: number, index: number): number {
    const start = (base & PAGE_MASK) >>> 0
    return start + 4 * index
  }

  #read(gpa: number): number {
    return this.#machine.readGuest(gpa, 1)[0]! | 0
  }

  /** Each entry with where it is, what it was and what it is to be. */
  #setBits(entries: readonly (readonly [gpa: number, before: number, after: number])[]): void {
    const changes: BitsSet[] = entries
      .filter(([, before, after]) => before !== after)
      .map(([gpa, before, after]) => ({ gpa, bits: before ^ after }))
    if (changes.length > 0) this.#machine.setBits(changes)
  }
}

/** Makes a shadow MMU that knows nothing yet. */
export function create(machine: ShadowMachine): ShadowMmu {
  return new Shadowing(machine)
}
