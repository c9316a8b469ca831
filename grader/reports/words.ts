/** What all reports say alike of a result: who lost which points, by which laws, in which words. */
import type { Card, CounterResult, LawResult, Result, Verdict } from '../result/result.ts'

/** A law that did not hold, once, though both suites may have found it. */
export interface Failure {
  readonly id: string
  readonly sentence: string
  readonly item: string
  readonly verdict: Verdict
  readonly suites: readonly LawResult['suite'][]
  readonly card: Card | undefined
}

/** How a verdict reads after the name of a law. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  held: 'held',
  failed: 'does not hold',
  notWritten: 'not written yet',
  threw: 'your code threw an error',
  badAnswer: 'your code gave an answer that the interface does not allow',
  timedOut: 'your code did not come back in time',
  outOfMemory: 'your code used more memory than it may',
  crashed: 'the process of your code ended',
  flooded: 'your code wrote or asked more than it may',
  protocolViolation: 'your code sent what is no answer',
  notRun: 'not run',
}

/** Why a submission was not run, as a heading. */
export const OUTCOME_WORDS: Readonly<Record<Exclude<Result['outcome'], 'graded'>, string>> = {
  doesNotCompile: 'It does not compile, so nothing was run',
  importRefused: 'It imports what this lab does not allow, so nothing was run',
  notReadable: 'It cannot be read as a submission, so nothing was run',
}

/** Said wherever points stand that were made where the student could change the tools. */
export const ADVISORY =
  'This mark is advisory: it comes from the public suite only, in your own repository. The mark of record comes from the course’s own grading, which has more cases.'

/**
 * The laws that ran and did not hold, in the order of the rubric's items; those that only wait for a method to be
 * written come last. A law that failed in both suites stands once, with the public suite's card.
 */
export function failures(result: Result): Failure[] {
  const byLaw = new Map<string, Failure>()
  for (const law of result.laws) {
    if (law.verdict === 'held' || law.verdict === 'notRun') continue
    const known = byLaw.get(law.id)
    if (known === undefined) {
      byLaw.set(law.id, { ...law, suites: [law.suite], card: law.card })
    } else {
      const better = known.verdict === 'notWritten' || known.card === undefined ? law : known
      byLaw.set(law.id, {
        ...known,
        verdict: better.verdict,
        suites: [...known.suites, law.suite],
        card: better.card ?? known.card,
      })
    }
  }
  const itemOrder = new Map(result.items.map((item, index) => [item.id, index]))
  const place = (failure: Failure) =>
    (failure.verdict === 'notWritten' ? result.items.length + 1 : 0) +
    (itemOrder.get(failure.item) ?? result.items.length)
  return [...byLaw.values()].sort((a, b) => place(a) - place(b))
}

/** A method that is not written yet, and the failures that wait for it. */
export interface Unwritten {
  /** `attach is not written yet. Make an account for each vcpu.` */
  readonly message: string
  readonly at: string | undefined
  readonly waiting: readonly Failure[]
}

/** What is not written yet, once for each method that a law stopped at. */
export function unwritten(all: readonly Failure[]): Unwritten[] {
  const byMessage = new Map<string, Failure[]>()
  for (const failure of all) {
    if (failure.verdict !== 'notWritten') continue
    const message = failure.card?.difference.actual ?? failure.sentence
    byMessage.set(message, [...(byMessage.get(message) ?? []), failure])
  }
  return [...byMessage].map(([message, waiting]) => ({ message, at: waiting[0]?.card?.at, waiting }))
}

/** `2 laws wait for it: conservation, monotone`. */
export function waitingInWords(waiting: readonly Failure[]): string {
  const ids = waiting.map(({ id }) => id).join(', ')
  return `${count(waiting.length, 'law')} ${waiting.length === 1 ? 'waits' : 'wait'} for it: ${ids}`
}

/** The counters that mean something: where nothing ran, nothing was counted. */
export function shownCounters(result: Result): readonly CounterResult[] {
  return result.outcome !== 'graded' ? [] : result.counters
}

/** Where a law was found wanting: `public suite`, or both. */
export function suitesInWords(suites: readonly LawResult['suite'][]): string {
  return suites.length > 1 ? 'public and hidden suite' : `${suites[0] ?? 'public'} suite`
}

/** `62 of 100 points`. */
export function pointsInWords(result: Result): string {
  return `${result.points} of ${result.maxPoints} points`
}

/** What was counted against its bounds: `1.5 polls / idle period; all points up to 1, none from 2`. */
export function counterInWords(counter: CounterResult): string {
  const bounds =
    counter.full === counter.zero
      ? `points up to ${formatNumber(counter.full)}`
      : `all points up to ${formatNumber(counter.full)}, none from ${formatNumber(counter.zero)}`
  const gate = counter.gatedBy === undefined ? '' : `; no points before ${counter.gatedBy} has all of its own`
  return `${formatNumber(counter.value)} ${counter.unit}; ${bounds}${gate}`
}

/** At most three decimals, none that say nothing. */
export function formatNumber(value: number): string {
  return String(Math.round(value * 1000) / 1000)
}

/** What confined the student's code, and what was missing: `Confined by process, permission. Without bubblewrap: …` */
export function confinementInWords({ outcome, confinement: { layers, missing } }: Result): string {
  if (outcome !== 'graded') return 'Nothing was run.'
  if (layers.length === 0) return 'The code ran in the process of the grader, not confined.'
  const without = missing.map(({ layer, why }) => `${layer} (${why})`).join(', ')
  return `Confined by ${layers.join(', ')}${without === '' ? '' : `; without ${without}`}.`
}

/** The drawn parameters: `unit = cycles, scope = vm`. */
export function variantInWords(result: Result): string {
  const parameters = Object.entries(result.variant.parameters)
  return parameters
    .map(([name, value]) => `${name} = ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}

/** How many owed cases held: `12 laws, 2400 cases`. */
export function casesInWords(result: Result): string {
  const runs = result.laws.reduce((sum, law) => sum + law.runs, 0)
  const laws = new Set(result.laws.map((law) => law.id)).size
  return `${count(laws, 'law')}, ${count(runs, 'case')}`
}

/** `1 law`, `2 laws`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
