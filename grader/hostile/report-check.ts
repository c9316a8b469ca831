/** Looks for what a student's text must not do in a report: steer a terminal, be markup, be a command to a runner. */
import { renderHtml, renderMarkdown, renderTerminal, workflowCommands } from '../reports/index.ts'
import type { Result } from '../result/result.ts'

/** What injections carry; a report that holds one of these unescaped has let it through. */
export const INJECTED = 'trapframe-injected'

/** Controls other than line ends, and marks that reorder or hide text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u
/** What a runner takes for a command, at the start of a line or, in the older form, anywhere. */
const COMMAND = /^\s*::[\w-]+.*::|##\[/m
/** Markup of an injection's own, as HTML and as Markdown. */
const TAG = new RegExp(`<[^<>]*${INJECTED}`, 'u')
const LINK_OR_MENTION = new RegExp(`\\]\\([^)]*${INJECTED}|!\\[[^\\]]*${INJECTED}|@${INJECTED}`, 'u')
const OUR_COMMAND = /^::(error|notice) [^\n]*$/

/** All reports of a result, by name. */
export function allReports(result: Result): Readonly<Record<string, string>> {
  return {
    terminal: renderTerminal(result, { colour: false }),
    Markdown: renderMarkdown(result),
    HTML: renderHtml([{ title: 'submission', result }]),
    'workflow commands': workflowCommands(result),
  }
}

/** What is wrong with the reports: the end of the sentence "its … report …", each with the report's name. */
export function reportProblems(reports: Readonly<Record<string, string>>): string[] {
  const problems: string[] = []
  const say = (name: string, found: boolean, what: string) => {
    if (found) problems.push(`its ${name} report ${what}`)
  }
  for (const [name, text] of Object.entries(reports)) say(name, CONTROLS.test(text), 'has a raw control character')
  const { terminal = '', Markdown = '', HTML = '', 'workflow commands': commands = '' } = reports
  say('terminal', COMMAND.test(terminal), 'has a line that a runner takes for a command')
  const prose = withoutFences(Markdown)
  say('Markdown', TAG.test(prose) || LINK_OR_MENTION.test(prose), 'has markup of the student’s')
  say('Markdown', COMMAND.test(prose), 'has a line that a runner takes for a command')
  say('HTML', TAG.test(HTML), 'has markup of the student’s')
  const foreign = commands.split('\n').some((line) => line !== '' && !OUR_COMMAND.test(line))
  say('workflow commands', foreign, 'has a line that is no command of ours')
  return problems
}

/** Markdown without its fenced blocks of code (CommonMark §4.5), in which nothing is markup. */
function withoutFences(markdown: string): string {
  const kept: string[] = []
  let fence: string | undefined
  for (const line of markdown.split('\n')) {
    const marks = /^ {0,3}(`{3,})/.exec(line)?.[1]
    if (fence === undefined) {
      if (marks === undefined) kept.push(line)
      else fence = marks
    } else if (marks !== undefined && marks.length >= fence.length && line.trim() === marks) {
      fence = undefined
    }
  }
  return kept.join('\n')
}
