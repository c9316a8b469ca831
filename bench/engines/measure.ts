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

const LIMIT_SECONDS = 240
const STATUS_DONE = 17
const COLD_SHARE = 1 / 20
/** A difference of times below it is lost in the noise. */
const LEAST_SECONDS = 0.005

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

/** @throws Error when a run fails: it names the command */
export function measure(section: Section, contestant: Contestant, options: MeasureOptions): Measurement {
  const share = contestant.share * (options.cold ? COLD_SHARE : 1)
  const work = Math.max(1, Math.round(section.work * share))
  const once = (amount: number) => runOnce(section, contestant, amount, options)
  const rounds = Array.from({ length: options.rounds }, () =>
    options.cold ? { less: undefined, more: once(work) } : { less: once(work), more: once(2 * work) },
  )
  const { less, more } = rounds[0]!
  const difference = (pick: (run: Run) => number) =>
    Math.max(LEAST_SECONDS, median(rounds.map(({ less, more }) => pick(more) - (less === undefined ? 0 : pick(less)))))
  return {
    cpuSeconds: difference((run) => run.cpuSeconds),
    wallSeconds: difference((run) => run.wallSeconds),
    ...(more.instructions === undefined ? {} : { instructions: more.instructions - (less?.instructions ?? 0) }),
    checksums: {
      ...(less === undefined ? {} : { [work]: less.checksum }),
      [options.cold ? work : 2 * work]: more.checksum,
    },
    share: work / section.work,
  }
}

function runOnce(section: Section, contestant: Contestant, work: number, options: MeasureOptions): CountedRun {
  const stats = join(cacheFolder(), 'stats.json')
  rmSync(stats, { force: true })
  const line = `section=${section.name} work=${work}${options.paging ? ' paging' : ''}`
  const command = contestant.command(options.kernel, line, stats)
  const run = runChild(command, LIMIT_SECONDS)
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
