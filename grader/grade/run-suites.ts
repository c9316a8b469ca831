/**
 * Runs a lab's laws, suite by suite. A failed law ends at its first failing case; what it saved pays for shrinking, so
 * that a wrong solution costs no more than a right one.
 */
import { createHash } from 'node:crypto'
import type { GradedLab } from '../contract/lab.ts'
import type { AnyLaw } from '../contract/law.ts'
import type { Connect } from '../contract/port.ts'
import { type LawOutcome, type RunOptions, runLaw } from '../contract/run-law.ts'
import { GraderFailure } from '../failures.ts'
import type { LawResult } from '../result/result.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import type { Variant } from '../variant.ts'
import { makeCard } from './card.ts'
import type { RunningSubmission } from './prepared-submission.ts'

export type SuiteName = LawResult['suite']

/** One law of one suite as a grading owes it. */
export interface OwedLaw {
  readonly suite: SuiteName
  readonly law: AnyLaw<object, Variant>
  readonly item: string
  readonly runs: number
  readonly seed: number
}

export interface SuiteSeeds {
  readonly public: number
  /** Without it, the hidden suite is not run. */
  readonly hidden?: string
}

/** Limits of what shrinking may cost, in checks. */
export interface Budget {
  /** For all laws together, beyond what failed laws saved; default 100. */
  readonly grantedShrinks?: number
  /** For one law; default 400. */
  readonly maxShrinks?: number
}

export interface SuiteOutcome {
  readonly laws: LawResult[]
  /** What the laws counted: one map for each suite that ran. */
  readonly counters: ReadonlyMap<string, number>[]
}

const DEFAULT_GRANTED_SHRINKS = 100
const DEFAULT_MAX_SHRINKS = 400

/** All laws that a grading owes, the public suite first. */
export function owedLaws(lab: GradedLab, rubric: Rubric, seeds: SuiteSeeds): OwedLaw[] {
  const suite = (name: SuiteName, seed: number | string | undefined): OwedLaw[] =>
    seed === undefined
      ? []
      : lab.suites[name].map((law) => ({
          suite: name,
          law: law as AnyLaw<object, Variant>,
          item: itemOf(rubric, law.id),
          runs: law.runs[name],
          seed: lawSeed(seed, law.id),
        }))
  return [...suite('public', seeds.public), ...suite('hidden', seeds.hidden)]
}

/** What a run of the suites goes by. */
export interface SuiteContext {
  readonly lab: GradedLab
  readonly variant: Variant
  /** The command that cards name, up to its own options. */
  readonly replay: string
  readonly owed: readonly OwedLaw[]
  readonly budget: Budget
  readonly onLaw: (done: LawResult) => void
}

/**
 * Runs every owed law.
 *
 * @throws GraderFailure when a law is at fault, or ran fewer cases than it owed
 */
export function runSuites(
  running: Pick<RunningSubmission, 'load'>,
  { lab, variant, replay, owed, budget, onLaw }: SuiteContext,
): SuiteOutcome {
  const publicLaws = new Set(lab.suites.public.map(({ id }) => id))
  const counters = new Map<SuiteName, Map<string, number>>()
  let shrinksLeft = budget.grantedShrinks ?? DEFAULT_GRANTED_SHRINKS
  const laws = owed.map(({ suite, law, item, runs, seed }) => {
    const savedAtMost = runs - 1
    const maxShrinks = Math.min(budget.maxShrinks ?? DEFAULT_MAX_SHRINKS, shrinksLeft + savedAtMost)
    const outcome = runOwed(law, variant, running.load(), { seed, runs, maxShrinks })
    if (outcome.verdict === 'held' && outcome.runs < runs) {
      throw new GraderFailure(`The law "${law.id}" owed ${runs} cases and ran ${outcome.runs}.`)
    }
    shrinksLeft = Math.max(0, shrinksLeft + (runs - outcome.runs) - outcome.shrinkChecks)
    addCounters(counters, suite, outcome.counters)
    const context = { replay, isPublic: publicLaws.has(law.id) }
    const { counterexample } = outcome
    const result: LawResult = {
      id: law.id,
      suite,
      sentence: law.sentence,
      item,
      verdict: outcome.verdict,
      runs: outcome.runs,
      owed: runs,
      ...(counterexample === undefined ? {} : { card: makeCard(law, counterexample, suite, context) }),
    }
    onLaw(result)
    return result
  })
  return { laws, counters: [...counters.values()] }
}

/** The results of laws that cannot run, because the submission cannot be run. */
export function notRun(owed: readonly OwedLaw[]): LawResult[] {
  return owed.map(({ suite, law, item, runs }) => ({
    id: law.id,
    suite,
    sentence: law.sentence,
    item,
    verdict: 'notRun',
    runs: 0,
    owed: runs,
  }))
}

/** Runs a law. @throws GraderFailure, by the law's name, when the law itself is at fault */
export function runOwed(
  law: AnyLaw<object, Variant>,
  variant: Variant,
  connect: Connect<object>,
  options: RunOptions,
): LawOutcome {
  try {
    return runLaw(law, variant, connect, options)
  } catch (error) {
    if (error instanceof GraderFailure) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new GraderFailure(`The law "${law.id}" broke off: ${why}`, { cause: error })
  }
}

/** Mixes a law's seed from its suite's, so that adding a law changes no other law's cases: a signed 32-bit number. */
export function lawSeed(suiteSeed: number | string, lawId: string): number {
  return createHash('sha256').update(`${suiteSeed}:${lawId}`).digest().readInt32BE(0)
}

function itemOf(rubric: Rubric, law: string): string {
  const item = rubric.items.find(({ laws }) => laws !== undefined && Object.hasOwn(laws, law))
  if (item === undefined) throw new GraderFailure(`No item of the rubric counts the law "${law}".`)
  return item.id
}

function addCounters(
  all: Map<SuiteName, Map<string, number>>,
  suite: SuiteName,
  counted: ReadonlyMap<string, number>,
): void {
  const own = all.get(suite) ?? new Map<string, number>()
  all.set(suite, own)
  for (const [counter, amount] of counted) own.set(counter, (own.get(counter) ?? 0) + amount)
}
