/** A right idle monitor with a window for all that may not go in at once, and NMIs that STI does not hold back. */
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

const IDLE = 0
const BUSY = 1
const STEAL = 2

/** Per vcpu: its VM, what it does now, whether it has a pcpu, and three sums that hold MINUS the start of the open period. */
interface Row {
  vm: number
  now: number
  pcpu: boolean
  sums: [bigint, bigint, bigint]
}

class Sums implements IdleMonitor {
  #rows: Row[] = []

  attach(vms: readonly number[], now: bigint): void {
    this.#rows = vms.map((vm) => ({ vm, now: STEAL, pcpu: false, sums: [0n, 0n, -now] }))
  }

  scheduled(vcpu: number, now: bigint): void {
    const row = this.#rows[vcpu]!
    row.pcpu = true
    if (row.now === STEAL) enter(row, BUSY, now)
  }

  descheduled(vcpu: number, now: bigint): void {
    const row = this.#rows[vcpu]!
    row.pcpu = false
    if (row.now === BUSY) enter(row, STEAL, now)
  }

  halted(vcpu: number, now: bigint, view: VcpuView): HaltDecision {
    const eip = (view.eip + view.instructionLength) >>> 0
    if (endsHalt(view)) return { eip, next: 'run', pollCycles: 0 }
    enter(this.#rows[vcpu]!, IDLE, now)
    const pollCycles = IDLE_VARIANT.pollCycles
    return { eip, next: pollCycles === 0 ? 'block' : 'poll', pollCycles }
  }

  kicked(vcpu: number, now: bigint, view: VcpuView): 'sleep' | 'wake' {
    if (!endsHalt(view)) return 'sleep'
    const row = this.#rows[vcpu]!
    enter(row, row.pcpu ? BUSY : STEAL, now)
    return 'wake'
  }

  entering(_vcpu: number, _now: bigint, view: VcpuView): Delivery {
    if (view.nmiPending && !view.nmiBlocked) return 'nmi'
    const open = view.interruptFlag && !view.interruptShadow
    return open && view.interruptPending ? 'interrupt' : 'window'
  }

  times(vcpu: number, now: bigint): VcpuTimes {
    const [idle, busy, steal] = closed(this.#rows[vcpu]!, now)
    return { idle, busy, steal }
  }

  guestAsks(vcpu: number, now: bigint, question: GuestQuestion): GuestAnswer {
    const answer: Record<keyof GuestAnswer, number> =
      question.instruction === 'cpuid'
        ? { eax: 0, ebx: 0, ecx: 0, edx: 0 }
        : { eax: 0xffff_fc18, ebx: question.ebx, ecx: question.ecx, edx: question.edx }
    const place = question.instruction === 'cpuid' ? 'cpuid' : 'hypercall'
    if (place !== IDLE_VARIANT.place || question.eax !== IDLE_VARIANT.number) return answer
    const group = this.#rows.filter((row, n) =>
      IDLE_VARIANT.scope === 'vm' ? row.vm === this.#rows[vcpu]!.vm : n === vcpu,
    )
    let units = 0n
    for (const row of group) units += closed(row, now)[IDLE]
    if (IDLE_VARIANT.unit === 'nanoseconds') units = (units * 1_000_000_000n) / CYCLE_HZ
    else if (IDLE_VARIANT.unit === 'microseconds') units = (units * 1_000_000n) / CYCLE_HZ
    const [high, low] = IDLE_VARIANT.halves.split(':') as [keyof GuestAnswer, keyof GuestAnswer]
    answer.eax = 0
    answer[high] = Number(BigInt.asUintN(32, units >> 32n))
    answer[low] = Number(BigInt.asUintN(32, units))
    return answer
  }

  save(): string {
    return this.#rows.map((row) => [row.vm, row.now, row.pcpu ? 1 : 0, ...row.sums].join(' ')).join('\n')
  }

  restore(state: string): void {
    this.#rows = state.split('\n').map((line) => {
      const [vm, now, pcpu, idle, busy, steal] = line.split(' ')
      return {
        vm: Number(vm),
        now: Number(now),
        pcpu: pcpu === '1',
        sums: [BigInt(idle ?? 0), BigInt(busy ?? 0), BigInt(steal ?? 0)],
      }
    })
  }
}

function closed(row: Row, now: bigint): [bigint, bigint, bigint] {
  const sums: [bigint, bigint, bigint] = [...row.sums]
  sums[row.now as 0 | 1 | 2] += now
  return sums
}

function enter(row: Row, activity: 0 | 1 | 2, now: bigint): void {
  row.sums = closed(row, now)
  row.sums[activity] -= now
  row.now = activity
}

function endsHalt({ interruptFlag, interruptPending, nmiPending, nmiBlocked }: VcpuView): boolean {
  return (interruptFlag && interruptPending) || (nmiPending && !nmiBlocked)
}

export function create(): IdleMonitor {
  return new Sums()
}
