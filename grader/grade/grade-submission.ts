/** Grades a prepared submission: both suites, the rubric, and the result document with its digest. */
import type { Drawing } from '../contract/drawing.ts'
import type { GradedLab } from '../contract/lab.ts'
import { GraderFailure } from '../failures.ts'
import { type Deterministic, digestOf } from '../result/digest.ts'
import { type Confinement, type LawResult, RESULT_SCHEMA, type Result, resultSchema } from '../result/result.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { maximum, score } from '../rubric/score.ts'
import { DEFAULT_COURSE_KEY, hiddenSeed, publicSeed } from '../seeds.ts'
import { drawVariant } from '../variant.ts'
import { checkCanary } from './canary.ts'
import { drawingsOf } from './drawings.ts'
import type { PreparedSubmission, RunningSubmission } from './prepared-submission.ts'
import { type Budget, notRun, owedLaws, runSuites, type SuiteContext, type SuiteOutcome } from './run-suites.ts'

export interface GradeOptions {
  readonly rubric: Rubric
  /** Names the variant that the submission is graded as. */
  readonly variantSeed: string
  /** `public` makes an advisory mark; `both` the full one. */
  readonly suites: 'public' | 'both'
  /** Decides the hidden cases; without it, made from the default course key. */
  readonly hiddenSeed?: string
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
  const seeds = { public: publicSeed(lab.id) }
  const hidden = options.hiddenSeed ?? hiddenSeed(DEFAULT_COURSE_KEY, lab.id, variantSeed)
  const owed = owedLaws(lab, rubric, options.suites === 'both' ? { ...seeds, hidden } : seeds)
  const replay = options.replay ?? `trapframe replay --lab ${lab.id} --seed ${variantSeed}`
  let done = 0
  const onLaw = (law: LawResult) => options.onProgress?.({ done: ++done, of: owed.length, law })
  const context = { lab, variant, replay, owed, budget: options.budget ?? {}, onLaw }
  const { laws, counters, drawings, confinement, cpuMs } =
    submission.outcome === 'graded' ? run(submission.open(), context) : { ...NOTHING_RUN, laws: notRun(owed) }
  const scored = score(rubric, laws, counters)
  const result: Deterministic = {
    schema: RESULT_SCHEMA,
    lab: { id: lab.id, title: lab.title },
    variant: { seed: variantSeed, parameters: variant as Result['variant']['parameters'] },
    seeds,
    kind: options.suites === 'both' ? 'full' : 'advisory',
    submission: submission.identity,
    outcome: submission.outcome,
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
    ...(drawings.length === 0 ? {} : { drawings: [...drawings] }),
    confinement,
    timing: {
      cpuMs: Math.round((cpu.user + cpu.system) / 1000) + cpuMs,
      wallMs: Math.round(performance.now() - started.wall),
    },
  })
}

interface Run extends SuiteOutcome {
  readonly drawings: readonly Drawing[]
  readonly confinement: Confinement
  /** Processor time outside of this process. */
  readonly cpuMs: number
}

const NOTHING_RUN = { counters: [], drawings: [], confinement: { layers: [], missing: [] }, cpuMs: 0 }

/** Runs the canary and then the suites. No mark is made before the submission's processes are gone. */
function run(running: RunningSubmission, context: SuiteContext): Run {
  try {
    checkCanary(context.owed, running.canary(), context.variant)
    const outcome = runSuites(running, context)
    const drawings = drawingsOf(context.lab, context.variant, () => running.load())
    return { ...outcome, drawings, confinement: running.confinement ?? NOTHING_RUN.confinement, cpuMs: running.cpuMs() }
  } finally {
    running.close()
  }
}

function checked(result: Result): Result {
  const parsed = resultSchema.safeParse(result)
  if (parsed.success) return result
  const { path, message } = parsed.error.issues[0]!
  throw new GraderFailure(`The result does not fit its own schema at ${path.map(String).join('.')}: ${message}`)
}
