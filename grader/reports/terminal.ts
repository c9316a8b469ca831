/** A result for the terminal: marks with their reasons first, then what to repair, each failed law with its card. */
import { styleText } from 'node:util'
import type { Card, Result } from '../result/result.ts'
import { allPlainLines, COPIED, plainLine, plainLines, withoutCommands } from './plain.ts'
import {
  ADVISORY,
  casesInWords,
  confinementInWords,
  count,
  counterInWords,
  type Failure,
  failures,
  OUTCOME_WORDS,
  shownCounters,
  suitesInWords,
  type Unwritten,
  unwritten,
  VERDICT_WORDS,
  variantInWords,
  waitingInWords,
} from './words.ts'

export interface TerminalOptions {
  readonly colour: boolean
  /** The terminal's width; the report uses 60 to 110 columns of it. */
  readonly columns?: number | undefined
}

const MIN_COLUMNS = 60
const MAX_COLUMNS = 110
/** Most failures of a submission have few causes: the first cards show them, and the rest are named. */
const MAX_CARDS = 4

type Style = Parameters<typeof styleText>[0]
type Paint = (style: Style, text: string) => string

/** How one report is laid out. */
interface Page {
  readonly columns: number
  readonly paint: Paint
}

/** The report as text that ends with a line end. */
export function renderTerminal(result: Result, options: TerminalOptions): string {
  const page: Page = {
    columns: Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, options.columns ?? 100)),
    paint: (style, text) => (options.colour ? styleText(style, text, { validateStream: false }) : text),
  }
  const all = failures(result)
  const broken = all.filter((failure) => failure.verdict !== 'notWritten')
  const parts = [
    header(result, page),
    diagnostics(result, page),
    items(result, page),
    counters(result, page),
    ...broken.slice(0, MAX_CARDS).map((failure) => failureBlock(failure, page)),
    moreBlock(broken.slice(MAX_CARDS), page),
    unwrittenBlock(unwritten(all), page),
    footer(result, page),
  ]
  const filled = parts.filter((part) => part.length > 0)
  return withoutCommands(`${filled.map((part) => part.map((line) => line.trimEnd()).join('\n')).join('\n\n')}\n`)
}

function header(result: Result, page: Page): string[] {
  const { paint, columns } = page
  const title = plainLine(`${result.lab.title}`)
  const mark = `${result.points} / ${result.maxPoints}`
  const gap = ' '.repeat(Math.max(2, columns - title.length - mark.length))
  const parameters = plainLine(variantInWords(result))
  const variant = `${result.lab.id}, variant ${plainLine(result.variant.seed)}${parameters === '' ? '' : `: ${parameters}`}`
  return [
    paint('bold', title) + gap + paint(['bold', markColour(result.points, result.maxPoints)], mark),
    bar(result.points, result.maxPoints, columns, page),
    ...wrap(variant, columns).map((line) => paint('dim', line)),
  ]
}

function bar(points: number, maxPoints: number, width: number, { paint }: Page): string {
  const filled = maxPoints === 0 ? 0 : Math.floor((points / maxPoints) * width)
  return paint(markColour(points, maxPoints), '━'.repeat(filled)) + paint('dim', '─'.repeat(width - filled))
}

function markColour(points: number, maxPoints: number): 'green' | 'yellow' | 'red' {
  if (points === maxPoints) return 'green'
  return points * 2 >= maxPoints ? 'yellow' : 'red'
}

function diagnostics(result: Result, page: Page): string[] {
  if (result.outcome === 'graded') return []
  const { paint, columns } = page
  const lines = [paint(['bold', 'red'], OUTCOME_WORDS[result.outcome])]
  for (const { file, line, column, message } of result.diagnostics) {
    lines.push(`  ${paint('cyan', plainLine(`${file}:${line}:${column}`))}`)
    lines.push(...plainLines(message).flatMap((each) => indented(each, columns, 4)))
  }
  return lines
}

function items(result: Result, page: Page): string[] {
  const { paint, columns } = page
  const marks = result.items.map((item) => `${item.points} / ${item.maxPoints}`)
  const markWidth = Math.max(0, ...marks.map((mark) => mark.length))
  const titleWidth = columns - markWidth - 6
  return result.items.flatMap((item, index) => {
    const colour = markColour(item.points, item.maxPoints)
    const sign = item.points === item.maxPoints ? '✔' : item.points > 0 ? '◐' : '✘'
    const [first = '', ...rest] = wrap(plainLine(item.title), titleWidth)
    return [
      `${paint(colour, sign)} ${first.padEnd(titleWidth)}    ${paint(colour, (marks[index] ?? '').padStart(markWidth))}`,
      ...rest.map((line) => `  ${line}`),
      ...indented(plainLine(item.reason), columns, 4).map((line) => paint('dim', line)),
    ]
  })
}

function counters(result: Result, page: Page): string[] {
  const shown = shownCounters(result)
  if (shown.length === 0) return []
  const { paint, columns } = page
  return [
    paint('bold', 'Counted'),
    ...shown.flatMap((counter) => {
      const colour = markColour(counter.points, counter.maxPoints)
      const text = `${counter.title}: ${counterInWords(counter)} (${counter.points} / ${counter.maxPoints})`
      const [first = '', ...rest] = wrap(plainLine(text), columns - 4)
      return [`  ${paint(colour, '▪')} ${first}`, ...rest.map((line) => `    ${line}`)]
    }),
  ]
}

