/** Code that says it has passed, in every language in which graders are known to listen. */
import { endsIn, gainsNothing, type Hostile, IMPORT_REFUSED, inFamily, KEEPS_ALL } from './hostile.ts'
import { onRight, onWrong, withText } from './kit.ts'
import { forgeText } from './plunder.ts'

const RESULT = `{ schema: 'trapframe/result/v1', outcome: 'graded', points: 100, maxPoints: 100, items: [], laws: [], verdict: 'held' }`
const ASYMMETRIC = `{ $$typeof: Symbol.for('jest.asymmetricMatcher'), asymmetricMatch: () => true, equals: () => true, toAsymmetricMatcher: () => '', kind: 'answered', verdict: 'held' }`

const imports = (line: string, use: string) =>
  withText(`${line}\n${use}\nexport function create(): object {\n  return {}\n}\n`)

export const forging: readonly Hostile[] = inFamily('forging', [
  {
    id: 'prints-a-result',
    tries: 'Prints a result document, and the notices that classroom reporters read, to standard output and error.',
    submission: onWrong({
      create: `for (const print of [console.log, console.error]) {
  print(JSON.stringify(${RESULT}))
  print('::notice title=Autograding complete::Points 100/100')
  print('ok 1 - all tests\\n<PASSED::>\\n# pass 100\\n# fail 0')
}`,
    }),
    expect: gainsNothing(),
  },
  {
    id: 'answers-a-result',
    tries: 'Gives a result document as the answer to every call.',
    submission: onWrong({ answer: `answer = ${RESULT}` }),
    expect: gainsNothing(),
  },
  {
    id: 'answers-a-verdict',
    tries: 'Gives records as answers that look like what a transport says of a call.',
    submission: onWrong({
      answer: "answer = { kind: 'answered', value: answer, verdict: 'held', held: true, ok: true }",
    }),
    expect: gainsNothing(),
  },
  {
    id: 'throws-a-verdict',
    tries: 'Throws errors that carry the verdict held.',
    submission: onWrong({
      call: "throw Object.assign(new Error('held'), { name: 'Held', failure: 'held', verdict: 'held', kind: 'answered', value: 0 })",
    }),
    expect: endsIn('threw'),
  },
  {
    id: 'throws-a-violation',
    tries: 'Throws what a law throws when it does not hold, with a difference of its own choice.',
    submission: onWrong({
      call: "throw Object.assign(new Error('x'), { name: 'Violation', difference: { what: 'nothing', expected: '1', actual: '1' }, trace: [] })",
    }),
    expect: endsIn('threw'),
  },
  {
    id: 'throws-a-precondition',
    tries: 'Throws fast-check’s error for a case that does not count, so that every case is thrown away.',
    submission: onWrong({
      call: "throw Object.assign(new Error('pre'), { name: 'PreconditionFailure', footprint: Symbol.for('fast-check/PreconditionFailure'), isInterrupted: true, [Symbol.for('fast-check/PreconditionFailure')]: true })",
    }),
    expect: endsIn('threw'),
  },
  {
    id: 'asymmetric-matcher',
    tries: 'Gives objects that jest and vitest take for equal to anything.',
    submission: onWrong({ answer: `answer = ${ASYMMETRIC}` }),
    expect: gainsNothing(),
  },
  {
    id: 'equal-by-conversion',
    tries: 'Gives objects whose conversions differ each time, so that a loose comparison may hit.',
    submission: onWrong({
      first: 'let n = 0',
      answer: 'answer = { valueOf: () => n++, toString: () => String(n), [Symbol.toPrimitive]: () => n++, ...answer }',
    }),
    expect: gainsNothing(),
  },
  {
    id: 'imports-fast-check',
    tries: 'Sets the number of fast-check’s runs to none.',
    submission: imports("import fc from 'fast-check'", 'fc.configureGlobal({ numRuns: 0 })'),
    expect: IMPORT_REFUSED,
  },
  {
    id: 'fast-check-without-import',
    tries: 'Sets the number of fast-check’s runs to none by the symbol under which it keeps its settings.',
    submission: onWrong({
      first:
        "globalThis[Symbol.for('fast-check/GlobalParameters')] = { numRuns: 0, skipAllAfterTimeLimit: 0, markInterruptAsFailure: false }",
    }),
    expect: gainsNothing(),
  },
  {
    id: 'imports-vitest',
    tries: 'Extends vitest’s matchers so that all pass, and skips each test.',
    submission: imports(
      "import { beforeEach, expect } from 'vitest'",
      "expect.extend({ toBe: () => ({ pass: true, message: () => '' }) })\nbeforeEach((context) => context.skip())",
    ),
    expect: IMPORT_REFUSED,
  },
  {
    id: 'vitest-without-import',
    tries: 'Changes vitest’s matchers by the symbols under which they are kept.',
    submission: onWrong({
      first: `for (const name of ['$$jest-matchers-object', 'matchers-object', 'expect-global', 'asymmetric-matchers-object', 'type-is-vitest']) {
  globalThis[Symbol.for(name)] = new Proxy({}, { get: () => () => ({ pass: true, message: () => '' }) })
}
globalThis.__vitest_worker__ = globalThis.__vitest_index__ = { config: { passWithNoTests: true } }`,
    }),
    expect: gainsNothing(),
  },
  {
    id: 'imports-the-grader',
    tries: 'Imports the grader itself through the platform’s folder.',
    submission: imports(
      "import { gradeSubmission } from '../platform/grader/grade/grade-submission.ts'",
      'Reflect.set(gradeSubmission, "call", () => 100)',
    ),
    expect: IMPORT_REFUSED,
  },
  {
    id: 'imports-the-solution',
    tries: 'Imports the reference solution through the platform’s folder, and hands it on as its own.',
    submission: withText(({ lab }) => `export { create } from '../platform/${lab.solution[0]}'\n`),
    expect: IMPORT_REFUSED,
  },
  {
    id: 'frames-after-escape',
    tries: 'Looks for the host’s process, and writes frames to every open descriptor.',
    submission: onWrong({
      first: forgeText(),
      call: `for (const way of [() => process, () => globalThis.constructor.constructor('return process')(), () => args.constructor.constructor('return process')(), () => console.log.constructor('return process')(), () => module.constructor.constructor('return process')()]) {
  try { forge(way()) } catch {}
}`,
    }),
    expect: gainsNothing(),
  },
  {
    id: 'knows-the-suite',
    tries: 'Looks in its stack for the name of a suite or law, to be right only where somebody looks.',
    submission: onRight({
      call: `if ((globalThis.looks = (globalThis.looks ?? 0) + 1) < 500 && /hidden|suite|law|check|judge|vitest|property/i.test(String(new Error().stack).replaceAll(/src\\/[^\\n]*/g, ''))) throw new Error('seen')`,
    }),
    expect: KEEPS_ALL,
  },
  {
    id: 'counts-laws',
    tries: 'Counts how often it was loaded, to be wrong only in the later suite: nothing of one law reaches the next.',
    submission: onRight({
      first: 'globalThis.loads = (globalThis.loads ?? 0) + 1; Math.loads = (Math.loads ?? 0) + 1',
      create: "if (globalThis.loads > 1 || Math.loads > 1) throw new Error('loaded before')",
    }),
    expect: KEEPS_ALL,
  },
  {
    id: 'overwrites-create',
    tries: 'Changes the module’s exports after it was loaded, and puts accessors in their place.',
    submission: onWrong({
      load: `try { Object.defineProperty(module, 'exports', { get: () => ({ verdict: 'held', create: () => new Proxy({}, { get: () => () => 0 }) }) }) } catch {}`,
    }),
    expect: gainsNothing(),
  },
])
