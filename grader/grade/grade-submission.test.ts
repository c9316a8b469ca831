import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnyLab } from '../contract/lab.ts'
import { law } from '../contract/law.ts'
import { GraderFailure } from '../failures.ts'
import { projectRoot } from '../project-root.ts'
import { canonicalJson, digestOf } from '../result/digest.ts'
import type { Result } from '../result/result.ts'
import { loadRubric } from '../rubric/rubric.ts'
import { hiddenSeed } from '../seeds.ts'
import { prepareSubmission } from '../submission/prepare.ts'
import { mutantFiles, solutionFiles } from '../submission/solution-files.ts'
import { drawVariant } from '../variant.ts'
import { type CounterVariant, counterLab, independence, limit, sum } from './fixtures/counter-lab.ts'
import type { Counter } from './fixtures/counter-port.ts'
import { type GradeOptions, gradeSubmission, type Progress } from './grade-submission.ts'
import { lawSeed } from './run-suites.ts'

const SEED = 'abc'
const most = (drawVariant(counterLab, SEED) as CounterVariant).limit
const rubric = loadRubric(counterLab, join(projectRoot(), 'grader/grade/fixtures/counter.yaml'))
const options: GradeOptions = { rubric, variantSeed: SEED, suites: 'both', version: '1.2.3' }

/** A whole entry file with these lines as body of the class. */
const entry = (body: string) => `
import type { Counter } from '../platform/grader/grade/fixtures/counter-port.ts'
class Mine implements Counter {
  sum = 0
${body}
}
export function create(): Counter { return new Mine() }
`
const prepare = (text: string) => prepareSubmission(counterLab, new Map([['src/counter.ts', text]]))
const right = `  add(amount: number) { this.sum = Math.min(${most}, this.sum + amount) }
  total() { return this.sum }`
const lawOf = (result: Result, id: string, suite = 'public') =>
  result.laws.find((law) => law.id === id && law.suite === suite)!

