import { describe, expect, it } from 'vitest'
import { INJECTED, reportProblems } from './report-check.ts'

const CLEAN = { terminal: 'a\n', Markdown: '# a\n', HTML: '<p>a</p>\n', 'workflow commands': '::notice title=x::a\n' }

describe('the check of reports', () => {
  it('finds nothing in clean reports, nor where a student’s text is only text', () => {
    expect(reportProblems(CLEAN)).toEqual([])
    const quoted = {
      ...CLEAN,
      Markdown: `\`\`\`\`text\n\`\`\`\n<b ${INJECTED}>\n::error::x\n\`\`\`\`\nafter\n`,
      HTML: `<p>&lt;b ${INJECTED}&gt; [x](${INJECTED})</p>`,
      terminal: `  : :error::x\n  a ::error::x\n`,
    }
    expect(reportProblems(quoted)).toEqual([])
  })

  it.each([
    ['terminal', 'x\u001b[2J', /terminal report has a raw control character/],
    ['terminal', 'x\u202e', /terminal report has a raw control character/],
    ['terminal', 'a\n    ::error::x\n', /terminal report has a line that a runner takes/],
    ['terminal', 'a ##[error]x', /terminal report has a line that a runner takes/],
    ['Markdown', `<b ${INJECTED}>`, /Markdown report has markup/],
    ['Markdown', `\`\`\`\na\n\`\`\`\n[x](http://${INJECTED})`, /Markdown report has markup/],
    ['Markdown', `@${INJECTED}`, /Markdown report has markup/],
    ['HTML', `<p><img alt=${INJECTED}></p>`, /HTML report has markup/],
    ['workflow commands', '::set-output name=a::b\n', /no command of ours/],
    ['workflow commands', '::error title=x::a\nb\n', /no command of ours/],
  ] as const)('finds in the %s report what is more than text: %j', (name, text, problem) => {
    expect(reportProblems({ ...CLEAN, [name]: text }).join()).toMatch(problem)
  })
})
