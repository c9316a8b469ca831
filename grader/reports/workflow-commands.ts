/**
 * A result as GitHub workflow commands: annotations at the student's lines, then the two notices by which the classic
 * autograding reporter told its points (classroom-resources/autograding-grading-reporter, `notify-classroom.js`).
 */
import type { Result } from '../result/result.ts'
import { plainLine, plainLines } from './plain.ts'
import { count, type Failure, failures, type Unwritten, unwritten, VERDICT_WORDS, waitingInWords } from './words.ts'

/** GitHub shows ten annotations of a kind for each step and drops the rest. */
const MAX_ERRORS = 10
/** A place in the student's files, as diagnostics and cards give it. */
const PLACE = /^([\w./-]+):(\d+)(?::(\d+))?$/

interface Annotation {
  readonly title: string
  readonly message: string
  readonly at: string | undefined
}

/** All commands of a result, one a line, each line ended. */
export function workflowCommands(result: Result): string {
  const all = result.outcome !== 'graded' ? compilerErrors(result) : lawErrors(result)
  const shown = all.length <= MAX_ERRORS ? all : [...all.slice(0, MAX_ERRORS - 1), theRest(all.length - MAX_ERRORS + 1)]
  const report = JSON.stringify({ totalPoints: result.points, maxPoints: result.maxPoints })
  const lines = [
    ...shown.map(errorCommand),
    command('notice', { title: 'Autograding complete' }, `Points ${result.points}/${result.maxPoints}`),
    command('notice', { title: 'Autograding report' }, report),
  ]
  return `${lines.join('\n')}\n`
}

function compilerErrors(result: Result): Annotation[] {
  return result.diagnostics.map(({ file, line, column, message }) => ({
    title: 'Does not compile',
    message,
    at: `${file}:${line}:${column}`,
  }))
}

function lawErrors(result: Result): Annotation[] {
  const all = failures(result)
  const broken = all.filter(({ verdict }) => verdict !== 'notWritten')
  return [...broken.map(lawError), ...unwritten(all).map(unwrittenError)]
}

function lawError({ id, sentence, verdict, card }: Failure): Annotation {
  const title = `${id}: ${VERDICT_WORDS[verdict]}`
  if (card === undefined) return { title, message: sentence, at: undefined }
  const { what, expected, actual } = card.difference
  return {
    title,
    message: `${sentence}\n${what}\nexpected: ${expected}\nactual: ${actual}\n${card.replay}`,
    at: card.at,
  }
}

function unwrittenError({ message, at, waiting }: Unwritten): Annotation {
  return { title: 'Not written yet', message: `${message}\n${waitingInWords(waiting)}`, at }
}

function theRest(amount: number): Annotation {
  return { title: `${count(amount, 'more error')}`, message: 'The step summary shows them all.', at: undefined }
}

function errorCommand({ title, message, at }: Annotation): string {
  const [, file, line, column] = PLACE.exec(at ?? '') ?? []
  const properties = {
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { col: column }),
    title,
  }
  return command('error', properties, message)
}

function command(name: string, properties: Readonly<Record<string, string>>, message: string): string {
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(plainLine(value))}`)
  return `::${name} ${list.join(',')}::${escapeData(plainLines(message).join('\n'))}`
}

/** As `@actions/core` escapes a command's message. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** As `@actions/core` escapes a command's property. */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
