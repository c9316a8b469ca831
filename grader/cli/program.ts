/** The command line as a whole: its commands, and what their failures come to. */
import { Command, CommanderError } from 'commander'
import { EXIT_STATUS, WrongUse } from '../failures.ts'
import { packageVersion } from '../project-root.ts'
import type { LabSource } from './labs.ts'
import type { Streams } from './terminal.ts'

type AddCommand = (program: Command, streams: Streams, labs: () => Promise<LabSource>) => Promise<void>

/** Each command with what adds it. Only the one that is asked for is loaded, since some stand on a whole compiler. */
const COMMANDS: Readonly<Record<string, AddCommand>> = {
  labs: async (program, streams, labs) =>
    (await import('./commands/labs.ts')).addLabsCommand(program, await labs(), streams),
  starter: async (program, streams, labs) =>
    (await import('./commands/starter.ts')).addStarterCommand(program, await labs(), streams),
  grade: async (program, streams, labs) =>
    (await import('./commands/grade.ts')).addGradeCommand(program, await labs(), streams),
  replay: async (program, streams, labs) =>
    (await import('./commands/replay.ts')).addReplayCommand(program, await labs(), streams),
  explain: async (program, streams, labs) =>
    (await import('./commands/explain.ts')).addExplainCommand(program, await labs(), streams),
  verify: async (program, streams, labs) =>
    (await import('./commands/verify.ts')).addVerifyCommand(program, await labs(), streams),
  run: async (program) => (await import('./commands/run.ts')).addRunCommand(program),
  translate: async (program, streams) =>
    (await import('./commands/translate.ts')).addTranslateCommand(program, streams),
  vectors: async (program, streams) => (await import('./commands/vectors.ts')).addVectorsCommand(program, streams),
  doctor: async (program, streams) => (await import('./commands/doctor.ts')).addDoctorCommand(program, streams),
  schema: async (program, streams) => (await import('./commands/schema.ts')).addSchemaCommand(program, streams),
  demo: async (program, streams, labs) =>
    (await import('./commands/demo.ts')).addDemoCommand(program, await labs(), streams),
}

/** The program with the command that the arguments name, or with all when they name none. */
async function createProgram(
  args: readonly string[],
  streams: Streams,
  labs: () => Promise<LabSource>,
): Promise<Command> {
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
Exit status: 0 done; 1 something does not hold (verify, vectors, replay, doctor); 2 wrong use; 3 the grader itself failed.

Examples:
  trapframe starter hlt-idle --out ../my-lab --seed alice
  trapframe grade ../my-lab
  trapframe run guest:hello`,
    )
  const [named = ''] = args
  const asksVersion = named === '--version' || named === '-V'
  const add = Object.hasOwn(COMMANDS, named) ? [COMMANDS[named]!] : asksVersion ? [] : Object.values(COMMANDS)
  for (const each of add) await each(program, streams, labs)
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
  labs?: LabSource,
): Promise<number> {
  let status: number = EXIT_STATUS.done
  const setStatus = (set: number) => {
    status = set
  }
  const source = async () => labs ?? (await import('./labs.ts')).PROJECT_LABS
  try {
    const program = await createProgram(args, { ...streams, setStatus }, source)
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
