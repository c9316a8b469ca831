/** The lab's laws. Each is a sentence that every right idle monitor obeys, with the scenarios that put it to the test. */
import * as fc from 'fast-check'
import { type Law, type LawContext, law, Violation } from '../../../grader/contract/law.ts'
import type { HostEvent, IdleMonitor } from '../../../reference/index.ts'
import { replaySteps, requireConservation, requireDecisions, requireMonotone, requireTimes } from './judge.ts'
import { type Reading, type Run, runScenario, timeLine } from './run-scenario.ts'
import { describeScenario, type Scenario, type ScenarioShape, scenarios } from './scenario.ts'
import { toUnit, type Variant } from './variant.ts'

export type IdleLaw = Law<Scenario, IdleMonitor, Variant>

interface IdleLawDeclaration {
  readonly id: string
  readonly sentence: string
  readonly shape: ScenarioShape
  readonly runs: { readonly public: number; readonly hidden: number }
  readonly judge: (run: Run, context: LawContext<IdleMonitor, Variant>, scenario: Scenario) => void
}

const ALL_EVENTS = ['irq', 'kick', 'query', 'nmi', 'steal'] as const
const HALTS = ['stiHlt', 'work', 'stiNopHlt', 'oneShotHlt', 'startTicks', 'cliHlt', 'hlt', 'stiWork', 'ask'] as const
/** Three hours of the machine's time, nearly all of it asleep: the upper half of a count is not 0 then, in any unit. */
const LONG = 40_000_000_000_000
const ALONE = [[1]]
const TOGETHER = [[1], [2], [1, 1], [2, 1]]

/** A law over scenarios of a shape. */
export function idleLaw({ id, sentence, shape, runs, judge }: IdleLawDeclaration): IdleLaw {
  return scenarioLaw(id, sentence, scenarios(shape), runs, judge)
}

/** A law over one scenario: an adversarial case that a generator would seldom find. */
export function exampleLaw(
  id: string,
  sentence: string,
  example: Scenario,
  judge: IdleLawDeclaration['judge'],
): IdleLaw {
  return scenarioLaw(id, sentence, fc.constant(example), { public: 0, hidden: 1 }, judge)
}

function scenarioLaw(
  id: string,
  sentence: string,
  cases: fc.Arbitrary<Scenario>,
  runs: IdleLawDeclaration['runs'],
  judge: IdleLawDeclaration['judge'],
): IdleLaw {
  return law<Scenario, IdleMonitor, Variant>({
    id,
    sentence,
    cases: () => cases,
    runs,
    check: (scenario, context) => judge(runScenario(scenario, context), context, scenario),
    describe: describeScenario,
    replay: (scenario, context) => replaySteps(runScenario(scenario, context, true)),
  })
}

const conservation = idleLaw({
  id: 'conservation',
  sentence: 'Idle, busy and steal time of a vcpu add up to the time elapsed, whenever you ask.',
  shape: { ops: HALTS, events: ALL_EVENTS, machines: TOGETHER },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireConservation(run),
})

const monotone = idleLaw({
  id: 'monotone',
  sentence: 'None of the three times of a vcpu ever gets smaller.',
  shape: { ops: HALTS, events: ALL_EVENTS, machines: ALONE },
  runs: { public: 20, hidden: 40 },
  judge: (run) => requireMonotone(run),
})

const idleExact = idleLaw({
  id: 'idle-exact',
  sentence: 'A vcpu is idle from its HLT until something comes that it will take, to the cycle.',
  shape: { ops: HALTS, events: ['irq', 'query', 'kick'], machines: ALONE },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireTimes(run, ['idle']),
})

const stealExact = idleLaw({
  id: 'steal-exact',
  sentence: 'A vcpu that could run and has no pcpu is stolen from: that time is neither idle nor busy.',
  shape: { ops: HALTS, events: ['steal', 'irq', 'query'], machines: [[1], [1, 1], [2]] },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireTimes(run, ['steal', 'busy']),
})

const longIdle = idleLaw({
  id: 'long-idle',
  sentence: 'Idle time is counted exactly over hours, whatever the clock shows at the start.',
  shape: {
    ops: ['stiHlt', 'cliHlt'],
    first: 'stiHlt',
    events: ['irq', 'query', 'kick'],
    machines: ALONE,
    horizon: LONG,
  },
  runs: { public: 20, hidden: 40 },
  judge: (run) => requireTimes(run, ['idle']),
})

const behindHlt = idleLaw({
  id: 'behind-hlt',
  sentence: 'After a HLT the guest goes on behind it, however long the instruction is.',
  shape: { ops: ['stiHlt', 'stiRepHlt', 'hlt', 'stiNopHlt'], events: ['irq', 'nmi'], machines: ALONE },
  runs: { public: 20, hidden: 40 },
  judge: (run) => requireDecisions(run, ['eip']),
})

