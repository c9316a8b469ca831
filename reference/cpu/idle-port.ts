/**
 * The border between the machine and an idle monitor: what the machine tells at each event of a vcpu's life, and what
 * the monitor must decide. Plain data only (words: Intel SDM vol. 3A §6.8.3 interrupt shadow; vol. 3C §27.1 VM exits).
 */

/** What the machine shows of a vcpu at an event. */
export interface VcpuView {
  /** The instruction pointer, offset in the code segment. At a HLT exit it still points at the HLT. */
  readonly eip: number
  /** The length of the instruction at `eip` that caused this exit, in bytes (prefixes count); 0 at other events. */
  readonly instructionLength: number
  /** EFLAGS.IF. */
  readonly interruptFlag: boolean
  /** True for one instruction after STI (when IF was clear) or MOV SS, POP SS. */
  readonly interruptShadow: boolean
  /** An NMI was delivered and its handler has not executed IRET yet. */
  readonly nmiBlocked: boolean
  /** The interrupt controller asserts INTR: an unmasked line is waiting. */
  readonly interruptPending: boolean
  /** An NMI is latched. */
  readonly nmiPending: boolean
}

/** What happens to a vcpu after its HLT exit. */
export interface HaltDecision {
  /** Where the guest goes on. */
  readonly eip: number
  /** `run`: it does not sleep at all. `block`: it gives up the processor. `poll`: it holds the processor for `pollCycles` and blocks then. */
  readonly next: 'run' | 'block' | 'poll'
  /** How long to poll; 0 unless `next` is `poll`. */
  readonly pollCycles: number
}

/** What to deliver before a vcpu enters the guest; `window`: enter, and exit as soon as an interrupt can be taken. */
export type Delivery = 'none' | 'interrupt' | 'nmi' | 'window'

/** A vcpu's time since it was attached, in cycles. The three always add up to the time elapsed. */
export interface VcpuTimes {
  readonly idle: bigint
  readonly busy: bigint
  readonly steal: bigint
}

/** The guest asks its hypervisor: CPUID of a hypervisor leaf, or VMCALL. */
export interface GuestQuestion {
  readonly instruction: 'cpuid' | 'vmcall'
  /** The guest's registers, unsigned. EAX names the leaf or the hypercall. */
  readonly eax: number
  readonly ebx: number
  readonly ecx: number
  readonly edx: number
}

/** What the guest finds in its registers afterwards, unsigned 32-bit. The machine moves EIP on by itself. */
export interface GuestAnswer {
  readonly eax: number
  readonly ebx: number
  readonly ecx: number
  readonly edx: number
}

/** The idle monitor: the part of the hypervisor that this lab asks for. All times are in cycles of virtual time. */
export interface IdleMonitor {
  /** Begins: vcpu number i belongs to VM `vms[i]`. All vcpus are runnable, none is on a processor. */
  attach(vms: readonly number[], now: bigint): void
  /** The vcpu got a physical processor. */
  scheduled(vcpu: number, now: bigint): void
  /** The vcpu lost its physical processor: preempted while runnable, or blocked. */
  descheduled(vcpu: number, now: bigint): void
  /** A HLT exit (CPL 0 only: at CPL 3 the processor raises #GP and nobody asks you). */
  halted(vcpu: number, now: bigint, view: VcpuView): HaltDecision
  /** A halted vcpu was kicked: perhaps an event for it, perhaps a signal that means nothing. */
  kicked(vcpu: number, now: bigint, view: VcpuView): 'sleep' | 'wake'
  /**
   * The vcpu is about to enter the guest, and an interrupt waits or an NMI that no running handler blocks. After a
   * delivery, and after `window`, you are asked again as soon as the next one can be taken.
   */
  entering(vcpu: number, now: bigint, view: VcpuView): Delivery
  /** The vcpu's times so far; may be asked at any moment, also in the middle of a halt, and changes nothing. */
  times(vcpu: number, now: bigint): VcpuTimes
  /** The guest on this vcpu asks a question: perhaps for its idle time, perhaps for something that you do not know. */
  guestAsks(vcpu: number, now: bigint, question: GuestQuestion): GuestAnswer
  /** Everything that this monitor knows, as one string. */
  save(): string
  /** Takes over from a monitor that gave `state`; time went on in between and counts as whatever each vcpu was doing. */
  restore(state: string, now: bigint): void
}
