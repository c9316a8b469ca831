/** `trapframe explain`: pictures of what a lab is about, drawn while code of it runs: the reference, or a submission. */
import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Drawing } from '../../contract/drawing.ts'
import type { AnyLab } from '../../contract/lab.ts'
import { WrongUse } from '../../failures.ts'
import { requireWritable } from '../../files.ts'
import { drawingsOf } from '../../grade/drawings.ts'
import { renderSvg } from '../../reports/svg.ts'
import { requireDirectory } from '../../submission/directory.ts'
import { prepareSubmission } from '../../submission/prepare.ts'
import { readSubmission } from '../../submission/read-submission.ts'
import { solutionFiles } from '../../submission/solution-files.ts'
import { drawVariant, type Variant } from '../../variant.ts'
import type { LabSource } from '../labs.ts'
import type { Streams } from '../terminal.ts'

interface ExplainFlags {
  readonly seed: string
  readonly dir?: string
  readonly out?: string
}

export function addExplainCommand(program: Command, labs: LabSource, { out }: Streams): void {
  program
    .command('explain')
    .description('draw what a lab is about, as SVG, while the reference or a submission runs')
    .argument('<lab>', 'the lab, as `trapframe labs` lists it')
    .option('--seed <seed>', 'names the variant', 'demo')
    .option('--dir <dir>', 'a directory with code of the lab; without it, the reference runs')
    .option('--out <file>', 'write the picture there; without it, to the standard output')
    .addHelpText(
      'after',
      `
Examples:
  trapframe explain page-sharing --out sharing.svg
  trapframe explain page-sharing --seed alice --dir ../alice-page-sharing --out alice.svg`,
    )
    .action(async (id: string, { seed, dir, out: file }: ExplainFlags) => {
      if (file !== undefined) requireWritable(file)
      const lab = await labs.load(id)
      if (lab.explain === undefined) throw new WrongUse(`The lab ${id} draws no pictures.`)
      const variant = drawVariant(lab, seed)
      const drawings = await drawn(lab, variant, dir)
      if (drawings.length === 0)
        throw new WrongUse(`The code broke off before there was a picture; grade it to see where.`)
      const text = drawings.map((drawing) => `${renderSvg(drawing)}\n`).join('')
      if (file === undefined) out.write(text)
      else writeFileSync(file, text)
    })
}

async function drawn(lab: AnyLab, variant: Variant, dir: string | undefined): Promise<readonly Drawing[]> {
  const submission = await prepareSubmission(
    lab,
    dir === undefined ? solutionFiles(lab, variant) : await filesOf(lab, dir),
    dir === undefined ? { typeCheck: false, trusted: true } : {},
  )
  const [broken] = submission.diagnostics
  if (broken !== undefined)
    throw new WrongUse(`The code cannot be run: ${broken.file}:${broken.line}: ${broken.message}`)
  const running = submission.open()
  try {
    return drawingsOf(lab, variant, () => running.load())
  } finally {
    running.close()
  }
}

async function filesOf(lab: AnyLab, dir: string): Promise<Parameters<typeof prepareSubmission>[1]> {
  requireDirectory(dir)
  const read = await readSubmission(lab, { directory: dir })
  if (read.kind === 'refused') throw new WrongUse(read.reason.message)
  return read.files
}
