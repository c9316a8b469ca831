/**
 * A virtual processor, as a hypervisor uses it: run, look why it stopped, answer, run again (words: KVM API, `KVM_RUN`).
 */
import type { GuestMemory } from '../mmu/guest-memory.ts'
import type { MachineMemory } from '../mmu/machine-memory.ts'
import type { Cycles } from '../sched/virtual-time.ts'
import type { CostModel } from './cost-model.ts'
import type { VcpuCounters } from './counters.ts'
import type { CpuidResult, CpuModel } from './cpuid.ts'
import type { Exit } from './exit.ts'
import type { Registers } from './registers.ts'

export interface VcpuOptions {
  /** The vcpu's block in machine memory. */
  readonly index: number
  readonly machine: MachineMemory
  readonly memory: GuestMemory
  /** Default: one cycle an instruction. */
  readonly costs?: CostModel
  readonly cpuid?: CpuModel
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
  readonly cycles: Cycles
  readonly halted: boolean
  readonly interruptShadow: boolean
  readonly nmiBlocked: boolean
  readonly windowRequested: boolean
  readonly injected: InjectedEvent | null
  /** Answers that the unfinished instruction has had. */
  readonly answers: readonly number[]
}

export class Vcpu {
  /** Which events exit; the hypervisor changes it between runs. */
  readonly intercepts: Intercepts = { hlt: false, pageFault: false, cr: false, invlpg: false, exceptions: 0 }
  /** False after a HLT that is not intercepted until an injection. Running it while halted answers `hlt` at no cost. */
  halted = false

  constructor(_options: VcpuOptions) {}

  get registers(): Registers {
    throw notYet()
  }

  /** A frozen copy. */
  get counters(): Readonly<VcpuCounters> {
    throw notYet()
  }

  /** Cycles used by this vcpu since reset. */
  get cycles(): Cycles {
    throw notYet()
  }

  /** Runs at most `budget` cycles: no instruction starts once they are used up. */
  run(_budget: Cycles): Exit {
    throw notYet()
  }

  completeIn(_value: number): void {
    throw notYet()
  }

  completeMmioRead(_value: number): void {
    throw notYet()
  }

  completeCpuid(_result: CpuidResult): void {
    throw notYet()
  }

  completeHypercall(_eax: number): void {
    throw notYet()
  }

  inject(_event: InjectedEvent): void {
    throw notYet()
  }

  get interruptible(): boolean {
    throw notYet()
  }

  get interruptShadow(): boolean {
    throw notYet()
  }

  get nmiBlocked(): boolean {
    throw notYet()
  }

  requestInterruptWindow(_on: boolean): void {
    throw notYet()
  }

  reset(): void {
    throw notYet()
  }

  save(): VcpuState {
    throw notYet()
  }

  restore(_state: VcpuState): void {
    throw notYet()
  }
}

function notYet(): Error {
  return new Error('The processor is not built yet.')
}
