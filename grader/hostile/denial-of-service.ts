/** Code that never ends, or takes all there is of something: each law that it touches ends by name, and nothing else does. */
import { endsIn, gainsNothing, type Hostile, inBrief, inFamily, MAY_LOSE } from './hostile.ts'
import { onRight, onWrong, withText } from './kit.ts'

export const denialOfService: readonly Hostile[] = inFamily(
  'denial of service',
  inBrief([
    {
      id: 'loop-at-load',
      tries: 'Loops for ever while its module is loaded.',
      submission: onWrong({ load: 'for (;;) {}' }),
      expect: endsIn('timedOut'),
    },
    {
      id: 'loop-in-call',
      tries: 'Loops for ever in every method.',
      submission: onWrong({ call: 'for (;;) {}' }),
      expect: endsIn('timedOut'),
    },
    {
      id: 'loop-in-one-method',
      tries: 'Is right but for one method, which loops for ever: only the laws that call it may be lost.',
      submission: onRight(({ lab }) => {
        const last = Object.keys(lab.port.events as object).at(-1)
        return { call: `if (name === ${JSON.stringify(last)}) for (;;) {}` }
      }),
      expect: { ...MAY_LOSE, some: 'timedOut' },
    },
    {
      id: 'backtracking',
      tries:
        'Matches a regular expression that takes exponential time, which no check inside JavaScript can interrupt.',
      submission: onWrong({ create: "/^(a+)+$/.test('a'.repeat(60) + 'b')" }),
      expect: endsIn('timedOut'),
    },
    {
      id: 'sleeps-in-atomics',
      tries: 'Waits for ever on shared memory, which takes no CPU time at all.',
      submission: onWrong({ create: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)' }),
      expect: endsIn('threw'),
    },
    {
      id: 'memory-arrays',
      tries: 'Fills the heap with arrays.',
      submission: onWrong({ create: 'const all = []; for (;;) all.push(new Array(100000).fill(all))' }),
      expect: endsIn('outOfMemory', 'timedOut'),
    },
    {
      id: 'memory-strings',
      tries: 'Doubles strings and flattens them until there is no memory left.',
      submission: onWrong({
        create:
          "const all = []; let text = 'x'.repeat(1 << 24); for (;;) { text = text.slice(1) + 'y'; text.charCodeAt(5); all.push(text) }",
      }),
      expect: gainsNothing(),
    },
    {
      id: 'memory-buffers',
      tries: 'Takes buffers of 1 GB, outside the heap, and touches every page.',
      submission: onWrong({
        create: 'const all = []; for (;;) { const bytes = new Uint8Array(1 << 30); bytes.fill(1); all.push(bytes) }',
      }),
      expect: gainsNothing(),
    },
    {
      id: 'memory-shared',
      tries: 'Takes shared memory until there is none left.',
      submission: onWrong({
        create:
          'const all = []; for (;;) { const bytes = new Uint8Array(new SharedArrayBuffer(1 << 28)); bytes.fill(1); all.push(bytes) }',
      }),
      expect: gainsNothing(),
    },
    {
      id: 'memory-wasm',
      tries: 'Grows WebAssembly memories to 4 GB each.',
      submission: onWrong({
        create:
          'const all = []; for (let n = 0; n < 64; n++) { const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 }); for (;;) { try { memory.grow(1024) } catch { break } new Uint8Array(memory.buffer).fill(1) } all.push(memory) }',
      }),
      expect: gainsNothing(),
    },
    {
      id: 'deep-recursion',
      tries: 'Recurs until the stack is full.',
      submission: onWrong({ create: 'const deeper = (n) => deeper(n + 1) + 1; deeper(0)' }),
      expect: endsIn('threw'),
    },
    {
      id: 'recursion-without-end',
      tries: 'Fills the stack again from every handler of the error that says so, which takes exponential time.',
      submission: onWrong({ create: 'const again = () => { try { again() } finally { again() } }; again()' }),
      expect: endsIn('timedOut', 'crashed'),
    },
    {
      id: 'flood-of-output',
      tries: 'Prints without end.',
      submission: onRight({ create: "for (let n = 0; n < 2000; n++) console.log('x'.repeat(1000), n)" }),
      expect: MAY_LOSE,
    },
    {
      id: 'flood-of-operations',
      tries: 'Asks the machine for operations without end, known ones and others.',
      submission: onWrong({
        create:
          'for (let n = 0; n < 2000; n++) for (const ask of Object.values(operations[0] ?? {})) try { ask(n) } catch {}',
      }),
      expect: gainsNothing(),
    },
    {
      id: 'promises-without-end',
      tries: 'Lets each promise make two more.',
      submission: onWrong({
        create: 'const more = () => { Promise.resolve().then(more); Promise.resolve().then(more) }; more()',
      }),
      expect: gainsNothing(),
    },
    {
      id: 'huge-parse',
      tries: 'Is a file of brackets nested as deep as the size limit allows, to overflow the compiler.',
      submission: withText(() => `export const create = () => (${'['.repeat(120_000)}${']'.repeat(120_000)})\n`),
      expect: { outcomes: ['doesNotCompile', 'notReadable'], points: 'none', verdicts: ['notRun'] },
    },
    {
      id: 'endless-types',
      tries: 'Declares types that take the compiler exponential time.',
      submission: withText(
        `type Twice<T extends unknown[]> = [...T, ...T]
type Grow<T extends unknown[], N extends unknown[] = []> = N['length'] extends 40 ? T : Grow<Twice<T>, [...N, 0]>
type Words<S extends string> = S | \`\${S}a\` | \`\${S}b\`
type Many = Words<Words<Words<Words<Words<Words<Words<Words<Words<Words<Words<Words<'x'>>>>>>>>>>>>
export const create = (): Grow<[1, 2]> | Many => 'x'
export const check: Many = 'y'
`,
      ),
      expect: { outcomes: ['doesNotCompile'], points: 'none', verdicts: ['notRun'] },
    },
    {
      id: 'many-errors',
      tries: 'Has tens of thousands of errors for the compiler to report.',
      submission: withText(() => 'const x: number = "a"\n'.repeat(10_000)),
      expect: { outcomes: ['doesNotCompile'], points: 'none', verdicts: ['notRun'] },
    },
  ]),
)
