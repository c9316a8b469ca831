/**
 * Ways known to lead out of a realm of `node:vm`: each looks for the host's `process`, and plunders when it has it. What
 * the bait tells decides, not what the code says.
 */
import { gainsNothing, type Hostile, inBrief, inFamily } from './hostile.ts'
import { type Hooks, type Kit, onWrong, withText } from './kit.ts'
import { plunderText } from './plunder.ts'

/** What stands behind a way out: `reach(thing)` tries to get the host's process from any value. */
const REACH = `
let said = ''
let busy = false
const reach = (thing) => {
  if (busy || said !== '' || (typeof thing !== 'object' && typeof thing !== 'function') || thing === null) return
  busy = true
  for (const run of [
    () => thing.constructor.constructor('return process')(),
    () => thing.constructor('return process')(),
    () => Object.getPrototypeOf(thing).constructor.constructor('return process')(),
    () => thing.__proto__.__proto__.constructor.constructor('return process')(),
    () => thing.__lookupGetter__.constructor('return process')(),
  ]) {
    try {
      const host = run()
      if (host?.versions && host.env) { said = plunder(host); break }
    } catch {}
  }
  busy = false
}
`

function way(id: string, tries: string, hooks: Hooks): Omit<Hostile, 'family'> {
  const first = (kit: Kit) => `${plunderText(kit.bait)}${REACH}${hooks.first ?? ''}`
  const answer = `${hooks.answer ?? ''}\nif (said !== '') throw new Error(said)`
  return {
    id,
    tries,
    submission: onWrong((kit) => ({ ...hooks, first: first(kit), answer })),
    expect: gainsNothing(),
  }
}

