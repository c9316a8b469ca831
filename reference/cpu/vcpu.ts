/**
 * A virtual processor, as a hypervisor uses it: run, look why it stopped, answer, run again (words: KVM API, `KVM_RUN`).
 */
import type { AccessSize } from '../io/device.ts'
import type { GuestMemory } from '../mmu/guest-memory.ts'
import {
  ATTRIBUTES,
  CR0,
  CR2,
  DR,
  EAX,
  EBX,
  ECX,
  EDX,
  EIP,
  FETCH_FRAME,
  FETCH_GPA,
  FETCH_PAGE,
  FLAGS,
  FPU_REGISTER,
  FRAME_SHIFT,
  GDTR_LIMIT,
  IDTR_LIMIT,
  LAZY_MASK,
  LAZY_SHIFT,
  LDTR,
  LIMIT,
  REGISTER_WORDS,
  TR,
  TSC_OFFSET_HIGH,
  TSC_OFFSET_LOW,
} from '../mmu/layout.ts'
import type { MachineMemory } from '../mmu/machine-memory.ts'
import { DirectMmu, type MmuPolicy } from '../mmu/policy.ts'
import type { Cycles } from '../sched/virtual-time.ts'
import {
  ATTEND_EVENT,
  ATTEND_EXIT,
  ATTEND_HALTED,
  ATTEND_SHADOW,
  ATTEND_TRAP,
  ATTEND_WINDOW,
  Core,
  type FaultRecord,
  NO_ERROR,
} from './core.ts'
import { type CostEvent, type CostModel, UNIT_COSTS } from './cost-model.ts'
import { snapshot, type VcpuCounters } from './counters.ts'
import { type CpuidResult, type CpuModel, DEFAULT_CPU_MODEL } from './cpuid.ts'
import { DR6_ONES, DR7_ONES } from './debug.ts'
import { NMI } from './descriptor.ts'
import { Engine, type EngineStatistics } from './engine/engine.ts'
import type { TranslationListing } from './engine/function.ts'
import type { Exit } from './exit.ts'
import { getFlags, setFlags, TF } from './flags.ts'
import { resetFpu } from './fpu/stack.ts'
import { CS } from './instruction.ts'
import { interpret, isInterruptible } from './interpreter.ts'
import { deliverChecked } from './interrupts.ts'
import { Registers } from './registers.ts'

/** Who executes instructions: the interpreter alone, or translated code where it pays. */
export type EngineKind = 'interpreter' | 'wasm'

export interface VcpuOptions {
  /** The vcpu's block in machine memory. */
  readonly index: number
  readonly machine: MachineMemory
  readonly memory: GuestMemory
  /** Default: one cycle an instruction. */
  readonly costs?: CostModel
  readonly cpuid?: CpuModel
  /** Answers TLB misses. Default: the guest's own page tables. */
  readonly mmu?: MmuPolicy
  /** The FERR# pin: an unmasked FPU exception waits, with CR0.NE = 0 (a PC: IRQ 13). Without it such exceptions are ignored. */
  readonly ferr?: (asserted: boolean) => void
  /** The ID of its local APIC, for CPUID. Without it there is none. */
  readonly apicId?: number
  /** `wasm` translates what runs often; nothing but the speed depends on it. Default: `interpreter`. */
  readonly engine?: EngineKind
  /** Executions of a block after which `wasm` translates it. */
  readonly hot?: number
  /** Answers reads of MMIO registers that do not depend on the time, at once; every other read is an exit. */
  readonly readLocal?: (gpa: number, size: AccessSize) => number | undefined
}

/** An event to deliver through the guest's IDT. `error` is −1 for an exception without error code. */
export type InjectedEvent =
  | { readonly kind: 'interrupt' | 'nmi'; readonly vector: number }
  | { readonly kind: 'exception'; readonly vector: number; readonly error: number }

