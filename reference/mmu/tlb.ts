/**
 * The TLB: two direct-mapped tables in a vcpu's block, one for supervisor and one for user accesses (`layout.ts`).
 *
 * The engine reads the tags inline; everything else about entries is here. A write tag is left out while the page is
 * clean, and while its frame holds decoded code or is traced, so that the engine sees the first write to either. Which entries are in
 * use is written down in two lists, of global pages and of all others: what a flush costs is what was filled before it.
 */
import {
  FRAME_SHIFT,
  REGISTER_BYTES,
  TLB_ADDEND,
  TLB_ENTRY_WORDS,
  TLB_GLOBAL,
  TLB_LARGE,
  TLB_MMIO,
  TLB_PAGE,
  TLB_READ,
  TLB_WRITABLE,
  TLB_WRITE,
} from './layout.ts'
import type { MachineMemory } from './machine-memory.ts'
import type { Translation } from './policy.ts'

const PAGE_MASK = -4096
const LARGE_PAGE_MASK = -0x40_0000
const EMPTY = -1
/** A bit of an entry's physical word: one of the lists holds it. */
const LISTED = 16
const WORDS_SHIFT = 2
/** A linear address shifted right by this, and masked, is the word offset of its entry. */
export const TLB_INDEX_SHIFT = FRAME_SHIFT - WORDS_SHIFT

/** Word offsets of entries that are in use or were emptied since, each once. */
class EntryList {
  readonly offsets: Int32Array
  length = 0

  constructor(capacity: number) {
    this.offsets = new Int32Array(capacity)
  }

  add(entry: number): void {
    this.offsets[this.length++] = entry
  }
}

export class Tlb {
  /** The entries. The engine reads them directly. */
  readonly words: Int32Array
  /** For the entry at word offset e, at index e / 4: guest physical address of the page, with `TLB_…` flags. */
  readonly physical: Int32Array
  /** Words of one half. */
  readonly halfWords: number
  /** Cuts a shifted linear address to a word offset in a half. */
  readonly indexMask: number
  readonly #machine: MachineMemory
  readonly #local: EntryList
  readonly #global: EntryList
  #hasLarge = false
  /** Pages whose accesses must all be seen: those with data breakpoints. */
  #watched: ReadonlySet<number> = new Set()

  constructor(machine: MachineMemory, vcpu: number) {
    this.#machine = machine
    const entries = machine.tlbEntries
    const start = machine.vcpuBlockOffset(vcpu) + REGISTER_BYTES
    this.halfWords = entries * TLB_ENTRY_WORDS
    this.indexMask = this.halfWords - TLB_ENTRY_WORDS
    this.words = new Int32Array(machine.memory.buffer, start, 2 * this.halfWords)
    this.physical = new Int32Array(machine.memory.buffer, start + this.words.byteLength, 2 * entries)
    this.#local = new EntryList(2 * entries)
    this.#global = new EntryList(2 * entries)
    this.words.fill(EMPTY)
    this.physical.fill(0)
  }

  /** Word offset of the entry of `gva` in the half that begins at `half` (0: supervisor, `halfWords`: user). */
  index(half: number, gva: number): number {
    return half + ((gva >>> TLB_INDEX_SHIFT) & this.indexMask)
  }

  /** Writes the entry at word offset `entry` for the page of `gva`. */
  fill(entry: number, gva: number, found: Translation): void {
    const flags =
      (found.writable ? TLB_WRITABLE : 0) |
      (found.global ? TLB_GLOBAL : 0) |
      (found.large ? TLB_LARGE : 0) |
      (found.pfn < 0 ? TLB_MMIO : 0)
    this.#set(entry, gva & PAGE_MASK, (found.gpa & PAGE_MASK) | flags, found.pfn)
  }

  /** Empties all entries. */
  flush(): void {
    for (const list of [this.#local, this.#global]) {
      for (let i = 0; i < list.length; i++) this.#forget(list.offsets[i]!)
      list.length = 0
    }
    this.#hasLarge = false
  }

  /** Empties all entries but those of global pages. */
  flushLocal(): void {
    const { offsets, length } = this.#local
    this.#local.length = 0
    for (let i = 0; i < length; i++) {
      const entry = offsets[i]!
      if ((this.physical[entry >> WORDS_SHIFT]! & TLB_GLOBAL) === 0) this.#forget(entry)
      else this.#global.add(entry)
    }
    const listed = this.#global.length
    this.#global.length = 0
    for (let i = 0; i < listed; i++) {
      const entry = this.#global.offsets[i]!
      if ((this.physical[entry >> WORDS_SHIFT]! & TLB_GLOBAL) === 0) this.#forget(entry)
      else this.#global.add(entry)
    }
  }

  /** Empties the entries of the page that holds `gva`; all fragments when it is a 4 MiB page. */
  invalidate(gva: number): void {
    for (const half of [0, this.halfWords]) {
      const e = this.index(half, gva)
      if (this.words[e + TLB_PAGE] === (gva & PAGE_MASK)) this.#clear(e)
    }
    if (!this.#hasLarge) return
    this.#forEach((e) => {
      const isLarge = (this.physical[e >> WORDS_SHIFT]! & TLB_LARGE) !== 0
      if (isLarge && ((this.words[e + TLB_PAGE]! ^ gva) & LARGE_PAGE_MASK) === 0) this.#clear(e)
    })
  }