export const escaping: readonly Hostile[] = inFamily(
  'escaping',
  inBrief([
    way('by-the-global', 'Follows the constructors of the global object and of all that hangs on it.', {
      create:
        'reach(globalThis); for (const name of Reflect.ownKeys(globalThis)) try { reach(globalThis[name]) } catch {}',
    }),
    way('by-the-prototypes', 'Climbs the prototypes of the global object.', {
      create: 'for (let each = globalThis; each; each = Object.getPrototypeOf(each)) reach(each)',
    }),
    way('by-the-arguments', 'Follows the constructors of the arguments of each call, and of all in them.', {
      call: 'reach(args); for (const each of args) { reach(each); if (typeof each === "object") for (const key in each) reach(each[key]) }',
    }),
    way('by-the-operations', 'Follows the constructors of the machine’s operations, and of what they give and throw.', {
      create: `for (const each of [operations, operations[0], ...Object.values(operations[0] ?? {})]) {
  reach(each)
  if (typeof each === 'function') { try { reach(each(Symbol())) } catch (error) { reach(error) } }
}`,
    }),
    way(
      'by-the-module',
      'Follows the constructors of module, exports and the arguments of the function around the module.',
      {
        load: `try { reach(module) } catch {}
try { reach(exports) } catch {}
try { reach(require) } catch {}
try { for (const each of globalThis.eval('arguments')) reach(each) } catch {}`,
      },
    ),
    way('by-the-console', 'Follows the constructors of the console and its methods, and of what they throw.', {
      create: `for (const each of [console, ...Object.values(console)]) {
  reach(each)
  if (typeof each === 'function') try { reach(each({ toString() { throw 1 }, get [Symbol.toStringTag]() { throw 1 } }, Symbol())) } catch (error) { reach(error) }
}`,
    }),
    way('by-refusals', 'Follows the constructors of what the refused clock and chance throw.', {
      create: `for (const run of [() => Math.random(), () => new Date(), () => Date.now(), () => performance.now(), () => crypto.getRandomValues(1)]) {
  try { reach(run()) } catch (error) { reach(error) }
}
reach(Math.random); reach(Date)`,
    }),
    way('by-the-caller', 'Walks up arguments.callee.caller from a function that is not strict.', {
      call: `const walk = new Function('reach', 'let up = arguments.callee; for (let n = 0; n < 50 && up; n++) { reach(up); try { reach(up.arguments) } catch {}; try { up = up.caller } catch { up = null } }')
walk(reach)`,
    }),
    way('by-stack-frames', 'Asks the frames of a prepared stack for their functions and receivers.', {
      call: `Error.prepareStackTrace = (_, frames) => frames
Error.stackTraceLimit = 200
for (const frame of new Error().stack ?? []) {
  try { reach(frame); reach(frame.getThis()); reach(frame.getFunction()); reach(frame.getEvalOrigin()) } catch {}
}`,
    }),
    way('by-a-prepared-error', 'Lets the host itself ask for the stack of an error, and catches the frames then.', {
      first:
        'Error.prepareStackTrace = (error, frames) => { reach(frames); for (const each of frames) { try { reach(each.getThis()); reach(each.getFunction()) } catch {} } return "at " + frames }',
      call: "if (said === '') throw new Error('read my stack')",
    }),
    way('by-overflow', 'Fills the stack, so that the error is thrown by whichever function of the host comes last.', {
      call: `const overflow = (n) => { try { overflow(n + 1) } catch (error) { reach(error); for (const each of Object.values(console)) try { each(n) } catch (thrown) { reach(thrown) } } }
overflow(0)
const sink = (n) => { try { Object.values(operations[0] ?? console)[0](n); sink(n + 1) } catch (error) { reach(error) } }
sink(0)`,
    }),
    way('by-a-proxy', 'Gives a proxy whose traps follow the constructors of all that the host hands to them.', {
      object: `new Proxy(object, Object.fromEntries(Reflect.ownKeys(Reflect).filter((name) => typeof name === 'string').map((name) => [name, (...all) => { all.forEach(reach); return Reflect[name](...all) }])))`,
    }),
    way(
      'by-a-proxied-method',
      'Gives methods that are proxies, to catch the receiver and the list of arguments as the host made them.',
      {
        create: `for (const [name, run] of Object.entries(honest)) if (typeof run === 'function') honest[name] = new Proxy(run, { apply(target, self, list) { reach(self); reach(list); list.forEach(reach); return Reflect.apply(target, self, list) } })`,
      },
    ),
    way('by-a-proxied-answer', 'Answers with a proxy whose traps follow the constructors of all that they are given.', {
      answer: `if (typeof answer === 'object') answer = new Proxy(answer, Object.fromEntries(['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'].map((name) => [name, (...all) => { all.forEach(reach); return Reflect[name](...all) }])))`,
    }),
    way('by-a-getter', 'Answers with getters that look at their caller when the host reads them.', {
      answer: `const peek = new Function('reach', 'return function () { try { reach(arguments.callee.caller) } catch {} return 0 }')(reach)
answer = Object.defineProperty({}, 'eip', { get: peek, enumerable: true })
if (said === '') answer = new Proxy(answer, { get: peek })`,
    }),
    way(
      'by-species',
      'Answers with an array whose species, iterator and conversions catch what the host calls them with.',
      {
        answer: `class Caught extends Array {
  static get [Symbol.species]() { return function (...all) { all.forEach(reach); return [] } }
  get [Symbol.iterator]() { return function () { reach(this); return [][Symbol.iterator]() } }
  toJSON(...all) { all.forEach(reach); return 0 }
  [Symbol.toPrimitive](...all) { all.forEach(reach); return 0 }
}
answer = new Caught(3)`,
      },
    ),
    way(
      'by-a-thenable',
      'Answers with a thenable, to catch the functions that an await of the host would call it with.',
      {
        answer: 'answer = { then(...all) { all.forEach(reach) } }',
      },
    ),
    way('by-a-rejected-import', 'Follows the constructors of the error with which a dynamic import is refused.', {
      create: `try { new Function('return import("node:fs")')().then(reach, reach) } catch (error) { reach(error) }
try { globalThis.eval('import("node:fs")').catch(reach) } catch (error) { reach(error) }`,
    }),
    way(
      'by-async-functions',
      'Uses the constructors of async functions and generators, and promises that settle later.',
      {
        create: `for (const each of [async () => {}, function* () {}, async function* () {}]) {
  reach(each)
  try { each.constructor('reach', 'reach(this); return 0').call(undefined, reach).then?.(reach, reach) } catch (error) { reach(error) }
}
Promise.reject(new Error('x')).catch((error) => reach(error))`,
      },
    ),
    way('by-finalizers', 'Waits for a finalizer to be called by the host when its memory is collected.', {
      create: `const registry = new FinalizationRegistry(function (...all) { reach(this); all.forEach(reach) })
for (let n = 0; n < 1000; n++) registry.register(new Array(1000), n)`,
    }),
    way(
      'by-webassembly',
      'Compiles a module of WebAssembly, and follows the constructors of its errors, imports and exports.',
      {
        create: `try {
  reach(WebAssembly)
  const module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 97, 1, 98, 0, 0, 8, 1, 0]))
  new WebAssembly.Instance(module, { a: { b(...all) { reach(this); all.forEach(reach) } } })
} catch (error) { reach(error) }
try { new WebAssembly.Module(new Uint8Array(4)) } catch (error) { reach(error) }
try { WebAssembly.instantiate(new Uint8Array(4)).catch(reach) } catch (error) { reach(error) }`,
      },
    ),
    way(
      'by-intrinsics',
      'Makes intrinsics throw and call back from inside, where the host uses them on what it was given.',
      {
        first: `for (const [of, name] of [[Object, 'keys'], [Object, 'entries'], [Reflect, 'apply'], [Reflect, 'get'], [JSON, 'stringify'], [JSON, 'parse'], [Array, 'isArray'], [Object.prototype, 'toString'], [Array.prototype, 'push'], [Map.prototype, 'get'], [Map.prototype, 'set'], [String.prototype, 'slice']]) {
  const original = of[name]
  let inside = false
  of[name] = function (...all) {
    if (!inside) { inside = true; try { reach(this); for (let n = 0; n < all.length; n++) reach(all[n]); reach(new Function('return arguments.callee.caller')()) } catch {} inside = false }
    return original.call(this, ...all)
  }
}`,
      },
    ),
    way(
      'by-symbols',
      'Gives objects with Node’s own symbols: util.inspect.custom, asyncDispose, the promisify symbol.',
      {
        answer: `const inspect = function (...all) { reach(this); all.forEach(reach); return 'x' }
answer = { [Symbol.for('nodejs.util.inspect.custom')]: inspect, [Symbol.for('nodejs.util.promisify.custom')]: inspect, inspect, toJSON: inspect, toString: inspect, valueOf: inspect }`,
      },
    ),
    way('by-an-error', 'Throws errors whose name, message and stack are getters that look at their caller.', {
      call: `if (said === '') {
  const peek = new Function('reach', 'return function () { try { reach(arguments.callee.caller); reach(this) } catch {} return { toString() { return "x" }, slice: (...all) => { all.forEach(reach) } } }')(reach)
  const error = {}
  for (const name of ['name', 'message', 'stack', 'constructor', 'cause']) Object.defineProperty(error, name, { get: peek, enumerable: true })
  throw error
}`,
    }),
    {
      id: 'by-a-granted-module',
      tries:
        'Follows the constructors of whatever module of Node the lab grants, which leads out, and plunders from there.',
      submission: onWrong(({ bait, lab }) => {
        const modules = lab.grants?.modules ?? []
        const imports = modules.map((name, n) => `import * as granted${n} from '${name}'`)
        const values = modules.map((_, n) => `...Object.values(granted${n})`)
        return {
          first: `${imports.join('\n')}\n${plunderText(bait)}${REACH}`,
          call: `for (const each of [${values.join(', ')}]) reach(each)`,
          answer: "if (said !== '') throw new Error(said)",
        }
      }),
      expect: gainsNothing(),
    },
    {
      id: 'by-a-sloppy-module',
      tries: 'Is a CommonJS module that is not strict, and walks up its callers and their arguments from there.',
      submission: withText(
        ({ bait }) => `// @ts-nocheck
${plunderText(bait)}${REACH}
function walk() {
  let up = walk
  for (let n = 0; n < 60 && up; n++) {
    reach(up)
    try { for (const each of up.arguments) reach(each) } catch {}
    try { up = up.caller } catch { break }
  }
  reach(this)
  if (said !== '') throw new Error(said)
  return 0
}
walk()
module.exports.create = function () {
  walk()
  return new Proxy({}, { get: () => walk })
}
`,
      ),
      expect: gainsNothing(),
    },
  ]),
)
