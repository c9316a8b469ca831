/** How the laws look at a play: the first thing that a law does not allow becomes its violation, with the time line to it. */
import { type ReplayStep, Violation } from '../../../grader/contract/law.ts'
import type { Player } from './run-script.ts'
import { type Rule, TRACE_LINES, type World } from './world.ts'

/** Throws at the first problem of one of these kinds. */
export function requireRules({ problems, log }: Pick<World, 'problems' | 'log'>, rules: readonly Rule[]): void {
  const problem = problems.find(({ rule }) => rules.includes(rule))
  if (problem === undefined) return
  const { what, expected, actual, at } = problem
  const trace = log.slice(Math.max(0, at - TRACE_LINES), at)
  throw new Violation({ what, expected, actual }, trace.at(-1)?.startsWith('▶') === true ? trace : [...trace, '▶ here'])
}

/** Throws when the guest did not receive what arrived, or its receiver ran over. */
export function requireInput({ world }: Player): void {
  const { guest } = world
  if (guest.overrun) {
    throw new Violation({ what: 'LSR.OE of the guest', expected: '0', actual: '1' }, world.log.slice(-TRACE_LINES))
  }
  if (world.in.owed + world.unread === 0) return
  const expected = world.in.owed > 0 ? world.in.next : `${world.unread} bytes that are still in the pipe`
  throw new Violation(
    { what: 'what the guest receives', expected, actual: 'nothing more' },
    world.log.slice(-TRACE_LINES),
  )
}

/** A play as the steps of a replay: a line each, the first wrong one with what was expected. */
export function replaySteps({ problems, log }: Pick<World, 'problems' | 'log'>): ReplayStep[] {
  return log.map((label, index) => {
    const problem = problems.find(({ at }) => at === index + 1)
    return { label, expected: problem?.expected ?? '', actual: problem?.actual ?? '' }
  })
}
