/** How the lab's laws look at a run: the first thing that a law does not allow becomes its violation. */
import { type ReplayStep, Violation } from '../../../grader/contract/law.ts'
import type { Rule } from '../../../reference/index.ts'
import { eventLine, type Query, type Run, timeLine } from './run-scenario.ts'

/** Throws at the first decision that breaks one of the rules. */
export function requireDecisions(run: Run, rules: readonly Rule[]): void {
  const problem = run.problems.find(({ rule }) => rules.includes(rule))
  if (problem === undefined) return
  const { at, vcpu, expected, actual } = problem
  throw new Violation({ what: `your decision for vcpu ${vcpu} at cycle ${at}`, expected, actual }, timeLine(run, at))
}

/** Throws at the first answer of `times` in which one of these differs from the host's book. */
export function requireTimes(run: Run, names: readonly ('idle' | 'busy' | 'steal')[]): void {
  for (const query of run.queries) {
    const name = names.find((each) => query.told[each] !== query.book[each])
    if (name === undefined) continue
    const { at, vcpu, told, book } = query
    throw new Violation(
      { what: `${name} cycles of vcpu ${vcpu} at cycle ${at}`, expected: `${book[name]}`, actual: `${told[name]}` },
      timeLine(run, at),
    )
  }
}

/** Throws at the first answer of `times` whose three parts do not add up to the time elapsed. */
export function requireConservation(run: Run): void {
  for (const { at, vcpu, told, elapsed } of run.queries) {
    const sum = told.idle + told.busy + told.steal
    if (sum === elapsed) continue
    throw new Violation(
      {
        what: `idle + busy + steal of vcpu ${vcpu} at cycle ${at}`,
        expected: `${elapsed}`,
        actual: `${told.idle} + ${told.busy} + ${told.steal} = ${sum}`,
      },
      timeLine(run, at),
    )
  }
}

/** Throws at the first time of a vcpu that is smaller than it was before. */
export function requireMonotone(run: Run): void {
  const last = new Map<number, Query>()
  for (const query of run.queries) {
    const before = last.get(query.vcpu)
    const name = (['idle', 'busy', 'steal'] as const).find((each) => before && query.told[each] < before.told[each])
    if (before !== undefined && name !== undefined) {
      throw new Violation(
        {
          what: `${name} cycles of vcpu ${query.vcpu} at cycle ${query.at}`,
          expected: `at least ${before.told[name]}, as at cycle ${before.at}`,
          actual: `${query.told[name]}`,
        },
        timeLine(run, query.at),
      )
    }
    last.set(query.vcpu, query)
  }
}

/** A run as steps for `trapframe replay`: each event, and each question for the times. */
export function replaySteps(run: Run): ReplayStep[] {
  const steps = [
    ...run.events.map((event, i) => ({
      at: event.at,
      label: eventLine(event),
      expected: event.problem?.expected ?? event.answer ?? '',
      actual: event.problem?.actual ?? event.answer ?? '',
      changed: run.changes[i] ?? [],
    })),
    ...run.queries.map(({ at, vcpu, told, book }) => ({
      at,
      label: `cycle ${at}: the times of vcpu ${vcpu}`,
      expected: `idle ${book.idle}, busy ${book.busy}, steal ${book.steal}`,
      actual: `idle ${told.idle}, busy ${told.busy}, steal ${told.steal}`,
      changed: [],
    })),
  ]
  return steps.sort((a, b) => a.at - b.at).map(({ at: _, ...step }) => step)
}
