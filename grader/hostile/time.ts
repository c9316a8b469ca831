/** Code that changes the clock, or that is slow just where a limit of time would let it. */
import { DOES_NOT_COMPILE, gainsNothing, type Hostile, inBrief, inFamily, KEEPS_ALL } from './hostile.ts'
import { onRight, onWrong, withText } from './kit.ts'

export const time: readonly Hostile[] = inFamily(
  'time',
  inBrief([
    {
      id: 'clock-typed',
      tries: 'Measures time with performance.now, and lets the compiler see it.',
      submission: withText(
        'export const start: number = performance.now()\nexport function create(): object {\n  return {}\n}\n',
      ),
      expect: DOES_NOT_COMPILE,
    },
    {
      id: 'clock-stands-still',
      tries:
        'Puts clocks that stand still in the place of Date and performance, so that no limit of time is ever reached.',
      submission: onWrong({
        first: `globalThis.Date = Object.assign(function () { return { getTime: () => 0, valueOf: () => 0 } }, { now: () => 0 })
globalThis.performance = { now: () => 0, timeOrigin: 0, mark() {}, measure() {} }
globalThis.setTimeout = globalThis.setImmediate = globalThis.clearTimeout = globalThis.queueMicrotask = () => 0
globalThis.process = { hrtime: Object.assign(() => [0, 0], { bigint: () => 0n }), cpuUsage: () => ({ user: 0, system: 0 }), exit() {}, env: {} }`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'clock-beside-right-code',
      tries: 'Replaces all clocks beside right code, which must not matter to anyone.',
      submission: onRight({
        load: `globalThis.Date = class { static now() { return NaN } }
globalThis.performance = undefined
Atomics.wait = () => 'timed-out'`,
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'chance-and-time',
      tries: 'Is right or wrong by chance and by the time of day, so that a second grading may say another thing.',
      submission: onWrong({ call: 'if (Math.random() < 0.5 || Date.now() % 2 === 0) throw new Error("by chance")' }),
      expect: { ...gainsNothing('threw') },
    },
    {
      id: 'timer-on-shared-memory',
      tries:
        'Waits on shared memory for a tenth of a second in each call, to hold the judge up without using any CPU time.',
      submission: onRight({
        first: 'const cell = new Int32Array(new SharedArrayBuffer(4))',
        call: 'try { Atomics.wait(cell, 0, 0, 100) } catch {}',
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'slow-but-ends',
      tries: 'Works for a fifth of a second in the first call of each law, which is below the limit of a call.',
      submission: onWrong({ first: 'let n = 0', call: 'while (n < 2e8) n++' }),
      expect: gainsNothing(),
    },
  ]),
)
