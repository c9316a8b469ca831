/** Makes a lab's datasheet by grading everything whose mark is known beforehand. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simpleGit } from 'simple-git'
import type { AnyLab, Mutant } from '../contract/lab.ts'
import { filesBelow } from '../files.ts'
import { gradeSubmission } from '../grade/grade-submission.ts'
import { packageVersion } from '../project-root.ts'
import type { Result, Verdict } from '../result/result.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { starterFiles } from '../starter/starter-files.ts'
import { writeStarter } from '../starter/write-starter.ts'
import { prepareSubmission } from '../submission/prepare.ts'
import { benignFiles, mutantFiles, solutionFiles } from '../submission/solution-files.ts'
import type { Variant } from '../variant.ts'
import { applicable, type ChosenVariant, chooseVariants } from './choose-variants.ts'
import { DATASHEET_SCHEMA, type Datasheet, type Graded } from './datasheet.ts'
import { findLeaks } from './leak-gate.ts'

export interface VerifyOptions {
  /** Variants at least; more when it takes more to see every value. */
  readonly variants: number
  /** Hidden seeds for each grading of the reference and of benign variants. */
  readonly seeds: number
  /** How often the reference is graded again, confined, with the same seeds. */
  readonly repeats: number
  /** On how many variants each mutant is graded. */
  readonly variantsPerMutant: number
  readonly onProgress?: (what: string) => void
}

/** Verdicts of code that did not come back by itself. */
const ENDED: ReadonlySet<Verdict> = new Set(['timedOut', 'outOfMemory', 'crashed', 'flooded', 'protocolViolation'])

/** Hidden seeds of verification: fresh ones for each, and the same on every machine. */
const FIRST_HIDDEN_SEED = 1_000

type Files = ReadonlyMap<string, string>

class Verifier {
  readonly problems: string[] = []
  /** Gradings that were made confined as well. */
  readonly confined = { same: 0, different: 0 }
  readonly #lab: AnyLab
  readonly #rubric: Rubric
  readonly #onProgress: (what: string) => void

  constructor(lab: AnyLab, rubric: Rubric, onProgress: (what: string) => void) {
    this.#lab = lab
    this.#rubric = rubric
    this.#onProgress = onProgress
  }

  /**
   * Grades the project's own code in this process; with `confined`, the way a stranger's code is graded, which must
   * come to the same.
   */
  async grade(files: Files, variant: string, hiddenSeed: number, what: string, confined = false): Promise<Result> {
    this.#onProgress(`${what}, variant ${variant}, seed ${hiddenSeed}${confined ? ', confined' : ''}`)
    const submission = await prepareSubmission(this.#lab, files, { typeCheck: false, trusted: !confined })
    return gradeSubmission(this.#lab, submission, {
      rubric: this.#rubric,
      variantSeed: variant,
      suites: 'both',
      hiddenSeed: `verify-${hiddenSeed}`,
      version: packageVersion(),
      budget: { grantedShrinks: 0, maxShrinks: 0 },
    })
  }

  /**
   * Grades confined, and unless the code was ended for it, which nobody could do here, in this process too; both must come
   * to the same digest.
   */
  async gradeBothWays(files: Files, variant: string, hiddenSeed: number, what: string): Promise<Result> {
    const confined = await this.grade(files, variant, hiddenSeed, what, true)
    if (confined.laws.some(({ verdict }) => ENDED.has(verdict))) return confined
    const result = await this.grade(files, variant, hiddenSeed, what)
    if (confined.digest === result.digest) this.confined.same++
    else {
      this.confined.different++
      this.problems.push(
        `The ${what} is graded otherwise when it is confined, on variant ${variant}, hidden seed ${hiddenSeed}: ${result.points} and ${confined.points} points.`,
      )
    }
    return result
  }

