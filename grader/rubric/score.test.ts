import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LawResult, Verdict } from '../result/result.ts'
import type { Rubric, RubricCounter } from './rubric-schema.ts'
import { score } from './score.ts'

const counter: RubricCounter = {
  counter: 'polls',
  per: 'periods',
  title: 'polls per idle period',
  unit: 'polls',
  full: 1,
  zero: 3,
  curve: 'linear',
  points: 10,
}
const rubricWith = (changes: Partial<RubricCounter> = {}): Rubric => ({
  lab: 'x',
  points: 40,
  items: [
    { id: 'right', title: 'Right', points: 30, laws: { a: 20, b: 10 } },
    { id: 'fast', title: 'Fast', points: 10, requires: ['right'], counters: [{ ...counter, ...changes }] },
  ],
})
const law = (id: string, verdict: Verdict, suite: LawResult['suite'] = 'public'): LawResult => ({
  id,
  suite,
  sentence: id,
  item: 'right',
  verdict,
  runs: 1,
  owed: 1,
})
const counts = (polls: number, periods = 10) => new Map(Object.entries({ polls, periods }))
const held = [law('a', 'held'), law('b', 'held')]
const pointsOf = (rubric: Rubric, laws: LawResult[], suites: Map<string, number>[]) =>
  score(rubric, laws, suites).items.map(({ points, maxPoints }) => `${points}/${maxPoints}`)

describe('score', () => {
  it('gives a law its points only when it holds in every suite', () => {
    expect(pointsOf(rubricWith(), held, [counts(10)])).toEqual(['30/30', '10/10'])
    const hidden = [...held, law('a', 'failed', 'hidden'), law('b', 'held', 'hidden')]
    expect(pointsOf(rubricWith(), hidden, [counts(10)])).toEqual(['10/30', '0/10'])
  })

  it('leaves a law out that no suite ran', () => {
    expect(pointsOf(rubricWith(), [law('b', 'held')], [counts(10)])).toEqual(['10/10', '10/10'])
  })

  it('gates an item by those that it requires, and says so', () => {
    const { items, counters } = score(rubricWith(), [law('a', 'held'), law('b', 'threw')], [counts(10)])
    expect(items[0]!.reason).toBe('This law does not hold: b; 1 of 2 laws hold.')
    expect(items[1]!.reason).toBe('No points before all points of the item "right".')
    expect(counters[0]).toMatchObject({ value: 1, points: 0, gatedBy: 'right' })
  })

  it('follows the curve in whole points, and the worst suite decides', () => {
    const at = (polls: number[], changes?: Partial<RubricCounter>) =>
      score(
        rubricWith(changes),
        held,
        polls.map((value) => counts(value)),
      ).counters[0]!.points
    expect([0, 10, 11, 20, 29, 30, 99].map((polls) => at([polls]))).toEqual([10, 10, 9, 5, 0, 0, 0])
    expect(at([10, 20])).toBe(5)
    expect([10, 11].map((polls) => at([polls], { curve: 'step' }))).toEqual([10, 0])
  })

  it('never gives more for a larger count', () => {
    const polls = fc.integer({ min: 0, max: 60 })
    fc.assert(
      fc.property(polls, polls, fc.constantFrom('linear' as const, 'step' as const), (one, other, curve) => {
        const at = (value: number) => score(rubricWith({ curve }), held, [counts(value)]).points
        expect(at(Math.max(one, other))).toBeLessThanOrEqual(at(Math.min(one, other)))
      }),
      { seed: 4, numRuns: 100 },
    )
  })

  it('gives nothing where nothing was counted', () => {
    const { items } = score(rubricWith(), held, [new Map(), counts(0, 0)])
    expect(items[1]).toMatchObject({ points: 0, maxPoints: 10 })
    expect(items[1]!.reason).toBe('Polls per idle period: nothing was counted, so there is nothing to give points for.')
  })
})