  /** The frame at byte `frameOffset` of machine memory holds decoded code now, or is traced: writes to it must be seen. */
  protectFrame(frameOffset: number): void {
    const words = this.words
    this.#forEach((e) => {
      if (words[e + TLB_WRITE] !== EMPTY && ((words[e + TLB_WRITE]! + words[e + TLB_ADDEND]!) | 0) === frameOffset) {
        words[e + TLB_WRITE] = EMPTY
      }
    })
  }

  /** From now on every access to these pages takes the slow way. @param pages linear addresses */
  watch(pages: ReadonlySet<number>): void {
    if (pages.size === 0 && this.#watched.size === 0) return
    this.#watched = pages
    this.#forEach((e) => {
      const page = this.words[e + TLB_PAGE]!
      const physical = this.physical[e >> WORDS_SHIFT]!
      if ((physical & TLB_MMIO) === 0)
        this.#set(e, page, physical, (this.words[e + TLB_ADDEND]! + page) >>> FRAME_SHIFT)
    })
  }

  /** The entries that are not empty, without machine addresses: offset, page, physical address with flags, in turn. */
  save(): number[] {
    const saved: number[] = []
    for (let e = 0; e < this.words.length; e += TLB_ENTRY_WORDS) {
      const page = this.words[e + TLB_PAGE]!
      if (page !== EMPTY) saved.push(e, page, this.physical[e >> WORDS_SHIFT]! & ~LISTED)
    }
    return saved
  }

  /** @param pfnOf the frame of a gfn, as the memory is mapped now */
  restore(saved: readonly number[], pfnOf: (gfn: number) => number): void {
    this.flush()
    for (let i = 0; i + 2 < saved.length; i += 3) {
      const physical = saved[i + 2]!
      this.#set(saved[i]!, saved[i + 1]!, physical, (physical & TLB_MMIO) !== 0 ? -1 : pfnOf(physical >>> FRAME_SHIFT))
    }
  }

  #set(entry: number, page: number, physical: number, pfn: number): void {
    const words = this.words
    if ((this.physical[entry >> WORDS_SHIFT]! & LISTED) === 0) {
      const list = (physical & TLB_GLOBAL) !== 0 ? this.#global : this.#local
      list.add(entry)
    }
    const hasMemory = pfn >= 0
    const isNoted = hasMemory && (this.#machine.codeFrames[pfn] !== undefined || this.#machine.traced[pfn] !== 0)
    const seesWrites = hasMemory && (physical & TLB_WRITABLE) !== 0 && !isNoted
    const isWatched = this.#watched.size > 0 && this.#watched.has(page)
    words[entry + TLB_READ] = hasMemory && !isWatched ? page : EMPTY
    words[entry + TLB_WRITE] = seesWrites && !isWatched ? page : EMPTY
    words[entry + TLB_ADDEND] = (pfn << FRAME_SHIFT) - page
    words[entry + TLB_PAGE] = page
    this.physical[entry >> WORDS_SHIFT] = physical | LISTED | (hasMemory ? 0 : TLB_MMIO)
    if ((physical & TLB_LARGE) !== 0) this.#hasLarge = true
  }

  #forEach(visit: (entry: number) => void): void {
    for (const { offsets, length } of [this.#local, this.#global]) {
      for (let i = 0; i < length; i++) {
        const entry = offsets[i]!
        if (this.words[entry + TLB_PAGE] !== EMPTY) visit(entry)
      }
    }
  }

  /** Empties an entry that no list holds any more. */
  #forget(entry: number): void {
    this.#clear(entry)
    this.physical[entry >> WORDS_SHIFT] = 0
  }

  /** Empties an entry, which stays in its list. */
  #clear(entry: number): void {
    const words = this.words
    words[entry + TLB_READ] = EMPTY
    words[entry + TLB_WRITE] = EMPTY
    words[entry + TLB_ADDEND] = EMPTY
    words[entry + TLB_PAGE] = EMPTY
    this.physical[entry >> WORDS_SHIFT] = LISTED
  }
}