const pendingAtHlt = idleLaw({
  id: 'pending-at-hlt',
  sentence: 'A vcpu that halts while something waits that it will take does not sleep at all, also right behind STI.',
  shape: {
    ops: ['work', 'stiHlt', 'stiNopHlt'],
    first: 'cliIn',
    events: ['irq', 'irq', 'nmi'],
    machines: ALONE,
    maxEvents: 16,
  },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireDecisions(haltsOnly(run), ['sleptThrough']),
})

const masked = idleLaw({
  id: 'masked-sleeps-on',
  sentence: 'With IF clear only an NMI ends a sleep, and a line that the interrupt controller masks never does.',
  shape: { ops: ['cliHlt', 'mask', 'unmask', 'hlt', 'stiHlt'], events: ['irq', 'kick', 'nmi'], machines: ALONE },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireDecisions(run, ['wokeSpuriously']),
})

const wakes = idleLaw({
  id: 'wakes',
  sentence: 'An interrupt that the vcpu will take, or an NMI, ends its sleep.',
  shape: { ops: ['stiHlt', 'cliHlt', 'hlt', 'oneShotHlt'], events: ['irq', 'nmi', 'query'], machines: ALONE },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireDecisions(run, ['sleptThrough']),
})

const kicks = idleLaw({
  id: 'spurious-kicks',
  sentence: 'A kick that means nothing neither ends a sleep nor changes what is counted.',
  shape: { ops: ['stiHlt', 'cliHlt'], events: ['kick', 'kick', 'irq', 'query'], machines: ALONE, maxEvents: 20 },
  runs: { public: 40, hidden: 80 },
  judge: (run) => {
    requireDecisions(run, ['wokeSpuriously'])
    requireTimes(run, ['idle'])
  },
})

const delivery = idleLaw({
  id: 'delivery',
  sentence: 'What waits is delivered as soon as the vcpu can take it and never before, an NMI ahead of an interrupt.',
  shape: { ops: ['sti', 'cli', 'work', 'stiWork', 'stiHlt'], events: ['irq', 'irq', 'nmi'], machines: ALONE },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireDecisions(run, ['illegalDelivery', 'heldBack', 'priority']),
})

const nested = idleLaw({
  id: 'nested-halts',
  sentence: 'A HLT inside an interrupt or NMI handler counts as any other, and so does the one behind it.',
  shape: {
    ops: ['stiHlt', 'cliHlt', 'hlt'],
    events: ['irq', 'irq', 'nmi', 'query'],
    machines: ALONE,
    isr: ['waits', 'plain'],
    maxEvents: 20,
  },
  runs: { public: 40, hidden: 80 },
  judge: (run) => {
    requireDecisions(run, ['sleptThrough', 'wokeSpuriously', 'illegalDelivery', 'heldBack', 'eip'])
    requireTimes(run, ['idle', 'busy'])
  },
})

const userHlt = idleLaw({
  id: 'user-hlt',
  sentence: 'HLT outside CPL 0 raises #GP and is no idle time.',
  shape: { ops: ['userHlt', 'work', 'stiHlt'], events: ['query', 'irq'], machines: ALONE },
  runs: { public: 20, hidden: 30 },
  judge: (run) => {
    requireTimes(run, ['idle', 'busy'])
  },
})

const independence = idleLaw({
  id: 'smp-independence',
  sentence: 'Every vcpu has its own account, whatever its siblings, other VMs and other pcpus do.',
  shape: { ops: HALTS, events: ALL_EVENTS, machines: [[2], [1, 1], [2, 1], [2, 2]], maxPcpus: 2 },
  runs: { public: 40, hidden: 80 },
  judge: (run) => requireTimes(run, ['idle', 'busy', 'steal']),
})

const migration = idleLaw({
  id: 'migration',
  sentence: 'A monitor that is saved and restored, even while vcpus sleep, goes on as if nothing had happened.',
  shape: {
    ops: ['stiHlt', 'cliHlt', 'work'],
    events: ['migrate', 'irq', 'query', 'steal'],
    machines: [[1], [2], [1, 1]],
  },
  runs: { public: 40, hidden: 80 },
  judge: (run) => {
    requireTimes(run, ['idle', 'busy', 'steal'])
    requireDecisions(run, ['sleptThrough', 'wokeSpuriously'])
  },
})

const guestReads = idleLaw({
  id: 'guest-reads',
  sentence: 'The guest reads its idle time where and how the handout says, and unknown questions get their answer too.',
  shape: { ops: ['ask', 'stiHlt', 'askOther', 'work'], events: ['irq', 'irq', 'steal'], machines: [[1], [2], [2, 1]] },
  runs: { public: 40, hidden: 80 },
  judge: (run, { variant }) => {
    for (const reading of run.readings) requireReading(run, reading, variant)
  },
})

const guestReadsLong = idleLaw({
  id: 'guest-reads-both-halves',
  sentence: 'The guest reads both halves of its idle time, also after hours.',
  shape: { ops: ['ask', 'stiHlt'], first: 'stiHlt', events: ['irq'], machines: [[1], [2]], horizon: LONG },
  runs: { public: 20, hidden: 40 },
  judge: (run, { variant }) => {
    for (const reading of run.readings) requireReading(run, reading, variant)
  },
})