describe('gradeSubmission', () => {
  it('gives the reference all points in every variant, and each of its mutants fewer, in the item that it names', async () => {
    for (const variantSeed of ['a', 'b', 'c']) {
      const drawn = drawVariant(counterLab, variantSeed)
      const solution = await prepareSubmission(counterLab, solutionFiles(counterLab, drawn))
      expect(solution.diagnostics).toEqual([])
      const result = gradeSubmission(counterLab, solution, { ...options, variantSeed })
      expect([result.outcome, result.points, result.maxPoints]).toEqual(['graded', 100, 100])
      expect(result.laws.every(({ runs, owed }) => runs === owed)).toBe(true)
      for (const mutant of counterLab.mutants) {
        const files = mutantFiles(counterLab, drawn, mutant)
        const wrong = await prepareSubmission(counterLab, files, { typeCheck: false })
        const marked = gradeSubmission(counterLab, wrong, { ...options, variantSeed })
        const item = marked.items.find(({ id }) => id === mutant.item)!
        expect(item.points).toBeLessThan(item.maxPoints)
      }
    }
  })

  it('gives the same digest for the same seed, and another for another hidden seed', async () => {
    const submission = await prepare(entry(right.replace('this.sum + amount', 'this.sum + amount + 1')))
    const first = gradeSubmission(counterLab, submission, { ...options, hiddenSeed: 'a' })
    const again = gradeSubmission(counterLab, submission, { ...options, hiddenSeed: 'a' })
    const other = gradeSubmission(counterLab, submission, { ...options, hiddenSeed: 'b' })
    expect(again.digest).toBe(first.digest)
    expect({ ...again, timing: first.timing }).toEqual(first)
    expect(other.digest).not.toBe(first.digest)
    expect(other.points).toBe(first.points)
  })

  it('shows the smallest case in a card that says what differs and how to see it again', async () => {
    const submission = await prepare(
      entry('  add(amount: number) { this.sum += amount }\n  total() { return this.sum }'),
    )
    const result = gradeSubmission(counterLab, submission, options)
    const { card, verdict } = lawOf(result, 'limit')
    expect(verdict).toBe('failed')
    const amounts = card!.case as number[]
    expect(amounts.reduce((all, amount) => all + amount)).toBe(most + 1)
    const json = JSON.stringify(amounts)
    expect(card).toMatchObject({
      id: 'limit-1',
      description: [...amounts.map((amount) => `add(${amount})`), 'total()'],
      difference: { what: 'the total', expected: `${most}`, actual: `${most + 1}` },
      replay: `trapframe replay --lab counter --seed abc --law limit --case '${json}'`,
    })
    expect(card!.test).toContain(`checkCase("limit", ${json})`)
    expect(result.items.map(({ id, points }) => [id, points])).toEqual([
      ['sums', 50],
      ['limits', 10],
      ['efficiency', 0],
    ])
    expect(result.items[2]!.reason).toBe('No points before all points of the item "limits".')
  })

  it('tells a method that is not written, an error of the student with its line, and an answer that is not allowed', async () => {
    const skeleton = `
import { NotWritten } from '../platform/grader/contract/not-written.ts'
import type { Counter } from '../platform/grader/grade/fixtures/counter-port.ts'
export function create(): Counter {
  return {
    add() {
      throw new NotWritten('add', 'Add, but never beyond the limit.')
    },
    total: () => 1.5,
  }
}
`
    const unwritten = gradeSubmission(counterLab, await prepare(skeleton), options)
    expect(unwritten.points).toBe(0)
    expect(lawOf(unwritten, 'sum')).toMatchObject({ verdict: 'notWritten', card: { at: 'src/counter.ts:7' } })
    expect(unwritten.items[0]!.reason).toBe('Not written yet: sum.')
    const wrong = skeleton.replace("throw new NotWritten('add', 'Add, but never beyond the limit.')", '')
    const badAnswer = gradeSubmission(counterLab, await prepare(wrong), options)
    expect(lawOf(badAnswer, 'sum').verdict).toBe('badAnswer')
    expect(lawOf(badAnswer, 'sum').card!.difference.actual).toMatch(/^total gave 1\.5: /)
    const throwing = wrong.replace('total: () => 1.5', 'total: () => Date.now()')
    const threw = lawOf(gradeSubmission(counterLab, await prepare(throwing), options), 'sum')
    expect(threw).toMatchObject({ verdict: 'threw', card: { at: 'src/counter.ts:9' } })
    expect(threw.card!.difference.actual).toContain('Date.now is not available')
  })

  it('tells nothing of the hidden seed: neither it, nor a law’s own, nor anything made of them where all is well', async () => {
    const submission = await prepare(entry(right))
    const seeds = [hiddenSeed('key', 'counter', 'alice'), hiddenSeed('key', 'counter', 'bob')]
    const [first, second] = seeds.map((seed) =>
      gradeSubmission(counterLab, submission, { ...options, hiddenSeed: seed }),
    )
    expect(second!.digest).toBe(first!.digest)
    const wrong = await prepare(entry(right.replace('this.sum + amount', 'this.sum + amount + 1')))
    const text = canonicalJson(gradeSubmission(counterLab, wrong, { ...options, hiddenSeed: seeds[0]! }))
    for (const { id } of counterLab.suites.hidden) expect(text).not.toContain(String(lawSeed(seeds[0]!, id)))
    for (let at = 0; at + 8 <= seeds[0]!.length; at++) expect(text).not.toContain(seeds[0]!.slice(at, at + 8))
  })

  it('grades a submission that does not compile: no points, the compiler’s message, the student’s line', async () => {
    const submission = await prepare(entry(right.replace('return this.sum', 'return this.summ')))
    const result = gradeSubmission(counterLab, submission, options)
    expect([result.outcome, result.points, result.maxPoints]).toEqual(['doesNotCompile', 0, 100])
    const message = "TS2551: Property 'summ' does not exist on type 'Mine'. Did you mean 'sum'?"
    expect(result.diagnostics).toEqual([{ file: 'src/counter.ts', line: 6, column: 25, message }])
    expect(result.laws.every(({ verdict }) => verdict === 'notRun')).toBe(true)
  })

  it('gives an advisory mark from the public suite alone', async () => {
    const result = gradeSubmission(counterLab, await prepare(entry(right)), { ...options, suites: 'public' })
    expect([result.kind, result.points, result.maxPoints]).toEqual(['advisory', 90, 90])
  })

  it('costs no more checks for a wrong solution than for a right one, the grant apart', async () => {
    let checks = 0
    const counted = { ...counterLab, suites: { public: [], hidden: [] } } as AnyLab
    const counting = [sum, limit, independence].map((one) => ({
      ...one,
      check(testCase: never, context: never) {
        checks++
        one.check(testCase, context)
      },
    }))
    const lab = { ...counted, suites: { public: counting.slice(0, 2), hidden: counting } } as AnyLab
    const count = async (body: string) => {
      checks = 0
      gradeSubmission(lab, await prepare(entry(body)), { ...options, budget: { grantedShrinks: 10 } })
      return checks
    }
    const cost = await count(right)
    for (const body of [
      '  add(amount: number) { this.sum += amount }\n  total() { return this.sum }',
      '  add(amount: number) { this.sum += amount > 900 ? 0 : amount }\n  total() { return this.sum }',
      '  add() {}\n  total() { return 0 }',
    ]) {
      expect(await count(body)).toBeLessThanOrEqual(cost + 10)
    }
  })

  it('reports each law once, in order', async () => {
    const seen: Progress[] = []
    gradeSubmission(counterLab, await prepare(entry(right)), {
      ...options,
      onProgress: (progress) => seen.push(progress),
    })
    expect(seen.map(({ done, of, law }) => `${done}/${of} ${law.suite} ${law.id}`)).toEqual([
      '1/5 public sum',
      '2/5 public limit',
      '3/5 hidden sum',
      '4/5 hidden limit',
      '5/5 hidden independence',
    ])
  })
})

