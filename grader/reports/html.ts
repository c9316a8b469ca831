/**
 * Results as one self-contained HTML page: no script, no external asset, light and dark. Everything is escaped by
 * Handlebars, or for drawings by `svg.ts`; the template has no other unescaped place.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import { projectRoot } from '../project-root.ts'
import type { Card, Result } from '../result/result.ts'
import { allPlainLines, COPIED, plainLine, plainLines } from './plain.ts'
import { renderSvg } from './svg.ts'
import {
  ADVISORY,
  casesInWords,
  count,
  counterInWords,
  failures,
  OUTCOME_WORDS,
  shownCounters,
  suitesInWords,
  VERDICT_WORDS,
  variantInWords,
} from './words.ts'

export interface TitledResult {
  /** Names the submission: `A plausible wrong submission`. */
  readonly title: string
  readonly result: Result
}

type Tone = 'good' | 'half' | 'bad'

/** The page: each result under its title, and an overview when there are several. */
export function renderHtml(results: readonly TitledResult[]): string {
  const source = readFileSync(join(projectRoot(), 'grader/reports/report.html.hbs'), 'utf8')
  const render = Handlebars.compile(source, { strict: true, knownHelpersOnly: true })
  const [first] = results
  const title = results.length === 1 && first !== undefined ? `${first.result.lab.title}: ${first.title}` : 'Results'
  return render({
    title: plainLine(title),
    several: results.length > 1,
    reports: results.map(report),
  })
}

function report({ title, result }: TitledResult, index: number): object {
  const found = failures(result)
  return {
    anchor: `result-${index + 1}`,
    title: plainLine(title),
    points: result.points,
    maxPoints: result.maxPoints,
    percent: result.maxPoints === 0 ? 0 : Math.round((result.points / result.maxPoints) * 100),
    tone: tone(result),
    lab: plainLine(`${result.lab.title} (${result.lab.id})`),
    seed: plainLine(result.variant.seed),
    parameters: plainLine(variantInWords(result)),
    advisory: result.kind === 'advisory' ? ADVISORY : '',
    outcome: result.outcome === 'graded' ? '' : OUTCOME_WORDS[result.outcome],
    diagnostics: result.diagnostics.map(({ file, line, column, message }) => ({
      place: plainLine(`${file}:${line}:${column}`),
      message: plainLines(message).join('\n'),
    })),
    items: result.items.map((item) => ({
      tone: tone(item),
      sign: item.points === item.maxPoints ? '✔' : item.points > 0 ? '◐' : '✘',
      title: plainLine(item.title),
      reason: plainLine(item.reason),
      points: item.points,
      maxPoints: item.maxPoints,
    })),
    counters: shownCounters(result).map((counter) => ({
      tone: tone(counter),
      title: plainLine(counter.title),
      words: plainLine(counterInWords(counter)),
      points: counter.points,
      maxPoints: counter.maxPoints,
    })),
    drawings: (result.drawings ?? []).map((drawing) => ({ title: plainLine(drawing.title), svg: renderSvg(drawing) })),
    failuresTitle: `${count(found.length, 'law')} to repair`,
    failures: found.map(({ id, sentence, suites, verdict, card }) => {
      const waiting = verdict === 'notWritten'
      return {
        id: plainLine(id),
        sentence: plainLine(sentence),
        suites: suitesInWords(suites),
        verdict: VERDICT_WORDS[verdict],
        waiting,
        hint: waiting && card !== undefined ? plainLine(card.difference.actual) : '',
        card: waiting || card === undefined ? undefined : cardView(card),
      }
    }),
    facts: `${casesInWords(result)}, ${(result.timing.cpuMs / 1000).toFixed(1)} s of CPU time, submission ${result.submission.treeHash.slice(0, 12)}, digest ${result.digest.slice(0, 12)}, trapframe ${plainLine(result.tools.trapframe)}`,
  }
}

function cardView(card: Card): object {
  return {
    what: plainLine(card.difference.what),
    expected: plainLines(card.difference.expected).join('\n'),
    actual: plainLines(card.difference.actual).join('\n'),
    at: card.at === undefined ? '' : plainLine(card.at),
    caseTitle:
      card.shrinks === 0 ? 'The case' : `The smallest case found (made smaller ${count(card.shrinks, 'time')})`,
    description: allPlainLines(card.description).join('\n'),
    trace: allPlainLines(card.trace).join('\n'),
    replay: plainLine(card.replay, COPIED),
    test: plainLines(card.test, COPIED).join('\n'),
  }
}

function tone({ points, maxPoints }: { readonly points: number; readonly maxPoints: number }): Tone {
  if (points === maxPoints) return 'good'
  return points * 2 >= maxPoints ? 'half' : 'bad'
}
