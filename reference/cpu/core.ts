/**
 * The processor's state as the instructions see it: the words in linear memory, what is derived from them, and the
 * account of cycles. `Vcpu` is what a hypervisor sees of it.
 *
 * Derived values (`cpl`, `stackMask`, …) are copies that save a look at descriptors in hot paths; `refresh` makes all of them again.
 */
import type { AccessSize } from '../io/device.ts'
import type { CodeObserver, DecodedBlock } from '../mmu/code-frames.ts'
import {
  ATTRIBUTES,
  BASE,
  CPL,
  CR0,
  CR3,
  CR4,
  FETCH_FRAME,
  FETCH_PAGE,
  FLAGS,
  FLAT,
  FLAT_READ,
  FLAT_WRITE,
  LIMIT,
  REGISTER_BYTES,
  SELECTOR,
  TSC_OFFSET_HIGH,
  TSC_OFFSET_LOW,
} from '../mmu/layout.ts'
import type { MachineMemory } from '../mmu/machine-memory.ts'
import type { PagingMode } from '../mmu/page-walk.ts'
import { type MmuPolicy, newTranslation } from '../mmu/policy.ts'
import { Tlb } from '../mmu/tlb.ts'
import { CR0_AM, CR0_PE, CR0_PG, CR0_WP, CR4_PGE, CR4_PSE } from './control-registers.ts'
import type { CostEvent, CostModel } from './cost-model.ts'
import { newCounters } from './counters.ts'
import type { CpuModel } from './cpuid.ts'
import { Breakpoints } from './debug.ts'
import { ATTR_BIG, ATTR_CODE, ATTR_EXPAND_DOWN, ATTR_PRESENT, ATTR_WRITABLE } from './descriptor.ts'
import type { Engine } from './engine/engine.ts'
import type { Exit } from './exit.ts'
import { AC, RF, VM } from './flags.ts'
import { Arithmetic } from './fpu/rounding.ts'
import { CS, SS } from './instruction.ts'

/** Reasons why the next instruction may not simply run on: bits of `Core.attention`. */
export const ATTEND_SHADOW = 1
export const ATTEND_EVENT = 2
export const ATTEND_WINDOW = 4
export const ATTEND_TRAP = 8
export const ATTEND_HALTED = 16
export const ATTEND_REPLAY = 32
export const ATTEND_EXIT = 64
/** Instruction breakpoints are enabled, or RF is set. */
export const ATTEND_DEBUG = 128
/** A debug trap waits. */
export const ATTEND_DEBUG_TRAP = 256

/** No error code goes with the exception. */
export const NO_ERROR = -1

/** Thrown by an instruction that faults: one record for each core, written over by each fault. */
export class GuestFault {
  vector = 0
  /** The error code, or −1. */
  error = NO_ERROR
  /** The linear address of a page fault. */
  cr2 = 0
}

/** An event on its way through the IDT. */
export interface FaultRecord {
  readonly vector: number
  /** The error code, or −1. */
  readonly error: number
}

/** Thrown by an instruction that needs the hypervisor; the instruction is executed again from its start afterwards. */
export class ExitRequest {
  exit: Exit = { reason: 'shutdown' }
}

