/**
 * The physical machine: memory frames, virtual time, an agenda, and pcpus that vcpus of many VMs share (design §3).
 *
 * The pcpu whose clock is behind goes first, never beyond the next event; ready vcpus take turns, a quantum each.
 * What becomes of a vcpu that halts, and what is delivered to it, an {@link IdleMonitor} decides: the host obeys, and
 * tells its {@link HostObserver} where the hardware would have done otherwise.
 */
import type { CostModel } from '../cpu/cost-model.ts'
import type { CpuModel } from '../cpu/cpuid.ts'
import type { Exit } from '../cpu/exit.ts'
import type { GuestAnswer, GuestQuestion, HaltDecision, IdleMonitor, VcpuView } from '../cpu/idle-port.ts'
import type { EngineKind } from '../cpu/vcpu.ts'
import { readMmio, writeMmio } from '../io/mmio.ts'
import { MachineMemory } from '../mmu/machine-memory.ts'
import { type MakeMmu, type Processor, Vm } from '../vm/vm.ts'
import { type Problem, problemOfDelivery, problemOfHalt, problemOfKick, viewOf } from './decision-rules.ts'
import { EventQueue } from './event-queue.ts'
import { type Activity, Ledger } from './ledger.ts'
import type { Cycles } from './virtual-time.ts'

/** An NMI that cannot be taken yet is tried again after so many cycles; no exit tells of its moment. */
const NMI_RETRY = 100

/** While another pcpu runs too, a pcpu goes at most this far ahead of it, in cycles. */
const MAX_SKEW = 2_000

export interface HostVmOptions {
  /** A multiple of 4096. */
  readonly memoryBytes: number
  readonly vcpus: number
  readonly cpuid?: CpuModel
  /** See {@link Vcpu}. */
  readonly engine?: EngineKind
  readonly mmu?: MakeMmu
  readonly serialSink?: (byte: number) => boolean
  readonly startSeconds?: number
  /** See {@link Vm}. */
  readonly apic?: boolean
}

export interface HostOptions {
  readonly costs: CostModel
  readonly monitor: IdleMonitor
  readonly vms: readonly HostVmOptions[]
  /** Physical processors; 1 unless told. */
  readonly pcpus?: number
  /** How long a vcpu keeps a pcpu while another one waits for it. */
  readonly quantum: Cycles
  /** What the monitor's clock shows at virtual time 0. */
  readonly clockBase?: bigint
  readonly observer?: HostObserver
  /** Guests may be busy for so many cycles in all; then the host throws {@link BusyLimit}. No limit unless told. */
  readonly maxBusyCycles?: Cycles
}

/** The guests were busy for longer than the host was told to allow. */
export class BusyLimit extends Error {
  constructor(maxBusyCycles: Cycles) {
    super(`The guests were busy for more than ${maxBusyCycles} cycles.`)
    this.name = 'BusyLimit'
  }
}

/** What happened on the host, for laws and for time lines. */
export interface HostEvent {
  readonly at: Cycles
  readonly vcpu: number
  readonly what: 'scheduled' | 'descheduled' | 'halted' | 'kicked' | 'entering' | 'asked' | 'shutdown'
  readonly view?: VcpuView
  /** The monitor's answer, in words. */
  readonly answer?: string
  readonly decision?: HaltDecision
  readonly question?: GuestQuestion
  readonly guestAnswer?: GuestAnswer
  readonly problem?: Problem
}

export type HostObserver = (event: HostEvent) => void

/** Counts of the machine, which no monitor can write. */
export interface HostCounters {
  /** HLT exits. */
  hltExits: number
  /** Halts that ended in a poll of the pcpu. */
  polls: number
  /** Halted vcpus that were made ready again. */
  wakes: number
  /** Kicks of halted vcpus. */
  kicks: number
  /** Interrupts and NMIs injected. */
  deliveries: number
  /** Exits because an interrupt could be taken at last. */
  windowExits: number
}

