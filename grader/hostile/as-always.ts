/** Grades a source just as `trapframe grade` does: read, prepare, grade. What hostile code is up against is no less. */
import type { AnyLab } from '../contract/lab.ts'
import { gradeSubmission } from '../grade/grade-submission.ts'
import type { Result } from '../result/result.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { prepareSubmission, refusedSubmission } from '../submission/prepare.ts'
import { readSubmission } from '../submission/read-submission.ts'
import type { SubmissionSource } from '../submission/source.ts'

export interface Marking {
  readonly lab: AnyLab
  readonly rubric: Rubric
  readonly variantSeed: string
}

export interface Graded {
  readonly result: Result
  /** Processor time of all of it, reading and compiling too, in ms. */
  readonly cpuMs: number
}

/** Attacks meet shrinking too, but one that fails every law would pay for it with the time of a right solution. */
const BUDGET = { grantedShrinks: 30, maxShrinks: 10 }

export async function gradeAsAlways(
  { lab, rubric, variantSeed }: Marking,
  source: SubmissionSource,
  suites: 'public' | 'both',
): Promise<Graded> {
  const started = process.cpuUsage()
  const read = await readSubmission(lab, source)
  const submission = read.kind === 'read' ? await prepareSubmission(lab, read.files) : refusedSubmission(read.reason)
  const { user, system } = process.cpuUsage(started)
  const result = gradeSubmission(lab, submission, { rubric, variantSeed, suites, budget: BUDGET })
  return { result, cpuMs: Math.round((user + system) / 1000) + result.timing.cpuMs }
}
