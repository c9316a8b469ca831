import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type Connect, definePort, type Port, SubjectError } from '../contract/port.ts'
import type { RunningSubmission } from '../grade/prepared-submission.ts'
import { subjectKit } from './kit.ts'
import { LIMITS, type Limits } from './limits.ts'
import { openHere, openProcess } from './open-subject.ts'
import { processStatus } from './process-status.ts'

/** A port with a method of every kind, and an operation. */
interface Probe {
  echo(value: unknown): unknown
  tell(text: string): void
  fetch(count: number): number
}

const anything = z.any()
const port = definePort<Probe, { load(at: number): number }>({
  events: {
    echo: { args: z.tuple([anything]), result: anything },
    tell: { args: z.tuple([z.string()]), result: z.void() },
    fetch: { args: z.tuple([z.int()]), result: z.int() },
  },
  operations: { load: { args: z.tuple([z.int().min(0)]), result: z.int() } },
}) as Port<object, object>

/** Student code: its methods, as text of an object's body. */
const code = (body: string, before = '') =>
  `${before}\nexports.create = (machine) => ({ echo(v) { return v }, tell() {}, fetch(n) { return n }, ${body} })`
const NO_CONFINEMENT = { layers: ['process'], missing: [] } as const
const QUICK: Limits = { ...LIMITS, callCpuMs: 100, lawAsleepMs: 200, heapMb: 48, residentMb: 160 }
const opened: RunningSubmission[] = []
const kit = await subjectKit()

