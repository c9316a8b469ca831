/** A right idle monitor in which every vcpu is in one of five named states. */
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

type State = 'waiting' | 'executing' | 'polling' | 'sleeping' | 'sleepingOnPcpu'
type Bucket = 'idle' | 'busy' | 'steal'

const BUCKETS: Record<State, Bucket> = {
  waiting: 'steal',
  executing: 'busy',
  polling: 'idle',
  sleeping: 'idle',
  sleepingOnPcpu: 'idle',
}
const ON_PCPU: Record<State, State> = {
  waiting: 'executing',
  executing: 'executing',
  polling: 'polling',
  sleeping: 'sleepingOnPcpu',
  sleepingOnPcpu: 'sleepingOnPcpu',
}
const OFF_PCPU: Record<State, State> = {
  waiting: 'waiting',
  executing: 'waiting',
  polling: 'sleeping',
  sleeping: 'sleeping',
  sleepingOnPcpu: 'sleeping',
}
const AWAKE: Record<State, State> = {
  waiting: 'waiting',
  executing: 'executing',
  polling: 'executing',
  sleeping: 'waiting',
  sleepingOnPcpu: 'executing',
}

class Machine {
  readonly vm: number
  state: State = 'waiting'
  entered: bigint
  readonly spent: Record<Bucket, bigint> = { idle: 0n, busy: 0n, steal: 0n }

  constructor(vm: number, now: bigint) {
    this.vm = vm
    this.entered = now
  }

  go(state: State, now: bigint): void {
    this.spent[BUCKETS[this.state]] += now - this.entered
    this.entered = now
    this.state = state
  }

  read(bucket: Bucket, now: bigint): bigint {
    return this.spent[bucket] + (BUCKETS[this.state] === bucket ? now - this.entered : 0n)
  }
}

class StateMachines implements IdleMonitor {
  readonly #machines = new Map<number, Machine>()

  attach(vms: readonly number[], now: bigint): void {
    this.#machines.clear()
    vms.forEach((vm, vcpu) => {
      this.#machines.set(vcpu, new Machine(vm, now))
    })
  }

  scheduled(vcpu: number, now: bigint): void {
    const machine = this.#of(vcpu)
    machine.go(ON_PCPU[machine.state], now)
  }

  descheduled(vcpu: number, now: bigint): void {
    const machine = this.#of(vcpu)
    machine.go(OFF_PCPU[machine.state], now)
  }

  halted(vcpu: number, now: bigint, view: VcpuView): HaltDecision {
    const eip = Number(BigInt.asUintN(32, BigInt(view.eip + view.instructionLength)))
    if (deliverable(view)) return { eip, next: 'run', pollCycles: 0 }
    const polls = IDLE_VARIANT.pollCycles > 0
    this.#of(vcpu).go(polls ? 'polling' : 'sleepingOnPcpu', now)
    return { eip, next: polls ? 'poll' : 'block', pollCycles: IDLE_VARIANT.pollCycles }
  }

  kicked(vcpu: number, now: bigint, view: VcpuView): 'sleep' | 'wake' {
    const machine = this.#of(vcpu)
    if (deliverable(view)) machine.go(AWAKE[machine.state], now)
    return deliverable(view) ? 'wake' : 'sleep'
  }

  entering(_vcpu: number, _now: bigint, view: VcpuView): Delivery {
    if (view.nmiPending && !view.nmiBlocked) return view.interruptShadow ? 'window' : 'nmi'
    if (!view.interruptFlag || view.interruptShadow) return 'window'
    return view.interruptPending ? 'interrupt' : 'none'
  }

  times(vcpu: number, now: bigint): VcpuTimes {
    const machine = this.#of(vcpu)
    return { idle: machine.read('idle', now), busy: machine.read('busy', now), steal: machine.read('steal', now) }
  }

  guestAsks(vcpu: number, now: bigint, question: GuestQuestion): GuestAnswer {
    const { eax, ebx, ecx, edx } = question
    const hypercall = question.instruction === 'vmcall'
    const answer = hypercall ? { eax: 0, ebx, ecx, edx } : { eax: 0, ebx: 0, ecx: 0, edx: 0 }
    const mine = hypercall === (IDLE_VARIANT.place === 'hypercall') && eax === IDLE_VARIANT.number
    if (!mine) return hypercall ? { ...answer, eax: 2 ** 32 - 1000 } : answer
    const whole = IDLE_VARIANT.scope === 'vm'
    let idle = 0n
    for (const [number, machine] of this.#machines) {
      if (number === vcpu || (whole && machine.vm === this.#of(vcpu).vm)) idle += machine.read('idle', now)
    }
    if (IDLE_VARIANT.unit === 'nanoseconds') idle = (idle * 10n ** 9n) / CYCLE_HZ
    if (IDLE_VARIANT.unit === 'microseconds') idle = (idle * 10n ** 6n) / CYCLE_HZ
    const [high, low] = new Uint32Array(new BigUint64Array([idle]).buffer).reverse()
    return IDLE_VARIANT.halves === 'edx:eax'
      ? { ...answer, edx: high ?? 0, eax: low ?? 0 }
      : { ...answer, ecx: high ?? 0, ebx: low ?? 0 }
  }

  save(): string {
    return [...this.#machines.values()]
      .map(({ vm, state, entered, spent }) => [vm, state, entered, spent.idle, spent.busy, spent.steal].join(','))
      .join(';')
  }

  restore(text: string, _now: bigint): void {
    this.#machines.clear()
    text.split(';').forEach((line, vcpu) => {
      const [vm, state, entered, idle, busy, steal] = line.split(',')
      const machine = new Machine(Number(vm), BigInt(entered ?? 0))
      machine.state = state as State
      Object.assign(machine.spent, { idle: BigInt(idle ?? 0), busy: BigInt(busy ?? 0), steal: BigInt(steal ?? 0) })
      this.#machines.set(vcpu, machine)
    })
  }

  #of(vcpu: number): Machine {
    const machine = this.#machines.get(vcpu)
    if (machine === undefined) throw new Error(`vcpu ${vcpu} was never attached`)
    return machine
  }
}

function deliverable(view: VcpuView): boolean {
  const nmi = view.nmiPending && !view.nmiBlocked
  const interrupt = view.interruptPending && view.interruptFlag
  return nmi || interrupt
}

export function create(): IdleMonitor {
  return new StateMachines()
}
