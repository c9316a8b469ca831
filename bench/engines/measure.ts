/**
 * One section on one contestant. Warm: it runs with so much work and with twice as much, and the difference counts, so
 * that neither the start of the process nor the first translations do. Cold: a twentieth of the work, all included.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Run, runChild } from './child.ts'
import type { Contestant } from './contestants.ts'
import { cacheFolder } from './kernel.ts'
import type { Section } from './sections.ts'
import { median } from './statistics.ts'

/** CPU time of one run, beyond which a tenth of the work must do. */
const LIMIT_SECONDS = 12
const LEAST_SHARE = 1 / 500
const LESS = 1 / 10
const STATUS_DONE = 17
const COLD_SHARE = 1 / 20
/** A difference of times below it is lost in the noise: it is no measurement. */
const LEAST_SECONDS = 0.03

export interface Measurement {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  /** Guest instructions in that time, where the contestant counts them. */
  readonly instructions?: number
  /** Of each run, by its amount of work: engines must agree. */
  readonly checksums: Readonly<Record<number, string>>
  /** What of the section's work was measured. */
  readonly share: number
}

export interface MeasureOptions {
  readonly kernel: string
  readonly cold: boolean
  readonly rounds: number
  /** Runs the guest with paging on from the start. */
  readonly paging: boolean
}

interface CountedRun extends Run {
  readonly instructions?: number
  readonly checksum: string
}

/** @throws Error when a run fails, or takes too long with hardly any work: it names the command */
export function measure(section: Section, contestant: Contestant, options: MeasureOptions): Measurement {
  const cold = options.cold ? COLD_SHARE : 1
  for (let share = contestant.share * cold; share > LEAST_SHARE * cold; share *= LESS) {
    const measurement = measureShare(section, contestant, options, share)
    if (measurement !== undefined) return measurement
  }
  throw new Error(`takes more than ${LIMIT_SECONDS} s of CPU for next to nothing`)
}

/** Undefined when it takes too long. */
function measureShare(
  section: Section,
  contestant: Contestant,
  options: MeasureOptions,
  share: number,
): Measurement | undefined {
  const work = Math.max(1, Math.round(section.work * share))
  const most = options.cold ? work : 2 * work
  const rounds: { less: CountedRun | undefined; more: CountedRun }[] = []
  while (rounds.length < options.rounds) {
    const more = runOnce(section, contestant, most, options)
    const less = options.cold || more === undefined ? undefined : runOnce(section, contestant, work, options)
    if (more === undefined || (less === undefined && !options.cold)) return undefined
    rounds.push({ less, more })
  }
  const { less, more } = rounds[0]!
  const difference = (pick: (run: Run) => number) =>
    median(rounds.map(({ less, more }) => pick(more) - (less === undefined ? 0 : pick(less))))
  const cpuSeconds = difference((run) => run.cpuSeconds)
  if (cpuSeconds < LEAST_SECONDS)
    throw new Error(`${cpuSeconds.toFixed(3)} s of CPU for ${work} units is too little to tell`)
  return {
    cpuSeconds,
    wallSeconds: difference((run) => run.wallSeconds),
    ...(more.instructions === undefined ? {} : { instructions: more.instructions - (less?.instructions ?? 0) }),
    checksums: { ...(less === undefined ? {} : { [work]: less.checksum }), [most]: more.checksum },
    share: work / section.work,
  }
}

function runOnce(
  section: Section,
  contestant: Contestant,
  work: number,
  options: MeasureOptions,
): CountedRun | undefined {
  const stats = join(cacheFolder(), 'stats.json')
  rmSync(stats, { force: true })
  const line = `section=${section.name} work=${work}${options.paging ? ' paging' : ''}`
  const command = contestant.command(options.kernel, line, stats)
  const run = runChild(command, LIMIT_SECONDS)
  if (run === undefined) return undefined
  const checksum = new RegExp(`^checksum ${section.name} ([0-9a-f]{8})$`, 'm').exec(
    run.output.replaceAll('\r', ''),
  )?.[1]
  if (run.status !== STATUS_DONE || checksum === undefined) {
    throw new Error(`status ${run.status} of ${command.join(' ')}\n${run.output.slice(-1000)}`)
  }
  const instructions = readInstructions(stats)
  return { ...run, checksum, ...(instructions === undefined ? {} : { instructions }) }
}

function readInstructions(stats: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(stats, 'utf8')) as { instructions: number }).instructions
  } catch {
    return undefined
  }
}
