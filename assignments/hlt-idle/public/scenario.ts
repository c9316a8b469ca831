/** A scenario: guests, and what befalls them. Plain data, made by seeded generators and shrunk towards the empty one. */
import * as fc from 'fast-check'
import {
  disassembleIdleGuest,
  GUEST_IRQS,
  type GuestOp,
  type GuestProgram,
  type GuestQuestionPlace,
} from '../../../guests/idle-guest.ts'

export interface ScenarioEvent {
  /** Cycles since the start. */
  readonly at: number
  readonly vcpu: number
  readonly what: /** A device's line rises for a moment: an edge. */
    | 'irq'
    | 'nmi'
    /** A kick without cause. */
    | 'kick'
    /** The host takes the pcpu away for a while. */
    | 'steal'
    /** The laws ask for everybody's times. */
    | 'query'
    /** The monitor is saved, and a new one takes over. */
    | 'migrate'
  /** The line of an `irq`; the cycles of a `steal`, in thousands. */
  readonly value: number
}

export interface Scenario {
  readonly pcpus: number
  /** The program of each vcpu of each VM. */
  readonly vms: readonly (readonly GuestProgram[])[]
  /** How long a vcpu keeps the pcpu while others wait, in cycles. */
  readonly quantum: number
  /** What the clock shows at the start, in decimal: clocks do not begin at 0. */
  readonly clockBase: string
  readonly events: readonly ScenarioEvent[]
  /** How long it goes on, in cycles. */
  readonly horizon: number
}

export interface ScenarioShape {
  readonly ops: readonly GuestOp['op'][]
  /** What every program begins with; a guest that must not run for long begins with a HLT. */
  readonly first?: GuestOp['op']
  readonly events: readonly ScenarioEvent['what'][]
  /** Vcpus of each VM that may occur. */
  readonly machines?: readonly (readonly number[])[]
  readonly isr?: readonly GuestProgram['isr'][]
  readonly maxPcpus?: number
  readonly maxEvents?: number
  /** In cycles. */
  readonly horizon?: number
}

const HORIZON = 400_000

function simpleOp(op: GuestOp['op']): GuestOp {
  if (op === 'work') return { op, loops: 1 }
  return op === 'mask' || op === 'unmask' ? { op, irq: GUEST_IRQS[0] } : { op }
}

function opArbitrary({ ops }: ScenarioShape): fc.Arbitrary<GuestOp> {
  return fc
    .tuple(fc.constantFrom(...ops), fc.integer({ min: 1, max: 400 }), fc.constantFrom(...GUEST_IRQS))
    .map(([op, loops, irq]): GuestOp => {
      if (op === 'work') return { op, loops }
      if (op === 'mask' || op === 'unmask') return { op, irq }
      return { op }
    })
}

function programArbitrary(shape: ScenarioShape): fc.Arbitrary<GuestProgram> {
  const kinds = shape.isr ?? ['plain']
  return fc.record({
    ops: fc
      .array(opArbitrary(shape), { minLength: shape.first === undefined ? 1 : 0, maxLength: 6 })
      .map((ops) => (shape.first === undefined ? ops : [simpleOp(shape.first), ...ops])),
    isr: fc.constantFrom(...kinds),
    nmi: fc.constantFrom(...kinds),
  })
}

function eventArbitrary(shape: ScenarioShape, vcpus: number): fc.Arbitrary<ScenarioEvent> {
  return fc
    .tuple(
      fc.integer({ min: 1, max: (shape.horizon ?? HORIZON) - 1 }),
      fc.integer({ min: 0, max: vcpus - 1 }),
      fc.constantFrom(...shape.events),
      fc.nat({ max: 29 }),
    )
    .map(([at, vcpu, what, n]) => {
      if (what === 'irq') return { at, vcpu, what, value: GUEST_IRQS[n % GUEST_IRQS.length]! }
      return { at, vcpu, what, value: what === 'steal' ? n + 1 : 0 }
    })
}