describe('a pass is earned', () => {
  const withLaw = (extra: object) =>
    ({ ...counterLab, suites: { public: [{ ...sum, ...extra }, limit], hidden: [independence] } }) as AnyLab
  const grade = async (lab: AnyLab) => gradeSubmission(lab, await prepare(entry(right)), options)

  it('fails the grading, not the student, when a law holds for code that answers nothing', async () => {
    await expect(grade(withLaw({ check: () => {} }))).rejects.toThrow(
      new GraderFailure('The law "sum" holds for code that answers nothing, so it can give no points.'),
    )
  })

  it('fails the grading when a law runs fewer cases than it owes', async () => {
    const picky = withLaw({
      check(testCase: number[], context: never) {
        fc.pre(testCase.length > 1_000)
        sum.check(testCase, context)
      },
    })
    await expect(grade(picky)).rejects.toThrow(/ran 0 of 20 cases/)
  })

  it('fails the grading when a law breaks off by a mistake of its own', async () => {
    const calls = law<number, Counter, CounterVariant>({
      ...independence,
      check: (testCase, { connect }) => {
        connect().add(-testCase)
      },
    })
    const lab = { ...counterLab, suites: { public: [sum, limit], hidden: [independence] } }
    const broken = { ...lab, suites: { public: [sum, limit], hidden: [calls] } } as AnyLab
    await expect(grade(broken)).rejects.toThrow(/independence/)
  })
})

describe('the digest', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        const turned = Object.fromEntries(Object.entries(record).reverse())
        expect(canonicalJson(turned)).toBe(canonicalJson(record))
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('leaves itself and the times out', async () => {
    const result = gradeSubmission(counterLab, await prepare(entry(right)), options)
    expect(digestOf({ ...result, timing: { cpuMs: 1, wallMs: 2 }, digest: 'x' } as Result)).toBe(result.digest)
    expect(digestOf({ ...result, points: 1 })).not.toBe(result.digest)
  })
})
