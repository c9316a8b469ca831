/**
 * The machine around a shadow MMU, as the suites play it: the guest's memory, the shadow tables that the processor walks, a
 * TLB that never forgets by itself, and a log of all that was asked. What breaks a law becomes a problem, with its place in the log.
 */
import { type Difference, Violation } from '../../../grader/contract/law.ts'
import {
  type BitsSet,
  type EntryWrite,
  type FaultAnswer,
  type GuestPaging,
  RefusedOperation,
  type ShadowMachine,
  type ShadowMmu,
  ShadowTables,
  SPTE_GLOBAL,
  SPTE_PRESENT,
  SPTE_USER,
  SPTE_WRITABLE,
  spteAllows,
} from '../../../reference/index.ts'
import { FIRST_SHADOW_FRAME, LARGE_GFN, ModelMemory } from './memory.ts'
import { A, type Access, D, Oracle, PS, type Walked } from './oracle.ts'
import type { Variant } from './variant.ts'
import { bitsText, gvaText, hex, placeText } from './words.ts'

/** What a law can find wrong. */
export type Rule = 'stale' | 'rights' | 'bits' | 'fault' | 'progress' | 'trace' | 'flush'

export interface Problem extends Difference {
  readonly rule: Rule
  /** How many lines of the log lead to it. */
  readonly at: number
}

/** How much of the log a card shows. */
export const TRACE_LINES = 40
/** No right MMU asks so often within one call. */
const MAX_CALLS = 3000
/** Hidden faults until an access must have gone through. */
const MAX_FAULTS = 5

interface TlbEntry {
  readonly pfn: number
  readonly writable: boolean
  readonly global: boolean
  readonly large: boolean
}

/** What the machine counts; nothing of it can be reached by the MMU. */
export class Counts {
  hiddenFaults = 0
  trueFaults = 0
  emulated = 0
  flushes = 0
  told = 0
  /** Walks of the shadow tables. */
  misses = 0
  wordsRead = 0
}

export class Machine {
  readonly memory = new ModelMemory()
  readonly oracle = new Oracle(this.memory)
  readonly tables: ShadowTables
  readonly log: string[] = []
  readonly problems: Problem[] = []
  readonly counts = new Counts()
  readonly variant: Variant
  readonly #traced = new Set<number>()
  readonly #tlb = new Map<number, TlbEntry>()
  #mmu!: ShadowMmu
  #calls = 0
  /** Bits that were set during this event: the address of the entry, and the bits. */
  #bits: (readonly [gpa: number, bits: number])[] = []
  #event: keyof ShadowMmu = 'setMode'

  constructor(variant: Variant) {
    this.variant = variant
    this.tables = new ShadowTables({
      maxPages: variant.maxShadowPages,
      largeEntries: variant.largeEntries,
      globalEntries: variant.globalEntries,
      firstFrame: FIRST_SHADOW_FRAME,
      isGuestFrame: (pfn) => ModelMemory.gfnOf(pfn) >= 0,
      isLargeFrame: (pfn) => pfn === ModelMemory.largeFrameOf(LARGE_GFN),
    })
  }

  /** Puts an MMU in its place, which knows nothing yet. */
  begin(mmu: ShadowMmu, paging: GuestPaging, cr3: number): void {
    this.#mmu = mmu
    this.setMode(paging)
    this.loadCr3(cr3)
  }

  // What the guest and the devices do.