const polling = idleLaw({
  id: 'polling',
  sentence: 'A halted vcpu holds its pcpu for as long as the handout says, once for each sleep, and that time is idle.',
  shape: { ops: ['stiHlt', 'cliHlt', 'work'], events: ['irq', 'kick', 'query'], machines: [[1], [1, 1]] },
  runs: { public: 40, hidden: 80 },
  judge: (run, { variant, count }) => {
    requirePolling(run, variant)
    requireTimes(run, ['idle'])
    count('polls', run.counters.polls)
    count('wakes', run.counters.wakes)
    count('causes', run.events.filter(isCause).length)
    count('idlePeriods', run.events.filter(({ decision }) => decision !== undefined && decision.next !== 'run').length)
  },
})

const constantState = idleLaw({
  id: 'constant-state',
  sentence: 'What the monitor remembers does not grow with the number of events.',
  shape: { ops: ['stiHlt'], events: ['irq'], machines: ALONE, maxEvents: 6 },
  runs: { public: 10, hidden: 20 },
  judge: (run, context, scenario) => {
    const more: Scenario = { ...scenario, horizon: 8 * scenario.horizon, events: eightTimes(scenario) }
    context.count('stateBefore', run.stateSize)
    context.count('stateAfter', runScenario(more, context).stateSize)
  },
})

/** The laws of both suites. */
export const laws: readonly IdleLaw[] = [
  conservation,
  monotone,
  idleExact,
  stealExact,
  longIdle,
  behindHlt,
  pendingAtHlt,
  masked,
  wakes,
  kicks,
  delivery,
  nested,
  userHlt,
  independence,
  migration,
  guestReads,
  guestReadsLong,
  polling,
  constantState,
]

/** A kick of a halted vcpu that brought something for it. */
function isCause({ what, answer, problem }: HostEvent): boolean {
  if (what !== 'kicked') return false
  return problem === undefined ? answer === 'wake' : problem.rule === 'sleptThrough'
}

/** The run with problems of HLT exits alone. */
function haltsOnly(run: Run): Run {
  const halts = new Set(run.events.filter(({ what }) => what === 'halted').map(({ at, vcpu }) => `${vcpu}@${at}`))
  return { ...run, problems: run.problems.filter(({ at, vcpu }) => halts.has(`${vcpu}@${at}`)) }
}

function eightTimes({ events, horizon }: Scenario): Scenario['events'] {
  return Array.from({ length: 8 }, (_, n) => events.map((event) => ({ ...event, at: event.at + n * horizon }))).flat()
}

/** Throws when a guest's registers are not what the variant says. */
export function requireReading(run: Run, reading: Reading, variant: Variant): void {
  const { question, answer, at, vcpu } = reading
  const expected = expectedAnswer(reading, variant)
  const name = (['eax', 'ebx', 'ecx', 'edx'] as const).find((register) => answer[register] !== expected[register])
  if (name === undefined) return
  const asked = question.instruction === 'cpuid' ? 'CPUID leaf' : 'hypercall'
  throw new Violation(
    {
      what: `${name.toUpperCase()} of vcpu ${vcpu} after ${asked} ${question.eax.toString(16)}h at cycle ${at}`,
      expected: `${expected[name]}`,
      actual: `${answer[name]}`,
    },
    timeLine(run, at),
  )
}

function expectedAnswer({ question, idleOfVcpu, idleOfVm }: Reading, variant: Variant): Reading['answer'] {
  const { place, number, halves, scope, unit } = variant
  const instruction = place === 'cpuid' ? 'cpuid' : 'vmcall'
  const { ebx, ecx, edx } = question
  const others = question.instruction === 'cpuid' ? { ebx: 0, ecx: 0, edx: 0 } : { ebx, ecx, edx }
  if (question.instruction !== instruction || question.eax !== number) {
    return { ...others, eax: question.instruction === 'cpuid' ? 0 : -1000 >>> 0 }
  }
  const total = toUnit(scope === 'vcpu' ? idleOfVcpu : idleOfVm, unit)
  const high = Number((total >> 32n) & 0xffff_ffffn)
  const low = Number(total & 0xffff_ffffn)
  return halves === 'edx:eax' ? { ...others, edx: high, eax: low } : { ...others, eax: 0, ecx: high, ebx: low }
}

function requirePolling(run: Run, variant: Variant): void {
  const wanted = variant.pollCycles === 0 ? 'block' : `poll for ${variant.pollCycles} cycles`
  for (const { decision, answer, at, vcpu } of run.events) {
    if (decision === undefined || decision.next === 'run' || answer === wanted) continue
    throw new Violation(
      { what: `what vcpu ${vcpu} does after its HLT at cycle ${at}`, expected: wanted, actual: answer ?? '' },
      timeLine(run, at),
    )
  }
}