/** `waiting`: for a start-up message. */
type ThreadState = 'ready' | 'running' | 'polling' | 'halted' | 'waiting' | 'ended'

/** A vcpu as the host schedules it. */
interface Thread {
  readonly number: number
  readonly vm: Vm
  readonly processor: Processor
  readonly ledger: Ledger
  state: ThreadState
  readyAt: Cycles
  pollUntil: Cycles
  /** An exit that is handled once this pcpu's clock is behind again, so that time never runs backwards. */
  exit: Exit | undefined
  /** INTR as the thread was last seen: only its rise kicks a halted vcpu. */
  interruptSeen: boolean
  /** The same for a latched NMI. */
  nmiSeen: boolean
}

interface Pcpu {
  now: Cycles
  thread: Thread | undefined
  quantumEnd: Cycles
  /** The host's other work has the pcpu until then. */
  awayUntil: Cycles
}

/** A host between two instructions of its guests, as plain data: what {@link Vm.save} does not hold. */
export interface HostState {
  readonly now: Cycles
  readonly busyCycles: Cycles
  readonly monitor: string
  readonly threads: readonly ThreadRecord[]
  /** `thread`: the number of the vcpu on it, or −1. */
  readonly pcpus: readonly {
    readonly now: Cycles
    readonly thread: number
    readonly quantumEnd: Cycles
    readonly awayUntil: Cycles
  }[]
  /** Numbers of the vcpus that wait for a pcpu, the first one first. */
  readonly ready: readonly number[]
}

interface ThreadRecord {
  readonly state: ThreadState
  readonly readyAt: Cycles
  readonly pollUntil: Cycles
  readonly exit: Exit | null
  readonly interruptSeen: boolean
  readonly activity: Activity
}

export class Host {
  readonly machine: MachineMemory
  readonly vms: readonly Vm[]
  readonly counters: HostCounters = { hltExits: 0, polls: 0, wakes: 0, kicks: 0, deliveries: 0, windowExits: 0 }
  readonly agenda = new EventQueue()
  readonly #quantum: Cycles
  readonly #clockBase: bigint
  readonly #observer: HostObserver | undefined
  readonly #maxBusyCycles: Cycles
  readonly #threads: readonly Thread[]
  readonly #pcpus: readonly Pcpu[]
  readonly #ready: Thread[] = []
  #monitor: IdleMonitor
  #now: Cycles = 0
  #busyCycles: Cycles = 0
  #deviceEvent: Cycles = 0

