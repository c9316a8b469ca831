/**
 * Shadow paging on the real machine: a miss of the TLB walks the shadow tables, and what they lack a {@link ShadowMmu} decides.
 *
 * It is made anew when memory is mapped anew, and knows nothing then; a processor never sees the difference.
 */
import type { GuestMemory } from './guest-memory.ts'
import { FRAME_BYTES, FRAME_SHIFT } from './layout.ts'
import type { MmuCounters } from './mmu-counters.ts'
import type { PagingMode } from './page-walk.ts'
import { DirectMmu, type MmuPolicy, type TlbControl, TRANSLATED, type Translation } from './policy.ts'
import type { FaultAnswer, ShadowMachine, ShadowMmu } from './shadow-port.ts'
import { ShadowTables, SPTE_GLOBAL, SPTE_PRESENT, SPTE_WRITABLE, spteAllows } from './shadow-tables.ts'

/** Frames from here on are shadow pages: beyond all memory that a machine can have. */
const FIRST_SHADOW_FRAME = 0x8_0000
const MAX_SHADOW_PAGES = 1024
const PAGE_MASK = -4096
const FAULT_WRITE = 2
const FAULT_USER = 4
/** No right MMU needs so many hidden faults for one access. */
const MAX_FAULTS = 8

/** Makes the shadow MMU of one processor. */
export type CreateShadowMmu = (machine: ShadowMachine) => ShadowMmu

export class ShadowPolicy implements MmuPolicy {
  readonly #memory: GuestMemory
  readonly #create: CreateShadowMmu
  readonly #counters: MmuCounters
  readonly #direct: DirectMmu
  /** Guest frames by the frame behind them. */
  readonly #gfns = new Map<number, number>()
  readonly #traced = new Set<number>()
  #tlb: TlbControl | undefined
  #tables: ShadowTables | undefined
  #mmu: ShadowMmu | undefined
  /** The MMU itself writes to the guest's tables, and need not be told. */
  #writing = false

