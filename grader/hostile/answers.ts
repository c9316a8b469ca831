/** Code that answers with what is no plain data, or changes while it is looked at. Methods that answer nothing ignore it. */
import { gainsNothing, type Hostile, inBrief, inFamily, KEEPS_ALL, MAY_LOSE } from './hostile.ts'
import { onRight, onWrong } from './kit.ts'

const answering = (id: string, tries: string, answer: string, some?: string): Omit<Hostile, 'family'> => ({
  id,
  tries,
  submission: onWrong({ answer }),
  expect: gainsNothing(some),
})

export const answers: readonly Hostile[] = inFamily(
  'answers',
  inBrief([
    answering('answers-nothing', 'Answers undefined to everything.', 'answer = undefined', 'badAnswer'),
    answering('answers-null', 'Answers null to everything.', 'answer = null', 'badAnswer'),
    answering('answers-a-function', 'Answers with functions.', 'answer = () => 0', 'badAnswer'),
    answering('answers-a-symbol', 'Answers with symbols.', "answer = Symbol.for('held')", 'badAnswer'),
    answering('answers-nan', 'Answers NaN.', 'answer = NaN', 'badAnswer'),
    answering('answers-infinity', 'Answers infinities.', 'answer = -Infinity', 'badAnswer'),
    answering(
      'answers-a-huge-string',
      'Answers a string of half a gigabyte.',
      "answer = 'x'.repeat(0x1fffffe8)",
      'badAnswer',
    ),
    answering(
      'answers-long-strings',
      'Answers lists of long strings, just below every single limit.',
      "answer = Array(1000).fill('x'.repeat(1 << 20))",
    ),
    answering('answers-a-huge-bigint', 'Answers a bigint of a million bits.', 'answer = 1n << 1000000n'),
    answering(
      'answers-bigint-extremes',
      'Answers 2⁶⁴ and its negative.',
      'answer = Math.abs(args.length) % 2 ? 1n << 64n : -(1n << 63n)',
    ),
    answering(
      'answers-a-cycle',
      'Answers a record that holds itself.',
      'answer = {}; answer.self = answer',
      'badAnswer',
    ),
    answering(
      'answers-deep',
      'Answers lists nested a hundred thousand levels deep.',
      'answer = []; for (let n = 0; n < 100000; n++) answer = [answer]',
      'badAnswer',
    ),
    answering(
      'answers-wide',
      'Answers a record with a million keys.',
      "answer = {}; for (let n = 0; n < 1e6; n++) answer['k' + n] = n",
    ),
    answering(
      'answers-a-million-holes',
      'Answers a list of 2³² - 1 holes.',
      'answer = []; answer.length = 4294967295',
      'badAnswer',
    ),
    answering(
      'answers-shared-twice',
      'Answers a small record that would be copied 2⁵⁰ times.',
      'answer = {}; for (let n = 0; n < 50; n++) answer = { a: answer, b: answer }',
      'badAnswer',
    ),
    answering(
      'answers-a-revoked-proxy',
      'Answers a revoked proxy.',
      'const pair = Proxy.revocable({}, {}); pair.revoke(); answer = pair.proxy',
    ),
    answering(
      'answers-a-promise',
      'Answers promises, as async methods do.',
      'answer = Promise.resolve(answer)',
      'badAnswer',
    ),
    answering('answers-a-thenable', 'Answers with a thenable.', 'answer = { then(resolve) { resolve(0) }, ...answer }'),
    answering(
      'answers-boxed',
      'Answers numbers, bigints and strings as objects.',
      "answer = [Object(0), Object(0n), Object('')][name.length % 3]",
      'badAnswer',
    ),
    answering(
      'answers-numbers-as-text',
      'Answers numbers as texts.',
      "answer = typeof answer === 'object' ? Object.fromEntries(Object.keys(answer).map((key) => [key, '0'])) : '0'",
    ),
    answering(
      'answers-a-throwing-getter',
      'Answers with getters that throw.',
      "answer = Object.defineProperty({}, 'eip', { enumerable: true, get() { throw new Error('no') } })",
    ),
    answering(
      'answers-an-endless-getter',
      'Answers with a list that grows while it is read.',
      'const list = []; Object.defineProperty(list, 0, { get() { list.push(0); list.length += 1000; return 0 }, enumerable: true }); answer = list',
    ),
    answering(
      'answers-endless-keys',
      'Answers a proxy whose every property is such a proxy again.',
      'const again = () => new Proxy({}, { ownKeys: () => ["a", "b", "c"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 0 }), get: again }); answer = again()',
    ),
    answering(
      'answers-wrong-length',
      'Answers lists whose length is not what they hold.',
      "answer = new Proxy([0, 0], { get: (list, key) => (key === 'length' ? 4294967295 : list[key]) })",
    ),
    answering(
      'answers-length-object',
      'Answers a list whose length is an object that counts.',
      "let n = 0; answer = new Proxy([], { get: (list, key) => (key === 'length' ? { valueOf: () => n++ } : 0) })",
    ),
    answering('answers-a-map', 'Answers maps and sets.', 'answer = new Map(Object.entries(answer ?? {}))'),
    answering(
      'answers-dates-and-patterns',
      'Answers a regular expression, an error or a weak reference.',
      "answer = [/x/, new Error('x'), new WeakRef({})][name.length % 3]",
    ),
    answering(
      'answers-extra-keys',
      'Answers records with keys that the port does not know.',
      "answer = { ...answer, verdict: 'held', points: 100, __proto__: { held: true } }",
    ),
    answering(
      'answers-half-characters',
      'Answers texts that are no Unicode: halves of surrogate pairs, NUL.',
      "answer = '\\ud800\\u0000\\udc00'",
    ),
    answering(
      'answers-shared-bytes',
      'Answers bytes on shared memory, which may change while they are read.',
      'answer = new Uint8Array(new SharedArrayBuffer(16))',
    ),
    answering(
      'answers-fake-bytes',
      'Answers what only pretends to be bytes.',
      "answer = Object.create(Uint8Array.prototype, { length: { value: 4 }, byteLength: { value: 4 }, [Symbol.toStringTag]: { value: 'Uint8Array' } })",
    ),
    answering(
      'answers-shrinking-bytes',
      'Answers bytes whose buffer is made smaller while they are copied.',
      "const buffer = new ArrayBuffer(64, { maxByteLength: 64 }); const bytes = new Uint8Array(buffer); Object.defineProperty(bytes, 'length', { get() { buffer.resize(0); return 64 } }); answer = bytes",
    ),
    {
      id: 'answers-change',
      tries: 'Answers with right values that turn into others when they are read a second time.',
      submission: onRight({
        answer: `if (typeof answer === 'object') {
  const first = new Set()
  answer = new Proxy(answer, { get: (target, key) => (first.has(key) ? 0 : (first.add(key), target[key])) })
}`,
      }),
      expect: MAY_LOSE,
    },
    {
      id: 'answers-change-for-the-better',
      tries: 'Answers with values that differ at each look, in the hope that one look checks and another compares.',
      submission: onWrong({
        first: 'let looks = 0',
        answer: `if (typeof answer === 'object') answer = new Proxy(answer, { get: (target, key) => (typeof target[key] === 'bigint' ? BigInt(looks++) : typeof target[key] === 'number' ? looks++ : target[key]) })`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'answers-negative-zero',
      tries: 'Is right, with -0 for each 0: they are the same number.',
      submission: onRight({
        answer: `const turn = (value) => (value === 0 ? -0 : typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, turn(each)])) : value)
answer = turn(answer)`,
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'answers-with-tojson',
      tries: 'Is right, with a method toJSON on each prototype that would write something else.',
      submission: onRight({
        load: 'for (const each of [Object, Array, Number, String, BigInt, Boolean]) each.prototype.toJSON = () => 0',
      }),
      expect: MAY_LOSE,
    },
    {
      id: 'answers-without-prototype',
      tries: 'Is right, with records that have no prototype.',
      submission: onRight({
        answer:
          "if (typeof answer === 'object' && !Array.isArray(answer)) answer = Object.assign(Object.create(null), answer)",
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'keeps-what-it-was-given',
      tries: 'Is right, and changes every argument after it was used, and at the next call again.',
      submission: onRight({
        first: 'const kept = []',
        call: 'for (const each of kept.splice(0)) if (typeof each === "object") for (const key of Object.keys(each)) try { each[key] = 0 } catch {}',
        answer: 'kept.push(...args)',
      }),
      expect: KEEPS_ALL,
    },
  ]),
)
