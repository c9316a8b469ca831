/**
 * A result as Markdown for a GitHub step summary. Text of the student's making is shown as code or with every special
 * character as a numeric entity, which CommonMark (§6.2) never takes as structure: no HTML, links, mentions or images.
 */
import type { Result } from '../result/result.ts'
import { allPlainLines, COPIED, plainLine, plainLines } from './plain.ts'
import {
  ADVISORY,
  casesInWords,
  confinementInWords,
  count,
  counterInWords,
  type Failure,
  failures,
  OUTCOME_WORDS,
  pointsInWords,
  shownCounters,
  suitesInWords,
  type Unwritten,
  unwritten,
  VERDICT_WORDS,
  variantInWords,
} from './words.ts'

/** GitHub drops a step summary above 1024 KiB; the room left is for what other steps of the job write. */
const MAX_BYTES = 960 * 1024

/** The report; sections that no longer fit are left out, and the end says so. */
export function renderMarkdown(result: Result): string {
  const all = failures(result)
  const sections = [
    header(result),
    ...(result.outcome === 'graded' ? [] : [diagnostics(result, OUTCOME_WORDS[result.outcome])]),
    itemTable(result),
    ...(shownCounters(result).length > 0 ? [counterTable(result)] : []),
    ...all.filter(({ verdict }) => verdict !== 'notWritten').map(failureSection),
    ...unwritten(all).map(unwrittenSection),
    footer(result),
  ]
  return fitting(sections)
}

/** Text as prose: one line, each character that Markdown or GitHub gives a meaning as an entity. */
export function escapeProse(text: string): string {
  return plainLine(text)
    .replace(/[&<>"'\\`*_{}[\]()#+\-!|~:$=^]/g, (character) => `&#${character.codePointAt(0)};`)
    .replace(/@/g, '&#64;&#8288;')
    .replace(/^(\d+)\./, '$1&#46;')
    .replace(/\bwww\./gi, (match) => `${match.slice(0, -1)}&#46;`)
}

/** Lines as a code block, in a fence longer than any in them. */
export function codeBlock(lines: readonly string[], language = 'text'): string {
  const longest =
    lines
      .join('\n')
      .match(/`+/g)
      ?.reduce((most, run) => Math.max(most, run.length), 0) ?? 0
  const fence = '`'.repeat(Math.max(3, longest + 1))
  return `${fence}${language}\n${lines.join('\n')}\n${fence}`
}

function header(result: Result): string {
  const parameters = variantInWords(result)
  const variant = `Variant ${escapeProse(result.variant.seed)}${parameters === '' ? '' : `: ${escapeProse(parameters)}`}.`
  const advisory = result.kind === 'advisory' ? `\n\n> [!NOTE]\n> ${escapeProse(ADVISORY)}` : ''
  return `## ${escapeProse(result.lab.title)}: ${pointsInWords(result)}\n\n${variant}${advisory}`
}

function diagnostics(result: Result, heading: string): string {
  const lines = result.diagnostics.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
  return `### ${heading}\n\n${codeBlock(allPlainLines(lines))}`
}

function itemTable(result: Result): string {
  const rows = result.items.map((item) => {
    const sign = item.points === item.maxPoints ? '✅' : item.points > 0 ? '🟡' : '❌'
    return `| ${sign} | ${escapeProse(item.title)} | ${item.points} / ${item.maxPoints} | ${escapeProse(item.reason)} |`
  })
  return ['| | | Points | Why |', '|---|---|---:|---|', ...rows].join('\n')
}

function counterTable(result: Result): string {
  const rows = shownCounters(result).map(
    (counter) =>
      `| ${escapeProse(counter.title)} | ${escapeProse(counterInWords(counter))} | ${counter.points} / ${counter.maxPoints} |`,
  )
  return ['| Counted | | Points |', '|---|---|---:|', ...rows].join('\n')
}

function failureSection(failure: Failure): string {
  const { card, sentence, verdict, suites } = failure
  const parts = [
    `### ❌ ${escapeProse(sentence)}`,
    `${escapeProse(failure.id)}, ${suitesInWords(suites)}: ${VERDICT_WORDS[verdict]}.`,
  ]
  if (card === undefined) return parts.join('\n\n')
  const { what, expected, actual } = card.difference
  const at = card.at === undefined ? [] : [`      at: ${card.at}`]
  parts.push(codeBlock(allPlainLines([what, `expected: ${expected}`, `  actual: ${actual}`, ...at])))
  const shrunk =
    card.shrinks === 0 ? 'The case' : `The smallest case found (made smaller ${count(card.shrinks, 'time')})`
  if (card.description.length > 0) parts.push(`${shrunk}:`, codeBlock(allPlainLines(card.description)))
  if (card.trace.length > 0) parts.push(details('What happened', allPlainLines(card.trace), 'text'))
  parts.push('See it again:', codeBlock([plainLine(card.replay, COPIED)], 'sh'))
  parts.push(details('A test to paste into test/', plainLines(card.test, COPIED), 'ts'))
  return parts.join('\n\n')
}

function unwrittenSection({ message, at, waiting }: Unwritten): string {
  const lines = allPlainLines([message, ...(at === undefined ? [] : [`at ${at}`])])
  const laws = waiting.map(({ sentence }) => `- ${escapeProse(sentence)}`)
  const title = `${count(waiting.length, 'law')} ${waiting.length === 1 ? 'waits' : 'wait'} for it:`
  return ['### ⬜ Not written yet', codeBlock(lines), title, laws.join('\n')].join('\n\n')
}

function details(summary: string, lines: readonly string[], language: string): string {
  return `<details><summary>${escapeProse(summary)}</summary>\n\n${codeBlock(lines, language)}\n\n</details>`
}

function footer(result: Result): string {
  return `${casesInWords(result)}; digest ${escapeProse(result.digest.slice(0, 12))}; trapframe ${escapeProse(result.tools.trapframe)}. ${escapeProse(confinementInWords(result))}`
}

function fitting(sections: readonly string[]): string {
  const kept: string[] = []
  let bytes = 0
  for (const section of sections) {
    const size = Buffer.byteLength(section) + 2
    if (bytes + size > MAX_BYTES) {
      kept.push(`${count(sections.length - kept.length, 'section')} left out: the report is too long for one page.`)
      break
    }
    bytes += size
    kept.push(section)
  }
  return `${kept.join('\n\n')}\n`
}