  constructor(memory: GuestMemory, create: CreateShadowMmu, counters: MmuCounters) {
    this.#memory = memory
    this.#create = create
    this.#counters = counters
    this.#direct = new DirectMmu(memory)
    memory.machine.addTracer((offset, length) => this.#stored(offset, length))
  }

  attach(tlb: TlbControl): void {
    this.#tlb = tlb
  }

  translate(gva: number, write: boolean, user: boolean, mode: PagingMode, found: Translation): number {
    if (!mode.paging) return this.#direct.translate(gva, write, user, mode, found)
    const code = (write ? FAULT_WRITE : 0) | (user ? FAULT_USER : 0)
    found.reads = 0
    for (let faults = 0; faults < MAX_FAULTS; faults++) {
      const mmu = this.#mmu ?? this.#begin(mode)
      const spte = this.#tables!.walk(gva)
      found.reads += 2
      if (spteAllows(spte, write, user)) {
        found.pfn = spte >>> FRAME_SHIFT
        const gfn = this.#gfns.get(found.pfn)!
        if (this.#memory.isReadOnly(gfn)) return this.#direct.translate(gva, write, user, mode, found)
        found.gpa = (gfn << FRAME_SHIFT) | 0
        found.writable = (spte & SPTE_WRITABLE) !== 0
        found.global = (spte & SPTE_GLOBAL) !== 0
        found.large = false
        return TRANSLATED
      }
      const answer = mmu.pageFault(gva >>> 0, (spte & SPTE_PRESENT) | code)
      if (answer.do === 'retry') this.#counters.hiddenFaults++
      else return this.#obey(answer, write, found)
    }
    throw new Error(`The shadow MMU let an access to ${(gva >>> 0).toString(16)}h fault ${MAX_FAULTS} times.`)
  }

  flushed(keptGlobal: boolean, mode: PagingMode): void {
    const mmu = this.#mmu
    if (mmu === undefined || !mode.paging) {
      this.#end()
      return
    }
    this.#counters.flushes++
    if (!keptGlobal) mmu.setMode(mode)
    mmu.loadCr3(mode.cr3 >>> 0)
  }

  invalidated(gva: number): void {
    if (this.#mmu === undefined) return
    this.#counters.flushes++
    this.#mmu.invlpg(gva >>> 0)
  }

  remapped(): void {
    this.#end()
  }

  #obey(answer: Exclude<FaultAnswer, { do: 'retry' }>, write: boolean, found: Translation): number {
    if (answer.do === 'inject') {
      this.#counters.trueFaults++
      return answer.error
    }
    this.#counters.hiddenFaults++
    found.gpa = answer.gpa & PAGE_MASK
    found.pfn = answer.do === 'mmio' ? -1 : this.#memory.frameForWriting(answer.gpa >>> FRAME_SHIFT)
    found.writable = write
    found.global = false
    found.large = false
    return TRANSLATED
  }

  /** The processor pages: from now on there is a shadow. */
  #begin(mode: PagingMode): ShadowMmu {
    const memory = this.#memory
    this.#gfns.clear()
    for (let gfn = memory.sizeBytes / FRAME_BYTES - 1; gfn >= 0; gfn--) {
      const pfn = memory.pfnOf(gfn)
      if (pfn >= 0) this.#gfns.set(pfn, gfn)
    }
    this.#tables = new ShadowTables({
      maxPages: MAX_SHADOW_PAGES,
      largeEntries: false,
      globalEntries: true,
      firstFrame: FIRST_SHADOW_FRAME,
      isGuestFrame: (pfn) => this.#gfns.has(pfn),
      isLargeFrame: () => false,
    })
    const mmu = this.#create(this.#operations(this.#tables))
    this.#mmu = mmu
    mmu.setMode(mode)
    mmu.loadCr3(mode.cr3 >>> 0)
    return mmu
  }

  #end(): void {
    for (const pfn of this.#traced) this.#memory.machine.trace(pfn, false)
    this.#traced.clear()
    this.#mmu = undefined
    this.#tables = undefined
  }

  #operations(tables: ShadowTables): ShadowMachine {
    const { view } = this.#memory.machine
    const counters = this.#counters
    const offsetOf = (gpa: number) => {
      const pfn = this.#memory.pfnOf(gpa >>> FRAME_SHIFT)
      return pfn < 0 ? -1 : pfn * FRAME_BYTES + (gpa & (FRAME_BYTES - 1))
    }
    return {
      allocate: (level) => {
        counters.shadowPagesAllocated++
        return tables.allocate(level)
      },
      free: (page) => {
        counters.shadowPagesFreed++
        tables.free(page)
      },
      setEntries: (writes) => {
        counters.entriesWritten += writes.length
        tables.setEntries(writes)
      },
      setRoot: (page) => {
        tables.setRoot(page)
        this.#tlb?.flush(true)
      },
      flushPage: (gva) => this.#tlb?.flushPage(gva | 0),
      flushAll: () => this.#tlb?.flush(false),
      readGuest: (gpa, count) => {
        const offset = offsetOf(gpa)
        const words: number[] = []
        for (let i = 0; i < count; i++) words.push(offset < 0 ? 0 : view.getUint32(offset + 4 * i, true))
        return words
      },
      readTable: (gfn) => {
        const pfn = this.#memory.pfnOf(gfn)
        const start = pfn * FRAME_BYTES
        return pfn < 0 ? new Uint8Array(FRAME_BYTES) : this.#memory.machine.bytes.slice(start, start + FRAME_BYTES)
      },
      setBits: (changes) => {
        this.#writing = true
        for (const { gpa, bits } of changes) {
          if (offsetOf(gpa) >= 0) this.#memory.writeUint8(gpa, this.#memory.readUint8(gpa) | bits)
        }
        this.#writing = false
      },
      frames: (gfns) => gfns.map((gfn) => this.#memory.pfnOf(gfn)),
      largeFrame: () => -1,
      trace: (gfn, on) => {
        if (this.#tables === tables) this.#trace(this.#memory.pfnOf(gfn), on)
      },
    }
  }

  #trace(pfn: number, on: boolean): void {
    if (pfn < 0 || this.#traced.has(pfn) === on) return
    if (on) this.#traced.add(pfn)
    else this.#traced.delete(pfn)
    this.#memory.machine.trace(pfn, on)
  }

  /** Somebody has written to a frame that somebody traces. */
  #stored(offset: number, length: number): void {
    const pfn = offset >>> FRAME_SHIFT
    if (this.#writing || !this.#traced.has(pfn)) return
    this.#counters.tracedStores++
    const first = offset & -4
    const words: number[] = []
    for (let at = first; at < offset + length; at += 4) words.push(this.#memory.machine.view.getUint32(at, true))
    this.#mmu?.guestWrote(this.#gfns.get(pfn)! * FRAME_BYTES + (first & (FRAME_BYTES - 1)), words)
  }
}