function inProcess(
  text: string,
  limits = QUICK,
  modules: readonly string[] = [],
  directory = false,
): RunningSubmission {
  const subject = { port, code: text, locate: () => undefined, grants: { modules, directory } }
  const running = openProcess(kit, subject, NO_CONFINEMENT, limits)
  opened.push(running)
  return running
}
const here = (text: string) => openHere(kit, { port, code: text, locate: () => undefined, grants: undefined })
const connect = (running: RunningSubmission, operations = {}) => running.load()(operations) as Probe
const failureOf = (run: () => unknown): SubjectError => {
  try {
    run()
  } catch (error) {
    if (error instanceof SubjectError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
/** What escaped code has: the subject's own process. */
const ESCAPED = `const outer = require('node:fs').readSync.constructor('return process')()`

afterEach(() => {
  for (const running of opened.splice(0)) running.close()
})

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.double({ noNaN: false }),
    fc.bigInt(),
    fc.boolean(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 9000, size: 'max' }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

describe('the two transports', () => {
  it('carry the same values', () => {
    const [confined, trusted] = [connect(inProcess(code(''))), connect(here(code('')))]
    fc.assert(
      fc.property(plain, (value) => {
        const expected = trusted.echo(value)
        expect(confined.echo(value)).toEqual(expected)
        if (typeof value === 'bigint' || typeof value === 'string') expect(expected).toBe(value)
      }),
      { seed: 5, numRuns: 150 },
    )
  })

  it.each([
    ['throws', `echo() { throw new RangeError('no such frame') }`],
    ['throws text', `echo() { throw 'no such frame' }`],
    ['throws what cannot be read', `echo() { throw new Proxy({}, { get() { throw 1 } }) }`],
    ['gives a function', `echo: () => () => 1`],
    ['gives a promise', `async echo() {}`],
    ['gives a cycle', `echo() { const c = []; c.push(c); return c }`],
    ['gives too many values', `echo: () => new Array(200000).fill(0)`],
    ['lacks the method', `echo: 5`],
    ['recurses for ever', `echo(v) { return [this.echo(v)] }`],
    ['asks for the time', `echo: () => Date.now()`],
    ['asks for chance', `echo: () => Math.random()`],
    ['asks for a timer', `echo: () => setTimeout(() => {}, 1)`],
    ['makes code of text', `echo: () => eval('1')`],
    ['makes code of text by Function', `echo: () => (() => {}).constructor('return 1')()`],
    ['makes Wasm', `echo: () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) && 1`],
    ['patches what the border uses', `echo() { Array.isArray = () => false; Object.keys = () => []; return [1] }`],
  ])('tell the same of code that %s', (_, body) => {
    const [confined, trusted] = [inProcess(code(body)), here(code(body))].map((running) =>
      failureOrValue(() => connect(running).echo(1)),
    )
    expect(confined).toEqual(trusted)
  })

  it('tell the same of code without create, of one that makes nothing, and of one that throws while it loads', () => {
    for (const text of [
      '',
      'exports.create = () => 5',
      'throw new Error("early")',
      'exports.create = () => { throw 1 }',
    ]) {
      const [confined, trusted] = [inProcess(text), here(text)].map((running) => failureOf(() => connect(running)))
      expect({ ...confined }).toEqual({ ...trusted })
      expect(confined!.message).toBe(trusted!.message)
    }
  })

  it('carry operations to the machine and back, each instance to its own', () => {
    const text = code(`fetch(n) { let sum = 0; for (let i = 0; i < n; i++) sum += machine.load(i); return sum }`)
    for (const running of [inProcess(text), here(text)]) {
      const load = running.load() as Connect<Probe>
      const [tens, ones] = [load({ load: (at: number) => at * 10 }), load({ load: (at: number) => at })]
      expect([tens.fetch(4), ones.fetch(4), tens.fetch(1)]).toEqual([60, 6, 0])
    }
  })

  it('let what an operation throws end the call that asked, whatever the code makes of it', () => {
    const text = code(`fetch(n) { try { machine.load(n) } catch {} return 7 }`)
    for (const running of [inProcess(text), here(text)]) {
      const refuse = () => {
        throw new RangeError('the frame lies outside of the host')
      }
      expect(() => connect(running, { load: refuse }).fetch(1)).toThrow('the frame lies outside of the host')
      const bad = failureOf(() => connect(running, { load: () => 0 }).fetch(-1))
      expect(bad).toMatchObject({ failure: 'badAnswer', method: 'load' })
      expect(bad.message).toMatch(/^called load with \[-1\]: 0: /)
    }
  })

  it('load code anew for each law, and keep its variables from one instance to the next', () => {
    const text = code(`fetch: () => ++calls`, 'let calls = 0')
    for (const running of [inProcess(text), here(text)]) {
      const load = running.load() as Connect<Probe>
      expect([load().fetch(0), load().fetch(0), connect(running).fetch(0)]).toEqual([1, 2, 1])
    }
  })

  it('give code that may use a directory one of its own, and do not tell where it lies', () => {
    const text = code(
      `echo(path) { fs.writeFileSync(path + '/a', 'x'); throw new Error(path) }`,
      `const fs = require('node:fs')`,
    )
    const running = inProcess(text, LIMITS, ['node:fs'], true)
    const connection = running.load() as Connect<Probe>
    const error = failureOf(() => connection().echo(connection.directory))
    expect([error.message, readdirSync(connection.directory!)]).toEqual(['Error: ', ['a']])
  })

  it('connect to a canary that answers nothing', () => {
    for (const running of [inProcess(code('')), here(code(''))]) {
      expect(failureOf(() => (running.canary()() as Probe).fetch(1)).failure).toBe('badAnswer')
    }
  })
})

describe('a subject that misbehaves ends by name, and the next law starts afresh', () => {
  it.each([
    ['timedOut', 'loops', `echo() { for (;;); }`],
    ['threw', 'would sleep', `echo() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }`],
    ['timedOut', 'loops in a getter of its answer', `echo: () => ({ get a() { for (;;); } })`],
    ['timedOut', 'loops in an error', `echo() { throw { get message() { for (;;); } } }`],
    ['timedOut', 'matches for ever', `echo: () => /^(a+)+$/.test('a'.repeat(60) + 'b')`],
    ['outOfMemory', 'fills the heap', `echo() { const all = []; for (;;) all.push([all.length]) }`],
    ['outOfMemory', 'fills buffers', `echo() { const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1)) }`],
  ])('%s: %s', (failure, _, body) => {
    const running = inProcess(code(body), { ...QUICK, callCpuMs: failure === 'timedOut' ? 100 : 5_000 })
    const probe = connect(running)
    expect(probe.fetch(1)).toBe(1)
    const error = failureOf(() => probe.echo(1))
    expect([error.failure, error.method]).toEqual([failure, 'echo'])
    expect(connect(running).fetch(2)).toBe(2)
  })

  it.each([
    [
      'timedOut',
      'sleeps',
      `outer.exit.constructor('return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)')()`,
    ],
    ['crashed', 'exits', `outer.reallyExit(0)`],
    ['crashed', 'aborts', `outer.abort()`],
    ['crashed', 'kills itself', `outer.kill(outer.pid, 'SIGKILL')`],
    ['flooded', 'prints without end', `for (;;) require('node:fs').writeSync(2, 'x'.repeat(4096))`],
    [
      'flooded',
      'sends a frame without end',
      `require('node:fs').writeSync(4, new Uint8Array([255, 255, 255, 255, 0, 0, 0, 0, 67]))`,
    ],
    [
      'protocolViolation',
      'sends garbage',
      `require('node:fs').writeSync(4, new Uint8Array([1, 0, 0, 0, 3, 0, 0, 0, 67, 120]))`,
    ],
    [
      'protocolViolation',
      'answers twice',
      `require('node:fs').writeSync(4, '\\x0e\\0\\0\\0\\x03\\0\\0\\0C["answered",5]'); return 5`,
    ],
    [
      'protocolViolation',
      'answers the next call',
      `require('node:fs').writeSync(4, '\\x0e\\0\\0\\0\\x04\\0\\0\\0C["answered",5]'); return 5`,
    ],
    ['protocolViolation', 'closes the pipe', `require('node:fs').closeSync(4); for (;;);`],
    ['flooded', 'asks without end', `for (;;) machine.load(1)`],
  ])('%s: escaped code that %s', (failure, _, statements) => {
    const text = code(`fetch(n) { if (n !== 1) return n; ${statements} }`, ESCAPED)
    const running = inProcess(text, { ...QUICK, callCpuMs: 5_000, callOperations: 50 }, ['node:fs'])
    const probe = connect(running, { load: () => 0 })
    const error = failureOf(() => [probe.fetch(1), probe.fetch(2)])
    expect(error.failure).toBe(failure)
    expect(connect(running).fetch(2)).toBe(2)
  })

  it('refuses answers that are no outcome, whoever made them', () => {
    for (const answer of [
      '',
      '5',
      '[]',
      '["answered","x"]',
      '["threw",1,2,3]',
      '["answered",[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]',
    ]) {
      const running = inProcess(code(`fetch() { return 1 }`, `JSON.stringify = () => ${JSON.stringify(answer)}`))
      expect(failureOf(() => connect(running)).failure).toBe('protocolViolation')
    }
  })

  it('is given no more than a law’s and a grading’s time, however many calls it takes', () => {
    const text = code(`fetch() { for (let i = 0; i < 3e7; i++); return 1 }`)
    const calls = (running: RunningSubmission) => {
      const probe = connect(running)
      for (let i = 0; i < 1_000; i++) probe.fetch(i)
    }
    expect(failureOf(() => calls(inProcess(text, { ...LIMITS, lawCpuMs: 300 }))).failure).toBe('timedOut')
    const running = inProcess(text, { ...LIMITS, gradingCpuMs: 200 })
    expect(failureOf(() => calls(running)).failure).toBe('timedOut')
    expect(failureOf(() => connect(running)).failure).toBe('timedOut')
  })
})

describe('what is left of a subject', () => {
  it('is nothing: no process, no file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trapframe-left-'))
    vi.stubEnv('TMPDIR', folder)
    const running = inProcess(code(`fetch: () => outer.pid`, ESCAPED), LIMITS, ['node:fs'])
    const pid = connect(running).fetch(1)
    expect(processStatus(pid)).toBeDefined()
    running.close()
    expect(processStatus(pid)).toBeUndefined()
    vi.unstubAllEnvs()
    expect(readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true })
  })

  it('is nothing to read while it lives: an empty environment, no word of the judge', () => {
    const text = code(`echo: () => [Object.keys(outer.env).join(), outer.argv.slice(2).join(), outer.cwd()]`, ESCAPED)
    expect(connect(inProcess(text, LIMITS, ['node:fs'])).echo(1)).toEqual(['TZ', '', '/'])
  })
})

function failureOrValue(run: () => unknown): unknown {
  try {
    return { value: run() }
  } catch (error) {
    if (!(error instanceof SubjectError)) throw error
    return { failure: error.failure, method: error.method, message: error.message }
  }
}
