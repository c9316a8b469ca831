/** A right idle monitor that books the time of all vcpus at every call. */
import type {
  Delivery,
  GuestAnswer,
  GuestQuestion,
  HaltDecision,
  IdleMonitor,
  VcpuTimes,
  VcpuView,
} from '../../../reference/cpu/idle-port.ts'
import { CYCLE_HZ, IDLE_VARIANT } from '../../../reference/cpu/idle-variant.ts'

interface Totals {
  idle: bigint
  busy: bigint
  steal: bigint
}

const PER_SECOND = { cycles: CYCLE_HZ, nanoseconds: 1_000_000_000n, microseconds: 1_000_000n }

class Tick implements IdleMonitor {
  #last = 0n
  #vms: number[] = []
  #asleep: boolean[] = []
  #running: boolean[] = []
  #totals: Totals[] = []

  attach(vms: readonly number[], now: bigint): void {
    this.#last = now
    this.#vms = [...vms]
    this.#asleep = vms.map(() => false)
    this.#running = vms.map(() => false)
    this.#totals = vms.map(() => ({ idle: 0n, busy: 0n, steal: 0n }))
  }

  scheduled(vcpu: number, now: bigint): void {
    this.#tick(now)
    this.#running[vcpu] = true
  }

  descheduled(vcpu: number, now: bigint): void {
    this.#tick(now)
    this.#running[vcpu] = false
  }

  halted(vcpu: number, now: bigint, view: VcpuView): HaltDecision {
    this.#tick(now)
    const eip = (view.eip + view.instructionLength) % 0x1_0000_0000
    if (takes(view)) return { eip, next: 'run', pollCycles: 0 }
    this.#asleep[vcpu] = true
    if (IDLE_VARIANT.pollCycles === 0) return { eip, next: 'block', pollCycles: 0 }
    return { eip, next: 'poll', pollCycles: IDLE_VARIANT.pollCycles }
  }

  kicked(vcpu: number, now: bigint, view: VcpuView): 'sleep' | 'wake' {
    this.#tick(now)
    if (!takes(view)) return 'sleep'
    this.#asleep[vcpu] = false
    return 'wake'
  }

  entering(_vcpu: number, now: bigint, view: VcpuView): Delivery {
    this.#tick(now)
    if (view.interruptShadow) return 'window'
    if (view.nmiPending && !view.nmiBlocked) return 'nmi'
    if (!view.interruptPending) return 'none'
    return view.interruptFlag ? 'interrupt' : 'window'
  }

  times(vcpu: number, now: bigint): VcpuTimes {
    const { idle, busy, steal } = this.#at(vcpu, now)
    return { idle, busy, steal }
  }

  guestAsks(vcpu: number, now: bigint, { instruction, ...asked }: GuestQuestion): GuestAnswer {
    const cpuid = instruction === 'cpuid'
    const others = cpuid ? { eax: 0, ebx: 0, ecx: 0, edx: 0 } : { ...asked, eax: 0 }
    if (cpuid !== (IDLE_VARIANT.place === 'cpuid') || asked.eax !== IDLE_VARIANT.number) {
      return cpuid ? others : { ...others, eax: 0xffff_fc18 }
    }
    let cycles = 0n
    this.#vms.forEach((vm, other) => {
      if (other === vcpu || (IDLE_VARIANT.scope === 'vm' && vm === this.#vms[vcpu])) {
        cycles += this.#at(other, now).idle
      }
    })
    const units = (cycles * PER_SECOND[IDLE_VARIANT.unit]) / CYCLE_HZ
    const high = Number((units / 0x1_0000_0000n) % 0x1_0000_0000n)
    const low = Number(units % 0x1_0000_0000n)
    return IDLE_VARIANT.halves === 'edx:eax' ? { ...others, edx: high, eax: low } : { ...others, ecx: high, ebx: low }
  }

  save(): string {
    const totals = this.#totals.map(({ idle, busy, steal }) => [idle, busy, steal].join(' '))
    return JSON.stringify([this.#last.toString(), this.#vms, this.#asleep, this.#running, totals])
  }

  restore(state: string, now: bigint): void {
    const [last, vms, asleep, running, totals] = JSON.parse(state) as [string, number[], boolean[], boolean[], string[]]
    this.#last = BigInt(last)
    this.#vms = vms
    this.#asleep = asleep
    this.#running = running
    this.#totals = totals.map((line) => {
      const [idle, busy, steal] = line.split(' ').map(BigInt)
      return { idle: idle!, busy: busy!, steal: steal! }
    })
    this.#tick(now)
  }

  #at(vcpu: number, now: bigint): Totals {
    const totals = { ...this.#totals[vcpu]! }
    totals[this.#where(vcpu)] += now - this.#last
    return totals
  }

  #tick(now: bigint): void {
    this.#totals = this.#totals.map((_, vcpu) => this.#at(vcpu, now))
    this.#last = now
  }

  #where(vcpu: number): keyof Totals {
    return this.#asleep[vcpu] ? 'idle' : this.#running[vcpu] ? 'busy' : 'steal'
  }
}

function takes({ nmiPending, nmiBlocked, interruptPending, interruptFlag }: VcpuView): boolean {
  return nmiPending ? !nmiBlocked || (interruptPending && interruptFlag) : interruptPending && interruptFlag
}

export const create = (): IdleMonitor => new Tick()
