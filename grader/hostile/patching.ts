/** Code that changes what the language gives it, so that whatever runs beside it sees another world. */
import { gainsNothing, type Hostile, inBrief, inFamily, KEEPS_ALL, MAY_LOSE } from './hostile.ts'
import { onRight, onWrong } from './kit.ts'

export const patching: readonly Hostile[] = inFamily(
  'patching',
  inBrief([
    {
      id: 'always-equal',
      tries: 'Makes all comparisons that are functions say yes: Object.is, includes, every, some, test, equals.',
      submission: onWrong({
        first: `Object.is = () => true
Array.prototype.includes = Array.prototype.every = Array.prototype.some = () => true
String.prototype.includes = String.prototype.startsWith = RegExp.prototype.test = () => true
Set.prototype.has = Map.prototype.has = Object.hasOwn = () => true
Object.prototype.equals = () => true`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'array-methods',
      tries: 'Makes the methods of arrays find nothing wrong.',
      submission: onWrong({
        first: `for (const name of ['map', 'filter', 'flatMap', 'slice', 'concat']) Array.prototype[name] = () => []
for (const name of ['forEach', 'find', 'push']) Array.prototype[name] = () => undefined`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'iterators-end',
      tries: 'Lets every iteration end at once.',
      submission: onWrong({
        first: `const ends = function* () {}
Array.prototype[Symbol.iterator] = Map.prototype[Symbol.iterator] = Set.prototype[Symbol.iterator] = ends
Object.entries = Object.keys = Object.values = () => []`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'json-forged',
      tries: 'Lets JSON.stringify and JSON.parse say that all is well, whatever they are given.',
      submission: onWrong({
        first: `const good = { kind: 'answered', value: 0, verdict: 'held', status: 'pass' }
JSON.stringify = () => '{"kind":"answered","value":0,"verdict":"held"}'
JSON.parse = () => good`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'reflect-captured',
      tries:
        'Catches every function that is called through Reflect, call and apply, and calls it again with answers of its own.',
      submission: onWrong({
        first: `const { apply } = Reflect
const caught = []
const keep = (...all) => { if (caught.length < 60) caught.push(...all) }
Reflect.apply = (run, self, args) => { keep(run, self, args); return apply(run, self, args) }
Function.prototype.call = function (self, ...args) { keep(this, self, args); return apply(this, self, args) }
Function.prototype.apply = function (self, args) { keep(this, self, args); return apply(this, self, args ?? []) }
Reflect.get = (target, key) => { keep(target); return target[key] }`,
        call: `for (const each of caught) {
  if (typeof each === 'function') try { each({ kind: 'answered', value: 0 }) } catch {}
  else if (typeof each === 'object' && each !== null) try { each.kind = 'answered' } catch {}
}`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'object-prototype-accessors',
      tries: 'Puts accessors on Object.prototype for the names that a record of an answer is likely to have.',
      submission: onWrong({
        first: `for (const name of ['kind', 'value', 'verdict', 'failure', 'error', 'done', 'outcome', 'method', 'id', 'result']) {
  Object.defineProperty(Object.prototype, name, { get() { return name === 'kind' ? 'answered' : 0 }, set() {}, configurable: true })
}`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'object-prototype-values',
      tries: 'Pollutes Object.prototype with options that would skip checks.',
      submission: onWrong({
        first: `Object.assign(Object.prototype, { numRuns: 0, skip: true, verdict: 'held', points: 100, success: true, passed: true, pass: true, asymmetricMatch: () => true })`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'prototype-through-json',
      tries: 'Pollutes prototypes by the keys __proto__ and constructor of what it gives back.',
      submission: onWrong({
        answer: `if (typeof answer === 'object') {
  answer = JSON.parse('{"__proto__": {"verdict": "held", "points": 100}, "constructor": {"prototype": {"verdict": "held"}}}')
}`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'maps-forget',
      tries: 'Lets every Map and WeakMap give the same right-looking object for every key.',
      submission: onWrong({
        first: `const all = new Proxy({}, { get: () => () => 0 })
Map.prototype.get = WeakMap.prototype.get = () => all
Map.prototype.set = WeakMap.prototype.set = function () { return this }`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'numbers-and-strings',
      tries: 'Changes valueOf, toString and the conversions of numbers, bigints and strings.',
      submission: onWrong({
        first: `Number.prototype.valueOf = BigInt.prototype.valueOf = () => 0
Number.prototype.toString = BigInt.prototype.toString = String.prototype.toString = () => '0'
globalThis.Number = Object.assign(() => 0, { isInteger: () => true, isSafeInteger: () => true, isFinite: () => true, prototype: Number.prototype })
globalThis.BigInt = Object.assign(() => 0n, { asUintN: () => 0n, asIntN: () => 0n })
globalThis.String = () => ''`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'errors-lie',
      tries: 'Makes every error one of the judge’s, and instanceof say yes.',
      submission: onWrong({
        first: `Object.defineProperty(Function.prototype, Symbol.hasInstance, { value: () => true, configurable: true })
Error.captureStackTrace = () => {}
Object.defineProperty(Error.prototype, 'failure', { value: 'held' })
Error.prototype.name = 'Held'
globalThis.Error = class SubjectError { failure = 'held'; verdict = 'held'; message = '' }`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'typed-arrays-lie',
      tries: 'Makes buffers and views lie about their lengths and contents.',
      submission: onWrong({
        first: `const typed = Object.getPrototypeOf(Uint8Array.prototype)
for (const name of ['length', 'byteLength', 'byteOffset']) Object.defineProperty(typed, name, { get: () => 4 })
Object.defineProperty(typed, Symbol.toStringTag, { get: () => 'Uint8Array' })
typed.set = typed.fill = typed.subarray = function () { return this }
DataView.prototype.setUint32 = DataView.prototype.getUint32 = () => 0`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'promises-patched',
      tries: 'Makes every promise call its handlers at once, with a verdict.',
      submission: onWrong({
        first: `Promise.prototype.then = function (run) { return run({ verdict: 'held', status: 'fulfilled', value: 0 }) }
Promise.all = Promise.race = () => ({ then: (run) => run([]) })`,
      }),
      expect: gainsNothing(),
    },
    {
      id: 'everything-frozen',
      tries: 'Freezes every intrinsic that it finds, so that whoever wants to write there fails, beside right code.',
      submission: onRight({
        load: `for (const name of Object.getOwnPropertyNames(globalThis)) {
  try { const each = globalThis[name]; Object.freeze(each); if (each?.prototype) Object.freeze(each.prototype) } catch {}
}`,
      }),
      expect: MAY_LOSE,
    },
    {
      id: 'everything-deleted',
      tries: 'Deletes every global that it finds.',
      submission: onWrong({
        load: 'for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch {}',
      }),
      expect: gainsNothing(),
    },
    {
      id: 'left-for-the-next',
      suites: 'both',
      tries: 'Leaves marks on every prototype that would break the next law’s code: each law must have a fresh realm.',
      submission: onRight({
        first: "if ([].left !== undefined || globalThis.left !== undefined) throw new Error('this realm is not fresh')",
        answer: 'Object.prototype.left = Array.prototype.left = globalThis.left = true; delete Object.prototype.left',
      }),
      expect: KEEPS_ALL,
    },
  ]),
)
