/**
 * Nested paging on the real machine: the processor walks the guest's tables and, for each address in them, the host's. What
 * the host's tables lack is a violation, which the hypervisor repairs from the VM's memory map; the guest's tables are its own.
 */
import type { GuestMemory } from './guest-memory.ts'
import { FRAME_SHIFT } from './layout.ts'
import type { MmuCounters } from './mmu-counters.ts'
import { NestedTables } from './nested-walk.ts'
import { newWalk, type PagingMode, walkPageTables } from './page-walk.ts'
import { findFrame, type MmuPolicy, TRANSLATED, type Translation } from './policy.ts'

/** Host tables as IA-32 has them. */
const LEVELS = 2
const INDEX_BITS = 10
const PAGE_MASK = -4096

export class NestedMmu implements MmuPolicy {
  readonly #memory: GuestMemory
  readonly #counters: MmuCounters
  readonly #nested = new NestedTables(LEVELS, INDEX_BITS)
  readonly #walk = newWalk()
  #references = 0
  /** The walk goes back to an entry that it has read, to set its bits. */
  #isBack = false
  /** The guest's memory, as a walk of its tables sees it through the host's. */
  readonly #seen

  constructor(memory: GuestMemory, counters: MmuCounters) {
    this.#memory = memory
    this.#counters = counters
    this.#seen = {
      machine: memory.machine,
      pfnOf: (gfn: number) => this.#frameOf(gfn),
      frameForWriting: (gfn: number) => {
        this.#isBack = true
        return memory.frameForWriting(gfn)
      },
    }
  }

  translate(gva: number, write: boolean, user: boolean, mode: PagingMode, found: Translation): number {
    this.#references = 0
    if (mode.paging) {
      const walk = this.#walk
      const error = walkPageTables(this.#seen, gva, write, user, mode, walk)
      this.#references += walk.reads
      if (error !== TRANSLATED) {
        this.#counters.trueFaults++
        return this.#done(found, error)
      }
      found.gpa = walk.gpa
      found.writable = walk.writable
      found.global = walk.global
      found.large = walk.large
    } else {
      found.gpa = gva & PAGE_MASK
      found.writable = true
      found.global = false
      found.large = false
    }
    this.#frameOf(found.gpa >>> FRAME_SHIFT)
    findFrame(this.#memory, write, found)
    return this.#done(found, TRANSLATED)
  }

  remapped(): void {
    this.#nested.clear()
  }

  #done(found: Translation, result: number): number {
    found.reads = this.#references
    this.#counters.walkReferences += this.#references
    return result
  }

  /** The frame behind a guest frame by the host's tables, or −1: no memory there. */
  #frameOf(gfn: number): number {
    if (this.#isBack) {
      this.#isBack = false
      return this.#memory.pfnOf(gfn)
    }
    let reads = 0
    const count = () => {
      reads++
    }
    let pfn = this.#nested.walk(gfn, count)
    if (pfn === undefined) {
      pfn = this.#memory.pfnOf(gfn)
      if (pfn < 0) return pfn
      this.#counters.hiddenFaults++
      this.#nested.map(gfn, pfn)
      reads = LEVELS
    }
    this.#references += reads
    return pfn
  }
}
