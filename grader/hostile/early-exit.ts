/** Code that ends the process, or seems to: no exit status is a verdict, and nobody scores for checks that did not run. */
import { DOES_NOT_COMPILE, endsIn, gainsNothing, type Hostile, inFamily, KEEPS_ALL, MAY_LOSE } from './hostile.ts'
import { onRight, onWrong, withText } from './kit.ts'

/** `process` by its name only, so that no attack depends on a way to the host. */
const BY_NAME = (call: string) => `globalThis.process.${call}`

export const earlyExit: readonly Hostile[] = inFamily('early exit', [
  {
    id: 'exit-typed',
    tries: 'Calls process.exit(0), and lets the compiler see it.',
    submission: withText('process.exit(0)\nexport function create(): object {\n  return {}\n}\n'),
    expect: DOES_NOT_COMPILE,
  },
  {
    id: 'exit-at-load',
    tries: 'Calls process.exit(0) while its module is loaded.',
    submission: onWrong({ load: BY_NAME('exit(0)') }),
    expect: endsIn('threw', 'crashed'),
  },
  {
    id: 'exit-in-call',
    tries: 'Calls process.exit(0) in every method, so that no check can say that it is wrong.',
    submission: onWrong({ call: BY_NAME('exit(0)') }),
    expect: endsIn('threw', 'crashed'),
  },
  {
    id: 'really-exit',
    tries: 'Calls process.reallyExit(0), which runs no exit handlers.',
    submission: onWrong({ create: BY_NAME('reallyExit(0)') }),
    expect: endsIn('threw', 'crashed'),
  },
  {
    id: 'abort',
    tries: 'Ends its process by abort, or else by a signal to itself.',
    submission: onWrong({
      create: `try { ${BY_NAME('abort()')} } catch { ${BY_NAME("kill(process.pid, 'SIGKILL')")} }`,
    }),
    expect: endsIn('threw', 'crashed'),
  },
  {
    id: 'exit-after-public',
    tries: 'Is right at first, and exits after some calls, so that the rest is not run.',
    submission: onRight({ first: 'let calls = 0', call: `if (++calls > 20) ${BY_NAME('exit(0)')}` }),
    expect: { ...MAY_LOSE },
  },
  {
    id: 'unhandled-rejection',
    tries: 'Leaves a rejected promise behind that nobody handles, beside right code.',
    submission: onRight({ load: "Promise.reject(new Error('nobody handles this'))" }),
    expect: MAY_LOSE,
  },
  {
    id: 'throw-nothing',
    tries: 'Throws undefined in every method.',
    submission: onWrong({ call: 'throw undefined' }),
    expect: endsIn('threw'),
  },
  {
    id: 'throw-null-at-load',
    tries: 'Throws null while its module is loaded.',
    submission: onWrong({ load: 'throw null' }),
    expect: endsIn('threw'),
  },
  {
    id: 'throw-cannot-be-read',
    tries: 'Throws an object whose every property throws.',
    submission: onWrong({
      call: "throw new Proxy({}, { get() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') }, has() { throw new Error('no') } })",
    }),
    expect: endsIn('threw'),
  },
  {
    id: 'top-level-await',
    tries: 'Waits at the top of its module for a promise that never settles.',
    submission: onWrong({ load: 'await new Promise(() => {})' }),
    expect: DOES_NOT_COMPILE,
  },
  {
    id: 'debugger',
    tries: 'Stops at a debugger statement in every method.',
    submission: onRight({ call: 'debugger' }),
    expect: KEEPS_ALL,
  },
  {
    id: 'no-create',
    tries: 'Exports no create at all.',
    submission: withText('export const created = true\n'),
    expect: endsIn('threw', 'badAnswer'),
  },
  {
    id: 'empty-file',
    tries: 'Is an empty file.',
    submission: withText(''),
    expect: { outcomes: ['graded', 'doesNotCompile', 'notReadable'], points: 'none' },
  },
  {
    id: 'says-not-written',
    tries: 'Throws what unwritten methods throw, to look unfinished rather than wrong.',
    submission: onWrong({ call: "throw Object.assign(new Error('not written'), { name: 'NotWritten' })" }),
    expect: endsIn('notWritten'),
  },
  {
    id: 'skips-itself',
    tries: 'Throws what would skip a test in vitest, mocha and others.',
    submission: onWrong({
      call: "throw Object.assign(new Error('sync skip; aborting execution'), { pending: true, code: 'VITEST_PENDING', skipped: true })",
    }),
    expect: gainsNothing('threw'),
  },
])
