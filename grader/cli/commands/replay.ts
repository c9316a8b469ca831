/** `trapframe replay`: runs a counterexample again, step by step, what should happen beside what does. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { AnyLab } from '../../contract/lab.ts'
import type { AnyLaw } from '../../contract/law.ts'
import type { Connect } from '../../contract/port.ts'
import { runLaw } from '../../contract/run-law.ts'
import { EXIT_STATUS, WrongUse } from '../../failures.ts'
import { reasonOf } from '../../files.ts'
import { lawSeed } from '../../grade/run-suites.ts'
import { type Replayed, replayCase } from '../../replay/replay-case.ts'
import { stepLines, verdictLines } from '../../replay/replay-text.ts'
import { type Card, cardSchema, RESULT_SCHEMA, resultSchema } from '../../result/result.ts'
import { publicSeed } from '../../seeds.ts'
import { requireDirectory } from '../../submission/directory.ts'
import { prepareSubmission } from '../../submission/prepare.ts'
import { readSubmission } from '../../submission/read-submission.ts'
import { drawVariant, type Variant } from '../../variant.ts'
import { chooseLab, type LabSource } from '../labs.ts'
import { type Streams, wantsColour } from '../terminal.ts'

interface ReplayFlags {
  readonly dir: string
  readonly card?: string
  readonly lab?: string
  readonly seed?: string
  readonly law?: string
  readonly case?: string
  readonly all?: boolean
  readonly step?: boolean
}

/** What to replay; without a case, the law's public cases are tried until one fails. */
interface Wanted {
  readonly law: string
  readonly testCase?: unknown
  readonly lab?: string | undefined
  readonly seed?: string | undefined
}

export function addReplayCommand(program: Command, labs: LabSource, streams: Streams): void {
  program
    .command('replay')
    .description('run a counterexample again, step by step')
    .argument('[file]', 'a result.json, or the JSON of one card')
    .option('--card <id>', 'which card of the result.json')
    .option('--dir <dir>', 'the directory with the code', '.')
    .option('--law <law>', 'instead of a file: the law')
    .option('--case <json>', 'the case; without it, the first public case that fails')
    .option('--lab <lab>', 'the lab; default: as the file or trapframe.json says')
    .option('--seed <seed>', 'the variant; default: as the file or trapframe.json says')
    .option('--all', 'print every step, not only those around the first difference')
    .option('--step', 'wait for Enter before each step, at a terminal')
    .addHelpText(
      'after',
      `
Exit status: 0 the law holds now, 1 it does not; 2 wrong use; 3 the grader itself failed.

Examples:
  trapframe replay result.json --card conservation-1
  trapframe replay card.json --dir ../alice-hlt-idle --step
  trapframe replay --law conservation`,
    )
    .action((file: string | undefined, flags: ReplayFlags) => replay(file, flags, labs, streams))
}

async function replay(file: string | undefined, flags: ReplayFlags, labs: LabSource, streams: Streams): Promise<void> {
  const { out, env, setStatus } = streams
  const wanted = file === undefined ? fromFlags(flags) : fromFile(file, flags.card)
  requireDirectory(flags.dir)
  const named = { lab: flags.lab ?? wanted.lab, seed: flags.seed ?? wanted.seed }
  const { lab, variantSeed } = await chooseLab(labs, { directory: flags.dir }, named)
  const law = findLaw(lab, wanted.law)
  const variant = drawVariant(lab, variantSeed)
  const read = await readSubmission(lab, { directory: flags.dir })
  if (read.kind === 'refused') throw new WrongUse(read.reason.message)
  const submission = await prepareSubmission(lab, read.files)
  const [broken] = submission.diagnostics
  if (broken !== undefined) {
    throw new WrongUse(`The code cannot be run: ${broken.file}:${broken.line}:${broken.column}: ${broken.message}`)
  }
  const running = submission.open()
  let found: unknown
  let replayed: Replayed | undefined
  try {
    found = wanted.testCase ?? firstFailing(lab, law, variant, running.load())
    if (found !== undefined) replayed = replayCase(law, variant, running.load(), found)
  } finally {
    running.close()
  }
  if (replayed === undefined) {
    out.write(`${law.sentence}\nIt holds in all ${law.runs.public} public cases.\n`)
    return
  }
  const style = { colour: wantsColour(out, env), columns: out.columns ?? 100, all: flags.all === true }
  out.write(`${law.sentence}\n\n${law.describe(found, variant).join('\n')}\n\n`)
  const ask = flags.step === true ? streams.ask : undefined
  for (const line of stepLines(replayed.steps, ask === undefined ? style : { ...style, all: true })) {
    out.write(`${line}\n`)
    if (ask !== undefined && (await ask()) === undefined) break
  }
  out.write(`${verdictLines(replayed.breach, style).join('\n')}\n`)
  setStatus(replayed.breach === undefined ? EXIT_STATUS.done : EXIT_STATUS.notHeld)
}

function fromFlags({ law, case: json }: ReplayFlags): Wanted {
  if (law === undefined) throw new WrongUse('Name what to replay: a result.json, a card, or a law with --law.')
  if (json === undefined) return { law }
  try {
    return { law, testCase: JSON.parse(json) as unknown }
  } catch {
    throw new WrongUse(`--case is no JSON: ${json.slice(0, 80)}`)
  }
}

function fromFile(file: string, cardId: string | undefined): Wanted {
  const json = readJson(file)
  const card = cardSchema.safeParse(json)
  if (card.success) return { law: card.data.law, testCase: card.data.case }
  const result = resultSchema.safeParse(json)
  if (!result.success) throw new WrongUse(`${file} is neither a card nor a result document (${RESULT_SCHEMA}).`)
  const cards = result.data.laws.flatMap((law) => law.card ?? [])
  const chosen = chooseCard(file, cards, cardId)
  return { law: chosen.law, testCase: chosen.case, lab: result.data.lab.id, seed: result.data.variant.seed }
}

function chooseCard(file: string, cards: readonly Card[], id: string | undefined): Card {
  const ids = cards.map((card) => card.id).join(', ')
  if (cards.length === 0) throw new WrongUse(`${file} holds no card: no law failed.`)
  if (id === undefined && cards.length > 1)
    throw new WrongUse(`${file} holds several cards: name one with --card: ${ids}.`)
  const card = id === undefined ? cards[0] : cards.find((one) => one.id === id)
  if (card === undefined) throw new WrongUse(`${file} holds no card "${id}"; it has ${ids}.`)
  return card
}

function readJson(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUse(`Cannot read ${file}: ${reasonOf(error)}.`)
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new WrongUse(`${file} is no JSON.`)
  }
}

function findLaw(lab: AnyLab, id: string): AnyLaw<object, Variant> {
  const laws = [...lab.suites.public, ...lab.suites.hidden] as AnyLaw<object, Variant>[]
  const law = laws.find((one) => one.id === id)
  if (law !== undefined) return law
  const known = [...new Set(laws.map((one) => one.id))].join(', ')
  throw new WrongUse(`The lab ${lab.id} has no law "${id}"; its laws are ${known}.`)
}

function firstFailing(lab: AnyLab, law: AnyLaw<object, Variant>, variant: Variant, connect: Connect<object>): unknown {
  if (law.runs.public === 0) throw new WrongUse(`The law "${law.id}" has no public cases: name one with --case.`)
  const seed = lawSeed(publicSeed(lab.id), law.id)
  return runLaw(law, variant, connect, { seed, runs: law.runs.public }).counterexample?.case
}
