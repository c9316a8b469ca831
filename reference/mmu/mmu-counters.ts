/** What an MMU policy counts, for all processors of a VM together. Nothing of it is counted under `direct`. */
export interface MmuCounters {
  /** Faults that only the hypervisor saw: it repaired the shadow, did a write for the guest, or found a device. */
  hiddenFaults: number
  /** Page faults that the guest got. */
  trueFaults: number
  /** Stores to traced frames, by whomever. */
  tracedStores: number
  /** Loads of CR3, other writes of control registers that flush, and INVLPG. */
  flushes: number
  shadowPagesAllocated: number
  shadowPagesFreed: number
  /** Shadow entries written. */
  entriesWritten: number
  /** Entries of the guest's and the host's tables that nested walks read. */
  walkReferences: number
}

export function newMmuCounters(): MmuCounters {
  return {
    hiddenFaults: 0,
    trueFaults: 0,
    tracedStores: 0,
    flushes: 0,
    shadowPagesAllocated: 0,
    shadowPagesFreed: 0,
    entriesWritten: 0,
    walkReferences: 0,
  }
}