  /** Gradings that must all be 100 %. */
  async mustScoreAll(
    what: string,
    variants: readonly ChosenVariant[],
    seeds: number,
    files: (parameters: Variant) => Files,
  ): Promise<Graded[]> {
    const gradings: Graded[] = []
    for (const [i, { seed, parameters }] of variants.entries()) {
      for (let n = 0; n < seeds; n++) {
        const hiddenSeed = FIRST_HIDDEN_SEED + n
        const grade = i === 0 && n === 0 ? this.gradeBothWays : this.grade
        const result = await grade.call(this, files(parameters), seed, hiddenSeed, what)
        const grading = graded(result, hiddenSeed)
        gradings.push(grading)
        if (result.points < result.maxPoints) {
          const [message] = result.diagnostics
          const laws = message?.message ?? (grading.killedBy.join(', ') || 'counters')
          this.problems.push(`The ${what} loses points on variant ${seed}, hidden seed ${hiddenSeed}: ${laws}.`)
        }
      }
    }
    return gradings
  }

  async mustLose(mutant: Mutant, variants: readonly ChosenVariant[], seeds: number): Promise<Graded[]> {
    const gradings: Graded[] = []
    for (const [i, { seed, parameters }] of variants.entries()) {
      for (let n = 0; n < (i === 0 ? seeds : 1); n++) {
        const files = mutantFiles(this.#lab, parameters, mutant)
        const hiddenSeed = FIRST_HIDDEN_SEED + n
        const what = `mutant ${mutant.id}`
        const result =
          i === 0 && n === 0
            ? await this.gradeBothWays(files, seed, hiddenSeed, what)
            : await this.grade(files, seed, hiddenSeed, what, true)
        const grading = graded(result, hiddenSeed)
        gradings.push(grading)
        if (result.outcome !== 'graded') {
          this.problems.push(`The mutant ${mutant.id} does not compile: ${result.diagnostics[0]?.message ?? ''}.`)
        } else if (!grading.lost.includes(mutant.item)) {
          this.problems.push(
            `The mutant ${mutant.id} loses nothing in "${mutant.item}" on variant ${seed}, hidden seed ${grading.hiddenSeed}; it scores ${grading.points}.`,
          )
        }
      }
    }
    return gradings
  }
}

/** Grades the reference, the starter, all mutants and benign variants, and looks for leaks. */
export async function verifyLab(lab: AnyLab, rubric: Rubric, options: VerifyOptions): Promise<Datasheet> {
  const verifier = new Verifier(lab, rubric, options.onProgress ?? (() => {}))
  const { problems } = verifier
  const variants = chooseVariants(lab, options.variants)
  const first = variants[0]!

  const reference = await verifier.mustScoreAll('reference', variants, options.seeds, (parameters) =>
    solutionFiles(lab, parameters),
  )
  const repeated = await repeatGradings(lab, verifier, first, options.repeats)
  if (repeated.different > 0) problems.push(`${repeated.different} gradings of the same seed gave another digest.`)

  const { leaks, points } = await verifyStarter(lab, rubric, verifier, first.seed)
  for (const { file, text } of leaks) problems.push(`The starter's ${file} holds a part of the solution: ${text}`)
  if (points !== lab.baseline) {
    problems.push(`The untouched starter scores ${points}, and the lab says that it scores ${lab.baseline}.`)
  }

  const mutants: Datasheet['mutants'][number][] = []
  for (const mutant of lab.mutants as readonly Mutant[]) {
    const applies = (mutant.appliesTo ?? (() => true)) as (parameters: Variant) => boolean
    const on = applicable(lab, variants, applies).slice(0, options.variantsPerMutant)
    const gradings = await verifier.mustLose(mutant, on, options.seeds)
    mutants.push({ id: mutant.id, item: mutant.item, story: mutant.story, gradings })
  }

  const benign: Datasheet['benign'][number][] = []
  for (const variant of lab.benign) {
    const gradings = await verifier.mustScoreAll(
      `benign variant ${variant.id}`,
      variants.slice(0, options.variantsPerMutant),
      1,
      (parameters) => benignFiles(lab, parameters, variant),
    )
    benign.push({ id: variant.id, story: variant.story, gradings })
  }

  const copies: Datasheet['copies'][number][] = []
  for (const [i, from] of variants.slice(0, -1).entries()) {
    const to = variants[i + 1]!
    const result = await verifier.grade(
      solutionFiles(lab, from.parameters),
      to.seed,
      FIRST_HIDDEN_SEED,
      'copied solution',
    )
    copies.push({ from: from.seed, to: to.seed, points: result.points })
    if (result.points === result.maxPoints) {
      problems.push(`The solution of ${from.seed} loses nothing when it is handed in for ${to.seed}.`)
    }
  }

  const items = rubric.items.map(({ id }) => ({
    id,
    kills: mutants.filter(({ gradings }) => gradings.some(({ lost }) => lost.includes(id))).map((mutant) => mutant.id),
    alone: mutants
      .filter(({ gradings }) => gradings.every(({ lost }) => lost.length === 1 && lost[0] === id))
      .map((mutant) => mutant.id),
  }))
  for (const { id, kills } of items)
    if (kills.length === 0) problems.push(`No mutant loses points in the item "${id}".`)

  return {
    schema: DATASHEET_SCHEMA,
    lab: lab.id,
    version: packageVersion(),
    maxPoints: rubric.points,
    variants,
    reference,
    starter: { points, baseline: lab.baseline },
    mutants,
    items,
    benign,
    repeated,
    confined: verifier.confined,
    copies,
    leaks,
    problems,
  }
}

/** What a grading of the datasheet keeps. An item that only waits for others has not caught anything itself. */
function graded(result: Result, hiddenSeed: number): Graded {
  return {
    variant: result.variant.seed,
    hiddenSeed,
    points: result.points,
    lost: result.items.filter((item) => losesByItself(result, item)).map(({ id }) => id),
    killedBy: [...new Set(result.laws.filter(({ verdict }) => verdict !== 'held').map(({ id }) => id))],
  }
}

function losesByItself(result: Result, { id, points, maxPoints }: Result['items'][number]): boolean {
  if (points === maxPoints) return false
  const law = result.laws.some(({ item, verdict }) => item === id && verdict !== 'held')
  return law || result.counters.some(({ item, value, full }) => item === id && value > full)
}

async function repeatGradings(
  lab: AnyLab,
  verifier: Verifier,
  { seed, parameters }: ChosenVariant,
  repeats: number,
): Promise<Datasheet['repeated']> {
  const files = solutionFiles(lab, parameters)
  const { digest } = await verifier.grade(files, seed, FIRST_HIDDEN_SEED, 'reference again')
  let same = 0
  for (let n = 0; n < repeats; n++) {
    const what = `reference again, ${n + 1} of ${repeats}`
    if ((await verifier.grade(files, seed, FIRST_HIDDEN_SEED, what, true)).digest === digest) same++
  }
  return { same, different: repeats - same }
}

/** Makes a real starter, grades its skeleton, and reads all of its tree; its history must be one commit. */
async function verifyStarter(
  lab: AnyLab,
  rubric: Rubric,
  verifier: Verifier,
  seed: string,
): Promise<{ leaks: Datasheet['leaks']; points: number }> {
  const { files, skeleton, stripped } = starterFiles(lab, rubric, seed)
  const folder = mkdtempSync(join(tmpdir(), 'trapframe-verify-'))
  try {
    await writeStarter(files, folder, 'Starter')
    const commits = await simpleGit(folder).raw('rev-list', '--all', '--count')
    if (commits.trim() !== '1') verifier.problems.push(`The starter's history has ${commits.trim()} commits, not one.`)
    const leaks = findLeaks(stripped, readTree(folder))
    const { points } = await verifier.grade(skeleton, seed, FIRST_HIDDEN_SEED, 'untouched starter')
    return { leaks, points }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The texts of a repository's work tree. */
function readTree(folder: string): Map<string, string> {
  const paths = filesBelow(folder).filter((path) => !path.startsWith('.git/'))
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
}
