import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contextOf } from '../../grader/contract/run-law.ts'
import { expectVariants } from '../../grader/lab/fixtures/expect-variants.ts'
import { create } from '../../reference/cpu/idle.ts'
import { IDLE_VARIANT } from '../../reference/cpu/idle-variant.ts'
import type { HostEvent } from '../../reference/index.ts'
import { hiddenLaws } from './hidden/laws.ts'
import lab from './lab.ts'
import { laws } from './public/laws.ts'
import { eventLine, runScenario } from './public/run-scenario.ts'
import { describeScenario, type Scenario } from './public/scenario.ts'
import { toUnit } from './public/variant.ts'

const context = contextOf(IDLE_VARIANT, create, () => {})

describe('the reference monitor obeys every law', () => {
  it.each([...laws, ...hiddenLaws].map((law) => [law.sentence, law] as const))('%s', (_, law) => {
    fc.assert(
      fc.property(law.cases(IDLE_VARIANT), (testCase) => law.check(testCase, context)),
      { seed: 1, numRuns: 15 },
    )
  })
})

/** What happened in the scenarios of a law. */
function eventsOf(id: string): HostEvent[] {
  const law = laws.find((each) => each.id === id)!
  return fc
    .sample(law.cases(IDLE_VARIANT), { seed: 3, numRuns: 40 })
    .flatMap((scenario) => runScenario(scenario, context).events)
}

describe('the scenarios reach what their laws are about', () => {
  it.each<[string, string, (event: HostEvent) => boolean]>([
    [
      'pending-at-hlt',
      'a HLT in the shadow of STI with an interrupt waiting',
      ({ what, view }) => what === 'halted' && view?.interruptShadow === true && view.interruptPending,
    ],
    ['behind-hlt', 'a HLT with a prefix', ({ what, view }) => what === 'halted' && view?.instructionLength === 2],
    [
      'masked-sleeps-on',
      'a kick with IF clear and an interrupt waiting',
      ({ what, view }) => what === 'kicked' && view?.interruptFlag === false && view.interruptPending,
    ],
    [
      'wakes',
      'an NMI that wakes',
      ({ what, view, answer }) => what === 'kicked' && view?.nmiPending === true && answer === 'wake',
    ],
    [
      'delivery',
      'an NMI and an interrupt at once',
      ({ what, view }) => what === 'entering' && view?.nmiPending === true && view.interruptPending,
    ],
    ['delivery', 'a window', ({ answer }) => answer === 'window'],
    ['nested-halts', 'a HLT in an NMI handler', ({ what, view }) => what === 'halted' && view?.nmiBlocked === true],
    ['smp-independence', 'the fourth vcpu halting', ({ what, vcpu }) => what === 'halted' && vcpu === 3],
    [
      'idle-exact',
      'a tick of the timer that wakes, no device of the scenario',
      ({ what, answer, at }) => what === 'kicked' && answer === 'wake' && at > 0,
    ],
    ['guest-reads', 'a question', ({ what }) => what === 'asked'],
  ])('%s: %s', (id, _, wanted) => {
    expect(eventsOf(id).filter(wanted).length).toBeGreaterThan(0)
  })

  it('user-hlt: a HLT at CPL 3 is no exit, and the guest survives it', () => {
    const scenario: Scenario = {
      pcpus: 1,
      vms: [[{ ops: [{ op: 'userHlt' }, { op: 'ask' }], isr: 'plain', nmi: 'plain' }]],
      quantum: 20_000,
      clockBase: '0',
      events: [],
      horizon: 100_000,
    }
    const { events, counters } = runScenario(scenario, context)
    expect(counters.hltExits).toBe(0)
    expect(events.filter(({ what }) => what === 'asked').length).toBeGreaterThan(5)
    expect(events.every(({ what }) => what !== 'shutdown')).toBe(true)
  })
})

describe('a scenario', () => {
  it('runs the same way each time', () => {
    const scenario = fc.sample(laws[0]!.cases(IDLE_VARIANT), { seed: 11, numRuns: 20 })
    for (const each of scenario) {
      expect(runScenario(each, context).events.map(eventLine)).toEqual(runScenario(each, context).events.map(eventLine))
    }
  })

  it('is told to a person line by line, and is plain data', () => {
    for (const law of laws) {
      for (const scenario of fc.sample(law.cases(IDLE_VARIANT), { seed: 5, numRuns: 5 })) {
        expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario)
        expect(describeScenario(scenario, IDLE_VARIANT).join('\n')).not.toContain('undefined')
      }
    }
  })
})

describe('the variants', () => {
  it('count time in whole units, rounded down', () => {
    expect(toUnit(3_799_999_999n, 'nanoseconds')).toBe(999_999_999n)
    expect(toUnit(3_800n, 'microseconds')).toBe(1n)
    expect(toUnit(3_799n, 'microseconds')).toBe(0n)
    expect(toUnit(12n, 'cycles')).toBe(12n)
  })

  it('are what the schema allows, and a seed can reach every value', () => {
    expectVariants(lab, { unit: 3, scope: 2, place: 2, halves: 2, pollCycles: 4 })
  })
})
