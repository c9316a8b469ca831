/** Adversarial cases that mutants taught us: each once killed a wrong monitor that the generators missed. */
import type { GuestProgram } from '../../../guests/idle-guest.ts'
import { requireConservation, requireDecisions, requireTimes } from '../public/judge.ts'
import { exampleLaw, type IdleLaw } from '../public/laws.ts'
import type { Scenario, ScenarioEvent } from '../public/scenario.ts'

const HORIZON = 400_000

function program(ops: GuestProgram['ops'], handlers: GuestProgram['isr'] = 'plain'): GuestProgram {
  return { ops, isr: handlers, nmi: handlers }
}

function scenario(vms: Scenario['vms'], events: readonly ScenarioEvent[]): Scenario {
  const sorted = [...events].sort((a, b) => a.at - b.at)
  return { pcpus: 1, vms, quantum: 5_000, clockBase: String((1n << 63n) - 200_000n), events: sorted, horizon: HORIZON }
}

/** The same event again and again, `step` cycles apart. */
function every(step: number, from: number, event: Omit<ScenarioEvent, 'at'>): ScenarioEvent[] {
  return Array.from({ length: Math.floor((HORIZON - from) / step) }, (_, i) => ({ ...event, at: from + i * step }))
}

export const hiddenLaws: readonly IdleLaw[] = [
  exampleLaw(
    'halt-storm',
    'Halts one behind the other, in handlers too, under a storm of interrupts and NMIs, keep every account exact.',
    scenario(
      [[program([{ op: 'stiHlt' }, { op: 'stiRepHlt' }, { op: 'stiNopHlt' }, { op: 'hlt' }], 'waits')]],
      [
        ...every(3_001, 100, { what: 'irq', vcpu: 0, value: 3 }),
        ...every(17_011, 50, { what: 'nmi', vcpu: 0, value: 0 }),
        ...every(5_003, 75, { what: 'kick', vcpu: 0, value: 0 }),
      ],
    ),
    (run) => {
      requireDecisions(run, ['eip', 'sleptThrough', 'wokeSpuriously'])
      requireTimes(run, ['idle', 'busy', 'steal'])
    },
  ),
  exampleLaw(
    'nmi-behind-interrupt',
    'An NMI and an interrupt that come together are both delivered, the NMI first.',
    scenario(
      [[program([{ op: 'stiWork' }, { op: 'stiHlt' }, { op: 'cli' }, { op: 'work', loops: 50 }])]],
      [
        ...every(40_009, 1_000, { what: 'irq', vcpu: 0, value: 4 }),
        ...every(40_009, 1_000, { what: 'nmi', vcpu: 0, value: 0 }),
        ...every(33_013, 1_000, { what: 'irq', vcpu: 0, value: 3 }),
      ],
    ),
    (run) => requireDecisions(run, ['illegalDelivery', 'heldBack', 'priority']),
  ),
  exampleLaw(
    'migration-storm',
    'A monitor that moves again and again, while vcpus sleep, wait and run, loses no cycle.',
    scenario(
      [
        [program([{ op: 'stiHlt' }]), program([{ op: 'work', loops: 300 }, { op: 'stiHlt' }])],
        [program([{ op: 'cliHlt' }])],
      ],
      [
        ...every(9_001, 500, { what: 'migrate', vcpu: 0, value: 0 }),
        ...every(21_011, 900, { what: 'irq', vcpu: 0, value: 3 }),
        ...every(14_009, 700, { what: 'irq', vcpu: 1, value: 5 }),
        ...every(120_007, 300, { what: 'nmi', vcpu: 2, value: 0 }),
      ],
    ),
    (run) => {
      requireConservation(run)
      requireTimes(run, ['idle', 'busy', 'steal'])
    },
  ),
]
