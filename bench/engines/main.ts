/**
 * Trapframe's fast engine beside v86 and QEMU's TCG, by CPU time, on guests of our own (see `bench/README.md`).
 *
 * Run: `npm run bench:engines -- --help`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { CONTESTANT_NAMES, type Contestant, type ContestantName, enter } from './contestants.ts'
import { buildKernel } from './kernel.ts'
import { type Measurement, measure } from './measure.ts'
import { agrees, mips, ratio, resultRow, type SectionResult, table } from './report.ts'
import { SECTIONS, type Section } from './sections.ts'

const DEFAULT_CONTESTANTS: readonly ContestantName[] = ['trapframe', 'v86', 'qemu']

interface Options {
  readonly only?: readonly string[]
  readonly engines: readonly ContestantName[]
  readonly cold: boolean
  readonly paging: boolean
  readonly rounds: number
  readonly json?: string
  readonly against?: string
}

interface Document {
  readonly machine: { readonly processor: string; readonly processors: number; readonly load: readonly number[] }
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
  readonly cold: boolean
  readonly paging: boolean
  readonly sections: readonly {
    readonly name: string
    readonly work: number
    readonly measurements: SectionResult['measurements']
    readonly mips: Readonly<Record<string, number | undefined>>
    readonly ratios: Readonly<Record<string, number | undefined>>
  }[]
}

function list(text: string): string[] {
  return text.split(',').filter((word) => word !== '')
}

function parseEngines(text: string): ContestantName[] {
  const names = list(text)
  const known = (name: string): name is ContestantName => CONTESTANT_NAMES.some((each) => each === name)
  if (!names.every(known)) throw new InvalidArgumentError(`Engines are ${CONTESTANT_NAMES.join(', ')}.`)
  return names
}

function parseRounds(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('Rounds are a whole number from 1 to 99.')
  return Number(text)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

function chosen(only: readonly string[] | undefined): readonly Section[] {
  if (only === undefined) return SECTIONS
  const unknown = only.filter((name) => !SECTIONS.some((section) => section.name === name || section.family === name))
  if (unknown.length > 0) say(`There is no section or family ${unknown.join(', ')}.`)
  return SECTIONS.filter(({ name, family }) => only.includes(name) || only.includes(family))
}

/** Those of the contestants that can take part; of the others, why not, on standard error. */
function gather(names: readonly ContestantName[]): Contestant[] {
  return names.flatMap((name) => {
    const entered = enter(name)
    if (!('missing' in entered)) return entered
    say(`Without ${name}: ${entered.missing}.`)
    return []
  })
}

/** A section on each contestant in turn; one that fails is told of and left out. */
function compare(
  section: Section,
  contestants: readonly Contestant[],
  kernel: string,
  options: Options,
  earlier: SectionResult['measurements'],
): SectionResult {
  const measurements: Partial<Record<ContestantName, Measurement>> = { ...earlier }
  for (const contestant of contestants) {
    try {
      measurements[contestant.name] = measure(section, contestant, { ...options, kernel })
    } catch (error) {
      delete measurements[contestant.name]
      say(`${section.name} on ${contestant.name}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return { section, measurements }
}

function documentOf(results: readonly SectionResult[], versions: Document['versions'], options: Options): Document {
  const byName = <T>(pick: (name: ContestantName) => T) =>
    Object.fromEntries(CONTESTANT_NAMES.map((name) => [name, pick(name)]))
  return {
    machine: { processor: cpus()[0]?.model ?? 'unknown', processors: cpus().length, load: loadavg() },
    node: process.version,
    versions,
    cold: options.cold,
    paging: options.paging,
    sections: results.map((result) => ({
      name: result.section.name,
      work: result.section.work,
      measurements: result.measurements,
      mips: byName((name) => mips(result, name)),
      ratios: byName((name) => ratio(result, name)),
    })),
  }
}

function run(options: Options): void {
  const kernel = buildKernel()
  if ('missing' in kernel) {
    say(kernel.missing)
    return
  }
  const contestants = gather(options.engines)
  const before =
    options.against === undefined ? undefined : (JSON.parse(readFileSync(options.against, 'utf8')) as Document)
  const sections = chosen(options.only)
  const earlier = ({ name, work }: Section) =>
    before?.sections.find((each) => each.name === name && each.work === work)?.measurements ?? {}
  const names = CONTESTANT_NAMES.filter(
    (name) =>
      contestants.some((contestant) => contestant.name === name) ||
      sections.some((section) => earlier(section)[name] !== undefined),
  )
  const versions = {
    ...before?.versions,
    ...Object.fromEntries(contestants.map(({ name, version }) => [name, version])),
  }
  const results: SectionResult[] = []
  for (const section of sections) {
    const result = compare(section, contestants, kernel.path, options, earlier(section))
    results.push(result)
    say(`[${String(results.length).padStart(2)}/${sections.length}] ${resultRow(result, names)}`)
    if (options.json !== undefined) {
      writeFileSync(options.json, `${JSON.stringify(documentOf(results, versions, options), null, 2)}\n`)
    }
  }
  process.stdout.write(`${table(results, names)}\n`)
  process.stdout.write(
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}; `,
  )
  process.stdout.write(`${cpus()[0]?.model}, ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}\n`)
  if (!results.every(agrees)) process.exitCode = 1
}

new Command('bench:engines')
  .description('guest MIPS by CPU time, and how many times faster than each peer; a wrong checksum ends with status 1')
  .option('--only <names>', 'sections or families, with commas between', list)
  .option('--engines <names>', `of ${CONTESTANT_NAMES.join(', ')}`, parseEngines, [...DEFAULT_CONTESTANTS])
  .option('--cold', 'a twentieth of the work, with the start of each process in it', false)
  .option('--paging', 'every section with paging on', false)
  .option('--rounds <n>', 'measure each so often, and take the median', parseRounds, 1)
  .option('--json <file>', 'write all that was measured, after each section')
  .option('--against <file>', 'take what is not measured now from an earlier --json')
  .action(run)
  .parse()
