/** The parameters of the idle monitor: what one variant of the lab asks for, and what the reference machine uses. */

export interface IdleVariant {
  /** In what the guest reads its idle time: whole units, rounded down. */
  readonly unit: 'cycles' | 'nanoseconds' | 'microseconds'
  /** Whose idle time the guest reads: that of the asking vcpu, or of all vcpus of its VM together. */
  readonly scope: 'vcpu' | 'vm'
  /** How the guest asks: CPUID with the leaf `number`, or VMCALL with `number` in EAX. */
  readonly place: 'cpuid' | 'hypercall'
  readonly number: number
  /** The registers with the upper and the lower 32 bits of the answer. */
  readonly halves: 'edx:eax' | 'ecx:ebx'
  /** For how many cycles a halted vcpu holds its pcpu before it blocks; 0: it blocks at once. */
  readonly pollCycles: number
}

/** Cycles in a second on the machine of this lab. */
export const CYCLE_HZ = 3_800_000_000n

export const IDLE_VARIANT: IdleVariant = {
  unit: 'cycles',
  scope: 'vcpu',
  place: 'cpuid',
  number: 0x4000_0010,
  halves: 'edx:eax',
  pollCycles: 0,
}
