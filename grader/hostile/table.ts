/** The report of a hostile run as a table by family, the same for a terminal and for Markdown. */
import { FAMILIES } from './hostile.ts'
import type { Ended, HostileReport } from './run-hostile.ts'

export function renderHostile(report: HostileReport): string {
  const { lab, maxPoints, honest, layers, ended, problems } = report
  const families = FAMILIES.map((family) => ({ family, entries: ended.filter((each) => each.family === family) }))
  const gained = ended.filter(({ problems: own }) => own.length > 0).length
  return [
    `# Hostile submissions against ${lab}`,
    '',
    `${ended.length} submissions, ${seconds(ended)} s of CPU time; confined by ${layers.join(', ') || 'nothing'}.`,
    `Honest right code scores ${honest.right} of ${maxPoints}, honest wrong code ${honest.wrong}.`,
    problems.length === 0 ? 'All of them ended as they must.' : `${gained} of them did not end as they must.`,
    ...problems.map((problem) => `- ${problem}`),
    ...families.filter(({ entries }) => entries.length > 0).flatMap(({ family, entries }) => section(family, entries)),
    '',
  ].join('\n')
}

function section(family: string, entries: readonly Ended[]): string[] {
  return [
    '',
    `## ${family}: ${entries.length}, ${seconds(entries)} s`,
    '',
    '| submission | tries | ended | points |',
    '|---|---|---|---:|',
    ...entries.map(({ id, tries, outcome, verdicts, points, problems, escaped }) => {
      const how = outcome === 'graded' ? verdictsInWords(verdicts) : outcome
      const marks = `${problems.length > 0 ? ' ✘' : ''}${escaped ? ' (reached the process that ran it)' : ''}`
      return `| ${id} | ${tries.replaceAll('|', '\\|')} | ${how}${marks} | ${points} |`
    }),
  ]
}

/** `30 held, 2 threw`. */
function verdictsInWords(verdicts: Readonly<Record<string, number>>): string {
  const counted = Object.entries(verdicts).sort(([, a], [, b]) => b - a)
  return counted.map(([verdict, amount]) => `${amount} ${verdict}`).join(', ')
}

function seconds(entries: readonly Ended[]): string {
  return (entries.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000).toFixed(1)
}
