/** The command line as a whole: its commands, and what their failures come to. */
import { Command, CommanderError } from 'commander'
import { EXIT_STATUS, WrongUse } from '../failures.ts'
import { packageVersion } from '../project-root.ts'
import { addDemoCommand } from './commands/demo.ts'
import { addGradeCommand } from './commands/grade.ts'
import { addLabsCommand } from './commands/labs.ts'
import { addReplayCommand } from './commands/replay.ts'
import { addRunCommand } from './commands/run.ts'
import { addSchemaCommand } from './commands/schema.ts'
import { addStarterCommand } from './commands/starter.ts'
import { addVectorsCommand } from './commands/vectors.ts'
import { addVerifyCommand } from './commands/verify.ts'
import { type LabSource, PROJECT_LABS } from './labs.ts'
import type { Streams } from './terminal.ts'

/** The program with all its commands. */
function createProgram(streams: Streams, labs: LabSource): Command {
  const program = new Command('trapframe')
    .description('Labs in which students build a hypervisor, and a grader for them.')
    .version(packageVersion())
    .showSuggestionAfterError()
    .showHelpAfterError('See trapframe --help.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'trapframe: ')),
    })
    .addHelpText(
      'after',
      `
Exit status: 0 done; 1 something does not hold (verify, vectors, replay); 2 wrong use; 3 the grader itself failed.

Examples:
  trapframe starter hlt-idle --out ../my-lab --seed alice
  trapframe grade ../my-lab
  trapframe run guest:hello`,
    )
  addLabsCommand(program, labs, streams)
  addStarterCommand(program, labs, streams)
  addGradeCommand(program, labs, streams)
  addReplayCommand(program, labs, streams)
  addVerifyCommand(program, labs, streams)
  addRunCommand(program)
  addVectorsCommand(program, streams)
  addSchemaCommand(program, streams)
  addDemoCommand(program, labs, streams)
  return program
}

/**
 * Runs one command.
 *
 * @param args what stands behind the program's name
 * @returns the exit status, when the command has not set the process's own
 */
export async function runCli(
  args: readonly string[],
  streams: Omit<Streams, 'setStatus'>,
  labs: LabSource = PROJECT_LABS,
): Promise<number> {
  let status: number = EXIT_STATUS.done
  const setStatus = (set: number) => {
    status = set
  }
  const program = createProgram({ ...streams, setStatus }, labs)
  try {
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync(args, { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_STATUS.done : EXIT_STATUS.wrongUse
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof WrongUse) {
      streams.err.write(`trapframe: ${message}\n`)
      return EXIT_STATUS.wrongUse
    }
    streams.err.write(`trapframe: The grader itself failed, so there is no mark: ${message}\n`)
    return EXIT_STATUS.graderFailed
  }
}
