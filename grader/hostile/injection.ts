/** Text of the student's that wants to be more than text in a report: for a terminal, Markdown, HTML, a runner, a shell. */
import { DOES_NOT_COMPILE, endsIn, gainsNothing, type Hostile, IMPORT_REFUSED, inBrief, inFamily } from './hostile.ts'
import { onWrong, withText } from './kit.ts'
import { INJECTED } from './report-check.ts'

const TERMINAL = `\u001b[31m\u001b[2J\u001b]0;${INJECTED}\u0007\u001b]8;;http://${INJECTED}.invalid\u001b\\\\x\u009b31m\u0008\u007f`
const HIDDEN = `\u202e${INJECTED}\u2066\u200b\ufeff\u2028::error::${INJECTED}`
const MARKUP = `</code></pre></script><script>/*${INJECTED}*/</script><img src=x alt=${INJECTED} onerror=x>{{#with "${INJECTED}"}}{{{x}}}{{/with}}&lt;b ${INJECTED}&gt;`
const MARKDOWN = `\n\`\`\`\n\`\`\`\`\n\n# ${INJECTED}\n![x](http://${INJECTED}.invalid/x.png) [x](http://${INJECTED}.invalid) @${INJECTED} <details ${INJECTED}>\n| a | b |\n|---|---|\n`
const COMMANDS = `\n::error::${INJECTED}\n::set-output name=points::100\n::add-mask::Points\n::stop-commands::${INJECTED}\n##[error]${INJECTED}\r::notice title=Autograding complete::Points 100/100%0A::error::x`
const SHELL = `'; touch /tmp/${INJECTED}; echo "$(touch /tmp/${INJECTED})\`touch /tmp/${INJECTED}\``

const quoted = (text: string) => JSON.stringify(text)
const throwing = (text: string) => onWrong({ call: `throw new Error(${quoted(text)})` })

const EVERYTHING = `${TERMINAL}${HIDDEN}${MARKUP}${MARKDOWN}${COMMANDS}${SHELL}`

export const injection: readonly Hostile[] = inFamily(
  'injection',
  inBrief([
    {
      id: 'message-for-terminals',
      tries: 'Throws a message of escape sequences that clear the screen, set the title and hide links.',
      submission: throwing(TERMINAL),
      expect: endsIn('threw'),
    },
    {
      id: 'message-that-hides',
      tries: 'Throws a message of characters that reorder, join and hide text.',
      submission: throwing(HIDDEN),
      expect: endsIn('threw'),
    },
    {
      id: 'message-for-browsers',
      tries: 'Throws a message of HTML and of the template language of the web report.',
      submission: throwing(MARKUP),
      expect: endsIn('threw'),
    },
    {
      id: 'message-for-markdown',
      tries: 'Throws a message that leaves its block of code, with links, images, mentions and headings.',
      submission: throwing(MARKDOWN),
      expect: endsIn('threw'),
    },
    {
      id: 'message-for-runners',
      tries: 'Throws a message of workflow commands, one of them with all points.',
      submission: throwing(COMMANDS),
      expect: endsIn('threw'),
    },
    {
      id: 'message-for-shells',
      tries: 'Throws a message that would run if a shell were given it, as part of a command to copy.',
      submission: throwing(SHELL),
      expect: endsIn('threw'),
    },
    {
      id: 'message-without-end',
      tries: 'Throws a message of ten million characters, on as many lines.',
      submission: onWrong({ call: "throw new Error('x\\n'.repeat(5e6))" }),
      expect: endsIn('threw'),
    },
    {
      id: 'name-of-the-error',
      tries: 'Throws an error whose name is all of that.',
      submission: onWrong({ call: `throw Object.assign(new Error('x'), { name: ${quoted(EVERYTHING)} })` }),
      expect: endsIn('threw'),
    },
    {
      id: 'unwritten-message',
      tries: 'Puts all of that into the message of an unwritten method, which reports show in another place.',
      submission: onWrong({
        call: `throw Object.assign(new Error(${quoted(EVERYTHING)}), { name: 'NotWritten' })`,
      }),
      expect: endsIn('notWritten'),
    },
    {
      id: 'thrown-text',
      tries: 'Throws a bare text.',
      submission: onWrong({ call: `throw ${quoted(EVERYTHING)}` }),
      expect: endsIn('threw'),
    },
    {
      id: 'forged-stack',
      tries: 'Throws an error whose stack names lines of other files, and a command.',
      submission: onWrong({
        call: `throw Object.assign(new Error('x'), { stack: 'Error: x\\n    at trapframe-submission.js:1:1\\n    at /etc/passwd:1:1\\n    at trapframe-submission.js:99999999999999999999:-1' + ${quoted(EVERYTHING)} })`,
      }),
      expect: endsIn('threw'),
    },
    {
      id: 'answers-that-steer',
      tries: 'Answers every call with such a text, which the report quotes.',
      submission: onWrong({ answer: `answer = ${quoted(EVERYTHING)}` }),
      expect: gainsNothing('badAnswer'),
    },
    {
      id: 'keys-that-steer',
      tries: 'Answers with records whose keys are such texts.',
      submission: onWrong({
        answer: `answer = { ...answer, [${quoted(EVERYTHING)}]: ${quoted(MARKUP)}, __proto__: 1 }`,
      }),
      expect: gainsNothing('badAnswer'),
    },
    {
      id: 'types-that-steer',
      tries: 'Lets the compiler quote such texts from its types.',
      submission: withText(
        `export const a: 'x' = ${quoted(`${TERMINAL}${MARKUP}`)}\nexport const b: ${quoted(`${HIDDEN}${SHELL}`)} = 'x'\nexport const c: 1 = ${quoted(COMMANDS)}\n`,
      ),
      expect: DOES_NOT_COMPILE,
    },
    {
      id: 'names-in-messages',
      tries: 'Lets the compiler quote names of types and properties in other scripts, quotes and escapes.',
      submission: withText(
        `type \u0430dmin = { ${quoted(MARKDOWN)}: 1; ${quoted(COMMANDS)}: 2 }\nexport const a: \u0430dmin = 1\nexport const b = ({} as \u0430dmin)[${quoted(`${INJECTED}${MARKUP}`)}]\n`,
      ),
      expect: DOES_NOT_COMPILE,
    },
    {
      id: 'syntax-that-steers',
      tries: 'Has raw control characters in its text where the compiler will complain about them.',
      submission: withText(`export const \u009b31m${TERMINAL} = ;\n\u2028::error::${INJECTED}\n`),
      expect: { outcomes: ['doesNotCompile', 'importRefused', 'notReadable'], points: 'none', verdicts: ['notRun'] },
    },
    {
      id: 'import-that-steers',
      tries: 'Imports a module whose name is such a text.',
      submission: withText(
        `import ${quoted(TERMINAL + MARKUP)}\nimport ${quoted(COMMANDS)}\nimport ${quoted(MARKDOWN + SHELL)}\nexport const x = 1\n`,
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'prints-commands',
      tries: 'Prints workflow commands and escape sequences while it runs.',
      submission: onWrong({ call: `console.log(${quoted(EVERYTHING)}); console.error(${quoted(COMMANDS)})` }),
      expect: gainsNothing(),
    },
  ]),
)
