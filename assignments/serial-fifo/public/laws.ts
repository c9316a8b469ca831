/** The lab's laws over the modelled pipes: sentences that every right back end obeys, with the scripts that put them to the test. */
import * as fc from 'fast-check'
import { type Law, law, Violation } from '../../../grader/contract/law.ts'
import type { FifoBackend } from '../../../reference/index.ts'
import { Guest } from './guest.ts'
import { HostWorld } from './host-world.ts'
import { replaySteps, requireInput, requireRules } from './judge.ts'
import { Player, playScript } from './run-script.ts'
import { describeScript, type Script, type ScriptShape, type StepName, scripts } from './script.ts'
import type { Variant } from './variant.ts'
import type { Rule } from './world.ts'

export type FifoLaw = Law<Script, FifoBackend, Variant>
type Count = (counter: string, amount: number) => void

interface ScriptLaw {
  readonly id: string
  readonly sentence: string
  readonly shape: ScriptShape
  readonly rules: readonly Rule[]
  readonly runs: { readonly public: number; readonly hidden: number }
  /** Afterwards both sides read all there is, and everything must arrive; unless this says otherwise. */
  readonly finishes?: boolean
  readonly also?: (player: Player, count: Count, script: Script) => void
}

const SENDING: readonly StepName[] = ['send', 'send', 'pause', 'drain', 'drain']
const RECEIVING: readonly StepName[] = ['feed', 'feed', 'pause', 'read', 'read']
const SMALL = { public: 25, hidden: 50 }
const LARGE = { public: 40, hidden: 80 }

/** A law over scripts of a shape. */
export function fifoLaw(declaration: ScriptLaw): FifoLaw {
  const { id, sentence, shape, rules, runs, also } = declaration
  const play = (script: Script, context: Parameters<FifoLaw['check']>[1]): Player => {
    const player = playScript(script, context)
    if (declaration.finishes !== false) player.finish()
    return player
  }
  return law<Script, FifoBackend, Variant>({
    id,
    sentence,
    cases: (variant) => scripts(shape, variant),
    runs,
    check: (script, context) => {
      const player = play(script, context)
      requireRules(player.world, rules)
      also?.(player, context.count, script)
    },
    describe: describeScript,
    replay: (script, context) => replaySteps(play(script, context).world),
  })
}

/** A law over one script: an adversarial case that a generator would seldom find. */
export function exampleLaw(declaration: Omit<ScriptLaw, 'shape' | 'runs'>, example: Script): FifoLaw {
  const made = fifoLaw({ ...declaration, shape: { steps: ['pause'] }, runs: { public: 0, hidden: 1 } })
  return { ...made, cases: () => fc.constant(example) }
}

const order = fifoLaw({
  id: 'order',
  sentence:
    'What the guest sends gets into the pipe in order, each byte once, however little the pipe takes at a time.',
  shape: { steps: [...SENDING, 'sleep'], reader: true },
  rules: ['stream', 'late'],
  runs: LARGE,
})

const interrupted = fifoLaw({
  id: 'interrupted',
  sentence: 'A call that a signal interrupts has done nothing, and is made again.',
  shape: { steps: ['send', 'pause', 'drain', ...RECEIVING, 'interrupt', 'interrupt'], reader: true, writer: true },
  rules: ['stream', 'late', 'input'],
  runs: SMALL,
  also: requireInput,
})

const unplugged = fifoLaw({
  id: 'unplugged',
  sentence:
    'Readers come and go: what the pipe has not taken waits for the next one, or is thrown away, as your variant says.',
  shape: { steps: [...SENDING, 'reader', 'reader', 'sleep'], roomy: false },
  rules: ['stream', 'late', 'pressure'],
  runs: LARGE,
})

const neverWaits = fifoLaw({
  id: 'never-waits',
  sentence: 'No call waits: not for a reader, not for a writer, not for room, not for a byte.',
  shape: { steps: [...SENDING, ...RECEIVING, 'reader', 'writer', 'sleep'] },
  rules: ['blocks'],
  runs: SMALL,
  finishes: false,
})

const timely = fifoLaw({
  id: 'timely',
  sentence:
    'When the machine has paused, no byte waits that the pipe would take; when it sleeps, a new reader wakes it.',
  shape: { steps: ['send', 'pause', 'sleep', 'drain', 'reader'] },
  rules: ['late'],
  runs: LARGE,
  finishes: false,
})

const pressure = fifoLaw({
  id: 'back-pressure',
  sentence: 'Bytes are refused only when as many wait as your variant allows, so that THRE tells the guest the truth.',
  shape: { steps: ['send', 'send', 'send', 'pause', 'drain'], maxSteps: 24 },
  rules: ['pressure'],
  runs: LARGE,
})

const bounded = fifoLaw({
  id: 'bounded',
  sentence: 'No more bytes wait in the back end than your variant allows, in either direction.',
  shape: { steps: ['send', 'send', 'send', 'pause', 'feed', 'feed', 'drain'], writer: true, maxSteps: 24 },
  rules: ['bounded'],
  runs: SMALL,
})

const resumes = fifoLaw({
  id: 'resumes',
  sentence:
    'A transmitter that was refused is resumed as soon as there is the room that your variant names, and not before.',
  shape: { steps: ['send', 'send', 'pause', 'drain', 'sleep'], reader: true, maxSteps: 24 },
  rules: ['edge'],
  runs: LARGE,
})

const input = fifoLaw({
  id: 'input',
  sentence:
    'What arrives gets to the guest in order, each byte once, as the guest has room; its receiver never runs over.',
  shape: { steps: RECEIVING, writer: true },
  rules: ['input'],
  runs: LARGE,
  also: requireInput,
})

