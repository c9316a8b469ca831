/**
 * What things cost: counted events turned into cycles. Profiles are plain data, and inputs to the machine: nothing here is measured.
 */
import type { Cycles } from '../sched/virtual-time.ts'
import type { ExitReason } from './exit.ts'

/** Events that may cost cycles besides the instruction itself. */
export type CostEvent =
  /** A translation that the TLB did not have. */
  | 'tlbMiss'
  /** One page-table entry read by the walk after such a miss. */
  | 'pageWalkRead'
  /** A page fault delivered to the guest, handler not included. */
  | 'pageFault'
  /** Any other exception, or INT n, delivered to the guest. */
  | 'exception'
  /** An external interrupt or NMI delivered to the guest. */
  | 'interrupt'
  /** An exit to the hypervisor and the entry after it. */
  | `exit.${Exclude<ExitReason, 'budget'>}`

export interface CostModel {
  readonly name: string
  /** Cycles in a second of virtual time. */
  readonly hz: number
  /** Each instruction, and each further repetition of a string instruction: a positive integer. */
  readonly instruction: Cycles
  /** Whole cycles for each event; what is absent costs nothing. */
  readonly events: Readonly<Partial<Record<CostEvent, Cycles>>>
}

/** One cycle an instruction and nothing else, at 1 MHz: for tests that count. */
export const UNIT_COSTS: CostModel = { name: 'unit', hz: 1_000_000, instruction: 1, events: {} }

/** VM entry and exit of a Pentium 4 672, 2409 + 1931 cycles (Adams and Agesen 2006, table 1). */
const P4_672_ROUND_TRIP = 2409 + 1931

/**
 * A 3.8 GHz Pentium 4 672 with VT-x (Adams and Agesen, ASPLOS 2006, figures 4 and 5, table 1). Page fault and divide error
 * are the native costs; an I/O exit is the whole `in` of the hardware VMM. What the paper does not give is absent.
 */
export const P4_672_COSTS: CostModel = {
  name: 'p4-672',
  hz: 3_800_000_000,
  instruction: 1,
  events: {
    pageFault: 1093,
    exception: 889,
    interrupt: 889,
    'exit.io': 15_826,
    'exit.mmio': 15_826,
    'exit.hlt': P4_672_ROUND_TRIP,
    'exit.pageFault': P4_672_ROUND_TRIP,
    'exit.cr': P4_672_ROUND_TRIP,
    'exit.invlpg': P4_672_ROUND_TRIP,
    'exit.exception': P4_672_ROUND_TRIP,
    'exit.cpuid': P4_672_ROUND_TRIP,
    'exit.hypercall': P4_672_ROUND_TRIP,
    'exit.interruptWindow': P4_672_ROUND_TRIP,
  },
}

/** All profiles by name. */
export const COST_MODELS: Readonly<Record<string, CostModel>> = {
  [UNIT_COSTS.name]: UNIT_COSTS,
  [P4_672_COSTS.name]: P4_672_COSTS,
}
