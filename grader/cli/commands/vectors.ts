/** `trapframe vectors FILE`: the machine against vectors of a real processor. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Streams } from '../terminal.ts'
import { vectorsCommand } from '../vectors-command.ts'

const DEFAULT_MAX_FAILURES = 20

export function addVectorsCommand(program: Command, { out, setStatus }: Streams): void {
  program
    .command('vectors')
    .description('run single-instruction vectors of a real processor, and print each difference')
    .argument('<file>', 'a .jsonl or .jsonl.gz file')
    .option('--max-failures <n>', 'how many failing vectors to print', parseCount, DEFAULT_MAX_FAILURES)
    .addHelpText(
      'after',
      `
Exit status: 0 all pass, 1 some fail, 2 the file cannot be used.

Example:
  trapframe vectors ia32-user.jsonl.gz --max-failures 5`,
    )
    .action((file: string, { maxFailures }: { maxFailures: number }) => {
      setStatus(vectorsCommand(file, { maxFailures }, { write: (text) => void out.write(text) }))
    })
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}