/** Scenarios of a shape. The machines that may occur default to one vcpu alone. */
export function scenarios(shape: ScenarioShape): fc.Arbitrary<Scenario> {
  return fc.constantFrom(...(shape.machines ?? [[1]])).chain((vcpusOfVms) => {
    const vcpus = vcpusOfVms.reduce((sum, n) => sum + n, 0)
    return fc.record({
      pcpus: fc.integer({ min: 1, max: Math.min(vcpus, shape.maxPcpus ?? 1) }),
      vms: fc.tuple(...vcpusOfVms.map((n) => fc.array(programArbitrary(shape), { minLength: n, maxLength: n }))),
      quantum: fc.constantFrom(20_000, 5_000, 60_000),
      clockBase: fc.oneof(
        fc.constant('0'),
        fc.bigInt({ min: 0n, max: 1n << 61n }).map(String),
        fc.constant(String((1n << 32n) - 50_000n)),
        fc.constant(String(1n << 53n)),
      ),
      events: fc
        .array(eventArbitrary(shape, vcpus), { minLength: 1, maxLength: shape.maxEvents ?? 12 })
        .map((events) => [...events].sort((a, b) => a.at - b.at)),
      horizon: fc.constant(shape.horizon ?? HORIZON),
    })
  })
}

/** The scenario for a person, with the code of each guest's loop. */
export function describeScenario(scenario: Scenario, question: GuestQuestionPlace): string[] {
  const lines: string[] = []
  let vcpu = 0
  scenario.vms.forEach((programs, vm) => {
    for (const [index, program] of programs.entries()) {
      lines.push(`vm ${vm}, vcpu ${vcpu}: ${program.ops.map(opText).join('; ')}; and again`)
      lines.push(...disassembleIdleGuest(program, question, index).map((line) => `    ${line}`))
      vcpu++
      if (program.isr === 'waits') lines.push('    its interrupt handler executes STI; HLT itself')
      if (program.nmi === 'waits') lines.push('    its NMI handler executes STI; HLT itself')
    }
  })
  lines.push(`${scenario.pcpus} pcpu, quantum ${scenario.quantum} cycles, clock starts at ${scenario.clockBase}`)
  for (const event of scenario.events) lines.push(`cycle ${event.at}: ${eventText(event)}`)
  return lines
}

function opText(op: GuestOp): string {
  if (op.op === 'work') return `work ${op.loops}`
  if (op.op === 'mask' || op.op === 'unmask') return `${op.op} IRQ ${op.irq}`
  return OP_TEXT[op.op]
}

const OP_TEXT: Readonly<Record<Exclude<GuestOp['op'], 'work' | 'mask' | 'unmask'>, string>> = {
  hlt: 'HLT',
  stiHlt: 'STI; HLT',
  stiNopHlt: 'STI; NOP; HLT',
  cliHlt: 'CLI; HLT',
  stiRepHlt: 'STI; REP HLT (two bytes)',
  sti: 'STI',
  cli: 'CLI',
  cliIn: 'CLI; IN AL, 21h',
  stiWork: 'STI; work',
  oneShotHlt: 'arm the timer once; STI; HLT',
  startTicks: 'start a periodic timer',
  userHlt: 'HLT at CPL 3',
  ask: 'ask for the idle time',
  askOther: 'ask something else',
}

function eventText({ what, vcpu, value }: ScenarioEvent): string {
  switch (what) {
    case 'irq':
      return `IRQ ${value} for vcpu ${vcpu}`
    case 'nmi':
      return `NMI for vcpu ${vcpu}`
    case 'kick':
      return `a kick of vcpu ${vcpu} that means nothing`
    case 'steal':
      return `the host takes a pcpu away for ${value},000 cycles`
    case 'query':
      return `the law asks for everybody's times`
    case 'migrate':
      return 'the monitor is saved, and a new one takes over'
  }
}
