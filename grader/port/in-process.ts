/**
 * The in-process transport of a port: calls go straight to the student's object, for `npm test` and the debugger.
 *
 * It behaves as every other transport: both ways only plain data crosses, checked by the port's schemas, and whatever
 * the student's code throws comes back as a {@link SubjectError}. A call costs about a microsecond.
 */
import { z } from 'zod'
import { type Connect, type Port, type PortMethod, SubjectError, type SubjectFailure } from '../contract/port.ts'
import { NotPlain, plainCopy } from './plain-data.ts'

/** Finds the line of a student's file, as `src/idle.ts:12`, in an error's stack; undefined when none is there. */
export type Locate = (stack: string) => string | undefined

const MAX_MESSAGE = 500

/**
 * Connects a port to the object that `create` makes.
 *
 * @param create makes one fresh instance of the student's side; called at each connect
 * @param locate reads a stack; the default takes the first frame in a folder `src`, line as it stands there
 */
export function connectInProcess<Events extends object>(
  port: Port<Events, object>,
  create: () => unknown,
  locate: Locate = firstSourceFrame,
): Connect<Events> {
  const methods: [string, PortMethod][] = Object.entries(port.events)
  return () => {
    const subject = guarded('create', create, locate)
    if (typeof subject !== 'object' || subject === null) {
      throw new SubjectError('badAnswer', 'create', `create() gave ${kindOf(subject)} instead of an object`)
    }
    const client: Record<string, unknown> = {}
    for (const [name, method] of methods) client[name] = bind(subject, name, method, locate)
    return client as Events
  }
}

/** One method of the client: arguments checked and copied, the student's method called, its answer copied and checked. */
function bind(subject: object, name: string, method: PortMethod, locate: Locate): (...args: unknown[]) => unknown {
  const { args: argsSchema, result: resultSchema } = method
  const answers = !(resultSchema instanceof z.ZodVoid || resultSchema instanceof z.ZodUndefined)
  return (...args) => {
    const checkedArgs = argsSchema.safeParse(args)
    if (!checkedArgs.success) {
      throw new TypeError(`The suite called ${name} with what the port does not allow: ${issue(checkedArgs.error)}`)
    }
    const copies = plainCopy(checkedArgs.data) as unknown[]
    const answer = guarded(
      name,
      () => {
        const implementation: unknown = Reflect.get(subject, name)
        if (typeof implementation !== 'function') {
          throw new SubjectError('badAnswer', name, `the object that create() gave has no method ${name}`)
        }
        return Reflect.apply(implementation, subject, copies) as unknown
      },
      locate,
    )
    return answers ? checkAnswer(name, answer, resultSchema) : undefined
  }
}

function checkAnswer(name: string, answer: unknown, schema: z.ZodType): unknown {
  let copy: unknown
  try {
    copy = plainCopy(answer)
  } catch (error) {
    const what = error instanceof NotPlain ? error.message : 'an object that cannot be read'
    throw new SubjectError('badAnswer', name, `${name} gave ${what}`)
  }
  const checked = schema.safeParse(copy)
  if (checked.success) return checked.data
  throw new SubjectError('badAnswer', name, `${name} gave ${brief(copy)}: ${issue(checked.error)}`)
}

/** Runs student code; whatever it throws becomes a SubjectError. */
function guarded(method: string, run: () => unknown, locate: Locate): unknown {
  try {
    return run()
  } catch (error) {
    if (error instanceof SubjectError) throw error
    const { name, message, stack } = readError(error)
    const failure: SubjectFailure = name === 'NotWritten' ? 'notWritten' : 'threw'
    const text = failure === 'notWritten' || name === '' ? message : `${name}: ${message}`
    throw new SubjectError(failure, method, text.slice(0, MAX_MESSAGE), locate(stack))
  }
}

/** Reads an error of unknown making; its getters may throw, too. */
function readError(error: unknown): { name: string; message: string; stack: string } {
  try {
    if (typeof error !== 'object' || error === null) return { name: '', message: `threw ${brief(error)}`, stack: '' }
    const { name, message, stack } = error as Record<string, unknown>
    return { name: asText(name), message: asText(message), stack: asText(stack) }
  } catch {
    return { name: '', message: 'threw an object that cannot be read', stack: '' }
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function issue(error: z.ZodError): string {
  const first = error.issues[0]
  if (first === undefined) return 'not allowed'
  const path = first.path.map(String).join('.')
  return path === '' ? first.message : `${path}: ${first.message}`
}

function kindOf(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a ${typeof value}`
}

/** A value for a message, in at most 120 characters. */
function brief(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || value === undefined) return String(value)
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))
  return text === undefined ? kindOf(value) : text.length > 120 ? `${text.slice(0, 119)}…` : text
}

const SOURCE_FRAME = /(?:^|[\\/ (])(src[\\/][\w.-]+\.ts):(\d+):\d+/m

function firstSourceFrame(stack: string): string | undefined {
  const found = SOURCE_FRAME.exec(stack)
  return found === null ? undefined : `${found[1]!.replace('\\', '/')}:${found[2]}`
}
