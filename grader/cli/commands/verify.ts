/** `trapframe verify LAB`: makes the lab's datasheet, and says what of it does not hold. */
import { type Command, InvalidArgumentError } from 'commander'
import { EXIT_STATUS, WrongUse } from '../../failures.ts'
import { requireWritable, writeFileAtomically } from '../../files.ts'
import { runHostile } from '../../hostile/run-hostile.ts'
import { renderHostile } from '../../hostile/table.ts'
import { renderDatasheet } from '../../verify/datasheet.ts'
import { verifyLab } from '../../verify/verify-lab.ts'
import { printableJson } from '../json.ts'
import type { LabSource } from '../labs.ts'
import { progressLine, type Streams } from '../terminal.ts'

interface VerifyFlags {
  readonly variants?: number
  readonly seeds?: number
  readonly repeats?: number
  readonly quick?: boolean
  readonly json?: boolean
  readonly out?: string
  readonly markdown?: string
  readonly hostile?: boolean
  readonly only?: string
}

const FULL = { variants: 8, seeds: 3, repeats: 10, variantsPerMutant: Number.POSITIVE_INFINITY }
const QUICK = { variants: 2, seeds: 1, repeats: 2, variantsPerMutant: 1 }

export function addVerifyCommand(program: Command, labs: LabSource, { out, err, setStatus }: Streams): void {
  program
    .command('verify')
    .description("make a lab's datasheet: the evidence that its suites may give marks")
    .argument('<lab>', 'the lab, as `trapframe labs` lists it')
    .option('--variants <n>', `variants at least; default ${FULL.variants}`, parseCount)
    .option('--seeds <n>', `hidden seeds for each grading; default ${FULL.seeds}`, parseCount)
    .option('--repeats <n>', `confined gradings of the same seeds; default ${FULL.repeats}`, parseCount)
    .option('--quick', 'a small budget: each mutant on one variant')
    .option('--hostile', 'grade the hostile corpus instead: no submission may gain a point, leak or survive')
    .option('--only <name>', 'with --hostile: only this family, or this one submission')
    .option('--json', 'print the datasheet as JSON')
    .option('--out <file>', 'write the datasheet as JSON')
    .option('--markdown <file>', 'write the datasheet as Markdown')
    .addHelpText(
      'after',
      `
It grades the reference, the untouched starter, every known-wrong solution (mutant), every unusual right one (benign
variant) and solutions copied from another variant, in the grader's process and confined, and looks for parts of the
solution in the starter.

Exit status: 0 all of it holds; 1 something does not, each said in a sentence; 2 wrong use; 3 the grader itself failed.

Examples:
  trapframe verify hlt-idle --quick
  trapframe verify hlt-idle --markdown datasheet.md
  trapframe verify hlt-idle --hostile
  trapframe verify hlt-idle --hostile --only escaping`,
    )
    .action(async (id: string, flags: VerifyFlags) => {
      for (const file of [flags.out, flags.markdown]) if (file !== undefined) requireWritable(file)
      if (flags.only !== undefined && flags.hostile !== true) throw new WrongUse('--only goes with --hostile.')
      const lab = await labs.load(id)
      const line = progressLine(err)
      if (flags.hostile === true) {
        const report = await runHostile(lab, labs.rubric(lab), {
          ...(flags.only === undefined ? {} : { only: flags.only }),
          onProgress: (done, of, entry) => line.show(`${done}/${of} ${entry.family}: ${entry.id}`),
        })
        line.clear()
        return finish(report, renderHostile(report), flags, out, setStatus)
      }
      const budget = flags.quick === true ? QUICK : FULL
      const sheet = await verifyLab(lab, labs.rubric(lab), {
        variants: flags.variants ?? budget.variants,
        seeds: flags.seeds ?? budget.seeds,
        repeats: flags.repeats ?? budget.repeats,
        variantsPerMutant: budget.variantsPerMutant,
        onProgress: (what) => line.show(what),
      })
      line.clear()
      return finish(sheet, renderDatasheet(sheet), flags, out, setStatus)
    })
}

/** Writes a report wherever it is wanted; its problems make the status. */
function finish(
  report: { readonly problems: readonly string[] },
  markdown: string,
  flags: VerifyFlags,
  out: Streams['out'],
  setStatus: Streams['setStatus'],
): void {
  const json = printableJson(report)
  if (flags.out !== undefined) writeFileAtomically(flags.out, json)
  if (flags.markdown !== undefined) writeFileAtomically(flags.markdown, markdown)
  out.write(flags.json === true ? json : markdown)
  if (report.problems.length > 0) setStatus(EXIT_STATUS.notHeld)
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('A count is a whole number of at least 1.')
  return Number(text)
}
