/**
 * The side of the border on which the student's code lives: it runs inside that code's realm and speaks with the
 * outside in texts only, so that no object of the outside is ever within reach of the student's code.
 */
import { Instances, type Operate } from '../port/instances.ts'
import { readReply, readRequest, writeAsked, writeOutcome } from './messages.ts'

/**
 * Opens the border.
 *
 * @param load evaluates the student's code, once, and gives its exports
 * @param names the port's operations
 * @param ask carries an operation's text out and the reply's text back
 * @returns answers one request's text with its outcome's
 */
export function openBridge(
  load: () => object,
  names: readonly string[],
  ask: (text: string) => string,
): (request: string) => string {
  let exports: object | undefined
  const create = (operations: object): unknown => {
    exports ??= load()
    const make: unknown = Reflect.get(exports, 'create')
    if (typeof make !== 'function') throw new TypeError('the entry file does not export a function create()')
    return Reflect.apply(make, undefined, [operations]) as unknown
  }
  const instances = new Instances(create, names)
  return (text) => {
    const request = readRequest(text)
    if (request.kind === 'call') {
      const { id, method, args, wantsAnswer } = request
      return writeOutcome(instances.call(id, method, args, wantsAnswer))
    }
    const { id } = request
    const operate: Operate = (name, args) => readReply(ask(writeAsked({ id, name, args })))
    return writeOutcome(instances.make(id, operate))
  }
}
