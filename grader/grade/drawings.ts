/** The pictures of what a submission does, for its report. They are shown and decide nothing. */
import type { Drawing } from '../contract/drawing.ts'
import type { GradedLab } from '../contract/lab.ts'
import { Violation } from '../contract/law.ts'
import { type Connect, SubjectError } from '../contract/port.ts'
import { contextOf } from '../contract/run-law.ts'
import { GraderFailure } from '../failures.ts'
import type { Variant } from '../variant.ts'

/**
 * What the lab draws; nothing when it draws nothing, or when the code broke off.
 * @throws GraderFailure when the lab itself is at fault
 */
export function drawingsOf(lab: GradedLab, variant: Variant, load: () => Connect<object>): readonly Drawing[] {
  if (lab.explain === undefined) return []
  try {
    return lab.explain(contextOf(variant, load(), () => {}))
  } catch (error) {
    if (error instanceof SubjectError || error instanceof Violation) return []
    const why = error instanceof Error ? error.message : String(error)
    throw new GraderFailure(`The lab "${lab.id}" could not draw: ${why}`, { cause: error })
  }
}
