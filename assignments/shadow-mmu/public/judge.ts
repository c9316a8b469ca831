/** How the laws look at a play: the first thing that a law does not allow becomes its violation, with the time line to it. */
import { type ReplayStep, Violation } from '../../../grader/contract/law.ts'
import { type Machine, type Rule, TRACE_LINES } from './machine.ts'

/** Throws at the first problem of one of these kinds. */
export function requireRules({ problems, log }: Pick<Machine, 'problems' | 'log'>, rules: readonly Rule[]): void {
  const problem = problems.find(({ rule }) => rules.includes(rule))
  if (problem === undefined) return
  const { what, expected, actual, at } = problem
  throw new Violation({ what, expected, actual }, log.slice(Math.max(0, at - TRACE_LINES), at))
}

/** A play as the steps of a replay: a line each, the first wrong one with what was expected. */
export function replaySteps({ problems, log }: Pick<Machine, 'problems' | 'log'>): ReplayStep[] {
  return log.map((label, index) => {
    const problem = problems.find(({ at }) => at === index + 1)
    return { label, expected: problem?.expected ?? '', actual: problem?.actual ?? '' }
  })
}
