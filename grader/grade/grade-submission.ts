/** Grades a prepared submission: both suites, the rubric, and the result document with its digest. */
import type { GradedLab } from '../contract/lab.ts'
import type { Port } from '../contract/port.ts'
import { GraderFailure } from '../failures.ts'
import { type Deterministic, digestOf } from '../result/digest.ts'
import { type LawResult, RESULT_SCHEMA, type Result, resultSchema } from '../result/result.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { maximum, score } from '../rubric/score.ts'
import { DEFAULT_COURSE_KEY, hiddenSeed, publicSeed } from '../seeds.ts'
import { drawVariant } from '../variant.ts'
import { checkCanary } from './canary.ts'
import type { PreparedSubmission } from './prepared-submission.ts'
import { type Budget, notRun, owedLaws, runSuites } from './run-suites.ts'

export interface GradeOptions {
  readonly rubric: Rubric
  /** Names the variant that the submission is graded as. */
  readonly variantSeed: string
  /** `public` makes an advisory mark; `both` the full one. */
  readonly suites: 'public' | 'both'
  /** Decides the hidden cases; without it, made from the default course key. */
  readonly hiddenSeed?: number
  /** The version that the result names as its maker. */
  readonly version?: string
  readonly budget?: Budget
  /** The command that replays a card, up to its own options; default: `trapframe replay` with lab and seed. */
  readonly replay?: string
  /** Called after each law. */
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly done: number
  readonly of: number
  readonly law: LawResult
}

/** @throws GraderFailure when the lab or the grader is at fault; never for anything that the submission does */
export function gradeSubmission(lab: GradedLab, submission: PreparedSubmission, options: GradeOptions): Result {
  const started = { wall: performance.now(), cpu: process.cpuUsage() }
  const { rubric, variantSeed } = options
  const variant = drawVariant(lab, variantSeed)
  const hidden =
    options.suites === 'both' ? (options.hiddenSeed ?? hiddenSeed(DEFAULT_COURSE_KEY, lab.id, variantSeed)) : undefined
  const seeds = { public: publicSeed(lab.id), ...(hidden === undefined ? {} : { hidden }) }
  const owed = owedLaws(lab, rubric, seeds)
  checkCanary(owed, lab.port as Port<object, object>, variant)

  const replay = options.replay ?? `trapframe replay --lab ${lab.id} --seed ${variantSeed}`
  const compiles = submission.diagnostics.length === 0
  let done = 0
  const onLaw = (law: LawResult) => options.onProgress?.({ done: ++done, of: owed.length, law })
  const { laws, counters } = compiles
    ? runSuites(lab, variant, replay, owed, submission, options.budget ?? {}, onLaw)
    : { laws: notRun(owed), counters: [] }
  const scored = score(rubric, laws, counters)
  const result: Deterministic = {
    schema: RESULT_SCHEMA,
    lab: { id: lab.id, title: lab.title },
    variant: { seed: variantSeed, parameters: variant as Result['variant']['parameters'] },
    seeds,
    kind: options.suites === 'both' ? 'full' : 'advisory',
    submission: submission.identity,
    outcome: compiles ? 'graded' : 'doesNotCompile',
    diagnostics: [...submission.diagnostics],
    points: scored.points,
    maxPoints: maximum(scored.items),
    items: scored.items,
    laws,
    counters: scored.counters,
    tools: { trapframe: options.version ?? 'unknown', lab: lab.id },
  }
  const cpu = process.cpuUsage(started.cpu)
  return checked({
    ...result,
    digest: digestOf(result),
    timing: { cpuMs: Math.round((cpu.user + cpu.system) / 1000), wallMs: Math.round(performance.now() - started.wall) },
  })
}

function checked(result: Result): Result {
  const parsed = resultSchema.safeParse(result)
  if (parsed.success) return result
  const { path, message } = parsed.error.issues[0]!
  throw new GraderFailure(`The result does not fit its own schema at ${path.map(String).join('.')}: ${message}`)
}
