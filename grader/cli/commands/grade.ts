/** `trapframe grade SUBMISSION`: grades a student's tree and reports the mark with its reasons. */
import { type Command, Option } from 'commander'
import { detectConfinement } from '../../confine/detect.ts'
import { LEVELS, type Level, missingFor } from '../../confine/layer.ts'
import { WrongUse } from '../../failures.ts'
import { requireWritable, writeFileAtomically } from '../../files.ts'
import { gradeSubmission } from '../../grade/grade-submission.ts'
import { packageVersion } from '../../project-root.ts'
import { renderHtml, renderMarkdown, renderTerminal } from '../../reports/index.ts'
import { DEFAULT_COURSE_KEY, hiddenSeed } from '../../seeds.ts'
import { readPlainFile } from '../../submission/plain-file.ts'
import { prepareSubmission, refusedSubmission } from '../../submission/prepare.ts'
import { readSubmission } from '../../submission/read-submission.ts'
import { sourceAt } from '../../submission/source.ts'
import { drawVariant } from '../../variant.ts'
import { printableJson } from '../json.ts'
import { chooseLab, type LabSource } from '../labs.ts'
import { progressLine, type Streams, wantsColour } from '../terminal.ts'

interface GradeFlags {
  readonly commit?: string
  readonly lab?: string
  readonly seed?: string
  readonly json?: boolean
  readonly out?: string
  readonly html?: string
  readonly markdown?: string
  readonly publicOnly?: boolean
  readonly key?: string
  readonly student?: string
  readonly requireConfinement?: Level
}

export function addGradeCommand(program: Command, labs: LabSource, streams: Streams): void {
  program
    .command('grade')
    .description(
      "grade a student's submission: points for each rubric item, and a counterexample for each law that fails",
    )
    .argument(
      '<submission>',
      'a directory, a .zip, .tar or .tar.gz, or with --commit a git repository; only the files that the lab lets a student change are read',
    )
    .option('--commit <revision>', 'grade this commit of the repository, whatever its work tree holds')
    .option('--lab <lab>', 'the lab; default: as trapframe.json of the submission says')
    .option('--seed <seed>', 'the variant; default: as trapframe.json of the submission says')
    .option('--json', 'print the result document instead of the report')
    .option('--out <file>', 'write the result document to a file')
    .option('--html <file>', 'write the report as a web page')
    .option('--markdown <file>', 'write the report as Markdown')
    .option('--public-only', 'run only the public suite: an advisory mark')
    .option('--key <file>', 'the course key, which decides the hidden cases; default: $TRAPFRAME_COURSE_KEY')
    .option('--student <name>', 'whose hidden cases to use with the course key; default: the seed')
    .addOption(
      new Option(
        '--require-confinement [level]',
        'do not grade unless this machine confines the code so well; see trapframe doctor',
      )
        .choices(LEVELS)
        .preset('sandbox'),
    )
    .addHelpText(
      'after',
      `
Exit status: 0 graded, whatever the mark; 2 wrong use; 3 the grader itself failed, and there is no mark.

Examples:
  trapframe grade ../alice-hlt-idle
  trapframe grade . --public-only
  trapframe grade bob.zip --lab hlt-idle --seed bob
  trapframe grade repositories/carol --commit main
  trapframe grade submission --lab hlt-idle --seed alice --key course.key --out result.json --html report.html`,
    )
    .action((submission: string, flags: GradeFlags) => grade(submission, flags, labs, streams))
}

async function grade(path: string, flags: GradeFlags, labs: LabSource, { out, err, env }: Streams): Promise<void> {
  const source = sourceAt(path, flags.commit)
  for (const file of [flags.out, flags.html, flags.markdown]) if (file !== undefined) requireWritable(file)
  const { lab, variantSeed } = await chooseLab(labs, source, flags)
  requireConfinement(flags.requireConfinement)
  const rubric = labs.rubric(lab)
  drawVariant(lab, variantSeed)
  const hidden = hiddenSeed(courseKey(flags.key, env), lab.id, flags.student ?? variantSeed)
  const read = await readSubmission(lab, source)

  const line = progressLine(err)
  line.show('compiling …')
  const submission = read.kind === 'read' ? await prepareSubmission(lab, read.files) : refusedSubmission(read.reason)
  const result = gradeSubmission(lab, submission, {
    rubric,
    variantSeed,
    suites: flags.publicOnly === true ? 'public' : 'both',
    hiddenSeed: hidden,
    version: packageVersion(),
    onProgress: ({ done, of, law }) => line.show(`${done}/${of} ${law.suite} suite: ${law.id}`),
  })
  line.clear()

  if (flags.out !== undefined) writeFileAtomically(flags.out, `${JSON.stringify(result, null, 2)}\n`)
  if (flags.html !== undefined) writeFileAtomically(flags.html, renderHtml([{ title: path, result }]))
  if (flags.markdown !== undefined) writeFileAtomically(flags.markdown, renderMarkdown(result))
  if (flags.json === true) out.write(printableJson(result))
  else out.write(renderTerminal(result, { colour: wantsColour(out, env), columns: out.columns }))
}

/** The key of the course: a file's text without the line end, the environment's, or the one that everybody knows. */
function courseKey(file: string | undefined, env: Streams['env']): string {
  if (file === undefined) return env.TRAPFRAME_COURSE_KEY || DEFAULT_COURSE_KEY
  const key = readPlainFile(file)?.trim()
  if (key === undefined) throw new WrongUse(`Cannot read the course key ${file}: there is no such file.`)
  if (key === '') throw new WrongUse(`The course key ${file} is empty.`)
  return key
}

/** @throws WrongUse when this machine lacks a layer of the level */
function requireConfinement(level: Level | undefined): void {
  if (level === undefined) return
  const missing = missingFor(detectConfinement(), level)
  if (missing.length === 0) return
  const what = missing.map(({ layer, why, get }) => `${layer}: ${why} (${get})`).join('; ')
  throw new WrongUse(`This machine does not confine code to the level "${level}", so nothing was graded. ${what}.`)
}
