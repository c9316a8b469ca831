/**
 * What confinement costs: the reference solution of a lab graded in this process and confined, in turn, with CPU times
 * of both and their ratio; the start of a subject; and one call across the border.
 *
 * `npm run bench:grading [-- LAB]`.
 */
import { z } from 'zod'
import { detectConfinement } from '../grader/confine/detect.ts'
import type { Port } from '../grader/contract/port.ts'
import { gradeSubmission } from '../grader/grade/grade-submission.ts'
import { loadLab } from '../grader/lab/load-lab.ts'
import { loadRubric } from '../grader/rubric/rubric.ts'
import { subjectKit } from '../grader/subject/kit.ts'
import { openProcess } from '../grader/subject/open-subject.ts'
import { prepareSubmission } from '../grader/submission/prepare.ts'
import { solutionFiles } from '../grader/submission/solution-files.ts'
import { drawVariant } from '../grader/variant.ts'

const SEED = 'bench'
const ROUNDS = 5
const CALLS = 20_000

const lab = await loadLab(process.argv[2] ?? 'hlt-idle')
const rubric = loadRubric(lab)
const files = solutionFiles(lab, drawVariant(lab, SEED))
const confinement = detectConfinement()

async function cpuSeconds(trusted: boolean): Promise<number> {
  const submission = await prepareSubmission(lab, files, { trusted, typeCheck: false, confinement })
  const { points, maxPoints, timing } = gradeSubmission(lab, submission, { rubric, variantSeed: SEED, suites: 'both' })
  if (points !== maxPoints) throw new Error(`The reference scores ${points} of ${maxPoints}.`)
  return timing.cpuMs / 1_000
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
const here: number[] = []
const confined: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  here.push(await cpuSeconds(true))
  confined.push(await cpuSeconds(false))
}
const ratios = here.map((seconds, round) => confined[round]! / seconds)
process.stdout.write(`${lab.id}, both suites, median of ${ROUNDS}, confined by ${confinement.layers.join(', ')}\n`)
process.stdout.write(`  in this process  ${median(here).toFixed(2)} CPU s\n`)
process.stdout.write(`  confined         ${median(confined).toFixed(2)} CPU s, ${median(ratios).toFixed(2)} times\n`)

const port = {
  events: { echo: { args: z.tuple([z.int()]), result: z.int() } },
  operations: {},
} as unknown as Port<object, object>
const code = 'exports.create = () => ({ echo: (n) => n })'
const kit = await subjectKit()
const starts: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  const started = performance.now()
  const running = openProcess(kit, { port, code, locate: () => undefined, grants: undefined }, confinement)
  const probe = running.load()() as { echo(n: number): number }
  starts.push(performance.now() - started)
  if (round === ROUNDS - 1) {
    const before = performance.now()
    for (let n = 0; n < CALLS; n++) probe.echo(n)
    const micros = ((performance.now() - before) * 1_000) / CALLS
    process.stdout.write(`a call across the border and back  ${micros.toFixed(0)} µs\n`)
  }
  running.close()
}
process.stdout.write(`start of a subject, to its first answer  ${median(starts).toFixed(0)} ms\n`)