const writers = fifoLaw({
  id: 'writers-return',
  sentence: 'The end of file is no end: the next writer is heard, and in between nothing keeps the machine awake.',
  shape: { steps: [...RECEIVING, 'writer', 'writer'] },
  rules: ['input', 'spins'],
  runs: LARGE,
  also: requireInput,
})

const idle = fifoLaw({
  id: 'idle',
  sentence: 'A port on which nothing happens costs no wake-up, whoever is at the other end.',
  shape: { steps: [...SENDING, 'feed', 'read', 'reader', 'writer'] },
  rules: ['spins'],
  runs: SMALL,
  also: (player) => {
    const before = player.wakeUps
    for (let n = 0; n < 4; n++) player.sleep()
    if (player.wakeUps > before) {
      const difference = {
        what: 'wake-ups of a port on which nothing happens',
        expected: '0',
        actual: `${player.wakeUps - before}`,
      }
      throw new Violation(difference, player.world.log.slice(-20))
    }
  },
})

const framing = fifoLaw({
  id: 'framing',
  sentence: 'Bytes and breaks stand in the pipe as the handout says, in both directions, however they are cut.',
  shape: { steps: [...SENDING, ...RECEIVING, 'sendBreak', 'feedBreak'], reader: true, writer: true },
  rules: ['stream', 'input', 'pressure'],
  runs: LARGE,
  also: requireInput,
})

const binary = fifoLaw({
  id: 'binary',
  sentence: 'Every one of the 256 bytes goes through unchanged, in both directions.',
  shape: { steps: ['send', 'feed'], reader: true, writer: true, roomy: true, maxSteps: 4 },
  rules: ['stream', 'input'],
  runs: { public: 8, hidden: 16 },
  also: (player) => {
    const all = Array.from({ length: 256 }, (_, n) => (n * 167 + 13) & 0xff)
    player.send(all)
    player.feed(all)
    player.finish()
    requireRules(player.world, ['stream', 'input'])
    requireInput(player)
  },
})

const guestSide = fifoLaw({
  id: 'guest-side',
  sentence:
    'Loopback, the divisor latch and FIFO resets are the guest’s own: nothing of them gets out, and nothing else is lost.',
  shape: {
    steps: [...SENDING, 'loop', 'loop', 'resetTransmitter', 'divisor', 'feed', 'read'],
    reader: true,
    writer: true,
    maxSteps: 24,
  },
  rules: ['stream', 'late', 'input'],
  runs: LARGE,
  also: requireInput,
})

const migration = fifoLaw({
  id: 'migration',
  sentence: 'A back end that is saved in mid-stream and restored elsewhere loses and doubles nothing.',
  shape: { steps: [...SENDING, ...RECEIVING, 'migrate', 'migrate'], reader: true, writer: true },
  rules: ['stream', 'late', 'edge', 'input'],
  runs: LARGE,
  also: requireInput,
})

const closes = fifoLaw({
  id: 'closes',
  sentence: 'When it is closed, the back end has given back every descriptor that it ever opened.',
  shape: { steps: [...SENDING, ...RECEIVING, 'reader', 'writer', 'sleep'] },
  rules: ['leak'],
  runs: SMALL,
  also: (player) => {
    player.close()
    requireRules(player.world, ['leak'])
  },
})

const twoPorts = law<Script, FifoBackend, Variant>({
  id: 'two-ports',
  sentence: 'Two ports of one machine have nothing to do with each other.',
  cases: (variant) => scripts({ steps: [...SENDING, ...RECEIVING], reader: true, writer: true }, variant),
  runs: SMALL,
  check: (script, context) => {
    const players = ['/pipes/com1', '/pipes/com2'].map((path, port) => {
      const world = new HostWorld(path, context.variant, new Guest(script.guest), script.pipe)
      const player = new Player(world, context, (script.first + 128 * port) & 0xff)
      world.plugReader(true)
      world.plugWriter(true)
      return player
    })
    for (const [index, step] of script.steps.entries()) {
      players[index % 2]!.step(step)
      if (index % 3 === 0) players[(index + 1) % 2]!.step(step)
    }
    for (const player of players) {
      player.finish()
      requireRules(player.world, ['stream', 'late', 'input'])
      requireInput(player)
    }
  },
  describe: (script, variant) => [...describeScript(script, variant), 'the steps in turns on two ports'],
})

const gathers = fifoLaw({
  id: 'gathers',
  sentence:
    'With the FIFOs on, the host is asked to write once for sixteen bytes and once for each wake-up, not for each byte.',
  shape: { steps: ['send', 'send', 'pause', 'drain'], reader: true, roomy: true, guest: { fifos: true } },
  rules: ['stream', 'late'],
  runs: SMALL,
  also: (player, count) => {
    const { world } = player
    for (let n = 0; n < 200; n++) player.send([(n * 7) & 0xff])
    player.finish()
    const allowed = Math.ceil(world.out.sent / 16) + player.wakeUps + world.vainCalls
    count('hostWrites', world.hostWrites)
    count('hostWritesAllowed', allowed)
    count('vainRounds', player.vainRounds)
    count('wakeUps', player.wakeUps)
  },
})

/** The laws over modelled pipes, of both suites. */
export const modelLaws: readonly FifoLaw[] = [
  order,
  interrupted,
  unplugged,
  neverWaits,
  timely,
  pressure,
  bounded,
  resumes,
  input,
  writers,
  idle,
  framing,
  binary,
  guestSide,
  migration,
  closes,
  twoPorts,
  gathers,
]
