/**
 * Runs a scenario on the machine, with an idle monitor in its hypervisor, and writes down all that laws judge by:
 * every decision beside what the hardware would have done, and every answer beside the host's own book.
 */
import { type LawContext, Violation } from '../../../grader/contract/law.ts'
import { bootIdleGuests } from '../../../guests/idle-guest.ts'
import {
  BusyLimit,
  Host,
  type HostCounters,
  type HostEvent,
  type IdleMonitor,
  P4_672_COSTS,
  type Problem,
  type VcpuTimes,
} from '../../../reference/index.ts'
import { GuestChanges } from './guest-changes.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'
import type { Variant } from './variant.ts'

/** A vcpu's times as the monitor told them, and as the host's book has them. */
export interface Query {
  readonly at: number
  readonly vcpu: number
  readonly told: VcpuTimes
  readonly book: VcpuTimes
  readonly elapsed: bigint
}

/** What a guest was told of its idle time, beside the host's book in cycles. */
export interface Reading {
  readonly at: number
  readonly vcpu: number
  readonly answer: NonNullable<HostEvent['guestAnswer']>
  readonly question: NonNullable<HostEvent['question']>
  /** The idle cycles of the vcpu, and of all vcpus of its VM. */
  readonly idleOfVcpu: bigint
  readonly idleOfVm: bigint
}

export interface Run {
  readonly events: readonly HostEvent[]
  /** What the guest changed before each event; empty unless it was watched. */
  readonly changes: readonly (readonly string[])[]
  readonly problems: readonly (Problem & { readonly at: number; readonly vcpu: number })[]
  readonly queries: readonly Query[]
  readonly readings: readonly Reading[]
  readonly counters: HostCounters
  /** The size of the monitor's saved state at the end, in characters. */
  readonly stateSize: number
}

type Context = Pick<LawContext<IdleMonitor, Variant>, 'variant' | 'connect'>

/** No right monitor needs so many events for any scenario; a guest that halts without sleeping would go on for ever. */
const MAX_EVENTS = 20_000
/** More than any scenario leaves room for, unless a guest that should sleep runs on. */
const MAX_BUSY_CYCLES = 1_200_000

/**
 * Runs a scenario; everybody's times are asked for after each of its events and at the end.
 * @param watch also writes down what the guest changed before each event, for a replay
 */
export function runScenario(scenario: Scenario, { variant, connect }: Context, watch = false): Run {
  const events: HostEvent[] = []
  const queries: Query[] = []
  const readings: Reading[] = []
  const changes: (readonly string[])[] = []
  let watched: GuestChanges | undefined
  let monitor = connect()
  const vmOf = scenario.vms.flatMap((programs, vm) => programs.map(() => vm))
  const host = new Host({
    costs: P4_672_COSTS,
    monitor,
    pcpus: scenario.pcpus,
    quantum: scenario.quantum,
    clockBase: BigInt(scenario.clockBase),
    maxBusyCycles: MAX_BUSY_CYCLES,
    vms: scenario.vms.map((programs) => ({ memoryBytes: 0x1_0000, vcpus: programs.length })),
    observer: (event) => {
      events.push(event)
      if (watched !== undefined) changes.push(watched.since(event.vcpu))
      if (events.length > MAX_EVENTS) throw tooBusy(events)
      if (event.guestAnswer === undefined || event.question === undefined) return
      const idle = (vcpu: number) => BigInt(host.ledger(vcpu).totals(event.at).idle)
      readings.push({
        at: event.at,
        vcpu: event.vcpu,
        question: event.question,
        answer: event.guestAnswer,
        idleOfVcpu: idle(event.vcpu),
        idleOfVm: vmOf.reduce((sum, vm, vcpu) => (vm === vmOf[event.vcpu] ? sum + idle(vcpu) : sum), 0n),
      })
    },
  })
  bootIdleGuests(host, scenario.vms, variant)
  if (watch) watched = new GuestChanges(host)

  const query = (at: number) => {
    for (let vcpu = 0; vcpu < host.vcpuCount; vcpu++) {
      const { idle, busy, steal } = host.ledger(vcpu).totals(at)
      const book = { idle: BigInt(idle), busy: BigInt(busy), steal: BigInt(steal) }
      queries.push({ at, vcpu, told: monitor.times(vcpu, host.clock(at)), book, elapsed: BigInt(at) })
    }
  }
  for (const event of scenario.events) {
    host.agenda.add(event.at, (now) => {
      if (event.what === 'migrate') {
        const state = monitor.save()
        monitor = connect()
        monitor.restore(state, host.clock(now))
        host.replaceMonitor(monitor)
      } else happen(host, event)
      query(now)
    })
  }
  try {
    host.runUntil(scenario.horizon)
  } catch (error) {
    throw error instanceof BusyLimit ? tooBusy(events) : error
  }
  query(host.now)
  return {
    events,
    changes,
    problems: events.flatMap(({ at, vcpu, problem }) => (problem === undefined ? [] : [{ ...problem, at, vcpu }])),
    queries,
    readings,
    counters: host.counters,
    stateSize: monitor.save().length,
  }
}

function tooBusy(events: readonly HostEvent[]): Violation {
  return new Violation(
    {
      what: `what the guests do by cycle ${events.at(-1)?.at ?? 0}`,
      expected: 'they sleep most of the time',
      actual: 'a guest that should sleep runs on and on',
    },
    events.slice(-12).map(eventLine),
  )
}

function happen(host: Host, { what, vcpu, value }: ScenarioEvent): void {
  switch (what) {
    case 'irq':
      host.setLine(vcpu, value, true)
      host.setLine(vcpu, value, false)
      return
    case 'nmi':
      host.nmi(vcpu)
      return
    case 'kick':
      host.kick(vcpu)
      return
    case 'steal':
      host.takeAway(0, value * 1_000)
      return
    case 'query':
    case 'migrate':
      return
  }
}

/** The run as a time line, up to and including the cycle `until`; at most the last `most` lines. */
export function timeLine(run: Run, until: number, most = 24): string[] {
  const lines = run.events.filter(({ at }) => at <= until).map(eventLine)
  return lines.length <= most ? lines : [`… ${lines.length - most} lines before`, ...lines.slice(-most)]
}

export function eventLine(event: HostEvent): string {
  return `cycle ${event.at}: vcpu ${event.vcpu} ${eventText(event)}`
}

function eventText({ what, view, answer }: HostEvent): string {
  switch (what) {
    case 'scheduled':
      return 'gets a pcpu'
    case 'descheduled':
      return 'loses its pcpu'
    case 'halted':
      return `HLT exit at ${hex(view?.eip)} (${waiting(view)}): you said ${answer}`
    case 'kicked':
      return `was kicked (${waiting(view)}): you said ${answer}`
    case 'entering':
      return `is about to enter the guest at ${hex(view?.eip)} (${waiting(view)}): you said ${answer}`
    case 'asked':
      return `the guest asked; you answered ${answer}`
    case 'shutdown':
      return 'triple fault'
  }
}

function hex(value: number | undefined): string {
  return value === undefined ? '?' : `${value.toString(16)}h`
}

function waiting(view: HostEvent['view']): string {
  if (view === undefined) return ''
  const parts = [
    view.interruptFlag ? 'IF set' : 'IF clear',
    ...(view.interruptShadow ? ['in the shadow'] : []),
    ...(view.interruptPending ? ['interrupt waits'] : []),
    ...(view.nmiPending ? ['NMI waits'] : []),
    ...(view.nmiBlocked ? ['NMIs blocked'] : []),
  ]
  return parts.join(', ')
}
