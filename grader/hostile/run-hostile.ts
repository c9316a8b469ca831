/** Runs the corpus against a lab: each entry is graded as always, and judged by how it ended and what it left behind. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyLab } from '../contract/lab.ts'
import { WrongUse } from '../failures.ts'
import { writeTree } from '../files.ts'
import { plainLine } from '../reports/plain.ts'
import type { Result } from '../result/result.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import type { SubmissionSource } from '../submission/source.ts'
import { drawVariant } from '../variant.ts'
import { type Graded, gradeAsAlways, type Marking } from './as-always.ts'
import { CORPUS } from './corpus.ts'
import type { Family, HandedIn, Hostile } from './hostile.ts'
import { makeKit } from './kit.ts'
import { ESCAPED } from './plunder.ts'
import { allReports, reportProblems } from './report-check.ts'
import { Surroundings } from './surroundings.ts'

export interface HostileOptions {
  /** Only this family or entry. */
  readonly only?: string
  /** The submissions; default: the whole corpus. */
  readonly corpus?: readonly Hostile[]
  readonly onProgress?: (done: number, of: number, entry: Hostile) => void
}

/** How one entry ended. */
export interface Ended {
  readonly id: string
  readonly family: Family
  readonly tries: string
  /** The submission's outcome, or that the grader itself failed. */
  readonly outcome: string
  readonly points: number
  /** How many laws ended in each verdict. */
  readonly verdicts: Readonly<Record<string, number>>
  /** It got hold of the process that ran it. What it reached from there, if anything, is a problem of its own. */
  readonly escaped: boolean
  /** What the student is told of it: the first sentence; empty when there is nothing to say. */
  readonly says: string
  readonly cpuMs: number
  /** What did not end as it must, a sentence each. */
  readonly problems: readonly string[]
}

interface HonestPoints {
  readonly right: number
  readonly wrong: number
}

export interface HostileReport {
  readonly lab: string
  readonly maxPoints: number
  /** Points of honest code, right and wrong: what attacks are held against. */
  readonly honest: HonestPoints
  /** The layers that confined it. */
  readonly layers: readonly string[]
  readonly ended: readonly Ended[]
  readonly problems: readonly string[]
}

type Suites = 'public' | 'both'

/** The variant of the lab that attacks are graded as. */
const VARIANT_SEED = 'hostile'

/** @throws WrongUse when `only` names no family and no entry */
export async function runHostile(lab: AnyLab, rubric: Rubric, options: HostileOptions = {}): Promise<HostileReport> {
  const entries = chosen(options.corpus ?? CORPUS, options.only)
  const marking = { lab, rubric, variantSeed: VARIANT_SEED }
  const surroundings = await Surroundings.open()
  try {
    const kit = makeKit(lab, drawVariant(lab, VARIANT_SEED), surroundings.bait)
    const honest = async (files: ReadonlyMap<string, string>, suites: Suites) => {
      const source = handIn({ kind: 'files', files }, join(surroundings.submissions, 'honest'))
      return (await gradeAsAlways(marking, source, suites)).result
    }
    const right = await honest(kit.right, 'both')
    const wrong = await honest(kit.wrong, 'both')
    const points = {
      both: { right: right.points, wrong: wrong.points },
      public: {
        right: (await honest(kit.right, 'public')).points,
        wrong: (await honest(kit.wrong, 'public')).points,
      },
    }
    const problems = honestProblems(right, wrong)
    const ended: Ended[] = []
    await surroundings.traces()
    for (const entry of problems.length > 0 ? [] : entries) {
      options.onProgress?.(ended.length, entries.length, entry)
      ended.push(await run(entry, entry.submission(kit), marking, points[entry.suites ?? 'both'], surroundings))
    }
    return {
      lab: lab.id,
      maxPoints: right.maxPoints,
      honest: points.both,
      layers: right.confinement.layers,
      ended,
      problems: [...problems, ...ended.flatMap((each) => each.problems.map((problem) => `${each.id}: ${problem}`))],
    }
  } finally {
    await surroundings.close()
  }
}

function chosen(corpus: readonly Hostile[], only: string | undefined): readonly Hostile[] {
  if (only === undefined) return corpus
  const entries = corpus.filter(({ id, family }) => id === only || family === only)
  if (entries.length > 0) return entries
  const families = [...new Set(corpus.map(({ family }) => family))].join(', ')
  throw new WrongUse(`The hostile corpus has no family and no entry "${only}". The families are ${families}.`)
}

