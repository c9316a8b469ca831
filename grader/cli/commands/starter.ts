/** `trapframe starter LAB --out DIR`: makes a starter repository for one student or group. */
import type { Command } from 'commander'
import { starterFiles } from '../../starter/starter-files.ts'
import { writeStarter } from '../../starter/write-starter.ts'
import type { LabSource } from '../labs.ts'
import { progressLine, type Streams } from '../terminal.ts'

interface StarterFlags {
  readonly out: string
  readonly seed: string
  readonly json?: boolean
}

export function addStarterCommand(program: Command, labs: LabSource, { out, err }: Streams): void {
  program
    .command('starter')
    .description('make a starter repository: handout, skeleton, machine, public suite and workflow, in one commit')
    .argument('<lab>', 'the lab, as `trapframe labs` lists it')
    .requiredOption('--out <dir>', 'where to make it: a folder that is new or empty')
    .option('--seed <seed>', "the variant: a student's or group's name, say", 'demo')
    .option('--json', 'print what was made as JSON')
    .addHelpText(
      'after',
      `
The same lab and seed give the same files and the same commit.

Examples:
  trapframe starter hlt-idle --out ../hlt-idle-alice --seed alice
  cd ../hlt-idle-alice && npm ci && npm test`,
    )
    .action(async (id: string, flags: StarterFlags) => {
      const line = progressLine(err)
      line.show('making the skeleton …')
      const lab = await labs.load(id)
      const { files } = starterFiles(lab, labs.rubric(lab), flags.seed)
      line.show(`writing ${files.size} files …`)
      await writeStarter(files, flags.out, `Starter: ${lab.title}, variant ${flags.seed}`)
      line.clear()
      if (flags.json === true) {
        out.write(
          `${JSON.stringify({ lab: lab.id, seed: flags.seed, out: flags.out, files: [...files.keys()] }, null, 2)}\n`,
        )
      } else {
        out.write(`${flags.out}: ${lab.title}, variant ${flags.seed}, ${files.size} files.\n`)
        out.write(`Next: cd ${flags.out} && npm ci && npm test\n`)
      }
    })
}