/** What exits besides what always does. */
export interface Intercepts {
  hlt: boolean
  pageFault: boolean
  cr: boolean
  invlpg: boolean
  /** A bit for each exception vector. */
  exceptions: number
}

/** Everything that a vcpu is, as one plain record. */
export interface VcpuState {
  /** The registers' words, as `layout.ts` numbers them. */
  readonly registers: readonly number[]
  /** The TLB's entries that are not empty: index, page, physical address with flags, in turn. */
  readonly tlb: readonly number[]
  /** Instructions and repetitions, and the cycles of other events: together `Vcpu.cycles`. */
  readonly work: number
  readonly extra: Cycles
  /** Cycles that only the TSC counts. */
  readonly away: Cycles
  readonly halted: boolean
  readonly interruptShadow: boolean
  readonly nmiBlocked: boolean
  readonly windowRequested: boolean
  readonly injected: InjectedEvent | null
  /** Answers that the unfinished instruction has had, and its length. */
  readonly answers: readonly number[]
  readonly waitingLength: number
  /** Exits of a completed instruction that were not reported yet. */
  readonly pendingExits: readonly Exit[]
  /** DR6 bits of a debug trap that waits for those exits. */
  readonly pendingDebug: number
  readonly ignoresNumericErrors: boolean
}

/** The state after RESET (Intel SDM vol. 3A §10.1.1): see also `reference/boot/rom.ts`. */
const RESET_CR0 = 0x6000_0010
const RESET_EIP = 0xfff0
const RESET_CS = { selector: 0xf000, base: 0xf_0000 }
const REAL_MODE_LIMIT = 0xffff
const REAL_MODE_DATA = 0x93
const RESET_LDTR = 0x82
const RESET_TR = 0x8b
const DATA_SEGMENTS = [0, 2, 3, 4, 5]
/** From, to: words of the block. */
const KEPT_BY_INIT = [
  [TSC_OFFSET_LOW, TSC_OFFSET_HIGH + 1],
  [FPU_REGISTER, REGISTER_WORDS],
] as const

export class Vcpu {
  /** Which events exit; the hypervisor changes it between runs. */
  readonly intercepts: Intercepts = { hlt: false, pageFault: false, cr: false, invlpg: false, exceptions: 0 }
  readonly registers: Registers
  readonly #core: Core
  readonly #memory: GuestMemory
  #injected: InjectedEvent | null = null

