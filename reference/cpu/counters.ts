/**
 * What a vcpu counts. Counters lie outside linear memory, so nothing that a guest or a student's code writes can reach them.
 */
import type { ExitReason } from './exit.ts'

/** Exception vectors 0–31. */
const EXCEPTION_VECTORS = 32

export interface VcpuCounters {
  /** Instructions completed; a repeated string instruction is one. */
  retired: number
  /** Exits to the hypervisor, by reason. */
  exits: Record<ExitReason, number>
  /** Translations that the TLB did not have; the MMU policy was asked. */
  tlbMisses: number
  /** Times the TLB was emptied: CR3 loads, paging switched, INVLPG not included. */
  tlbFlushes: number
  /** Page-table entries read by walks. */
  pageWalkReads: number
  /** Exceptions delivered through the guest's IDT, by vector. */
  guestFaults: number[]
  /** External interrupts and NMIs delivered through the guest's IDT. */
  interruptsDelivered: number
  /** Instructions decoded. The engine's effort, not the guest's: it depends on how budgets sliced the run. */
  decodedInstructions: number
}

export function newCounters(): VcpuCounters {
  return {
    retired: 0,
    exits: {
      io: 0,
      mmio: 0,
      hlt: 0,
      pageFault: 0,
      cr: 0,
      invlpg: 0,
      exception: 0,
      cpuid: 0,
      hypercall: 0,
      interruptWindow: 0,
      shutdown: 0,
      budget: 0,
    },
    tlbMisses: 0,
    tlbFlushes: 0,
    pageWalkReads: 0,
    guestFaults: new Array<number>(EXCEPTION_VECTORS).fill(0),
    interruptsDelivered: 0,
    decodedInstructions: 0,
  }
}

/** A frozen copy, for others to read. */
export function snapshot(counters: VcpuCounters): Readonly<VcpuCounters> {
  return Object.freeze({ ...counters, exits: { ...counters.exits }, guestFaults: [...counters.guestFaults] })
}
