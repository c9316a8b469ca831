import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Result } from '../result/result.ts'
import { hostileText } from './fixtures/hostile-text.ts'
import { BROKEN, SAMPLE, withStudentText } from './fixtures/sample-result.ts'
import { renderHtml, renderMarkdown, renderTerminal, workflowCommands } from './index.ts'
import { codeBlock, escapeProse } from './markdown.ts'
import { allPlainLines, plainLine, plainLines } from './plain.ts'
import { failures } from './words.ts'

const runs = { seed: 20, numRuns: 150 }
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/** What `@actions/core`'s readers do: the inverse of the escaping. */
function parseCommand(line: string): { name: string; properties: Record<string, string>; message: string } {
  const [, name = '', list = '', message = ''] = /^::(\w+) (.*?)::(.*)$/.exec(line) ?? []
  const decode = (text: string) =>
    text
      .replaceAll('%2C', ',')
      .replaceAll('%3A', ':')
      .replaceAll('%0A', '\n')
      .replaceAll('%0D', '\r')
      .replaceAll('%25', '%')
  const properties = Object.fromEntries(
    list.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), decode(pair.slice(pair.indexOf('=') + 1))]),
  )
  return { name, properties, message: decode(message) }
}

describe('text of the student’s making', () => {
  it('never holds a control character, an escape sequence or a second line once it is plain', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(plainLine(text)).not.toMatch(/\n/)
        expect(plainLine(text)).not.toMatch(CONTROLS)
        for (const line of plainLines(text)) expect(line).not.toMatch(CONTROLS)
      }),
      runs,
    )
  })

  it('adds no control character and no line without the report’s own margin to the terminal', () => {
    const usual = renderTerminal(withStudentText('x'), { colour: false })
    const margins = /^( {2}|│|✘|✔|◐|HLT|[━─]|hlt-idle|2 laws|1 law|3 laws|Counted|It does|Not written|digest|Confined)/
    for (const line of usual.split('\n')) if (line !== '') expect(line).toMatch(margins)
    fc.assert(
      fc.property(hostileText, (text) => {
        const report = renderTerminal(withStudentText(text), { colour: false })
        expect(report).not.toMatch(CONTROLS)
        for (const line of report.split('\n')) if (line !== '') expect(line).toMatch(margins)
      }),
      runs,
    )
  })

  it('is no command to a runner that reads the terminal report, at whatever width it wraps', () => {
    const text = fc.array(fc.constantFrom('::', '\n', ' ', 'error', '::set-output name=x::', '##[error]', 'word'))
    fc.assert(
      fc.property(text, fc.integer({ min: 60, max: 110 }), fc.boolean(), (parts, columns, colour) => {
        const report = renderTerminal(withStudentText(parts.join('')), { colour, columns })
        expect(report).not.toMatch(/^\s*::|##\[/m)
      }),
      runs,
    )
  })

  it('stays one line of prose in Markdown, with no character that means anything', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const prose = escapeProse(text)
        expect(prose.replace(/&#\d+;/g, '')).not.toMatch(/[<>`*_[\]|\\~@"':\n]/)
        expect(prose).not.toMatch(/^\s*\d+\./)
      }),
      runs,
    )
  })

  it('never closes the code block that it stands in', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const block = codeBlock(plainLines(text)).split('\n')
        const fence = block[0]?.replace('text', '') ?? ''
        const closing = block.findIndex((line, index) => index > 0 && line.trim().startsWith(fence))
        expect(closing).toBe(block.length - 1)
      }),
      runs,
    )
  })

  it('adds no heading, table row or HTML to the Markdown outside code blocks', () => {
    const shape = (report: string) => {
      const outside: string[] = []
      let fence = ''
      for (const line of report.split('\n')) {
        const ticks = /^`{3,}/.exec(line)?.[0]
        if (fence === '' && ticks !== undefined) fence = ticks
        else if (fence !== '' && line === fence) fence = ''
        else if (fence === '') outside.push(line.replace(/&#\d+;|[^#|<>]/g, ''))
      }
      expect(fence).toBe('')
      return outside
    }
    const usual = shape(renderMarkdown(withStudentText('x')))
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(shape(renderMarkdown(withStudentText(text)))).toEqual(usual)
      }),
      runs,
    )
  })

  it('adds no tag and no attribute to the HTML page', () => {
    const tags = (page: string) => page.match(/<[^>]*>/g)?.filter((tag) => !/^<p>|^<pre|^<\/p/.test(tag))
    const page = (text: string) => renderHtml([{ title: 'x', result: withStudentText(text) }])
    const usual = tags(page('x'))
    fc.assert(
      fc.property(hostileText, (text) => {
        const made = page(`x${text}`)
        expect(tags(made)).toEqual(usual)
        expect(made).not.toMatch(/<(script|img|a )/)
      }),
      { ...runs, numRuns: 60 },
    )
  })

  it('adds no workflow command, and is read back as it was', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const lines = workflowCommands(withStudentText(text)).trimEnd().split('\n')
        expect(lines.map((line) => parseCommand(line).name)).toEqual(['error', 'error', 'notice', 'notice'])
        const error = parseCommand(lines[0] ?? '')
        expect(Object.keys(error.properties)).toContain('title')
        expect(error.message.split('\n').length).toBeLessThan(400)
        expect(error.message.startsWith(plainLine(SAMPLE.laws[2]!.sentence))).toBe(true)
        expect(parseCommand(lines[2] ?? '').message).toBe('Points 62/100')
      }),
      runs,
    )
  })

  it('is cut when it floods', () => {
    const flood = `${'y'.repeat(10_000)}\n`.repeat(200)
    expect(allPlainLines([flood, flood]).length).toBeLessThanOrEqual(60)
    for (const report of [renderMarkdown(withStudentText(flood)), workflowCommands(withStudentText(flood))]) {
      expect(Buffer.byteLength(report)).toBeLessThan(1024 * 1024)
    }
  })
})

describe('a report that is too long', () => {
  it('stays under the limit of a step summary and says what is missing', () => {
    const many = Array.from({ length: 300 }, (_, index) => ({
      ...SAMPLE.laws[2]!,
      id: `law-${index}`,
      card: { ...SAMPLE.laws[2]!.card!, trace: Array.from({ length: 60 }, () => '界'.repeat(300)) },
    }))
    const report = renderMarkdown({ ...SAMPLE, laws: many })
    expect(Buffer.byteLength(report)).toBeLessThan(1024 * 1024)
    expect(report).toMatch(/\d+ sections left out: the report is too long for one page\.\n$/)
  })

  it('annotates ten errors, the last of which counts the others', () => {
    const many = Array.from({ length: 14 }, (_, index) => ({ ...SAMPLE.laws[2]!, id: `law-${index}` }))
    const errors = workflowCommands({ ...SAMPLE, laws: many }).match(/^::error .*$/gm) ?? []
    expect(errors).toHaveLength(10)
    expect(errors[9]).toBe('::error title=5 more errors::The step summary shows them all.')
  })
})

describe('what a report says', () => {
  const text = renderTerminal(SAMPLE, { colour: false })

  it('shows the mark, each item with its reason, and the decisive difference', () => {
    expect(text.split('\n')[0]).toMatch(/^HLT idle accounting +62 \/ 100$/)
    expect(text).toMatch(/◐ The guest sleeps and wakes as on a real processor +20 \/ 35\n {4}The law "An interrupt/)
    expect(text).toMatch(/ {4}expected {2}0x0002\n {4}actual {4}0x0001\n {4}at {8}src\/idle.ts:61/)
    expect(text).toContain('again: npx trapframe replay result.json --card sti-shadow-1')
    expect(text).toContain('1.2 polls / idle period; all points up to 1, none from 2 (12 / 15)')
  })

  it('keeps to the width of the terminal', () => {
    for (const columns of [60, 80, 100]) {
      for (const line of renderTerminal(SAMPLE, { colour: false, columns }).split('\n')) {
        if (!line.includes('again: ')) expect(line.length, line).toBeLessThanOrEqual(columns)
      }
    }
  })

  it('is the same with and without colours, escapes apart', () => {
    const coloured = renderTerminal(SAMPLE, { colour: true })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
    const bare = coloured.replace(/\u001b\[\d+m/g, '')
    expect(coloured).not.toBe(text)
    expect(bare.replace(/ +$/gm, '')).toBe(text)
  })

  it('puts what only waits for a method last, and a law of both suites once', () => {
    const law = SAMPLE.laws[2]!
    const both: Result = { ...SAMPLE, laws: [{ ...law, suite: 'public' }, ...SAMPLE.laws] }
    expect(failures(both).map(({ id, suites }) => [id, suites])).toEqual([
      ['sti-shadow', ['public', 'hidden']],
      ['reading', ['public']],
    ])
  })

  it('gives the compiler’s messages with the student’s lines', () => {
    expect(renderTerminal(BROKEN, { colour: false })).toContain(
      "  src/idle.ts:12:5\n    Type 'number' is not assignable to type 'bigint'.",
    )
    expect(workflowCommands(BROKEN).split('\n')[0]).toBe(
      "::error file=src/idle.ts,line=12,col=5,title=Does not compile::Type 'number' is not assignable to type 'bigint'.",
    )
    expect(renderMarkdown(BROKEN)).toContain("src/idle.ts:40:9 Cannot find name 'vcpus'.")
  })

  it('says of an advisory mark that it is one, in every report', () => {
    const page = renderHtml([{ title: 'x', result: BROKEN }])
    for (const report of [renderTerminal(BROKEN, { colour: false }), renderMarkdown(BROKEN), page]) {
      expect(report).toMatch(/This mark is advisory/)
    }
    expect(text).not.toMatch(/advisory/)
  })

  it('names a method that is not written once, with all laws that wait for it', () => {
    const law = SAMPLE.laws[1]!
    const three = ['first', 'second', 'third'].map((id) => ({ ...law, id, sentence: `The ${id} law.` }))
    const result: Result = { ...SAMPLE, laws: three }
    expect(renderTerminal(result, { colour: false })).toMatch(
      /Not written yet\n {2}○ guestRead is not written yet\. .*\n {4}src\/idle\.ts:88\n {4}3 laws wait for it: first, second, third\n/,
    )
    expect(workflowCommands(result).match(/^::error .*$/gm)).toEqual([
      '::error file=src/idle.ts,line=88,title=Not written yet::guestRead is not written yet. Which unit does your variant ask for?%0A3 laws wait for it: first, second, third',
    ])
    expect(renderMarkdown(result).match(/### .*/g)).toEqual(['### ⬜ Not written yet'])
  })

  it('shows no counters where nothing ran', () => {
    const broken: Result = { ...BROKEN, counters: SAMPLE.counters }
    const page = renderHtml([{ title: 'x', result: broken }])
    for (const report of [renderTerminal(broken, { colour: false }), renderMarkdown(broken), page]) {
      expect(report).not.toContain('polls per idle period')
    }
  })

  it('escapes what would end a property or a command', () => {
    const law = { ...SAMPLE.laws[2]!, id: 'a,b:100%' }
    const [first] = workflowCommands({ ...SAMPLE, laws: [law] }).split('\n')
    expect(first).toContain('title=a%2Cb%3A100%25%3A does not hold::An interrupt')
    const diagnostics = [{ file: 'src/idle.ts', line: 1, column: 2, message: '50%0A, a: b\nc' }]
    expect(workflowCommands({ ...BROKEN, diagnostics }).split('\n')[0]).toMatch(/::50%250A, a: b%0Ac$/)
  })

  it('ends the workflow commands with the notices of the classic reporter', () => {
    expect(workflowCommands(SAMPLE).split('\n').slice(-3)).toEqual([
      '::notice title=Autograding complete::Points 62/100',
      '::notice title=Autograding report::{"totalPoints":62,"maxPoints":100}',
      '',
    ])
  })
})
