import vm from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NotWritten } from '../contract/not-written.ts'
import { definePort, SubjectError } from '../contract/port.ts'
import { connectInProcess } from './in-process.ts'
import { NotPlain, plainCopy } from './plain-data.ts'

interface Echo {
  say(value: { n: number; bytes: Uint8Array }): { n: number }
  big(value: bigint): bigint
  tell(): void
}

const port = definePort<Echo>({
  events: {
    say: {
      args: z.tuple([z.strictObject({ n: z.int(), bytes: z.instanceof(Uint8Array) })]),
      result: z.strictObject({ n: z.int() }),
    },
    big: { args: z.tuple([z.bigint()]), result: z.bigint().min(0n) },
    tell: { args: z.tuple([]), result: z.void() },
  },
  operations: {},
})
const right = { say: ({ n }: { n: number }) => ({ n }), big: (value: bigint) => value, tell: () => {} }
const connect = (subject: unknown) => connectInProcess(port, () => subject)()
const bytes = new Uint8Array([1])
const failureOf = (run: () => unknown): SubjectError => {
  try {
    run()
  } catch (error) {
    if (error instanceof SubjectError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.string(),
    fc.uint8Array({ maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

describe('plainCopy', () => {
  it('gives an equal value that shares nothing with the original', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const copy = plainCopy(value)
        expect(copy).toEqual(normal(value))
        if (typeof value === 'object') expect(copy).not.toBe(value)
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  it('reads each property once, so that a getter cannot answer twice', () => {
    let reads = 0
    const sly = {
      get n() {
        return ++reads
      },
    }
    expect(plainCopy(sly)).toEqual({ n: 1 })
    expect(reads).toBe(1)
  })

  it('refuses what is no plain data, wherever it stands', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    const values = [
      null,
      undefined,
      () => 1,
      Symbol('s'),
      new Map(),
      new Set(),
      Promise.resolve(1),
      cycle,
      'x'.repeat(2 ** 20 + 1),
    ]
    for (const value of values) expect(() => plainCopy([{ value: [value] }])).toThrow(NotPlain)
    expect(() => plainCopy(new Array(200_000).fill(0))).toThrow('more than 100000 values')
  })

  it('keeps a property called __proto__ as data', () => {
    const copy = plainCopy(JSON.parse('{"__proto__": {"sly": 1}}')) as object
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(Object.keys(copy)).toEqual(['__proto__'])
  })

  it('takes arrays and byte arrays of another realm', () => {
    expect(plainCopy(vm.runInNewContext('({ list: [1, 2], bytes: new Uint8Array([3]) })'))).toEqual({
      list: [1, 2],
      bytes: new Uint8Array([3]),
    })
  })
})

describe('connectInProcess', () => {
  it('hands arguments over as copies and answers back as copies', () => {
    let given: { bytes: Uint8Array } | undefined
    const kept = { n: 5, extra: undefined }
    const subject = connect({
      ...right,
      say: (value: { bytes: Uint8Array }) => {
        given = value
        value.bytes[0] = 99
        return kept
      },
    })
    const answer = subject.say({ n: 1, bytes })
    expect([bytes[0], given!.bytes[0]]).toEqual([1, 99])
    expect(answer).toEqual({ n: 5 })
    expect(answer).not.toBe(kept)
    expect(subject.big(2n ** 63n)).toBe(2n ** 63n)
  })

  it('calls methods on the object that create made, a new one for each connection', () => {
    class Counting {
      #calls = 0n
      say() {
        return { n: 0 }
      }
      big() {
        return ++this.#calls
      }
      tell() {}
    }
    const connectTo = connectInProcess(port, () => new Counting())
    const [first, second] = [connectTo(), connectTo()]
    expect([first.big(0n), first.big(0n), second.big(0n)]).toEqual([1n, 2n, 1n])
  })

  it('takes no answer from a method that gives none', () => {
    expect(connect({ ...right, tell: () => 17 }).tell()).toBeUndefined()
  })

  it.each([
    ['a wrong type', { say: () => ({ n: '1' }) }, /^say gave \{"n":"1"\}: n: /],
    ['nothing', { say: () => undefined }, 'say gave undefined'],
    ['not a number', { say: () => ({ n: Number.NaN }) }, /^say gave /],
    ['a promise', { say: async () => ({ n: 1 }) }, 'say gave a promise, but the methods of this port are synchronous'],
    ['too much', { say: () => ({ n: 1, more: 2 }) }, /more/],
    [
      'a proxy that throws',
      { say: () => new Proxy({}, { ownKeys: () => fail() }) },
      'say gave an object that cannot be read',
    ],
    ['a lookalike of a matcher', { say: () => ({ asymmetricMatch: () => true }) }, 'say gave a function'],
  ])('calls %s a bad answer', (_, wrong, message) => {
    const error = failureOf(() => connect({ ...right, ...wrong }).say({ n: 1, bytes }))
    expect([error.failure, error.method]).toEqual(['badAnswer', 'say'])
    expect(error.message).toMatch(message)
  })

  it('tells what the code threw, whatever it throws', () => {
    const thrown = (value: unknown) => failureOf(() => connect({ ...right, tell: () => raise(value) }).tell())
    expect(thrown(new RangeError('no such vcpu'))).toMatchObject({
      failure: 'threw',
      message: 'RangeError: no such vcpu',
    })
    expect(thrown('text')).toMatchObject({ failure: 'threw', message: 'threw "text"' })
    expect(thrown(undefined)).toMatchObject({ failure: 'threw', message: 'threw undefined' })
    expect(thrown(new NotWritten('tell', 'Think.'))).toMatchObject({
      failure: 'notWritten',
      message: 'tell is not written yet. Think.',
    })
    expect(thrown(new Proxy({}, { get: () => fail() })).message).toBe('threw an object that cannot be read')
  })

  it('finds the line of the student in a stack', () => {
    const error = new Error('x')
    error.stack = 'Error: x\n    at f (/a/platform/reference/x.ts:1:1)\n    at Idle.halted (/home/a/src/idle.ts:12:5)'
    expect(failureOf(() => connect({ ...right, tell: () => raise(error) }).tell()).at).toBe('src/idle.ts:12')
  })

  it('names a create that makes no object, and a method that is missing', () => {
    expect(failureOf(() => connect(undefined))).toMatchObject({
      method: 'create',
      message: 'create() gave undefined instead of an object',
    })
    expect(failureOf(() => connect({}).tell()).message).toBe('the object that create() gave has no method tell')
  })

  it('blames the suite, not the student, for arguments that the port does not allow', () => {
    expect(() => connect(right).say({ n: 0.5, bytes })).toThrow(TypeError)
  })
})

function raise(value: unknown): never {
  throw value
}

function fail(): never {
  throw new Error('read')
}

/** What a copy looks like: no -0, and properties without a value left out. */
function normal(value: unknown): unknown {
  if (value === 0) return 0
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normal(inner)]))
}
