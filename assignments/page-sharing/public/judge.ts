/** How the laws look at a play: the first thing that a law does not allow becomes its violation, with the way to it. */
import { type ReplayStep, Violation } from '../../../grader/contract/law.ts'
import type { Variant } from './variant.ts'
import type { Rule, World } from './world.ts'

/** Throws at the first problem of one of these kinds. */
export function requireRules({ problems }: World, rules: readonly Rule[]): void {
  const problem = problems.find(({ rule }) => rules.includes(rule))
  if (problem === undefined) return
  const { what, expected, actual, trace } = problem
  throw new Violation({ what, expected, actual }, trace)
}

/** Throws unless two figures are equal. */
export function requireEqual(world: World, what: string, expected: number, actual: number): void {
  if (expected !== actual) throw new Violation({ what, expected: `${expected}`, actual: `${actual}` }, world.trace())
}

/**
 * The fewest frames that the pages' contents allow: one for each class of equal pages that are not pinned, and as the variant
 * has it with pages of zeros.
 */
export function fewestFrames({ vms }: World, { zeroPages }: Variant): number {
  const classes = new Set<string>()
  let alone = 0
  for (const { memory, model } of vms.values()) {
    for (const [gfn, page] of model.entries()) {
      if (page === undefined) continue
      const isZero = page.every((byte) => byte === 0)
      if (memory.isPinned(gfn)) alone++
      else if (!isZero || zeroPages === 'ordinary') classes.add(Buffer.from(page).toString('latin1'))
      else if (zeroPages === 'private') alone++
    }
  }
  return classes.size + alone
}

/** A play as the steps of a replay: a line each. */
export function replaySteps({ problems, log }: World): ReplayStep[] {
  return log.map((label, index) => {
    const problem = label.startsWith('▶') ? problems.find(({ what }) => label === `▶ ${what}`) : undefined
    const isFirst = problem !== undefined && log.indexOf(label) === index
    return { label, expected: isFirst ? problem.expected : '', actual: isFirst ? problem.actual : '' }
  })
}