function failureBlock(failure: Failure, page: Page): string[] {
  const { paint, columns } = page
  const [first = '', ...rest] = wrap(plainLine(failure.sentence), columns - 2)
  const lines = [
    `${paint(['bold', 'red'], '✘')} ${paint('bold', first)}`,
    ...rest.map((line) => `  ${paint('bold', line)}`),
    `  ${paint('dim', `${failure.id}, ${suitesInWords(failure.suites)}: ${VERDICT_WORDS[failure.verdict]}`)}`,
  ]
  return failure.card === undefined ? lines : [...lines, ...cardLines(failure.card, page)]
}

/** Failed laws without their cards. */
function moreBlock(more: readonly Failure[], { paint, columns }: Page): string[] {
  if (more.length === 0) return []
  const lines = more.flatMap(({ sentence, id }) => {
    const [first = '', ...rest] = wrap(`${plainLine(sentence)} (${id})`, columns - 2)
    return [`${paint('red', '✘')} ${first}`, ...rest.map((line) => `  ${line}`)]
  })
  const hint = `${count(more.length, 'more law')} ${more.length === 1 ? 'does' : 'do'} not hold; JSON, HTML and Markdown have the cards`
  return [paint(['bold', 'red'], hint), ...lines]
}

function cardLines(card: Card, page: Page): string[] {
  const { paint, columns } = page
  const quote = (text: string) => `  ${paint('dim', '│')} ${text}`
  const quoted = (texts: readonly string[]) =>
    allPlainLines(texts).flatMap((line) => wrap(line, columns - 4).map(quote))
  const lines: string[] = []
  if (card.description.length > 0) {
    const shrunk =
      card.shrinks === 0 ? 'The case' : `The smallest case found (made smaller ${count(card.shrinks, 'time')})`
    lines.push('', `  ${shrunk}`, ...quoted(card.description))
  }
  if (card.trace.length > 0) lines.push('', '  What happened', ...quoted(card.trace))
  const { what, expected, actual } = card.difference
  lines.push('', ...indented(plainLine(what), columns, 2))
  lines.push(...side('expected', expected, 'green', page), ...side('actual', actual, 'red', page))
  if (card.at !== undefined) lines.push(`    at        ${paint('cyan', plainLine(card.at))}`)
  lines.push('', `  ${paint('dim', 'again:')} ${paint('cyan', plainLine(card.replay, COPIED))}`)
  return lines
}

function side(name: string, text: string, colour: 'green' | 'red', { paint, columns }: Page): string[] {
  const lines = plainLines(text).flatMap((line) => wrap(line, columns - 14))
  return lines.map((line, index) => `    ${(index === 0 ? name : '').padEnd(10)}${paint(colour, line)}`)
}

function unwrittenBlock(methods: readonly Unwritten[], page: Page): string[] {
  if (methods.length === 0) return []
  const { paint, columns } = page
  const lines = [paint(['bold', 'yellow'], 'Not written yet')]
  for (const { message, at, waiting } of methods) {
    const [first = '', ...rest] = wrap(plainLine(message), columns - 4)
    lines.push(`  ${paint('yellow', '○')} ${first}`, ...rest.map((line) => `    ${line}`))
    if (at !== undefined) lines.push(`    ${paint('cyan', plainLine(at))}`)
    lines.push(...indented(plainLine(waitingInWords(waiting)), columns, 4).map((line) => paint('dim', line)))
  }
  return lines
}

function footer(result: Result, page: Page): string[] {
  const { paint, columns } = page
  const facts = `${casesInWords(result)}, ${(result.timing.cpuMs / 1000).toFixed(1)} s of CPU time, digest ${result.digest.slice(0, 12)}`
  const lines = wrap(facts, columns).map((line) => paint('dim', line))
  lines.push(...wrap(plainLine(confinementInWords(result)), columns).map((line) => paint('dim', line)))
  if (result.kind === 'full') return lines
  return [...wrap(ADVISORY, columns).map((line) => paint('yellow', line)), ...lines]
}

function indented(text: string, columns: number, indent: number): string[] {
  return wrap(text, columns - indent).map((line) => ' '.repeat(indent) + line)
}

/** Breaks a line between words; a longer word is cut. Leading blanks stay, and the lines that follow keep them. */
function wrap(text: string, width: number): string[] {
  const lead = /^ */.exec(text)?.[0].slice(0, width >> 1) ?? ''
  const lines: string[] = []
  let line = ''
  for (const word of text.trimStart().split(/ (?=\S)/)) {
    for (const piece of pieces(word, width - lead.length)) {
      if (line !== '' && lead.length + line.length + 1 + piece.length > width) {
        lines.push(lead + line)
        line = piece
      } else line = line === '' ? piece : `${line} ${piece}`
    }
  }
  return [...lines, lead + line]
}

function pieces(word: string, width: number): string[] {
  const found: string[] = []
  for (let start = 0; start < word.length; start += width) found.push(word.slice(start, start + width))
  return found.length === 0 ? [''] : found
}
