/** What a comparison found, as a table: guest MIPS by CPU time, and how much faster Trapframe is than each peer. */
import type { ContestantName } from './contestants.ts'
import type { Measurement } from './measure.ts'
import type { Section } from './sections.ts'
import { geometricMean, median } from './statistics.ts'

export interface SectionResult {
  readonly section: Section
  readonly measurements: Partial<Record<ContestantName, Measurement>>
}

const SUBJECT: ContestantName = 'trapframe'
const COLUMN = 12

/** Seconds of CPU for all of a section's work. */
function seconds({ cpuSeconds, share }: Measurement): number {
  return cpuSeconds / share
}

/** How many times faster Trapframe is than a peer, where both took part. */
export function ratio({ measurements }: SectionResult, peer: ContestantName): number | undefined {
  const subject = measurements[SUBJECT]
  const other = measurements[peer]
  return subject === undefined || other === undefined ? undefined : seconds(other) / seconds(subject)
}

/** Millions of guest instructions for a second of CPU; Trapframe's count holds for all. */
export function mips({ measurements }: SectionResult, name: ContestantName): number | undefined {
  const counted = measurements[SUBJECT] ?? measurements.interpreter
  const measurement = measurements[name]
  if (measurement === undefined || counted?.instructions === undefined) return undefined
  return counted.instructions / counted.share / seconds(measurement) / 1e6
}

/** Whether all runs of the same work gave one checksum. */
export function agrees({ measurements }: SectionResult): boolean {
  const known = new Map<string, string>()
  return Object.values(measurements).every(({ checksums }) =>
    Object.entries(checksums).every(([work, checksum]) => {
      const first = known.get(work) ?? checksum
      known.set(work, first)
      return first === checksum
    }),
  )
}

/** Three digits, or as many as the whole number has. */
function cell(value: number | undefined): string {
  if (value === undefined) return '–'
  return value.toFixed(Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(value)))))
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((text, i) => (i === 0 ? text.padEnd(14) : text.padStart(COLUMN))).join(' | ')} |`
}

function averages(
  results: readonly SectionResult[],
  peer: ContestantName,
): [mean: string, middle: string, least: string] {
  const ratios = results.flatMap((result) => ratio(result, peer) ?? [])
  if (ratios.length === 0) return ['–', '–', '–']
  return [cell(geometricMean(ratios)), cell(median(ratios)), cell(Math.min(...ratios))]
}

/** One line of the table. */
export function resultRow(result: SectionResult, names: readonly ContestantName[]): string {
  const peers = names.filter((name) => name !== SUBJECT)
  const warning = agrees(result) ? '' : ' CHECKSUMS DIFFER'
  const speeds = names.map((name) => cell(mips(result, name)))
  return row([result.section.name, ...speeds, ...peers.map((peer) => cell(ratio(result, peer)))]) + warning
}

/** The table as Markdown, with the averages of its ratios at the end. */
export function table(results: readonly SectionResult[], names: readonly ContestantName[]): string {
  const peers = names.filter((name) => name !== SUBJECT)
  const head = ['section', ...names.map((name) => `${name}`), ...peers.map((peer) => `: ${peer}`)]
  const rule = `|---|${'---:|'.repeat(names.length + peers.length)}`
  const all = peers.map((peer) => averages(results, peer))
  const summary = ['geometric mean', 'median', 'least'].map((what, i) =>
    row([what, ...names.map(() => ''), ...all.map((average) => average[i]!)]),
  )
  return [row(head), rule, ...results.map((result) => resultRow(result, names)), ...summary].join('\n')
}
