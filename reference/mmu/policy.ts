/**
 * The border between engine and MMU: the engine keeps a TLB, and asks a policy only for translations that it lacks
 * (design §3). `direct` walks the guest's own tables; shadow and nested paging are other policies.
 */
import type { GuestMemory } from './guest-memory.ts'
import { FRAME_SHIFT } from './layout.ts'
import { newWalk, type PagingMode, walkPageTables } from './page-walk.ts'

/** What the TLB wants to know of a page; the policy writes it over at each request. */
export interface Translation {
  /** The machine frame, or −1: no memory there, each access is an exit. */
  pfn: number
  /** Guest physical address of the page. */
  gpa: number
  /** Writes need no further request: allowed, and the dirty bit is set. */
  writable: boolean
  global: boolean
  /** The page is part of a 4 MiB page. */
  large: boolean
  /** Page-table entries that were read. */
  reads: number
}

/** The policy found a translation: not an error code. */
export const TRANSLATED = -1

export interface MmuPolicy {
  /**
   * Translates `gva` (signed 32-bit) for one access and sets accessed and dirty bits.
   * @returns {@link TRANSLATED}, with `found` filled in, or the error code of the guest's page fault
   */
  translate(gva: number, write: boolean, user: boolean, mode: PagingMode, found: Translation): number
  /** Once, before anything else: what the policy may do with the TLB of its vcpu. */
  attach?(tlb: TlbControl): void
  /**
   * The guest wrote a control register that flushes, and the TLB has been flushed.
   * @param keptGlobal a CR3 load: translations of global pages stayed
   */
  flushed?(keptGlobal: boolean, mode: PagingMode): void
  /** The guest executed INVLPG, and the TLB's entries are gone. */
  invalidated?(gva: number): void
  /** A gfn stands for another frame, or for none: nothing that was found before is good. */
  remapped?(): void
}

/** The TLB of one vcpu, to a policy. */
export interface TlbControl {
  flushPage(gva: number): void
  flush(keepGlobal: boolean): void
}

export function newTranslation(): Translation {
  return { pfn: -1, gpa: 0, writable: false, global: false, large: false, reads: 0 }
}

/** No shadow: the processor walks the guest's page tables, or uses guest physical addresses while paging is off. */
export class DirectMmu implements MmuPolicy {
  readonly #memory: GuestMemory
  readonly #walk = newWalk()

  constructor(memory: GuestMemory) {
    this.#memory = memory
  }

  translate(gva: number, write: boolean, user: boolean, mode: PagingMode, found: Translation): number {
    if (!mode.paging) {
      found.gpa = gva & -4096
      found.writable = true
      found.global = false
      found.large = false
      found.reads = 0
    } else {
      const walk = this.#walk
      const error = walkPageTables(this.#memory, gva, write, user, mode, walk)
      found.reads = walk.reads
      if (error !== TRANSLATED) return error
      found.gpa = walk.gpa
      found.writable = walk.writable
      found.global = walk.global
      found.large = walk.large
    }
    findFrame(this.#memory, write, found)
    return TRANSLATED
  }
}

/** The frame of the page that was found: a write breaks copy-on-write, and a page that is shared still lets none through. */
export function findFrame(memory: GuestMemory, write: boolean, found: Translation): void {
  const gfn = found.gpa >>> FRAME_SHIFT
  found.pfn = write ? memory.frameForWriting(gfn) : memory.pfnOf(gfn)
  if (memory.isReadOnly(gfn)) found.writable = false
}
