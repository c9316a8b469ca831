/** A replay for the terminal: a line a step, expected beside actual, the first difference marked. */
import { styleText } from 'node:util'
import type { ReplayStep } from '../contract/law.ts'
import type { Breach } from '../contract/run-law.ts'
import { plainLine } from '../reports/plain.ts'

export interface ReplayStyle {
  readonly colour: boolean
  readonly columns: number
  /** Every step, not only those around the first difference. */
  readonly all: boolean
}

/** How many steps are shown before and behind the first difference. */
const BEFORE = 12
const BEHIND = 3

type Paint = (style: 'red' | 'green' | 'dim' | 'bold', text: string) => string

/** The steps' lines, the table's head first; empty when there are no steps. */
export function stepLines(steps: readonly ReplayStep[], { colour, columns, all }: ReplayStyle): string[] {
  if (steps.length === 0) return []
  const rows = steps.map(
    ({ label, expected, actual }) =>
      [label, expected, actual].map((text) => plainLine(text)) as [string, string, string],
  )
  const first = rows.findIndex(([, expected, actual]) => expected !== actual)
  const from = all ? 0 : Math.max(0, (first < 0 ? rows.length : first) - BEFORE)
  const end = all || first < 0 ? rows.length : Math.min(rows.length, first + BEHIND + 1)
  const shown = rows.slice(from, end)
  const widths = widthsOf([['step', 'expected', 'actual'], ...shown], columns - 4)
  const paint = painter(colour)
  const line = (mark: string, cells: readonly string[]) =>
    `${mark} ${cells.map((cell, index) => fit(cell, widths[index]!)).join('  ')}`.trimEnd()
  return [
    paint('dim', line(' ', ['step', 'expected', 'actual'])),
    ...(from > 0 ? [paint('dim', `  … ${from} steps before`)] : []),
    ...shown.map((row, index) => {
      const differs = row[1] !== row[2]
      const text = line(from + index === first ? '▶' : differs ? '✘' : ' ', row)
      const changed = changedLine(steps[from + index]?.changed ?? [], columns)
      return (differs ? paint('red', text) : text) + (changed === '' ? '' : `\n${paint('dim', changed)}`)
    }),
    ...(end < rows.length ? [paint('dim', `  … ${rows.length - end} steps behind; --all shows them`)] : []),
  ]
}

/** What changed in the guest before a step, below the step's own line. */
function changedLine(changed: readonly string[], columns: number): string {
  return changed.length === 0 ? '' : fit(`    ${changed.map((text) => plainLine(text)).join(', ')}`, columns).trimEnd()
}

/** What became of the case as a whole. */
export function verdictLines(breach: Breach | undefined, { colour }: ReplayStyle): string[] {
  const paint = painter(colour)
  if (breach === undefined) return [paint('green', '✔ The law holds for this case.')]
  const { what, expected, actual } = breach.difference
  return [
    ...breach.trace.map((line) => `  ${plainLine(line)}`),
    '',
    paint('bold', `✘ ${plainLine(what)}`),
    paint('green', `  expected: ${plainLine(expected)}`),
    paint('red', `  actual:   ${plainLine(actual)}`),
    ...(breach.at === undefined ? [] : [`  at ${breach.at}`]),
  ]
}

function painter(colour: boolean): Paint {
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text)
}

/** The columns' widths: as wide as their cells, the room shared when it is short. */
function widthsOf(rows: readonly (readonly string[])[], room: number): number[] {
  const wanted = [0, 1, 2].map((index) => Math.max(...rows.map((row) => row[index]!.length)))
  const share = Math.max(10, Math.floor((room - 4) / 3))
  const spare = wanted.reduce((left, width) => left + Math.max(0, share - width), 0)
  const greedy = wanted.filter((width) => width > share).length
  return wanted.map((width) => (width <= share ? width : Math.min(width, share + Math.floor(spare / greedy))))
}

function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`
}
