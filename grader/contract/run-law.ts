/**
 * Runs one law against a student's code: the same way under the student's `npm test`, in CI and in a regrade.
 *
 * fast-check makes the cases and shrinks a failing one. Shrinking is bounded by a number of extra checks, so that a
 * wrong solution costs no more than a right one, and keeps to one kind of failure, so that it ends at the same mistake.
 */
import * as fc from 'fast-check'
import { emptyDirectory } from './empty-directory.ts'
import { type AnyLaw, type Difference, type LawContext, Violation } from './law.ts'
import { type Connect, SubjectError, type SubjectFailure } from './port.ts'

export interface RunOptions {
  /** Decides every case; a signed 32-bit number. */
  readonly seed: number
  /** How many cases to try. */
  readonly runs: number
  /** How many further checks shrinking may cost; default 400. */
  readonly maxShrinks?: number
}

/** Why one case does not hold. */
export interface Breach {
  readonly kind: 'failed' | SubjectFailure
  readonly difference: Difference
  readonly trace: readonly string[]
  /** `src/idle.ts:12`, where the student's code threw, when that is known. */
  readonly at: string | undefined
}

export interface Counterexample extends Breach {
  /** The smallest case found. */
  readonly case: unknown
  readonly description: readonly string[]
  /** How often the case was made smaller. */
  readonly shrinks: number
}

export interface LawOutcome {
  /** `held` only when as many cases as asked for ran to their end and held. */
  readonly verdict: 'held' | Breach['kind']
  /** Cases tried, without those of shrinking. */
  readonly runs: number
  /** Checks that shrinking cost. */
  readonly shrinkChecks: number
  /** What the law counted, over the cases tried. */
  readonly counters: ReadonlyMap<string, number>
  readonly counterexample?: Counterexample
}

const DEFAULT_MAX_SHRINKS = 400

/**
 * Tries a law on generated cases.
 *
 * @throws what the law's check throws beside a Violation or a SubjectError: a mistake in the lab, never the student's;
 * Error when fewer cases ran than were asked for
 */
export function runLaw<Subject, Variant>(
  law: AnyLaw<Subject, Variant>,
  variant: Variant,
  connect: Connect<Subject & object>,
  options: RunOptions,
): LawOutcome {
  const maxShrinks = options.maxShrinks ?? DEFAULT_MAX_SHRINKS
  const counters = new Map<string, number>()
  let runs = 0
  let shrinkChecks = 0
  let kept: { breach: Breach; testCase: unknown } | undefined
  let mistake: { error: unknown } | undefined

  const holds = (testCase: unknown): boolean => {
    if (mistake !== undefined) return true
    if (kept === undefined) {
      runs++
    } else {
      if (isFinal(kept.breach.kind) || shrinkChecks >= maxShrinks) return true
      shrinkChecks++
    }
    const counting = kept === undefined
    const context = contextOf(variant, connect, (counter, amount) => {
      if (counting) counters.set(counter, (counters.get(counter) ?? 0) + amount)
    })
    try {
      law.check(testCase, context)
      return true
    } catch (error) {
      if (fc.PreconditionFailure.isFailure(error)) {
        if (counting) runs--
        throw error
      }
      const breach = breachOf(error)
      if (breach === undefined) {
        mistake = { error }
        return false
      }
      if (kept !== undefined && kept.breach.kind !== breach.kind) return true
      kept = { breach, testCase }
      return false
    }
  }

  const details = fc.check(fc.property(law.cases(variant) as fc.Arbitrary<unknown>, holds), {
    seed: options.seed,
    numRuns: options.runs,
    endOnFailure: maxShrinks === 0,
  })
  if (mistake !== undefined) throw mistake.error
  if (kept === undefined) {
    if (details.failed || runs !== options.runs) {
      throw new Error(`The law "${law.id}" ran ${runs} of ${options.runs} cases: too many were thrown away.`)
    }
    return { verdict: 'held', runs, shrinkChecks, counters }
  }
  const counterexample: Counterexample = {
    ...kept.breach,
    case: kept.testCase,
    description: law.describe(kept.testCase, variant),
    shrinks: details.numShrinks,
  }
  return { verdict: kept.breach.kind, runs, shrinkChecks, counters, counterexample }
}

/** True for what a smaller case would not show better: shrinking a case that never ends would take for ever. */
function isFinal(kind: Breach['kind']): boolean {
  return kind !== 'failed' && kind !== 'threw' && kind !== 'badAnswer'
}

/** Tries a law on one case: what a pasted test and `trapframe replay` do. Undefined when the law holds for it. */
export function tryCase<Subject, Variant>(
  law: AnyLaw<Subject, Variant>,
  variant: Variant,
  connect: Connect<Subject & object>,
  testCase: unknown,
): Breach | undefined {
  try {
    law.check(
      testCase,
      contextOf(variant, connect, () => {}),
    )
    return undefined
  } catch (error) {
    const breach = breachOf(error)
    if (breach === undefined) throw error
    return breach
  }
}

/** Fails a test with the law's sentence and its counterexample when the law does not hold. */
export function checkLaw<Subject, Variant>(
  law: AnyLaw<Subject, Variant>,
  variant: Variant,
  connect: Connect<Subject & object>,
  options: RunOptions,
): void {
  const { counterexample } = runLaw(law, variant, connect, options)
  if (counterexample !== undefined) throw lawError(law.sentence, counterexample.description, counterexample)
}

/** Fails a test when the law does not hold for this one case. */
export function checkCase<Subject, Variant>(
  law: AnyLaw<Subject, Variant>,
  variant: Variant,
  connect: Connect<Subject & object>,
  testCase: unknown,
): void {
  const breach = tryCase(law, variant, connect, testCase)
  if (breach !== undefined) throw lawError(law.sentence, law.describe(testCase, variant), breach)
}

/** The context of one check. */
export function contextOf<Subject, Variant>(
  variant: Variant,
  connect: Connect<Subject & object>,
  count: (counter: string, amount: number) => void,
): LawContext<Subject, Variant> {
  return { variant, connect, count, directory: () => emptyDirectory(connect.directory) }
}

/** What a check's error says of the student's code; undefined when it is no verdict but a mistake in the lab. */
function breachOf(error: unknown): Breach | undefined {
  if (error instanceof Violation) {
    return { kind: 'failed', difference: error.difference, trace: error.trace, at: undefined }
  }
  if (error instanceof SubjectError) {
    const difference = {
      what: error.method === 'create' ? 'making your code with create()' : `the call of ${error.method}`,
      expected: 'an answer that the interface allows',
      actual: error.message,
    }
    return { kind: error.failure, difference, trace: [], at: error.at }
  }
  return undefined
}

/** A test failure that reads as a card; its stack would only show the grader. */
function lawError(sentence: string, description: readonly string[], breach: Breach): Error {
  const { what, expected, actual } = breach.difference
  const where = breach.at === undefined ? [] : [`at ${breach.at}`]
  const text =
    breach.kind === 'notWritten'
      ? [actual, ...where]
      : [
          sentence,
          '',
          ...description,
          '',
          `${what}:`,
          `  expected: ${expected}`,
          `  actual:   ${actual}`,
          ...where,
          ...(breach.trace.length > 0 ? ['', ...breach.trace] : []),
        ]
  const error = new Error(text.join('\n'))
  error.name = breach.kind === 'notWritten' ? 'NotWritten' : 'LawBroken'
  error.stack = `${error.name}: ${error.message}`
  return error
}