/** Attacks can only be held against honest code if that is right and wrong indeed; else none is graded. */
function honestProblems(right: Result, wrong: Result): string[] {
  const problems: string[] = []
  if (right.points < right.maxPoints) {
    problems.push(
      `The reference itself scores ${right.points} of ${right.maxPoints} (${told(right) || right.outcome}), so no attack was graded.`,
    )
  }
  if (wrong.points * 2 > wrong.maxPoints) {
    problems.push(
      `Code that answers the least that the port allows scores ${wrong.points} of ${wrong.maxPoints}, so no attack was graded: there is little to gain.`,
    )
  }
  return problems
}

async function run(
  entry: Hostile,
  handedIn: HandedIn,
  marking: Marking,
  honest: HonestPoints,
  surroundings: Surroundings,
): Promise<Ended> {
  const { id, family, tries } = entry
  const place = join(surroundings.submissions, id)
  let graded: Graded | undefined
  let failure = ''
  try {
    graded = await gradeAsAlways(marking, handIn(handedIn, place), entry.suites ?? 'both')
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  rmSync(place, { recursive: true, force: true })
  const left = (await surroundings.traces()).map((trace) => `It left ${trace}.`)
  const ended = { id, family, tries, points: graded?.result.points ?? 0, cpuMs: graded?.cpuMs ?? 0 }
  if (graded === undefined) {
    const problems = [`The grader itself failed, so there is no mark: ${failure}`, ...left]
    return { ...ended, outcome: 'grader failed', verdicts: {}, escaped: false, says: '', problems }
  }
  const { result } = graded
  const reports = allReports(result)
  const texts = [JSON.stringify(result), ...Object.values(reports)]
  const stolen = texts.some((text) => text.includes(surroundings.bait.mark))
  return {
    ...ended,
    outcome: result.outcome,
    verdicts: verdictCounts(result),
    escaped: texts.some((text) => text.includes(ESCAPED)),
    says: plainLine(told(result), SAID),
    problems: [
      ...endProblems(entry, result, honest),
      ...(stolen ? ['What it must not know stands in its result.'] : []),
      ...reportProblems(reports).map((problem) => `The student’s text comes through: ${problem}.`),
      ...left,
    ],
  }
}

/** What of the expectation does not hold, a sentence each. */
function endProblems({ expect }: Hostile, result: Result, honest: HonestPoints): string[] {
  const problems: string[] = []
  if (!expect.outcomes.includes(result.outcome)) {
    problems.push(`It must end in ${expect.outcomes.join(' or ')}, and ended in ${result.outcome}.`)
  }
  const [least, most] = {
    none: [0, 0],
    atMostWrong: [0, honest.wrong],
    atMostRight: [0, honest.right],
    all: [honest.right, honest.right],
  }[expect.points] as [number, number]
  if (result.points > most) problems.push(`It may have ${most} points at most, and has ${result.points}.`)
  if (result.points < least) problems.push(`It must keep all ${least} points, and has ${result.points}.`)
  const verdicts = Object.keys(verdictCounts(result))
  const { verdicts: allowed, some } = expect
  const others = allowed === undefined ? [] : verdicts.filter((verdict) => !allowed.includes(verdict))
  if (others.length > 0)
    problems.push(`Its laws must end in ${allowed?.join(' or ')}, and some ended in ${others.join(', ')}.`)
  if (some !== undefined && !verdicts.includes(some)) {
    problems.push(`Some law must end in ${some}, and all ended in ${verdicts.join(', ')}.`)
  }
  return problems
}

/** How much of a sentence a table shows. */
const SAID = { columns: 160, lines: 1 }

/** The first sentence that a student reads of what went wrong. */
function told({ diagnostics, laws }: Result): string {
  const card = laws.find((law) => law.card !== undefined)?.card
  return diagnostics[0]?.message ?? card?.difference.actual ?? ''
}

function verdictCounts({ laws }: Result): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { verdict } of laws) counts[verdict] = (counts[verdict] ?? 0) + 1
  return counts
}

/** Lays out what is handed in, at `place`. */
function handIn(handedIn: HandedIn, place: string): SubmissionSource {
  if (handedIn.kind === 'archive') {
    writeFileSync(place, handedIn.bytes)
    return { archive: place }
  }
  mkdirSync(place, { recursive: true })
  if (handedIn.kind === 'repository') return { repository: place, revision: handedIn.build(place) }
  if (handedIn.kind === 'directory') handedIn.build(place)
  else writeTree(place, handedIn.files)
  return { directory: place }
}
