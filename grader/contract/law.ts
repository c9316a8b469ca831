/**
 * A law: a sentence that every right solution obeys, with a generator of cases and a check.
 *
 * A suite is a list of laws. The same law runs under the student's `npm test`, in CI and in the instructor's regrade;
 * only seeds and run counts differ.
 */
import type * as fc from 'fast-check'

/** A difference between what a law asks and what was seen: the heart of a counterexample card. */
export interface Difference {
  /** What was compared, in the lab's words: `idle cycles of vcpu 1 at cycle 4200`. */
  readonly what: string
  readonly expected: string
  readonly actual: string
}

/** Thrown by a law's check when the law does not hold. */
export class Violation extends Error {
  readonly difference: Difference
  /** Lines that lead to the difference (a time line, a trace), the decisive one last. */
  readonly trace: readonly string[]

  constructor(difference: Difference, trace: readonly string[] = []) {
    super(`${difference.what}: expected ${difference.expected}, got ${difference.actual}`)
    this.name = 'Violation'
    this.difference = difference
    this.trace = trace
  }
}

/** What a check gets beside its case. `Subject` is the student's side of the port, `Variant` the lab's parameters. */
export interface LawContext<Subject, Variant> {
  readonly variant: Variant
  /** A fresh instance of the student's code, and what the machine does for it: see `Connect`. */
  connect(operations?: object): Subject
  /** A new empty directory of the host, for labs that grant their student's code one. */
  directory(): string
  /** Adds to a counter that the rubric may put a threshold on, e.g. `count('polls', 3)`. Never reachable by student code. */
  count(counter: string, amount: number): void
}

/** One law of a lab. `Case` must be plain data (numbers, strings, booleans, arrays, records), so that a card can hold it. */
export interface Law<Case, Subject, Variant> {
  /** Stable name, unique in the lab, e.g. `conservation`. Rubrics and mutants name laws by it. */
  readonly id: string
  /** The law in one English sentence: what the student reads. */
  readonly sentence: string
  /** The generator of cases for this variant. */
  cases(variant: Variant): fc.Arbitrary<Case>
  /** How many cases a grading tries: in the student's public suite, and in the hidden one. 1 for a fixed example. */
  readonly runs: { readonly public: number; readonly hidden: number }
  /** Returns when the law holds; throws {@link Violation} when not. A SubjectError from the port passes through. */
  check(testCase: Case, context: LawContext<Subject, Variant>): void
  /** The case for a person: guest program disassembled, schedule as lines. */
  describe(testCase: Case, variant: Variant): readonly string[]
  /** Runs a case step by step for `trapframe replay`: one line a step, `expected` beside `actual`. */
  replay?(testCase: Case, context: LawContext<Subject, Variant>): readonly ReplayStep[]
}

/** One step of a replay: what the machine should have been doing, and what it did with the student's code. */
export interface ReplayStep {
  readonly label: string
  readonly expected: string
  readonly actual: string
  /** What changed in the guest since the step before: registers, flags and memory, `EIP 2015h → 2016h`. */
  readonly changed?: readonly string[]
}

/** A law of any case type, as suites list them. */
// biome-ignore lint/suspicious/noExplicitAny: a suite holds laws of different case types; each checks its own cases
export type AnyLaw<Subject, Variant> = Law<any, Subject, Variant>

/** Names a law's type parameters once and gives the law back. */
export function law<Case, Subject, Variant>(declaration: Law<Case, Subject, Variant>): Law<Case, Subject, Variant> {
  return declaration
}
