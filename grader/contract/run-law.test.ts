import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Law, type LawContext, law, Violation } from './law.ts'
import { NotWritten } from './not-written.ts'
import { SubjectError, type SubjectFailure } from './port.ts'
import { checkCase, checkLaw, runLaw, tryCase } from './run-law.ts'

type Subject = { ok(value: number): boolean }
type Check = (testCase: number[], context: LawContext<Subject, null>) => void

const small = (check: Check): Law<number[], Subject, null> =>
  law({
    id: 'small',
    sentence: 'Every number is small.',
    cases: () => fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }),
    runs: { public: 50, hidden: 50 },
    check,
    describe: (testCase) => testCase.map((value) => `ok(${value})`),
  })
const honest = small((testCase, { connect, count }) => {
  const subject = connect()
  for (const value of testCase) {
    count('calls', 1)
    if (!subject.ok(value)) {
      throw new Violation({ what: `ok(${value})`, expected: 'true', actual: 'false' }, ['a line', 'the last'])
    }
  }
})
const below = (limit: number) => () => ({ ok: (value: number) => value < limit })
const failing = (failure: SubjectFailure) => () => ({
  ok: (): boolean => {
    throw new SubjectError(failure, 'ok', 'it did not work', 'src/x.ts:3')
  },
})
const options = { seed: 7, runs: 50 }

describe('runLaw', () => {
  it('holds only after every case has run, and counts what they counted', () => {
    const outcome = runLaw(honest, null, below(2000), options)
    expect(outcome).toMatchObject({ verdict: 'held', runs: 50, shrinkChecks: 0 })
    expect(outcome.counterexample).toBeUndefined()
    expect(outcome.counters.get('calls')).toBeGreaterThanOrEqual(50)
  })

  it('finds the smallest case, the same for the same seed, without counting what shrinking did', () => {
    const outcome = runLaw(honest, null, below(500), options)
    expect(outcome.verdict).toBe('failed')
    expect(outcome.counterexample).toMatchObject({
      case: [500],
      description: ['ok(500)'],
      trace: ['a line', 'the last'],
    })
    expect(outcome.runs).toBeLessThan(50)
    expect(outcome.counters.get('calls')).toBeLessThanOrEqual(outcome.runs * 20)
    expect(runLaw(honest, null, below(500), options)).toEqual(outcome)
  })

  it('never checks more than it was allowed while shrinking', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(500), fc.integer(), (maxShrinks, limit, seed) => {
        let checks = 0
        const counted = small((testCase, context) => {
          checks++
          honest.check(testCase, context)
        })
        const outcome = runLaw(counted, null, below(limit), { seed, runs: 50, maxShrinks })
        expect(outcome.shrinkChecks).toBeLessThanOrEqual(maxShrinks)
        expect(checks).toBe(outcome.runs + outcome.shrinkChecks)
      }),
      { seed: 5, numRuns: 40 },
    )
  })

  it('keeps to one kind of failure while shrinking', () => {
    const both = () => ({
      ok(value: number): boolean {
        if (value > 900) throw new SubjectError('threw', 'ok', 'too large')
        return value < 100
      },
    })
    for (let seed = 0; seed < 20; seed++) {
      const { verdict, counterexample } = runLaw(honest, null, both, { seed, runs: 50 })
      expect(verdict).toBe(runLaw(honest, null, both, { seed, runs: 50, maxShrinks: 0 }).verdict)
      expect(Math.max(...(counterexample!.case as number[]))).toBe(verdict === 'threw' ? 901 : 100)
    }
  })

  it('tells what became of the student’s code, and where', () => {
    for (const failure of ['threw', 'badAnswer', 'notWritten'] as const) {
      const { verdict, counterexample, shrinkChecks } = runLaw(honest, null, failing(failure), options)
      expect([verdict, counterexample!.at, counterexample!.difference.actual]).toEqual([
        failure,
        'src/x.ts:3',
        'it did not work',
      ])
      if (failure === 'notWritten') expect(shrinkChecks).toBe(0)
    }
  })

  it('passes on what is a mistake of the lab, and owns up to cases that did not run', () => {
    const mistaken = small(() => {
      throw new TypeError('a mistake')
    })
    expect(() => runLaw(mistaken, null, below(1), options)).toThrow(new TypeError('a mistake'))
    const picky = small(() => fc.pre(false))
    expect(() => runLaw(picky, null, below(1), options)).toThrow('The law "small" ran 0 of 50 cases')
  })
})

describe('checkLaw and checkCase', () => {
  const messageOf = (run: () => void): string => {
    try {
      run()
    } catch (error) {
      return String(error)
    }
    return ''
  }

  it('fail a test with the card’s text', () => {
    const text = `LawBroken: Every number is small.

ok(500)

ok(500):
  expected: true
  actual:   false

a line
the last`
    expect(messageOf(() => checkLaw(honest, null, below(500), options))).toBe(text)
    expect(messageOf(() => checkCase(honest, null, below(500), [500]))).toBe(text)
  })

  it('pass when the law holds', () => {
    checkLaw(honest, null, below(2000), options)
    checkCase(honest, null, below(500), [499])
    expect(tryCase(honest, null, below(500), [499])).toBeUndefined()
  })

  it('say of a method that is not written only that, and where', () => {
    const unwritten = () => ({
      ok: (): boolean => {
        const { message } = new NotWritten('ok', 'Compare.')
        throw new SubjectError('notWritten', 'ok', message, 'src/x.ts:9')
      },
    })
    expect(messageOf(() => checkLaw(honest, null, unwritten, options))).toBe(
      'NotWritten: ok is not written yet. Compare.\nat src/x.ts:9',
    )
  })
})