  constructor(options: VcpuOptions) {
    const { machine, memory, index } = options
    if (!Number.isInteger(index) || index < 0 || index >= machine.vcpus) {
      throw new RangeError(`The machine has ${machine.vcpus} vcpu blocks; there is no block ${index}.`)
    }
    const mmu = options.mmu ?? new DirectMmu(memory)
    this.#memory = memory
    this.#core = new Core(machine, mmu, index, options.costs ?? UNIT_COSTS, options.cpuid ?? DEFAULT_CPU_MODEL)
    this.#core.ferr = options.ferr
    this.#core.apicId = options.apicId
    this.#core.readLocal = options.readLocal
    if (options.engine === 'wasm') this.#core.engine = new Engine(this.#core, index, options.hot)
    this.registers = new Registers(this.#core)
    this.reset()
  }

  /** A frozen copy. */
  get counters(): Readonly<VcpuCounters> {
    return snapshot(this.#core.counters)
  }

  /** It is `now`: the TSC counts the cycles of virtual time, also those in which this vcpu did not run. */
  synchronize(now: Cycles): void {
    this.#core.away = now - this.cycles
  }

  /** What the fast engine did; undefined without one. */
  get engineStatistics(): Readonly<EngineStatistics> | undefined {
    const engine = this.#core.engine
    return engine === undefined ? undefined : { ...engine.statistics }
  }

  /**
   * What the fast engine makes of the code at `eip`: for people who look. The code must have run, in the mode that the processor is
   * in, and its code segment must be flat.
   */
  explainTranslation(eip: number): TranslationListing | undefined {
    const core = this.#core
    if (!core.csFlat || core.codeSize !== 32) return undefined
    return (core.engine ?? new Engine(core, 0)).explain(eip | 0)
  }

  /** Cycles used by this vcpu since reset. */
  get cycles(): Cycles {
    return this.#core.cyclesAt(0)
  }

  /** True after a HLT that is not intercepted, until an injection. Running it meanwhile answers `hlt` at no cost. */
  get halted(): boolean {
    return (this.#core.attention & ATTEND_HALTED) !== 0
  }
  set halted(halted: boolean) {
    this.#attend(ATTEND_HALTED, halted)
  }

  /**
   * Runs at most `budget` cycles: no instruction starts once they are used up. The same state and budget give the same exit at
   * the same instruction, and how a run is sliced into budgets changes nothing.
   */
  run(budget: Cycles): Exit {
    if (!(budget >= 0)) throw new RangeError(`A budget of ${budget} cycles is none.`)
    const core = this.#core
    const { intercepts } = this
    core.interceptHlt = intercepts.hlt
    core.interceptPageFault = intercepts.pageFault
    core.interceptCr = intercepts.cr
    core.interceptInvlpg = intercepts.invlpg
    core.interceptExceptions = intercepts.exceptions
    const sleeps = (core.attention & (ATTEND_HALTED | ATTEND_EVENT | ATTEND_EXIT)) === ATTEND_HALTED
    const exit = interpret(core, this.#events, budget)
    if (sleeps) return exit
    core.counters.exits[exit.reason]++
    if (exit.reason !== 'budget') core.charge(EXIT_COSTS[exit.reason], 1)
    return exit
  }

  /** The value that the IN or INS of the last exit reads; the instruction completes in the next run. */
  completeIn(value: number): void {
    this.#core.answers.push(value)
  }

  /** The value of the last exit's MMIO read; the instruction goes on in the next run. */
  completeMmioRead(value: number): void {
    this.#core.answers.push(value)
  }

  /** The answer to the CPUID of the last exit; the instruction is complete. */
  completeCpuid(result: CpuidResult): void {
    const r = this.#core.r
    r[EAX] = result.eax
    r[EBX] = result.ebx
    r[ECX] = result.ecx
    r[EDX] = result.edx
    this.#completeInstruction()
  }

  /** What the VMCALL of the last exit gives in EAX; the instruction is complete. */
  completeHypercall(eax: number): void {
    this.#core.r[EAX] = eax
    this.#completeInstruction()
  }

  /** The hypervisor did the instruction of an intercepted exit for the guest, which goes on at `eip`. A shadow ends with it. */
  skipTo(eip: number): void {
    this.registers.eip = eip
    this.#core.counters.retired++
    this.#core.attention &= ~ATTEND_SHADOW
  }

  /**
   * An event for the guest, delivered through its IDT at the start of the next run. It wakes a halted vcpu.
   * @throws RangeError when one is queued already, or when the vcpu cannot take it now (VM entry would fail)
   */
  inject(event: InjectedEvent): void {
    if (this.#injected !== null) throw new RangeError('An event is queued already; only one can be injected.')
    if (event.kind === 'interrupt' && !this.interruptible) {
      throw new RangeError('An interrupt was injected while the guest cannot take one (IF = 0 or interrupt shadow).')
    }
    if (event.kind === 'nmi' && this.nmiBlocked) throw new RangeError('An NMI was injected while NMIs are blocked.')
    this.#injected = event
    this.#attend(ATTEND_EVENT, true)
  }

  /** An injected event waits for the next run: it exited on its way, or the vcpu has not run since. */
  get eventQueued(): boolean {
    return this.#injected !== null
  }

  /** IF is 1, no shadow of STI or MOV SS, and no event queued. */
  get interruptible(): boolean {
    return isInterruptible(this.#core)
  }

  /** Behind STI (when IF was 0), MOV SS or POP SS, until the next instruction is complete. */
  get interruptShadow(): boolean {
    return (this.#core.attention & ATTEND_SHADOW) !== 0
  }

  /** An NMI was delivered, and no IRET was executed since. */
  get nmiBlocked(): boolean {
    return this.#core.nmiBlocked
  }

  /** The IGNNE# pin: with CR0.NE = 0 the FPU goes on in spite of an exception. A PC asserts it from port F0h until FERR# falls. */
  get ignoresNumericErrors(): boolean {
    return this.#core.ignoresNumericErrors
  }
  set ignoresNumericErrors(asserted: boolean) {
    this.#core.ignoresNumericErrors = asserted
  }

  /** After a shutdown: the fault that began it, and those that delivering it raised. */
  get faultChain(): readonly FaultRecord[] {
    return [...this.#core.faultChain]
  }

  /** While on, a run exits with `interruptWindow` as soon as the vcpu is `interruptible`. */
  requestInterruptWindow(on: boolean): void {
    this.#attend(ATTEND_WINDOW, on)
  }

  /** The state after RESET; cycles begin at 0, counters stay. */
  reset(): void {
    const core = this.#core
    const r = core.r
    r.fill(0, 0, REGISTER_WORDS)
    r[CR0] = RESET_CR0
    r[EDX] = core.model.signature
    r[EIP] = RESET_EIP
    r[GDTR_LIMIT] = REAL_MODE_LIMIT
    r[IDTR_LIMIT] = REAL_MODE_LIMIT
    r[LIMIT + LDTR] = REAL_MODE_LIMIT
    r[ATTRIBUTES + LDTR] = RESET_LDTR
    r[LIMIT + TR] = REAL_MODE_LIMIT
    r[ATTRIBUTES + TR] = RESET_TR
    setFlags(r, 0)
    resetFpu(r)
    r[DR + 6] = DR6_ONES
    r[DR + 7] = DR7_ONES
    core.refresh()
    core.setSegment(CS, RESET_CS.selector, RESET_CS.base, REAL_MODE_LIMIT, REAL_MODE_DATA)
    for (const s of DATA_SEGMENTS) core.setSegment(s, 0, 0, REAL_MODE_LIMIT, REAL_MODE_DATA)
    core.tlbTable.flush()
    core.forgetFetchPage()
    core.attention = 0
    core.refreshBreakpoints()
    core.answers.length = 0
    core.pendingExits.length = 0
    core.forgetDebug()
    core.nmiBlocked = false
    core.ignoresNumericErrors = false
    core.work = 0
    core.extra = 0
    core.away = 0
    this.#injected = null
  }

  /** INIT: as RESET, but time goes on and the FPU stays (Intel SDM vol. 3A table 10-1). */
  init(): void {
    const core = this.#core
    const { work, extra, away } = core
    const kept = KEPT_BY_INIT.map(([from, to]) => [from, core.r.slice(from, to)] as const)
    this.reset()
    for (const [from, words] of kept) core.r.set(words, from)
    core.work = work
    core.extra = extra
    core.away = away
  }

  /** A start-up message (SIPI): the processor begins in real mode at the start of this 4 KiB page of the first MiB. */
  startUp(page: number): void {
    const code = { selector: page << 8, base: page << 12, limit: REAL_MODE_LIMIT, attributes: REAL_MODE_DATA }
    this.registers.setSegment(CS, code)
    this.registers.eip = 0
  }

  /** Everything but counters and intercepts. */
  save(): VcpuState {
    const core = this.#core
    getFlags(core.r)
    const registers = [...core.r.subarray(0, REGISTER_WORDS)]
    registers.fill(0, LAZY_MASK, LAZY_SHIFT + 1)
    return {
      registers,
      tlb: core.tlbTable.save(),
      work: core.work,
      extra: core.extra,
      away: core.away,
      halted: this.halted,
      interruptShadow: this.interruptShadow,
      nmiBlocked: core.nmiBlocked,
      windowRequested: (core.attention & ATTEND_WINDOW) !== 0,
      injected: this.#injected,
      answers: [...core.answers],
      waitingLength: core.waitingLength,
      pendingExits: [...core.pendingExits],
      pendingDebug: core.pendingDebug,
      ignoresNumericErrors: core.ignoresNumericErrors,
    }
  }

  /** Takes a state that `save` gave, of this vcpu or another with the same guest memory; the run then goes on as if nothing had been. */
  restore(state: VcpuState): void {
    const core = this.#core
    const r = core.r
    r.set(state.registers)
    core.tlbTable.restore(state.tlb, (gfn) => this.#memory.pfnOf(gfn))
    const pfn = this.#memory.pfnOf(r[FETCH_GPA]! >>> FRAME_SHIFT)
    r[FETCH_FRAME] = r[FETCH_PAGE] === -1 || pfn < 0 ? -1 : pfn << FRAME_SHIFT
    core.refresh()
    core.attention = 0
    core.refreshBreakpoints()
    core.forgetDebug()
    if (state.pendingDebug !== 0) core.noteDebug(state.pendingDebug)
    core.work = state.work
    core.extra = state.extra
    core.away = state.away
    core.nmiBlocked = state.nmiBlocked
    core.waitingLength = state.waitingLength
    core.ignoresNumericErrors = state.ignoresNumericErrors
    core.answers.splice(0, core.answers.length, ...state.answers)
    core.pendingExits.splice(0, core.pendingExits.length, ...state.pendingExits)
    this.#injected = state.injected
    this.#attend(ATTEND_HALTED, state.halted)
    this.#attend(ATTEND_SHADOW, state.interruptShadow)
    this.#attend(ATTEND_WINDOW, state.windowRequested)
    this.#attend(ATTEND_EVENT, state.injected !== null)
    this.#attend(ATTEND_EXIT, state.pendingExits.length > 0)
    this.#attend(ATTEND_TRAP, (r[FLAGS]! & TF) !== 0)
  }

  readonly #events = { deliverEvent: () => this.#deliverEvent() }

  /** An event that exits on its way stays queued, for the run after it. */
  #deliverEvent(): Exit | undefined {
    const event = this.#injected
    if (event === null) return undefined
    const core = this.#core
    core.fault.cr2 = core.r[CR2]!
    const exit =
      event.kind === 'exception'
        ? deliverChecked(core, event.vector, event.error, 'injected')
        : deliverChecked(core, event.kind === 'nmi' ? NMI : event.vector, NO_ERROR, 'external')
    if (exit !== undefined && exit.reason !== 'shutdown') {
      this.#attend(ATTEND_EVENT, true)
      return exit
    }
    if (event.kind === 'nmi') core.nmiBlocked = true
    this.#injected = null
    return exit
  }

  #completeInstruction(): void {
    const core = this.#core
    core.r[EIP] = core.r[EIP]! + core.waitingLength
    core.work++
    core.counters.retired++
    core.attention &= ~ATTEND_SHADOW
  }

  #attend(bit: number, on: boolean): void {
    if (on) this.#core.attention |= bit
    else this.#core.attention &= ~bit
  }
}

const EXIT_COSTS = {
  io: 'exit.io',
  mmio: 'exit.mmio',
  hlt: 'exit.hlt',
  pageFault: 'exit.pageFault',
  cr: 'exit.cr',
  invlpg: 'exit.invlpg',
  exception: 'exit.exception',
  cpuid: 'exit.cpuid',
  hypercall: 'exit.hypercall',
  interruptWindow: 'exit.interruptWindow',
  shutdown: 'exit.shutdown',
} satisfies Record<Exclude<Exit['reason'], 'budget'>, CostEvent>