/** Keeps `Core.fuel` a small integer, whatever the budget is. */
const LARGEST_FUEL = 2 ** 30

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class Core implements CodeObserver {
  readonly machine: MachineMemory
  readonly mmu: MmuPolicy
  readonly costs: CostModel
  readonly model: CpuModel
  /** All of machine memory. */
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly words: Int32Array
  /** The vcpu's registers, as words and as the parts of the general ones. */
  readonly r: Int32Array
  readonly r16: Uint16Array
  readonly r8: Uint8Array
  readonly tlbTable: Tlb
  readonly tlb: Int32Array
  readonly tlbMask: number
  readonly counters = newCounters()
  readonly found = newTranslation()
  readonly fault = new GuestFault()
  readonly exitRequest = new ExitRequest()
  readonly paging: Mutable<PagingMode> = {
    paging: false,
    cr3: 0,
    writeProtect: false,
    pageSizeExtensions: false,
    globalPages: false,
  }

  /** Word offset of the TLB half for the current privilege. */
  tlbHalf = 0
  cpl = 0
  protectedMode = false
  /** Segment registers are loaded through descriptors: protected, but not virtual-8086 mode. */
  usesDescriptors = false
  alignmentChecked = false
  codeSize: 16 | 32 = 16
  csBase = 0
  csFlat = false
  /** Which bits of ESP count: −1 or 0xFFFF. */
  stackMask = 0xffff
  /** What translated code depends on, besides a flat 32-bit code segment: privilege, stack, flatness of segments. */
  mode = 0
  /** The fast engine, when there is one. */
  engine: Engine | undefined

  attention = 0
  /** Exits of instructions that are complete, in their order. */
  readonly pendingExits: Exit[] = []
  nmiBlocked = false
  /** 1 while an event is delivered that the program did not ask for: bit 0 of error codes. */
  externalEvent = 0
  /** The running instruction asked for an exit (`exitRequest`) and did nothing: it is executed again with the answer. */
  suspended = false
  /** Set by an instruction after which no single-step trap is taken. */
  trapSuppressed = false
  /** Answers that the unfinished instruction has had from the hypervisor, and how many it has used. */
  readonly answers: number[] = []
  answersUsed = 0

  /** The latest event that was delivered, and what delivering it raised. */
  faultChain: FaultRecord[] = []
  breakpoints: Breakpoints
  /** DR6 bits of the debug trap that waits. */
  pendingDebug = 0
  /** The running instruction has switched tasks: a fault belongs to the new one. */
  committed = false

  /** The length of the instruction that waits for the hypervisor. */
  waitingLength = 0

  /** Blocks of the page that is fetched from; null: not looked up. */
  blocks: (DecodedBlock | undefined)[] | null = null
  /** EIP at the start of the running block. */
  blockEip = 0
  /** How many instructions of the running block may be executed. */
  end = 0
  /** How many instructions may still start before the budget is looked at again, counted from the start of the running block. */
  fuel = 0
  /** Instructions and repetitions since reset, up to the start of the running block. */
  work = 0
  /** Cycles since reset that events cost. */
  extra = 0
  /** Cycles in which the TSC went on and this processor did not run. */
  away = 0
  limit = 0

  /** What the running FPU instruction computes with. */
  readonly arithmetic = new Arithmetic()
  /** Registers at guest physical addresses that are read without an exit; `undefined`: not one of them. */
  readLocal: ((gpa: number, size: AccessSize) => number | undefined) | undefined
  /** The local APIC's ID, when there is one. */
  apicId: number | undefined
  /** The FERR# pin, when it is wired to something. */
  ferr: ((asserted: boolean) => void) | undefined
  /** The IGNNE# pin. */
  ignoresNumericErrors = false

  interceptPageFault = false
  interceptHlt = false
  interceptCr = false
  interceptInvlpg = false
  interceptExceptions = 0

  constructor(machine: MachineMemory, mmu: MmuPolicy, index: number, costs: CostModel, model: CpuModel) {
    this.machine = machine
    this.mmu = mmu
    this.costs = costs
    this.model = model
    this.bytes = machine.bytes
    this.view = machine.view
    this.words = new Int32Array(machine.memory.buffer)
    const buffer = machine.memory.buffer
    const start = machine.vcpuBlockOffset(index)
    this.r = new Int32Array(buffer, start, REGISTER_BYTES >> 2)
    this.r16 = new Uint16Array(buffer, start, 32)
    this.r8 = new Uint8Array(buffer, start, 32)
    this.tlbTable = new Tlb(machine, index)
    this.tlb = this.tlbTable.words
    this.tlbMask = this.tlbTable.indexMask
    this.breakpoints = new Breakpoints(this)
    machine.observe(index, this)
    mmu.attach?.({
      flushPage: (gva) => this.#flushPage(gva),
      flush: (keepGlobal) => this.#flush(keepGlobal),
    })
  }

  /** Cycles since reset, up to instruction `index` of the running block. */
  cyclesAt(index: number): number {
    return (this.work + index) * this.costs.instruction + this.extra
  }

  /** The time-stamp counter at instruction `index` of the running block, modulo 2^64. */
  tscAt(index: number): bigint {
    const offset = (BigInt(this.r[TSC_OFFSET_HIGH]! >>> 0) << 32n) | BigInt(this.r[TSC_OFFSET_LOW]! >>> 0)
    return BigInt.asUintN(64, BigInt(this.cyclesAt(index) + this.away) + offset)
  }

  /** Makes the TSC read `value` at instruction `index` of the running block. */
  setTsc(value: bigint, index: number): void {
    const offset = BigInt.asUintN(64, value - BigInt(this.cyclesAt(index) + this.away))
    this.r[TSC_OFFSET_LOW] = Number(offset & 0xffff_ffffn) | 0
    this.r[TSC_OFFSET_HIGH] = Number(offset >> 32n) | 0
  }

  /** An event happened `times` times: its cycles are used up. */
  charge(event: CostEvent, times: number): void {
    const cost = this.costs.events[event]
    if (cost === undefined || cost === 0) return
    this.extra += cost * times
    this.refuel()
  }

  /** Instructions or repetitions beyond the running block's own were executed. */
  consume(units: number): void {
    this.work += units
    this.fuel -= units
    if (this.end > this.fuel) this.end = Math.max(this.fuel, 0)
  }

  /** Works out again how many instructions may start. */
  refuel(): void {
    const cycles = Math.min(this.limit - this.cyclesAt(0), LARGEST_FUEL)
    this.fuel = Math.ceil(cycles / this.costs.instruction)
    if (this.end > this.fuel) this.end = Math.max(this.fuel, 0)
  }

  /** Raises an exception in the running instruction. */
  raise(vector: number, error: number): never {
    this.fault.vector = vector
    this.fault.error = error
    throw this.fault
  }

  /** Stops the running instruction before it changed anything. */
  exit(exit: Exit): never {
    this.exitRequest.exit = exit
    throw this.exitRequest
  }

  /** As {@link exit}, for an instruction that simply returns after it. */
  suspend(exit: Exit): void {
    this.exitRequest.exit = exit
    this.suspended = true
    this.end = 0
  }

  /** Stops behind the running instruction. */
  exitAfter(exit: Exit): void {
    this.pendingExits.push(exit)
    this.attention |= ATTEND_EXIT
    this.end = 0
  }

  /** A debug trap follows the running instruction. @param bits of DR6 */
  noteDebug(bits: number): void {
    this.pendingDebug |= bits
    this.attention |= ATTEND_DEBUG_TRAP
    this.end = 0
  }

  forgetDebug(): void {
    this.pendingDebug = 0
    this.attention &= ~ATTEND_DEBUG_TRAP
  }

  /** DR0–DR3, DR7 or CR4.DE were written. */
  refreshBreakpoints(): void {
    this.breakpoints = new Breakpoints(this)
    this.tlbTable.watch(this.breakpoints.pages)
    this.refreshDebugging()
  }

  /** Instruction breakpoints or RF changed. */
  refreshDebugging(): void {
    const isOn = this.breakpoints.instructions.length > 0 || (this.r[FLAGS]! & RF) !== 0
    if (isOn) this.attention |= ATTEND_DEBUG
    else this.attention &= ~ATTEND_DEBUG
  }

  /** Writes a segment register's hidden part and everything that follows from it. */
  setSegment(segment: number, selector: number, base: number, limit: number, attributes: number): void {
    const r = this.r
    r[SELECTOR + segment] = selector
    r[BASE + segment] = base
    r[LIMIT + segment] = limit
    r[ATTRIBUTES + segment] = attributes
    r[FLAT + segment] = this.alignmentChecked ? 0 : flatness(base | 0, limit | 0, attributes)
    if (segment === CS) this.#refreshCode()
    else if (segment === SS) this.stackMask = (attributes & ATTR_BIG) !== 0 ? -1 : 0xffff
    this.#refreshMode()
  }

  setCpl(cpl: number): void {
    this.r[CPL] = cpl
    if ((cpl === 3) !== (this.cpl === 3)) this.forgetFetchPage()
    this.cpl = cpl
    this.tlbHalf = cpl === 3 ? this.tlbTable.halfWords : 0
    this.refreshAlignment()
    this.#refreshMode()
  }

  /** CR0, CR3 or CR4 were written. */
  refreshPaging(): void {
    const r = this.r
    const cr0 = r[CR0]!
    const cr4 = r[CR4]!
    this.protectedMode = (cr0 & CR0_PE) !== 0
    this.usesDescriptors = this.protectedMode && (r[FLAGS]! & VM) === 0
    this.paging.paging = (cr0 & CR0_PG) !== 0
    this.paging.writeProtect = (cr0 & CR0_WP) !== 0
    this.paging.cr3 = r[CR3]!
    this.paging.pageSizeExtensions = (cr4 & CR4_PSE) !== 0
    this.paging.globalPages = (cr4 & CR4_PGE) !== 0
    this.refreshAlignment()
  }

  /** CR0.AM, EFLAGS.AC or CPL changed: while alignment is checked no segment counts as flat. */
  refreshAlignment(): void {
    const r = this.r
    const checked = this.cpl === 3 && (r[CR0]! & CR0_AM) !== 0 && (r[FLAGS]! & AC) !== 0
    if (checked === this.alignmentChecked) return
    this.alignmentChecked = checked
    for (let s = 0; s < 6; s++) {
      r[FLAT + s] = checked ? 0 : flatness(r[BASE + s]!, r[LIMIT + s]!, r[ATTRIBUTES + s]!)
    }
    this.#refreshMode()
  }

  /** Everything that is derived from the words follows them again. */
  refresh(): void {
    const r = this.r
    this.cpl = r[CPL]!
    this.tlbHalf = this.cpl === 3 ? this.tlbTable.halfWords : 0
    this.refreshPaging()
    for (let s = 0; s < 6; s++) {
      r[FLAT + s] = this.alignmentChecked ? 0 : flatness(r[BASE + s]!, r[LIMIT + s]!, r[ATTRIBUTES + s]!)
    }
    this.#refreshCode()
    this.stackMask = (r[ATTRIBUTES + SS]! & ATTR_BIG) !== 0 ? -1 : 0xffff
    this.#refreshMode()
  }

  /** All translations go; with `keepGlobal` those of global pages stay. */
  flushTlb(keepGlobal: boolean): void {
    this.counters.tlbFlushes++
    this.#flush(keepGlobal)
    this.mmu.flushed?.(keepGlobal, this.paging)
  }

  /** INVLPG. */
  invalidatePage(gva: number): void {
    this.#flushPage(gva)
    this.mmu.invalidated?.(gva)
  }

  forgetFetchPage(): void {
    this.r[FETCH_PAGE] = -1
    this.r[FETCH_FRAME] = -1
    this.blocks = null
  }

  codeAppeared(frameOffset: number): void {
    this.tlbTable.protectFrame(frameOffset)
  }

  codeDropped(): void {
    this.end = 0
    this.blocks = null
  }

  memoryRemapped(): void {
    this.mmu.remapped?.()
    this.tlbTable.flush()
    this.forgetFetchPage()
    this.end = 0
  }

  #flush(keepGlobal: boolean): void {
    if (keepGlobal && this.paging.globalPages) this.tlbTable.flushLocal()
    else this.tlbTable.flush()
    this.forgetFetchPage()
  }

  #flushPage(gva: number): void {
    this.tlbTable.invalidate(gva)
    this.forgetFetchPage()
  }

  #refreshMode(): void {
    let mode = this.cpl | (this.stackMask === -1 ? 4 : 0)
    for (let s = 0; s < 6; s++) mode |= this.r[FLAT + s]! << (3 + 2 * s)
    this.mode = mode
  }

  #refreshCode(): void {
    const r = this.r
    this.csBase = r[BASE + CS]!
    this.csFlat = r[BASE + CS] === 0 && r[LIMIT + CS] === -1
    this.codeSize = (r[ATTRIBUTES + CS]! & ATTR_BIG) !== 0 ? 32 : 16
    this.blocks = null
  }
}

/** `FLAT_…` bits of a segment. */
function flatness(base: number, limit: number, attributes: number): number {
  if (base !== 0 || limit !== -1 || (attributes & ATTR_PRESENT) === 0) return 0
  if ((attributes & ATTR_CODE) !== 0) return (attributes & ATTR_WRITABLE) !== 0 ? FLAT_READ : 0
  if ((attributes & ATTR_EXPAND_DOWN) !== 0) return 0
  return (attributes & ATTR_WRITABLE) !== 0 ? FLAT_READ | FLAT_WRITE : FLAT_READ
}
