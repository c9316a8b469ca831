/** `trapframe demo`: the main job in one command. It makes a starter and grades three submissions of it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { AnyLab, Mutant } from '../../contract/lab.ts'
import { GraderFailure } from '../../failures.ts'
import { writeFileAtomically } from '../../files.ts'
import { gradeSubmission } from '../../grade/grade-submission.ts'
import { packageVersion } from '../../project-root.ts'
import { renderHtml, renderTerminal } from '../../reports/index.ts'
import type { Result } from '../../result/result.ts'
import type { Rubric } from '../../rubric/rubric-schema.ts'
import { starterFiles } from '../../starter/starter-files.ts'
import { writeStarter } from '../../starter/write-starter.ts'
import { prepareSubmission } from '../../submission/prepare.ts'
import { mutantFiles, solutionFiles } from '../../submission/solution-files.ts'
import { drawVariant } from '../../variant.ts'
import type { LabSource } from '../labs.ts'
import { progressLine, type Streams, wantsColour } from '../terminal.ts'

interface DemoFlags {
  readonly out: string
  readonly seed: string
}

const LAB = 'hlt-idle'
/** A mistake that good students make. */
const PLAUSIBLE_MUTANT = 'lost-wake-up'

export function addDemoCommand(program: Command, labs: LabSource, streams: Streams): void {
  program
    .command('demo')
    .description('make a starter, grade it untouched, a plausible wrong submission and a right one, and write a page')
    .option(
      '--out <dir>',
      'where the starter and the page go; what an earlier demo left there is replaced',
      '.trapframe/demo',
    )
    .option('--seed <seed>', 'the variant', 'demo')
    .action((flags: DemoFlags) => demo(flags, labs, streams))
}

async function demo({ out: folder, seed }: DemoFlags, labs: LabSource, { out, err, env }: Streams): Promise<void> {
  const lab = await labs.load(LAB)
  const rubric = labs.rubric(lab)
  const line = progressLine(err)
  const starterFolder = join(folder, 'starter')
  const { files, skeleton } = starterFiles(lab, rubric, seed)
  rmSync(starterFolder, { recursive: true, force: true })
  await writeStarter(files, starterFolder, `Starter: ${lab.title}, variant ${seed}`)
  out.write(`Starter of "${lab.title}", variant ${seed}: ${starterFolder} (${files.size} files)\n\n`)

  const submissions = submissionsOf(lab, skeleton, seed)
  const graded: { title: string; result: Result }[] = []
  for (const [i, { title, sources }] of submissions.entries()) {
    const step = `${i + 1}/${submissions.length} ${title}`
    line.show(`${step}: compiling …`)
    const result = await grade(lab, rubric, seed, sources, (law) => line.show(`${step}: ${law}`))
    line.clear()
    graded.push({ title, result })
    out.write(`${title}\n${'='.repeat(title.length)}\n`)
    out.write(renderTerminal(result, { colour: wantsColour(out, env), columns: out.columns }))
    out.write('\n')
  }
  const page = join(folder, 'report.html')
  writeFileAtomically(page, renderHtml(graded))
  for (const { title, result } of graded)
    out.write(`${`${result.points}`.padStart(4)} / ${result.maxPoints}  ${title}\n`)
  out.write(`\nAll three reports on one page: ${page}\n`)
}

/** The untouched starter, a wrong solution and the reference, as files of `src/`. */
function submissionsOf(
  lab: AnyLab,
  skeleton: ReadonlyMap<string, string>,
  seed: string,
): { title: string; sources: ReadonlyMap<string, string> }[] {
  const variant = drawVariant(lab, seed)
  const mutant = (lab.mutants as readonly Mutant[]).find(({ id }) => id === PLAUSIBLE_MUTANT)
  if (mutant === undefined) throw new GraderFailure(`The lab ${lab.id} has no mutant ${PLAUSIBLE_MUTANT} for the demo.`)
  return [
    { title: 'The untouched starter', sources: skeleton },
    { title: 'A wrong submission', sources: mutantFiles(lab, variant, mutant) },
    { title: 'A right submission', sources: solutionFiles(lab, variant) },
  ]
}

async function grade(
  lab: AnyLab,
  rubric: Rubric,
  seed: string,
  sources: ReadonlyMap<string, string>,
  onLaw: (id: string) => void,
): Promise<Result> {
  const submission = await prepareSubmission(lab, sources)
  return gradeSubmission(lab, submission, {
    rubric,
    variantSeed: seed,
    suites: 'both',
    version: packageVersion(),
    onProgress: ({ law }) => onLaw(law.id),
  })
}