  setMode(paging: GuestPaging): void {
    this.oracle.setMode(paging)
    const { writeProtect, pageSizeExtensions, globalPages } = paging
    const flag = (on: boolean) => (on ? 1 : 0)
    this.#tell('setMode', `WP ${flag(writeProtect)}, PSE ${flag(pageSizeExtensions)}, PGE ${flag(globalPages)}`, () =>
      this.#mmu.setMode(paging),
    )
  }

  loadCr3(cr3: number): void {
    this.oracle.loadCr3(cr3)
    this.#tell('loadCr3', placeText(cr3), () => this.#mmu.loadCr3(cr3))
  }

  invlpg(gva: number): void {
    this.oracle.invlpg(gva)
    this.#tell('invlpg', gvaText(gva), () => this.#mmu.invlpg(gva))
  }

  /** A device, or the rest of the hypervisor, writes words. */
  deviceWrites(gpa: number, words: readonly number[]): void {
    for (const [i, word] of words.entries()) this.memory.write(gpa + 4 * i, word)
    this.#wasWritten(gpa, words.length)
  }

  /** The guest accesses an address; with `value`, it writes a word there. False: it got a page fault. */
  access(gva: number, access: Access, value = 0): boolean {
    for (let faults = 0; faults <= MAX_FAULTS; faults++) {
      const entry = this.#translate(gva, access)
      if (entry !== undefined) {
        this.#requireLegal(gva, access, entry.pfn, 'the processor goes to')
        const gpa = ModelMemory.gfnOf(entry.pfn) * 4096 + (gva & 0xffc)
        if (access.write) this.memory.write(gpa, value)
        return true
      }
      const answer = this.#fault(gva, access)
      if (answer.do === 'retry') {
        this.counts.hiddenFaults++
        continue
      }
      return this.#obey(answer, gva, access, value)
    }
    const what = `${accessText(access)} ${gvaText(gva)}, after ${MAX_FAULTS} hidden faults`
    this.problem('progress', what, 'goes through', 'faults again')
    return false
  }

  say(line: string): void {
    this.log.push(line)
  }

  problem(rule: Rule, what: string, expected: string, actual: string): void {
    this.say(`▶ ${what}: ${actual}; expected: ${expected}`)
    this.problems.push({ rule, what, expected, actual, at: this.log.length })
  }

  /** Every translation that the processor could use now is one that the guest must put up with, and writes that must be seen are. */
  inspect(): void {
    if (this.problems.length > 0) return
    for (const [key, entry] of this.#tlb) {
      const user = key >= TLB_USER
      this.#inspectOne(((key % TLB_USER) << 12) >>> 0, user, entry, 'the TLB gives')
    }
    for (const [gva, spte] of this.sptes()) {
      const entry = entryOf(spte)
      this.#inspectOne(gva, false, entry, 'the shadow tables give')
      if ((spte & SPTE_USER) !== 0) this.#inspectOne(gva, true, entry, 'the shadow tables give')
    }
  }

  /** Every page that the shadow tables map now, with the rights of both levels. Of 4 MiB only a few pages are looked at. */
  *sptes(): Iterable<readonly [gva: number, spte: number]> {
    const root = this.tables.pages.get(this.tables.root)
    if (root === undefined) return
    for (const [pdi, upper] of root.entries) {
      const isLarge = (upper & PS) !== 0
      const inner = isLarge ? LARGE_SAMPLE : this.tables.pages.get(upper >>> 12)!.entries.keys()
      for (const index of inner) {
        const gva = ((pdi << 22) | (index << 12)) >>> 0
        yield [gva, this.tables.walk(gva)]
      }
    }
  }

  /** The operations that the MMU is given. */
  operations(): ShadowMachine {
    const { tables } = this
    return {
      allocate: (level) =>
        this.#operate(
          () => tables.allocate(level),
          (page) => `allocate(level ${level}) → page ${pageText(page)}`,
        ),
      free: (page) =>
        this.#operate(
          () => tables.free(page),
          () => `free(page ${pageText(page)})`,
        ),
      setEntries: (writes) =>
        this.#operate(
          () => tables.setEntries(writes),
          () =>
            `setEntries ${writes.slice(0, 4).map(writeText).join(', ')}${writes.length > 4 ? ` … (${writes.length})` : ''}`,
        ),
      setRoot: (page) =>
        this.#operate(
          () => {
            tables.setRoot(page)
            for (const [key, { global }] of this.#tlb) if (!global) this.#tlb.delete(key)
          },
          () => `setRoot(page ${pageText(page)})`,
        ),
      flushPage: (gva) =>
        this.#operate(
          () => this.#flushPage(gva),
          () => `flushPage(${gvaText(gva)})`,
        ),
      flushAll: () =>
        this.#operate(
          () => {
            this.#noteFlush()
            this.#tlb.clear()
          },
          () => 'flushAll()',
        ),
      readGuest: (gpa, count) =>
        this.#operate(
          () => this.#read(gpa, count),
          (words) =>
            `readGuest(${placeText(gpa)}${count > 1 ? `, ${count}` : ''}) → ${words.length > 1 ? '…' : bitsText(words[0]!)}`,
        ),
      readTable: (gfn) =>
        this.#operate(
          () => {
            this.counts.wordsRead += 1024
            return this.memory.bytesOf(gfn)
          },
          () => `readTable(${placeText(gfn * 4096)})`,
        ),
      setBits: (changes) => this.#setBits(changes),
      frames: (gfns) =>
        this.#operate(
          () => gfns.map((gfn) => ModelMemory.frameOf(gfn)),
          () => undefined,
        ),
      largeFrame: (gfn) =>
        this.#operate(
          () => ModelMemory.largeFrameOf(gfn),
          () => undefined,
        ),
      trace: (gfn, on) =>
        this.#operate(
          () => {
            if (!on) this.#traced.delete(gfn)
            else if (ModelMemory.frameOf(gfn) >= 0) this.#traced.add(gfn)
          },
          () => `trace(${placeText(gfn * 4096)}, ${on ? 'on' : 'off'})`,
        ),
    }
  }

  #operate<Result>(operation: () => Result, text: (result: Result) => string | undefined): Result {
    if (++this.#calls > MAX_CALLS) this.#stop('calls of the machine within one event', `at most ${MAX_CALLS}`, 'more')
    try {
      const result = operation()
      const line = text(result)
      if (line !== undefined) this.say(`  ${line}`)
      return result
    } catch (error) {
      if (!(error instanceof RefusedOperation)) throw error
      this.say(`▶ ${error.message}`)
      return this.#stop(error.operation, 'an operation that the machine allows', `${error.rule}: refused`)
    }
  }

  /** There is nothing more to judge. */
  #stop(what: string, expected: string, actual: string): never {
    throw new Violation({ what, expected, actual }, this.log.slice(-TRACE_LINES))
  }

  #read(gpa: number, count: number): number[] {
    if ((gpa & 0xfff) + 4 * count > 4096) throw new RefusedOperation('readGuest', 'the words lie in one page')
    this.counts.wordsRead += count
    return Array.from({ length: count }, (_, i) => this.memory.read(gpa + 4 * i))
  }

  #setBits(changes: readonly BitsSet[]): void {
    const known = ({ bits }: BitsSet) => (bits & ~(A | D)) === 0
    this.#operate(
      () => {
        if (!changes.every(known)) throw new RefusedOperation('setBits', 'only accessed and dirty bits may be set')
        for (const { gpa, bits } of changes) {
          const before = this.memory.read(gpa)
          const added = bits & ~before
          if (added === 0) continue
          this.memory.write(gpa, before | bits)
          this.#bits.push([gpa, added])
        }
      },
      () => `setBits ${changes.map(({ gpa, bits }) => `${placeText(gpa)} ${bitsText(bits)}`).join(', ')}`,
    )
  }

  #noteFlush(): void {
    this.counts.flushes++
    if (this.#event !== 'guestWrote' || this.variant.flush !== 'lazy') return
    this.problem('flush', 'the TLB, in guestWrote', 'is left to the guest’s own flush', 'is flushed')
  }

  #flushPage(gva: number): void {
    this.#noteFlush()
    const vpn = gva >>> 12
    const isLarge = this.#tlb.get(vpn)?.large === true || this.#tlb.get(vpn + TLB_USER)?.large === true
    this.#forget(vpn)
    if (!isLarge) return
    for (const [key, entry] of this.#tlb) {
      if (entry.large && (key % TLB_USER) >>> 10 === vpn >>> 10) this.#tlb.delete(key)
    }
  }

  #forget(vpn: number): void {
    this.#tlb.delete(vpn)
    this.#tlb.delete(vpn + TLB_USER)
  }

  /** Calls the MMU, and looks at what it set in the guest's tables. */
  #tell<T>(event: keyof ShadowMmu, text: string, call: () => T): T {
    this.#calls = 0
    this.#event = event
    this.#bits = []
    this.say(`you: ${event} ${text}`)
    const answer = call()
    if (event !== 'pageFault') this.#requireBits([], text)
    return answer
  }

  #requireBits(allowed: readonly (readonly [gpa: number, bits: number])[], text: string): void {
    for (const [gpa, bits] of this.#bits) {
      const may = allowed.filter(([at]) => at === gpa).reduce((sum, [, more]) => sum | more, 0)
      if ((bits & ~may) === 0) continue
      this.problem('bits', `${placeText(gpa)}, after ${this.#event} ${text}`, `no ${bitsText(bits & ~may)} set`, 'set')
      return
    }
  }

  /** The entry that the processor uses, from its TLB or by a walk; undefined: it faults. */
  #translate(gva: number, { write, user }: Access): TlbEntry | undefined {
    const key = (gva >>> 12) + (user ? TLB_USER : 0)
    const known = this.#tlb.get(key)
    if (known !== undefined && (!write || known.writable)) return known
    this.counts.misses++
    const spte = this.tables.walk(gva)
    if (!spteAllows(spte, write, user)) {
      this.#forget(gva >>> 12)
      return undefined
    }
    const entry = entryOf(spte)
    this.#tlb.set(key, entry)
    return entry
  }

  #fault(gva: number, access: Access): FaultAnswer {
    const error = (this.tables.walk(gva) & SPTE_PRESENT) | (access.write ? 2 : 0) | (access.user ? 4 : 0)
    const before = this.oracle.now(gva)
    const text = `${gvaText(gva)}, error ${error}`
    const answer = this.#tell('pageFault', text, () => this.#mmu.pageFault(gva, error))
    this.say(`  you answer ${answerText(answer)}`)
    const allowed: [number, number][] = []
    if (this.oracle.faultOf(before, access) < 0) {
      const last = before.large ? before.pdeAt : before.pteAt
      allowed.push([before.pdeAt, A], [last, A | (access.write ? D : 0)])
    }
    this.#requireBits(allowed, text)
    return answer
  }

  #obey(answer: Exclude<FaultAnswer, { do: 'retry' }>, gva: number, access: Access, value: number): boolean {
    const { oracle } = this
    if (answer.do === 'inject') {
      this.counts.trueFaults++
      if (!oracle.may(gva, (walked) => oracle.faultOf(walked, access) === answer.error)) {
        const fault = oracle.faultOf(oracle.now(gva), access)
        const expected = fault < 0 ? 'no page fault' : `a page fault with error code ${fault}`
        this.problem(
          'fault',
          `${accessText(access)} ${gvaText(gva)}`,
          expected,
          `a page fault with error code ${answer.error}`,
        )
      }
      return false
    }
    const gfn = answer.gpa >>> 12
    const isDevice = answer.do === 'mmio'
    const what = `${accessText(access)} ${gvaText(gva)}, by "${answer.do}" at ${hex(answer.gpa)}h`
    const fits = (walked: Walked) =>
      oracle.faultOf(walked, access) < 0 && walked.gfn === gfn && (answer.gpa & 0xfff) === (gva & 0xfff)
    if (!oracle.may(gva, fits)) {
      const fault = oracle.faultOf(oracle.now(gva), access)
      const expected = fault < 0 ? `${hex(oracle.now(gva).gfn)}xxxh` : `a page fault with error code ${fault}`
      this.problem('fault', what, expected, `${hex(answer.gpa)}h`)
      return false
    }
    if (!oracle.may(gva, (walked) => fits(walked) && walked.accessed && (!access.write || walked.dirty))) {
      this.problem('bits', what, access.write ? 'accessed and dirty' : 'accessed', 'not set')
    }
    if (isDevice !== ModelMemory.frameOf(gfn) < 0) {
      this.problem('fault', what, isDevice ? 'memory' : 'a device', isDevice ? 'a device' : 'memory')
      return true
    }
    if (isDevice) return true
    if (!access.write) {
      this.problem('fault', what, 'only writes are emulated', 'a read')
      return true
    }
    this.counts.emulated++
    const gpa = (answer.gpa & -4) >>> 0
    this.memory.write(gpa, value)
    this.#wasWritten(gpa, 1)
    return true
  }

  #wasWritten(gpa: number, count: number): void {
    if (!this.#traced.has(gpa >>> 12)) return
    this.counts.told++
    const words = Array.from({ length: count }, (_, i) => this.memory.read(gpa + 4 * i))
    const text = `${placeText(gpa)} ${words.slice(0, 2).map(bitsText).join(', ')}${words.length > 2 ? ' …' : ''}`
    this.#tell('guestWrote', text, () => this.#mmu.guestWrote(gpa, words))
    if (this.variant.flush === 'eager') this.#requireFlushed(gpa, count)
  }

  /** In an eager variant: no translation that came through the words which were told of is wrong any more. */
  #requireFlushed(gpa: number, count: number): void {
    const { oracle } = this
    for (const [key, entry] of this.#tlb) {
      const gva = ((key % TLB_USER) << 12) >>> 0
      const user = key >= TLB_USER
      const now = oracle.now(gva)
      const concerns = [now.pdeAt, now.pteAt].some((at) => at >= gpa && at < gpa + 4 * count)
      if (!concerns) continue
      const kinds = [{ write: false, user }, ...(entry.writable ? [{ write: true, user }] : [])]
      for (const access of kinds) {
        if (oracle.faultOf(now, access) < 0 && ModelMemory.frameOf(now.gfn) === entry.pfn) continue
        const what = `the TLB, after guestWrote, for ${accessText(access)} ${gvaText(gva)}`
        this.problem('flush', what, 'has only what the table says now', `gives ${hex(entry.pfn)}h`)
        return
      }
    }
  }

  #inspectOne(gva: number, user: boolean, entry: TlbEntry, whose: string): void {
    this.#requireLegal(gva, { write: false, user }, entry.pfn, whose)
    if (!entry.writable) return
    this.#requireLegal(gva, { write: true, user }, entry.pfn, whose)
    const gfn = ModelMemory.gfnOf(entry.pfn)
    if (!this.#traced.has(gfn) || this.problems.length > 0) return
    this.problem(
      'trace',
      `${whose} ${gvaText(gva)} the right to write to ${placeText(gfn * 4096)}`,
      'no write that you do not see',
      'it is traced',
    )
  }

  #requireLegal(gva: number, access: Access, pfn: number, whose: string): void {
    if (this.problems.length > 0) return
    const { oracle } = this
    const goesThere = (walked: Walked) => oracle.faultOf(walked, access) < 0 && ModelMemory.frameOf(walked.gfn) === pfn
    const isMarked = (walked: Walked) => goesThere(walked) && walked.accessed && (!access.write || walked.dirty)
    if (oracle.may(gva, isMarked)) return
    const gfn = ModelMemory.gfnOf(pfn)
    const what = `${accessText(access)} ${gvaText(gva)}`
    if (oracle.may(gva, goesThere)) {
      this.problem('bits', `${what}: the guest’s entries`, access.write ? 'accessed and dirty' : 'accessed', 'not set')
      return
    }
    const now = oracle.now(gva)
    const fault = oracle.faultOf(now, access)
    const expected = fault < 0 ? placeText(now.gfn * 4096) : `a page fault with error code ${fault}`
    const rule = oracle.ever(gva, goesThere) ? 'stale' : 'rights'
    this.problem(
      rule,
      what,
      expected,
      `${whose} ${placeText(gfn * 4096)}${rule === 'stale' ? ', as it was before the guest flushed' : ''}`,
    )
  }
}