  constructor(options: HostOptions) {
    this.#quantum = options.quantum
    this.#clockBase = options.clockBase ?? 0n
    this.#observer = options.observer
    this.#maxBusyCycles = options.maxBusyCycles ?? Number.POSITIVE_INFINITY
    this.#monitor = options.monitor
    const vcpus = options.vms.reduce((sum, vm) => sum + vm.vcpus, 0)
    const frames = options.vms.reduce((sum, vm) => sum + vm.memoryBytes / 4096, 0)
    this.machine = new MachineMemory({ frames, vcpus })
    let firstBlock = 0
    this.vms = options.vms.map((vm) => {
      const made = new Vm({ ...vm, machine: this.machine, costs: options.costs, firstBlock })
      firstBlock += vm.vcpus
      return made
    })
    this.#threads = this.vms
      .flatMap((vm) => vm.processors.map((processor) => ({ vm, processor })))
      .map(({ vm, processor }, number) => ({
        number,
        vm,
        processor,
        ledger: new Ledger(),
        state: processor.waitsForStartUp ? 'waiting' : 'ready',
        readyAt: 0,
        pollUntil: 0,
        exit: undefined,
        interruptSeen: false,
        nmiSeen: false,
      }))
    this.#pcpus = Array.from({ length: options.pcpus ?? 1 }, () => ({
      now: 0,
      thread: undefined,
      quantumEnd: 0,
      awayUntil: 0,
    }))
    for (const thread of this.#threads) {
      thread.processor.vcpu.intercepts.hlt = true
      thread.ledger.enter(thread.state === 'waiting' ? 'idle' : 'steal', 0)
      if (thread.state === 'ready') this.#ready.push(thread)
    }
    this.#monitor.attach(
      this.#threads.map((thread) => this.vms.indexOf(thread.vm)),
      this.#clockBase,
    )
  }

  /** Virtual time: everything due before it is done. */
  get now(): Cycles {
    return this.#now
  }

  get vcpuCount(): number {
    return this.#threads.length
  }

  /** The host's book of a vcpu. */
  ledger(vcpu: number): Ledger {
    return this.#thread(vcpu).ledger
  }

  processor(vcpu: number): Processor {
    return this.#thread(vcpu).processor
  }

  /** What the monitor's clock shows at a point of virtual time. */
  clock(at: Cycles): bigint {
    return this.#clockBase + BigInt(at)
  }

  /** Another monitor takes over, with whatever it was told of the past. */
  replaceMonitor(monitor: IdleMonitor): void {
    this.#monitor = monitor
  }

  /** True when nothing will happen any more unless something comes from outside. */
  get asleep(): boolean {
    return this.idleUntil === Number.POSITIVE_INFINITY
  }

  /** When every vcpu sleeps: the time of the next event. Else undefined. */
  get idleUntil(): Cycles | undefined {
    return this.#threads.every(({ state }) => sleeps(state)) ? this.#nextEvent() : undefined
  }

  /** Every VM's guest has ended, by the debug-exit port or by a triple fault. */
  get ended(): boolean {
    return this.#threads.every(({ state }) => state === 'ended')
  }

  /** Sets a line of a vcpu's interrupt controllers, as a device would at this moment. */
  setLine(vcpu: number, irq: number, level: boolean): void {
    const thread = this.#thread(vcpu)
    thread.processor.pic.setLine(irq, level)
    this.#noticeInterrupt(thread, this.#now)
  }

  /** Latches an NMI for a vcpu and kicks it. */
  nmi(vcpu: number): void {
    const thread = this.#thread(vcpu)
    thread.processor.nmiPending = true
    thread.nmiSeen = true
    this.#kick(thread, this.#now)
  }

  /** Kicks a vcpu for no reason that it knows. Nothing happens unless it has halted. */
  kick(vcpu: number): void {
    this.#kick(this.#thread(vcpu), this.#now)
  }

  /** The host needs a pcpu for itself for so many cycles from now on. */
  takeAway(pcpu: number, cycles: Cycles): void {
    const taken = this.#pcpus[pcpu]
    if (taken === undefined) throw new RangeError(`There is no pcpu ${pcpu}: the host has ${this.#pcpus.length}.`)
    taken.awayUntil = Math.max(taken.awayUntil, this.#now + cycles)
    if (taken.thread !== undefined) this.#preempt(taken)
  }

  /** A byte arrives for a VM's serial port. False: the port has no room for it now. */
  receiveSerial(vm: Vm, byte: number): boolean {
    if (!vm.uart.canReceive) return false
    vm.uart.receive(byte, this.#now)
    this.#deviceEvent = 0
    this.#noticeInterrupts(vm, this.#now)
    return true
  }

  /** A VM's serial sink takes bytes again. */
  resumeSerial(vm: Vm): void {
    vm.uart.resume()
    this.#noticeInterrupts(vm, this.#now)
  }

  /** One of a VM's devices was touched from outside, so its interrupt line may have moved. */
  noticeLines(vm: Vm): void {
    this.#noticeInterrupts(vm, this.#now)
  }

  /** Goes on until virtual time is `stopAt`, or every guest has ended. */
  runUntil(stopAt: Cycles): void {
    while (!this.ended) {
      const due = Math.min(this.#nextEvent(), stopAt)
      const pcpu = this.#behind()
      if (pcpu !== undefined && this.#startOf(pcpu) < due) {
        this.#step(pcpu, due)
        continue
      }
      this.#meet(due)
      if (due === stopAt && this.#nextEvent() > stopAt) return
      this.#happen(this.#now)
    }
  }

  /** Everything but its VMs, counters and ledgers. @throws Error while something stands on the agenda, which is no data */
  save(): HostState {
    if (this.agenda.nextAt !== Number.POSITIVE_INFINITY) throw new Error('A host with an agenda cannot be saved.')
    return {
      now: this.#now,
      busyCycles: this.#busyCycles,
      monitor: this.#monitor.save(),
      threads: this.#threads.map(({ state, readyAt, pollUntil, exit, interruptSeen, ledger }) => ({
        state,
        readyAt,
        pollUntil,
        exit: exit ?? null,
        interruptSeen,
        activity: ledger.intervals.at(-1)!.activity,
      })),
      pcpus: this.#pcpus.map(({ now, thread, quantumEnd, awayUntil }) => ({
        now,
        thread: thread?.number ?? -1,
        quantumEnd,
        awayUntil,
      })),
      ready: this.#ready.map(({ number }) => number),
    }
  }

  /** Takes what `save` of a host with the same VMs gave; {@link Vm.restore} does the rest. Ledgers go on from here. */
  restore(state: HostState): void {
    this.#now = state.now
    this.#busyCycles = state.busyCycles
    this.#deviceEvent = 0
    this.#monitor.restore(state.monitor, this.clock(state.now))
    for (const [number, { activity, exit, ...record }] of state.threads.entries()) {
      const thread = this.#thread(number)
      Object.assign(thread, record)
      thread.exit = exit ?? undefined
      thread.ledger.enter(activity, state.now)
    }
    for (const [i, { thread, ...record }] of state.pcpus.entries()) {
      Object.assign(this.#pcpus[i]!, record)
      this.#pcpus[i]!.thread = thread < 0 ? undefined : this.#thread(thread)
    }
    this.#ready.splice(0, this.#ready.length, ...state.ready.map((number) => this.#thread(number)))
  }

  #thread(vcpu: number): Thread {
    const thread = this.#threads[vcpu]
    if (thread === undefined) throw new RangeError(`There is no vcpu ${vcpu}: the host has ${this.#threads.length}.`)
    return thread
  }

  #nextEvent(): Cycles {
    if (this.#deviceEvent === 0) {
      this.#deviceEvent = Number.POSITIVE_INFINITY
      for (const vm of this.vms) {
        if (vm.exitStatus === undefined) this.#deviceEvent = Math.min(this.#deviceEvent, vm.nextEvent(this.#now))
      }
    }
    return Math.min(this.agenda.nextAt, this.#deviceEvent)
  }

  /**
   * All pcpus meet before anything happens: those behind wait for the one that went furthest beyond `due`, since no
   * instruction ends in the middle. So nobody is ever told of a time before one that it was told already.
   */
  #meet(due: Cycles): void {
    for (const pcpu of this.#pcpus) this.#now = Math.max(this.#now, pcpu.now)
    this.#now = Math.max(this.#now, due)
    for (const pcpu of this.#pcpus) if (pcpu.thread !== undefined) pcpu.now = this.#now
  }

  /** Everything that is due at `now`. */
  #happen(now: Cycles): void {
    if (this.#deviceEvent <= now) {
      this.#deviceEvent = 0
      for (const vm of this.vms) {
        vm.advance(now)
        this.#noticeInterrupts(vm, now)
      }
    }
    for (let event = this.agenda.take(now); event !== undefined; event = this.agenda.take(now)) event.action(now)
  }

  /** Of the pcpus that have something to do, the one whose clock is behind. */
  #behind(): Pcpu | undefined {
    let found: Pcpu | undefined
    for (const pcpu of this.#pcpus) {
      if (pcpu.thread === undefined && this.#ready.length === 0) continue
      if (found === undefined || this.#startOf(pcpu) < this.#startOf(found)) found = pcpu
    }
    return found
  }

  /** When a pcpu goes on: its clock, or when it is free and there is a vcpu for it. */
  #startOf(pcpu: Pcpu): Cycles {
    if (pcpu.thread !== undefined) return pcpu.now
    return Math.max(pcpu.now, pcpu.awayUntil, this.#ready[0]?.readyAt ?? 0)
  }

  /** One entry of the guest on a pcpu, no further than `due`. */
  #step(pcpu: Pcpu, due: Cycles): void {
    if (pcpu.thread !== undefined && this.#ready.length > 0 && pcpu.now >= pcpu.quantumEnd) this.#preempt(pcpu)
    if (pcpu.thread === undefined) this.#dispatch(pcpu)
    const thread = pcpu.thread!
    let limit = due
    if (this.#ready.length > 0) limit = Math.min(limit, pcpu.quantumEnd)
    for (const other of this.#pcpus) {
      if (other !== pcpu && other.thread !== undefined) limit = Math.min(limit, other.now + MAX_SKEW)
    }
    this.#now = Math.max(this.#now, pcpu.now)
    if (thread.state === 'polling') {
      if (pcpu.now >= thread.pollUntil) this.#block(pcpu, thread)
      else pcpu.now = Math.min(limit, thread.pollUntil)
      return
    }
    if (thread.processor.waitsForStartUp) {
      thread.exit = undefined
      thread.state = 'waiting'
      thread.ledger.enter('idle', pcpu.now)
      this.#leave(pcpu, thread)
      return
    }
    if (thread.exit !== undefined) {
      const { exit } = thread
      thread.exit = undefined
      this.#handle(pcpu, thread, exit)
      return
    }
    this.#enter(thread, pcpu.now)
    const { vcpu, nmiPending } = thread.processor
    if (nmiPending) limit = Math.min(limit, pcpu.now + NMI_RETRY)
    vcpu.synchronize(pcpu.now)
    const before = vcpu.cycles
    limit = Math.min(limit, pcpu.now + this.#maxBusyCycles - this.#busyCycles)
    const exit = vcpu.run(Math.max(1, limit - pcpu.now))
    const used = vcpu.cycles - before
    pcpu.now += used
    this.#busyCycles += used
    if (this.#busyCycles > this.#maxBusyCycles) throw new BusyLimit(this.#maxBusyCycles)
    if (exit.reason !== 'budget') thread.exit = exit
  }

  #dispatch(pcpu: Pcpu): void {
    const at = this.#startOf(pcpu)
    const thread = this.#ready.shift()!
    pcpu.now = at
    pcpu.thread = thread
    pcpu.quantumEnd = at + this.#quantum
    thread.state = 'running'
    thread.ledger.enter('busy', at)
    this.#monitor.scheduled(thread.number, this.clock(at))
    this.#observer?.({ at, vcpu: thread.number, what: 'scheduled' })
  }

  /** The pcpu goes to others; its vcpu waits for its next turn, or sleeps on if it was polling. */
  #preempt(pcpu: Pcpu): void {
    const thread = pcpu.thread!
    if (thread.state === 'polling') {
      this.#block(pcpu, thread)
      return
    }
    thread.state = 'ready'
    thread.readyAt = pcpu.now
    thread.ledger.enter('steal', pcpu.now)
    this.#ready.push(thread)
    this.#leave(pcpu, thread)
  }

  #block(pcpu: Pcpu, thread: Thread): void {
    thread.state = 'halted'
    this.#leave(pcpu, thread)
  }

  #leave(pcpu: Pcpu, thread: Thread): void {
    pcpu.thread = undefined
    this.#monitor.descheduled(thread.number, this.clock(pcpu.now))
    this.#observer?.({ at: pcpu.now, vcpu: thread.number, what: 'descheduled' })
  }

  #end(pcpu: Pcpu, vm: Vm): void {
    for (const thread of this.#threads) {
      if (thread.vm !== vm || thread.state === 'ended') continue
      const on = this.#pcpus.find((each) => each.thread === thread)
      const waiting = this.#ready.indexOf(thread)
      if (waiting >= 0) this.#ready.splice(waiting, 1)
      if (!sleeps(thread.state)) thread.ledger.enter('steal', pcpu.now)
      thread.state = 'ended'
      if (on !== undefined) this.#leave(on, thread)
    }
  }

  /** What waits for a vcpu is delivered, or not, as the monitor says. */
  #enter(thread: Thread, now: Cycles): void {
    const { processor } = thread
    const { vcpu } = processor
    if (vcpu.eventQueued) return
    const nmiWaits = processor.nmiPending && !vcpu.nmiBlocked
    if (!nmiWaits && !processor.interruptPending()) {
      vcpu.requestInterruptWindow(false)
      return
    }
    const view = viewOf(processor, 0)
    const answer = this.#monitor.entering(thread.number, this.clock(now), view)
    const problem = problemOfDelivery(view, answer, vcpu.interruptible)
    this.#observer?.({ at: now, vcpu: thread.number, what: 'entering', view, answer, ...maybe(problem) })
    if (problem?.rule !== 'illegalDelivery') {
      if (answer === 'nmi') {
        processor.nmiPending = false
        vcpu.inject({ kind: 'nmi', vector: 2 })
      }
      if (answer === 'interrupt') vcpu.inject({ kind: 'interrupt', vector: processor.acknowledge() })
      if (answer === 'nmi' || answer === 'interrupt') this.counters.deliveries++
    }
    thread.interruptSeen = processor.interruptPending()
    vcpu.requestInterruptWindow(answer !== 'none' && processor.interruptPending())
  }

  #handle(pcpu: Pcpu, thread: Thread, exit: Exit): void {
    const { processor, vm } = thread
    const { vcpu, bus } = processor
    switch (exit.reason) {
      case 'io':
        if (exit.direction === 'out') bus.write(exit.port, exit.size, exit.value, pcpu.now)
        else vcpu.completeIn(bus.read(exit.port, exit.size, pcpu.now))
        this.#deviceEvent = 0
        this.#noticeInterrupts(vm, pcpu.now)
        if (vm.exitStatus !== undefined || vm.resetRequested) this.#end(pcpu, vm)
        return
      case 'mmio':
        if (!exit.write) {
          vcpu.completeMmioRead(readMmio(processor.mmio, exit.gpa, exit.size, pcpu.now))
          return
        }
        writeMmio(processor.mmio, exit.gpa, exit.size, exit.value, pcpu.now)
        if (processor.mmio.length === 0) return
        this.#deviceEvent = 0
        this.#noticeInterrupts(vm, pcpu.now)
        return
      case 'hlt':
        this.#halt(pcpu, thread, exit.length)
        return
      case 'interruptWindow':
        this.counters.windowExits++
        return
      case 'cpuid':
        vcpu.completeCpuid(this.#ask(pcpu, thread, 'cpuid'))
        return
      case 'hypercall': {
        const { eax, ebx, ecx, edx } = this.#ask(pcpu, thread, 'vmcall')
        vcpu.completeHypercall(eax)
        Object.assign(vcpu.registers, { ebx, ecx, edx })
        return
      }
      case 'shutdown':
        this.#observer?.({ at: pcpu.now, vcpu: thread.number, what: 'shutdown' })
        this.#end(pcpu, vm)
        return
      default:
        throw new Error(`The host did not ask for an exit "${exit.reason}", and got one.`)
    }
  }

  #halt(pcpu: Pcpu, thread: Thread, length: number): void {
    const { processor } = thread
    const { vcpu } = processor
    this.counters.hltExits++
    const view = viewOf(processor, length)
    const decision = this.#monitor.halted(thread.number, this.clock(pcpu.now), view)
    const answer = decision.next === 'poll' ? `poll for ${decision.pollCycles} cycles` : decision.next
    const problem = problemOfHalt((vcpu.registers.eip + length) >>> 0, decision, processor.wakes)
    this.#observer?.({ at: pcpu.now, vcpu: thread.number, what: 'halted', view, answer, decision, ...maybe(problem) })
    vcpu.skipTo(decision.eip)
    thread.interruptSeen = view.interruptPending
    if (decision.next === 'run') return
    thread.ledger.enter(processor.wakes ? 'busy' : 'idle', pcpu.now)
    if (decision.next === 'poll') {
      this.counters.polls++
      thread.state = 'polling'
      thread.pollUntil = pcpu.now + decision.pollCycles
      return
    }
    this.#block(pcpu, thread)
    if (processor.wakes) thread.ledger.enter('steal', pcpu.now)
  }

  #noticeInterrupts(vm: Vm, now: Cycles): void {
    for (const thread of this.#threads) if (thread.vm === vm) this.#noticeInterrupt(thread, now)
  }

  /** A halted vcpu is kicked when its INTR or NMI rises; one that was sent a start-up message begins. */
  #noticeInterrupt(thread: Thread, now: Cycles): void {
    const { processor } = thread
    if (thread.state === 'halted' && processor.waitsForStartUp) thread.state = 'waiting'
    if (thread.state === 'waiting' && !processor.waitsForStartUp) {
      this.#makeReady(thread, now)
      return
    }
    const pending = processor.interruptPending()
    const rises = (pending && !thread.interruptSeen) || (processor.nmiPending && !thread.nmiSeen)
    thread.interruptSeen = pending
    thread.nmiSeen = processor.nmiPending
    if (rises) this.#kick(thread, now)
  }

  #kick(thread: Thread, now: Cycles): void {
    const { processor, state } = thread
    if (state !== 'halted' && state !== 'polling') return
    this.counters.kicks++
    if (processor.wakes) thread.ledger.enter(state === 'polling' ? 'busy' : 'steal', now)
    const view = viewOf(processor, 0)
    const answer = this.#monitor.kicked(thread.number, this.clock(now), view)
    const problem = problemOfKick(view, answer, processor.wakes)
    this.#observer?.({ at: now, vcpu: thread.number, what: 'kicked', view, answer, ...maybe(problem) })
    if (answer === 'sleep') return
    this.counters.wakes++
    if (state === 'polling') {
      const pcpu = this.#pcpus.find((each) => each.thread === thread)!
      pcpu.now = Math.max(pcpu.now, now)
      thread.state = 'running'
      thread.ledger.enter('busy', now)
      return
    }
    this.#makeReady(thread, now)
  }

  #makeReady(thread: Thread, now: Cycles): void {
    thread.state = 'ready'
    thread.readyAt = now
    thread.ledger.enter('steal', now)
    this.#ready.push(thread)
  }

  #ask(pcpu: Pcpu, thread: Thread, instruction: 'cpuid' | 'vmcall'): GuestAnswer {
    const { eax, ebx, ecx, edx } = thread.processor.vcpu.registers
    const question: GuestQuestion = { instruction, eax: eax >>> 0, ebx: ebx >>> 0, ecx: ecx >>> 0, edx: edx >>> 0 }
    const guestAnswer = this.#monitor.guestAsks(thread.number, this.clock(pcpu.now), question)
    const answer = `EAX ${guestAnswer.eax}, EBX ${guestAnswer.ebx}, ECX ${guestAnswer.ecx}, EDX ${guestAnswer.edx}`
    this.#observer?.({ at: pcpu.now, vcpu: thread.number, what: 'asked', question, answer, guestAnswer })
    return guestAnswer
  }
}

function sleeps(state: ThreadState): boolean {
  return state === 'halted' || state === 'polling' || state === 'waiting' || state === 'ended'
}

function maybe(problem: Problem | undefined): { problem?: Problem } {
  return problem === undefined ? {} : { problem }
}
