/**
 * The idle monitor: where a vcpu's time goes, and what becomes of a vcpu that executes HLT.
 *
 * A vcpu is idle from its HLT until something comes that it will take; without a processor it is stolen from while it
 * could run, and busy otherwise (Intel SDM vol. 2A, HLT; vol. 3A §6.8 and §6.7.1; KVM: `halt_poll_ns`, steal time).
 */
import type {
  Delivery,
  GuestAnswer,
  GuestQuestion,
  HaltDecision,
  IdleMonitor,
  VcpuTimes,
  VcpuView,
} from './idle-port.ts'
import { CYCLE_HZ, IDLE_VARIANT } from './idle-variant.ts'

// @solution What must you remember of each vcpu, to tell its three times at any moment?
// One record a vcpu is enough; its size must not depend on how many events there were.

/** One vcpu's account: complete up to `since`; from there on its time goes where `halted` and `onPcpu` say. */
interface Account {
  readonly vm: number
  halted: boolean
  onPcpu: boolean
  since: bigint
  idle: bigint
  busy: bigint
  steal: bigint
}

const NANOSECONDS_PER_SECOND = 1_000_000_000n
const MICROSECONDS_PER_SECOND = 1_000_000n
const UINT32_BITS = 32n
/** VMCALL's answer to a hypercall that nobody knows: -KVM_ENOSYS, as an unsigned number. */
const UNKNOWN_HYPERCALL = -1000 >>> 0
// @end

class Monitor implements IdleMonitor {
  // @solution The state of your monitor.
  #accounts: Account[] = []
  // @end

