/**
 * A realm of its own for the student's code (ECMA-262 §9.3), with its own intrinsics, no clock and no chance: the same
 * input gives the same answers, and what one law leaves behind is not seen by the next. It is no wall: the process is.
 */
import { createRequire } from 'node:module'
import vm from 'node:vm'

/** The name that frames of the student's code carry in a stack. */
export const SUBMISSION_NAME = 'trapframe-submission.js'
const BRIDGE_NAME = 'trapframe-bridge.js'

/** A module of TypeScript is strict (ECMA-262 §11.2.2); the code of one that is not could walk up to its callers' functions. */
const STRICT = "'use strict'\n"

/** Takes what would make two runs differ, and what sleeps, since that is no use of a processor; gives a console that keeps quiet. */
const PRELUDE = `
  globalThis.console = Object.freeze({ log() {}, info() {}, warn() {}, error() {}, debug() {} })
  const refuse = (name) => function () {
    throw new Error(name + ' is not available: the machine tells the time, and nothing in it is left to chance')
  }
  Math.random = refuse('Math.random')
  globalThis.Date = refuse('Date')
  globalThis.Date.now = refuse('Date.now')
  Atomics.wait = refuse('Atomics.wait')
`

/** Makes the realm's functions that the outside calls; they take and give texts. */
const OPENING = `(bridge, evaluate, names, ask) => {
  const load = () => {
    const module = { exports: {} }
    evaluate(module, module.exports)
    return module.exports
  }
  return bridge.openBridge(load, names.split(' ').filter((name) => name !== ''), ask)
}`

export interface RealmParts {
  /** CommonJS text of `bridge.ts`. */
  readonly bridge: string
  /** CommonJS text of the student's code. */
  readonly code: string
  /** The port's operations. */
  readonly operations: readonly string[]
  /** The modules of Node that the lab grants. */
  readonly modules: readonly string[]
}

/**
 * Makes a realm.
 *
 * @param ask carries an operation out, as text, and the reply back
 * @returns answers one request's text with its outcome's text; what it throws, or gives that is no text, is the
 * student's doing
 */
export function openRealm(
  { bridge, code, operations, modules }: RealmParts,
  ask: (text: string) => string,
): (request: string) => unknown {
  // An ordinary object would lend the realm's global the constructors of this one.
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } })
  vm.runInContext(`{${PRELUDE}}`, context)
  const evaluateBridge = vm.compileFunction(`${STRICT}${bridge}`, ['module', 'exports'], {
    parsingContext: context,
    filename: BRIDGE_NAME,
  })
  const bridgeModule = vm.runInContext('({ exports: {} })', context) as { exports: object }
  evaluateBridge(bridgeModule, bridgeModule.exports)
  const evaluate = (module: object, exports: object) => {
    const run = vm.compileFunction(`${STRICT}${code}`, ['module', 'exports', 'require'], {
      parsingContext: context,
      filename: SUBMISSION_NAME,
      lineOffset: -1,
    })
    run(module, exports, modules.length === 0 ? undefined : requireOf(modules))
  }
  const open = vm.runInContext(OPENING, context) as (...parts: unknown[]) => (request: string) => unknown
  return open(bridgeModule.exports, evaluate, operations.join(' '), ask)
}

function requireOf(modules: readonly string[]): (name: string) => unknown {
  const require = createRequire('/')
  return (name) => {
    if (!modules.includes(name)) throw new Error(`${name} is not among the modules that this lab allows`)
    return require(name)
  }
}
