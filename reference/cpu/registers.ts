/**
 * A vcpu's registers as a hypervisor or loader sees them: one accessor each, all values unsigned.
 */

/** A segment register with its hidden part. */
export interface SegmentState {
  readonly selector: number
  readonly base: number
  /** The last offset, in bytes (granularity applied). */
  readonly limit: number
  /** Bits 8–23 of the descriptor's second word: the access byte in bits 0–7, AVL, D/B and G in bits 12, 14 and 15. */
  readonly attributes: number
}

/** GDTR or IDTR. */
export interface TableRegister {
  readonly base: number
  readonly limit: number
}

export interface Registers {
  eax: number
  ecx: number
  edx: number
  ebx: number
  esp: number
  ebp: number
  esi: number
  edi: number
  eip: number
  eflags: number
  cr0: number
  cr2: number
  cr3: number
  cr4: number
  gdtr: TableRegister
  idtr: TableRegister
  readonly es: number
  readonly cs: number
  readonly ss: number
  readonly ds: number
  readonly fs: number
  readonly gs: number
  readonly ldtr: number
  readonly tr: number
  readonly cpl: number
  /** EFLAGS.IF. */
  readonly interruptFlag: boolean
  /** A general register by its number, 0–7. */
  general(number: number): number
  setGeneral(number: number, value: number): void
  /** A segment register with its hidden part: 0–5 as encoded (ES CS SS DS FS GS), 6 LDTR, 7 TR. */
  segment(number: number): SegmentState
  /** Loads a segment register without any check, as a loader does. SS also sets the privilege level. */
  setSegment(number: number, segment: SegmentState): void
}
