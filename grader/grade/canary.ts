/**
 * The canary: a subject that answers nothing, run the way that the submission is run. Every law must fail against it in
 * every grading; one that holds would hold for anybody, so there is no mark then.
 */
import type { AnyLaw } from '../contract/law.ts'
import type { Connect } from '../contract/port.ts'
import { GraderFailure } from '../failures.ts'
import type { Variant } from '../variant.ts'
import { runOwed } from './run-suites.ts'

/** A law's first cases may be too small to call anything; it gets this many. */
const MAX_CASES = 20

/**
 * @param connect connects to code that answers nothing
 * @throws GraderFailure naming the first law that holds against the canary
 */
export function checkCanary(
  laws: readonly { readonly law: AnyLaw<object, Variant>; readonly runs: number; readonly seed: number }[],
  connect: Connect<object>,
  variant: Variant,
): void {
  for (const { law, runs, seed } of laws) {
    const outcome = runOwed(law, variant, connect, { seed, runs: Math.min(runs, MAX_CASES), maxShrinks: 0 })
    if (outcome.verdict === 'held') {
      throw new GraderFailure(`The law "${law.id}" holds for code that answers nothing, so it can give no points.`)
    }
  }
}
