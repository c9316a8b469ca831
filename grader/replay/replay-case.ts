/** Runs a case twice: once for the law's own steps, where it has some, and once for the verdict. */
import type { AnyLaw, ReplayStep } from '../contract/law.ts'
import type { Connect } from '../contract/port.ts'
import { type Breach, contextOf, tryCase } from '../contract/run-law.ts'
import { GraderFailure } from '../failures.ts'
import type { Variant } from '../variant.ts'

export interface Replayed {
  /** Empty when the law has none, or when the student's code broke off. */
  readonly steps: readonly ReplayStep[]
  /** Why the case does not hold; undefined when it does. */
  readonly breach: Breach | undefined
}

/** @throws GraderFailure when the case is none of this law's, or the law itself is at fault */
export function replayCase(
  law: AnyLaw<object, Variant>,
  variant: Variant,
  connect: Connect<object>,
  testCase: unknown,
): Replayed {
  try {
    const breach = tryCase(law, variant, connect, testCase)
    return { steps: stepsOf(law, variant, connect, testCase, breach), breach }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new GraderFailure(`The law "${law.id}" cannot run this case: ${why}`, { cause: error })
  }
}

function stepsOf(
  law: AnyLaw<object, Variant>,
  variant: Variant,
  connect: Connect<object>,
  testCase: unknown,
  breach: Breach | undefined,
): readonly ReplayStep[] {
  if (law.replay === undefined) return []
  const codeBrokeOff = breach !== undefined && breach.kind !== 'failed'
  try {
    return law.replay(
      testCase,
      contextOf(variant, connect, () => {}),
    )
  } catch (error) {
    if (codeBrokeOff) return []
    throw error
  }
}