/** A user's entries have keys from here on. */
const TLB_USER = 1 << 20
const LARGE_SAMPLE = [0, 1, 2, 3, 4, 5, 6, 7]
const FRAME_SHIFT = 12

function entryOf(spte: number): TlbEntry {
  return {
    pfn: spte >>> FRAME_SHIFT,
    writable: (spte & SPTE_WRITABLE) !== 0,
    global: (spte & SPTE_GLOBAL) !== 0,
    large: (spte & PS) !== 0,
  }
}

function accessText({ write, user }: Access): string {
  return `${write ? 'write' : 'read'} by the ${user ? 'user' : 'kernel'} at`
}

function answerText(answer: FaultAnswer): string {
  if (answer.do === 'retry') return 'retry'
  return answer.do === 'inject' ? `inject ${answer.error}` : `${answer.do} at ${hex(answer.gpa)}h`
}

function pageText(page: number): string {
  return page >= FIRST_SHADOW_FRAME ? `S${page - FIRST_SHADOW_FRAME}` : `${page}`
}

function writeText({ page, index, value }: EntryWrite): string {
  if (value === 0) return `${pageText(page)}[${index}] = absent`
  return `${pageText(page)}[${index}] = ${pageText(value >>> FRAME_SHIFT)} ${bitsText(value)}`
}
