/**
 * Loads a bundle into a realm of its own and gives the student's side of the port.
 *
 * The realm has its own intrinsics, so that nothing a student patches reaches the grader by accident; and no clock and
 * no chance, so that the same input gives the same mark. It is no wall against hostile code.
 */
import { SourceMap } from 'node:module'
import vm from 'node:vm'
import type { Connect, Port } from '../contract/port.ts'
import { connectInProcess, type Locate } from '../port/in-process.ts'
import { type Bundle, SOURCE_NAMESPACE } from './bundle.ts'
import { SOURCE_FOLDER } from './layout.ts'

/** The name that frames of the bundle carry in a stack. */
const BUNDLE_NAME = 'trapframe-submission.js'

/** Takes what would make two runs differ, and gives a console that keeps quiet. */
const PRELUDE = `
  globalThis.console = Object.freeze({ log() {}, info() {}, warn() {}, error() {}, debug() {} })
  const refuse = (name) => function () {
    throw new Error(name + ' is not available: the machine tells the time, and nothing in it is left to chance')
  }
  Math.random = refuse('Math.random')
  globalThis.Date = refuse('Date')
  globalThis.Date.now = refuse('Date.now')
`

/**
 * A function that makes the bundle's modules anew at each call, and connects to them: what one law leaves behind in a
 * module's variables is not seen by the next.
 *
 * A bundle that throws while it loads, or has no `create`, gives a connection whose every connect fails so.
 */
export function loadBundle<Events extends object>(
  port: Port<Events, object>,
  { code, map }: Bundle,
): () => Connect<Events> {
  const locate = locateWith(new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]))
  return () => {
    const context = vm.createContext({})
    vm.runInContext(`{${PRELUDE}}`, context)
    let exports: unknown
    const create = (): unknown => {
      exports ??= evaluate(code, context)
      const make: unknown = Reflect.get(exports as object, 'create')
      if (typeof make !== 'function') throw new TypeError('the entry file does not export a function create()')
      return Reflect.apply(make, undefined, []) as unknown
    }
    return connectInProcess(port, create, locate)
  }
}

function evaluate(code: string, context: vm.Context): unknown {
  const run = vm.compileFunction(code, ['module', 'exports'], { parsingContext: context, filename: BUNDLE_NAME })
  const module = vm.runInContext('({ exports: {} })', context) as { exports: object }
  run(module, module.exports)
  return module.exports
}

/** Reads stacks of the bundle: the first frame that lies in the student's files. */
function locateWith(map: SourceMap): Locate {
  return (stack) => {
    for (const [, line, column] of stack.matchAll(/trapframe-submission\.js:(\d+):(\d+)/g)) {
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
      if (!('originalSource' in entry)) continue
      const source = entry.originalSource.replace(`${SOURCE_NAMESPACE}:`, '')
      if (source.startsWith(`${SOURCE_FOLDER}/`)) return `${source}:${entry.originalLine + 1}`
    }
    return undefined
  }
}
