/**
 * The canary: a subject that answers nothing. Every law must fail against it in every grading; one that holds would
 * hold for anybody, so there is no mark then.
 */
import type { AnyLaw } from '../contract/law.ts'
import { type Connect, type Port, SubjectError } from '../contract/port.ts'
import { runLaw } from '../contract/run-law.ts'
import { GraderFailure } from '../failures.ts'
import type { Variant } from '../variant.ts'

/** A law's first cases may be too small to call anything; it gets this many. */
const MAX_CASES = 20

/** @throws GraderFailure naming the first law that holds against the canary */
export function checkCanary(
  laws: readonly { readonly law: AnyLaw<object, Variant>; readonly runs: number; readonly seed: number }[],
  port: Port<object, object>,
  variant: Variant,
): void {
  const connect = canary(port)
  for (const { law, runs, seed } of laws) {
    const outcome = runLaw(law, variant, connect, { seed, runs: Math.min(runs, MAX_CASES), maxShrinks: 0 })
    if (outcome.verdict === 'held') {
      throw new GraderFailure(`The law "${law.id}" holds for code that answers nothing, so it can give no points.`)
    }
  }
}

function canary(port: Port<object, object>): Connect<object> {
  const methods = Object.keys(port.events).map((name) => [
    name,
    () => {
      throw new SubjectError('threw', name, 'the canary answers nothing')
    },
  ])
  return () => Object.fromEntries(methods) as object
}
