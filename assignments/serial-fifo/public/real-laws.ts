/** The lab's laws over real pipes: the same scripts, with the system's own FIFOs between the back end and the suite. */
import { basename, join } from 'node:path'
import { law } from '../../../grader/contract/law.ts'
import { SubjectError } from '../../../grader/contract/port.ts'
import type { FifoBackend } from '../../../reference/index.ts'
import { Guest } from './guest.ts'
import { replaySteps, requireInput, requireRules } from './judge.ts'
import type { FifoLaw } from './laws.ts'
import { RealWorld } from './real-world.ts'
import { Player } from './run-script.ts'
import { describeScript, type Script, type ScriptShape, scripts } from './script.ts'
import type { Variant } from './variant.ts'
import type { Rule, World } from './world.ts'

interface RealLaw {
  readonly id: string
  readonly sentence: string
  readonly shape: ScriptShape
  readonly rules: readonly Rule[]
  readonly runs: { readonly public: number; readonly hidden: number }
  /** Sends so many bytes first, while nobody reads on. */
  readonly flood?: number
}

type Context = Parameters<FifoLaw['check']>[1]

/** More than a pipe of Linux and a back end hold together. */
const FLOOD_BYTES = 68_000

function realLaw({ id, sentence, shape, rules, runs, flood }: RealLaw): FifoLaw {
  const play = (script: Script, context: Context, look: (player: Player, world: World) => void): void => {
    const directory = context.directory()
    const world = new RealWorld(join(directory, 'com1'), context.variant, new Guest(script.guest))
    let player: Player | undefined
    try {
      player = new Player(world, context, script.first, true)
      world.plugReader(script.reader)
      world.plugWriter(script.writer)
      if (flood !== undefined) player.send(Array.from({ length: flood }, (_, n) => (n ^ (n >> 8)) & 0xff))
      for (const step of script.steps) player.step(step)
      player.finish()
      look(player, world)
      player.close()
    } catch (error) {
      release(player)
      throw unplaced(error, directory)
    } finally {
      world.end()
    }
  }
  return law<Script, FifoBackend, Variant>({
    id,
    sentence,
    cases: (variant) => scripts(shape, variant),
    runs,
    check: (script, context) =>
      play(script, context, (player, world) => {
        requireRules(world, rules)
        requireInput(player)
      }),
    describe: (script, variant) => [
      ...describeScript(script, variant).filter((line) => !line.startsWith('a pipe of')),
      'pipes of this computer, made with mkfifo',
    ],
    replay: (script, context) => {
      let steps: ReturnType<typeof replaySteps> = []
      play(script, context, (_, world) => {
        steps = replaySteps(world)
      })
      return steps
    },
  })
}

/** A case that went wrong must not keep its descriptors: the next one needs some. */
function release(player: Player | undefined): void {
  try {
    player?.close()
  } catch {
    // It went wrong already, and that is what counts.
  }
}

/** The system's messages name the path; it is another in every grading. */
function unplaced(error: unknown, directory: string): unknown {
  if (!(error instanceof SubjectError)) return error
  const text = error.message.replaceAll(directory, '').replaceAll(`/${basename(directory)}`, '')
  return new SubjectError(error.failure, error.method, text, error.at)
}

/** The laws over real pipes, of both suites. */
export const realLaws: readonly FifoLaw[] = [
  realLaw({
    id: 'real-pipes',
    sentence: 'Over pipes of a real system, what is sent and what arrives get through in order, each byte once.',
    shape: { steps: ['send', 'pause', 'drain', 'feed', 'read', 'sendBreak', 'feedBreak'], reader: true, writer: true },
    rules: ['stream', 'late', 'input', 'edge'],
    runs: { public: 8, hidden: 16 },
  }),
  realLaw({
    id: 'real-ends',
    sentence: 'Over pipes of a real system, readers and writers come and go, and nothing is lost that was promised.',
    shape: { steps: ['send', 'pause', 'sleep', 'drain', 'feed', 'read', 'reader', 'writer'] },
    rules: ['stream', 'late', 'input', 'edge'],
    runs: { public: 12, hidden: 24 },
  }),
  realLaw({
    id: 'real-full',
    sentence: 'A real pipe that is full keeps the guest’s transmitter waiting, and every byte gets through in the end.',
    shape: { steps: ['pause', 'drain'], reader: true, writer: true, guest: { fifos: true }, maxSteps: 3 },
    rules: ['stream', 'late', 'edge'],
    runs: { public: 1, hidden: 1 },
    flood: FLOOD_BYTES,
  }),
]
