/**
 * The TLB: two direct-mapped tables in a vcpu's block, one for supervisor and one for user accesses (`layout.ts`).
 *
 * The engine reads the tags inline; everything else about entries is here. A write tag is left out while the page is
 * clean, and while its frame holds decoded code, so that the engine sees the first write to either.
 */
import {
  FRAME_SHIFT,
  TLB,
  TLB_ADDEND,
  TLB_ENTRY_WORDS,
  TLB_EXEC,
  TLB_GLOBAL,
  TLB_HALF_WORDS,
  TLB_LARGE,
  TLB_MMIO,
  TLB_PAGE,
  TLB_PHYSICAL,
  TLB_READ,
  TLB_WORDS,
  TLB_WRITABLE,
  TLB_WRITE,
  VCPU_BLOCK_BYTES,
} from './layout.ts'
import type { MachineMemory } from './machine-memory.ts'
import type { Translation } from './policy.ts'

const PAGE_MASK = -4096
const LARGE_PAGE_MASK = -0x40_0000
const EMPTY = -1
/** Turns a linear address shifted right by this into the word offset of its entry; then mask. */
const INDEX_SHIFT = FRAME_SHIFT - 3
const INDEX_MASK = TLB_HALF_WORDS - TLB_ENTRY_WORDS

/** Word offset of the entry of `gva` in the half that begins at `half` (0: supervisor, `TLB_HALF_WORDS`: user). */
export function tlbIndex(half: number, gva: number): number {
  return half + ((gva >>> INDEX_SHIFT) & INDEX_MASK)
}

export class Tlb {
  /** The entries. The engine reads them directly. */
  readonly words: Int32Array
  readonly #machine: MachineMemory
  #hasLarge = false
  /** Pages whose accesses must all be seen: those with data breakpoints. */
  #watched: ReadonlySet<number> = new Set()

  constructor(machine: MachineMemory, vcpu: number) {
    this.#machine = machine
    this.words = new Int32Array(machine.memory.buffer, vcpu * VCPU_BLOCK_BYTES + TLB * 4, TLB_WORDS)
    this.flush()
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
    this.words.fill(EMPTY)
    this.#hasLarge = false
  }

  /** Empties all entries but those of global pages. */
  flushLocal(): void {
    const words = this.words
    for (let e = 0; e < TLB_WORDS; e += TLB_ENTRY_WORDS) {
      if ((words[e + TLB_PHYSICAL]! & TLB_GLOBAL) === 0) this.#clear(e)
    }
  }

  /** Empties the entries of the page that holds `gva`; all fragments when it is a 4 MiB page. */
  invalidate(gva: number): void {
    for (let half = 0; half < TLB_WORDS; half += TLB_HALF_WORDS) {
      const e = tlbIndex(half, gva)
      if (this.words[e + TLB_PAGE] === (gva & PAGE_MASK)) this.#clear(e)
    }
    if (!this.#hasLarge) return
    for (let e = 0; e < TLB_WORDS; e += TLB_ENTRY_WORDS) {
      const isFragment = this.words[e + TLB_PAGE] !== EMPTY && (this.words[e + TLB_PHYSICAL]! & TLB_LARGE) !== 0
      if (isFragment && ((this.words[e + TLB_PAGE]! ^ gva) & LARGE_PAGE_MASK) === 0) this.#clear(e)
    }
  }

  /** The frame at byte `frameOffset` of machine memory holds decoded code now: writes to it must be seen. */
  protectFrame(frameOffset: number): void {
    const words = this.words
    for (let e = 0; e < TLB_WORDS; e += TLB_ENTRY_WORDS) {
      if (words[e + TLB_WRITE] !== EMPTY && ((words[e + TLB_WRITE]! + words[e + TLB_ADDEND]!) | 0) === frameOffset) {
        words[e + TLB_WRITE] = EMPTY
      }
    }
  }

  /** From now on every access to these pages takes the slow way. @param pages linear addresses */
  watch(pages: ReadonlySet<number>): void {
    if (pages.size === 0 && this.#watched.size === 0) return
    this.#watched = pages
    for (let e = 0; e < TLB_WORDS; e += TLB_ENTRY_WORDS) {
      const page = this.words[e + TLB_PAGE]!
      const physical = this.words[e + TLB_PHYSICAL]!
      if (page === EMPTY || (physical & TLB_MMIO) !== 0) continue
      this.#set(e, page, physical, (this.words[e + TLB_ADDEND]! + page) >>> FRAME_SHIFT)
    }
  }

  /** The entries that are not empty, without machine addresses: offset, page, physical address with flags, in turn. */
  save(): number[] {
    const saved: number[] = []
    for (let e = 0; e < TLB_WORDS; e += TLB_ENTRY_WORDS) {
      const page = this.words[e + TLB_PAGE]!
      if (page !== EMPTY) saved.push(e, page, this.words[e + TLB_PHYSICAL]!)
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
    const hasMemory = pfn >= 0
    const seesWrites = hasMemory && (physical & TLB_WRITABLE) !== 0 && this.#machine.codeFrames[pfn] === undefined
    const isWatched = this.#watched.size > 0 && this.#watched.has(page)
    words[entry + TLB_READ] = hasMemory && !isWatched ? page : EMPTY
    words[entry + TLB_WRITE] = seesWrites && !isWatched ? page : EMPTY
    words[entry + TLB_EXEC] = hasMemory ? page : EMPTY
    words[entry + TLB_ADDEND] = (pfn << FRAME_SHIFT) - page
    words[entry + TLB_PAGE] = page
    words[entry + TLB_PHYSICAL] = hasMemory ? physical : physical | TLB_MMIO
    if ((physical & TLB_LARGE) !== 0) this.#hasLarge = true
  }

  #clear(entry: number): void {
    this.words.fill(EMPTY, entry, entry + TLB_ENTRY_WORDS)
  }
}