  attach(vms: readonly number[], now: bigint): void {
    // @solution Make an account for each vcpu. All of them could run, and none has a processor: which of the three times is that?
    this.#accounts = vms.map((vm) => ({
      vm,
      halted: false,
      onPcpu: false,
      since: now,
      idle: 0n,
      busy: 0n,
      steal: 0n,
    }))
    // @end
  }

  scheduled(vcpu: number, now: bigint): void {
    // @solution Before anything changes, the time up to now belongs to what the vcpu was doing.
    this.#settle(vcpu, now).onPcpu = true
    // @end
  }

  descheduled(vcpu: number, now: bigint): void {
    // @solution A vcpu that sleeps is idle, with a processor or without.
    this.#settle(vcpu, now).onPcpu = false
    // @end
  }

  halted(vcpu: number, now: bigint, view: VcpuView): HaltDecision {
    // @solution Where does the guest go on after its HLT? And must the vcpu sleep at all, if something is already waiting?
    // What waits and is masked does not count; read what the manual says of HLT and of STI.
    const eip = (view.eip + view.instructionLength) >>> 0
    const account = this.#settle(vcpu, now)
    if (this.#wakes(view)) return { eip, next: 'run', pollCycles: 0 }
    account.halted = true
    const { pollCycles } = IDLE_VARIANT
    return { eip, next: pollCycles > 0 ? 'poll' : 'block', pollCycles }
    // @end
  }

  kicked(vcpu: number, now: bigint, view: VcpuView): 'sleep' | 'wake' {
    // @solution A kick says nothing of its cause. Only an event that the vcpu will take ends its sleep.
    if (!this.#wakes(view)) return 'sleep'
    this.#settle(vcpu, now).halted = false
    return 'wake'
    // @end
  }

  entering(_vcpu: number, _now: bigint, view: VcpuView): Delivery {
    // @solution NMIs go first. What can be taken now? And if it cannot be taken yet, how will you hear of the moment when it can?
    if (view.nmiPending && !view.nmiBlocked && !view.interruptShadow) return 'nmi'
    if (!view.interruptPending) return view.nmiPending ? 'window' : 'none'
    return view.interruptFlag && !view.interruptShadow ? 'interrupt' : 'window'
    // @end
  }

  times(vcpu: number, now: bigint): VcpuTimes {
    // @solution The account, and what has come to it since it was last brought up to date. Asking must not change anything.
    const { idle, busy, steal, ...account } = this.#account(vcpu)
    const open = now - account.since
    const where = activityOf(account)
    return {
      idle: where === 'idle' ? idle + open : idle,
      busy: where === 'busy' ? busy + open : busy,
      steal: where === 'steal' ? steal + open : steal,
    }
    // @end
  }

  guestAsks(vcpu: number, now: bigint, question: GuestQuestion): GuestAnswer {
    // @solution Is this the question that your handout names? Then add up, convert once, and split into two halves.
    // Any other question gets the answer that the handout gives for unknown ones.
    const { place, number, halves } = IDLE_VARIANT
    const asked = place === 'cpuid' ? 'cpuid' : 'vmcall'
    if (question.instruction !== asked || question.eax !== number) return unknown(question)
    const total = toUnit(this.#idleOf(vcpu, now))
    const high = Number(BigInt.asUintN(32, total >> UINT32_BITS))
    const low = Number(BigInt.asUintN(32, total))
    const rest = place === 'cpuid' ? { eax: 0, ebx: 0, ecx: 0, edx: 0 } : { ...question, eax: 0 }
    const { eax, ebx, ecx, edx } =
      halves === 'edx:eax' ? { ...rest, edx: high, eax: low } : { ...rest, ecx: high, ebx: low }
    return { eax, ebx, ecx, edx }
    // @end
  }

  save(): string {
    // @solution Everything that you know, as text. JSON knows no bigint: write those as strings.
    return JSON.stringify(this.#accounts, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
    // @end
  }

  restore(state: string, _now: bigint): void {
    // @solution Take over. Each vcpu went on with what it was doing, and that time counts.
    this.#accounts = JSON.parse(state, (_, value: unknown) =>
      typeof value === 'string' ? BigInt(value.slice(0, -1)) : value,
    ) as Account[]
    // @end
  }

  // @solution
  #account(vcpu: number): Account {
    const account = this.#accounts[vcpu]
    if (account === undefined) throw new RangeError(`There is no vcpu ${vcpu}.`)
    return account
  }

  /** Books the time up to `now`, and gives the account. */
  #settle(vcpu: number, now: bigint): Account {
    const account = this.#account(vcpu)
    account[activityOf(account)] += now - account.since
    account.since = now
    return account
  }

  /** True when something waits that the vcpu takes at once. The shadow of STI ends with the HLT itself. */
  #wakes(view: VcpuView): boolean {
    return (view.nmiPending && !view.nmiBlocked) || (view.interruptPending && view.interruptFlag)
  }

  #idleOf(vcpu: number, now: bigint): bigint {
    if (IDLE_VARIANT.scope === 'vcpu') return this.times(vcpu, now).idle
    const { vm } = this.#account(vcpu)
    return this.#accounts.reduce((sum, other, i) => (other.vm === vm ? sum + this.times(i, now).idle : sum), 0n)
  }
  // @end
}

// @solution
function activityOf({ halted, onPcpu }: Pick<Account, 'halted' | 'onPcpu'>): 'idle' | 'busy' | 'steal' {
  if (halted) return 'idle'
  return onPcpu ? 'busy' : 'steal'
}

function toUnit(cycles: bigint): bigint {
  if (IDLE_VARIANT.unit === 'cycles') return cycles
  const perSecond = IDLE_VARIANT.unit === 'nanoseconds' ? NANOSECONDS_PER_SECOND : MICROSECONDS_PER_SECOND
  return (cycles * perSecond) / CYCLE_HZ
}

function unknown(question: GuestQuestion): GuestAnswer {
  if (question.instruction === 'cpuid') return { eax: 0, ebx: 0, ecx: 0, edx: 0 }
  const { ebx, ecx, edx } = question
  return { eax: UNKNOWN_HYPERCALL, ebx, ecx, edx }
}
// @end

/** Makes an idle monitor that knows nothing yet. */
export function create(): IdleMonitor {
  return new Monitor()
}
