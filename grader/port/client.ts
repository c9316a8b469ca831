/**
 * The judge's side of a port: what a suite calls. It checks every argument and every answer against the port's
 * schemas, and turns whatever becomes of a call into an answer or a {@link SubjectError}; the transport only carries.
 */
import { z } from 'zod'
import { type Connect, type Port, type PortMethod, SubjectError } from '../contract/port.ts'
import type { Operate } from './instances.ts'
import { brief, type Outcome } from './outcome.ts'
import { plainCopy } from './plain-data.ts'

/** Carries calls to one realm of student code. What it throws is a SubjectError or a failure of the grader. */
export interface Transport {
  /** Makes an instance that is called by `id` from now on; `operate` answers what it asks of the machine. */
  make(id: number, operate: Operate): Outcome
  /** Calls a method; `args` are plain data that the callee may keep. */
  call(id: number, method: string, args: readonly unknown[], wantsAnswer: boolean): Outcome
}

/** Finds the line of a student's file, as `src/idle.ts:12`, in an error's stack; undefined when none is there. */
export type Locate = (stack: string) => string | undefined

/** Connects a port through a transport: each call of the result makes one fresh instance of the student's side. */
export function connectThrough<Events extends object>(
  port: Port<Events, object>,
  transport: Transport,
  locate: Locate,
): Connect<Events> {
  const methods: [string, PortMethod][] = Object.entries(port.events)
  let next = 0
  return (operations = {}) => {
    const id = next++
    const gate = new Gate(port.operations as Record<string, PortMethod>, operations as Record<string, unknown>)
    settle('create', transport.make(id, gate.operate), gate, locate)
    const client: Record<string, unknown> = {}
    for (const [name, { args: argsSchema, result }] of methods) {
      const wantsAnswer = !isNothing(result)
      client[name] = (...args: unknown[]) => {
        const outcome = transport.call(id, name, checkedArguments(name, argsSchema, args), wantsAnswer)
        const answer = settle(name, outcome, gate, locate)
        return wantsAnswer ? checkedAnswer(name, answer, result) : undefined
      }
    }
    return client as Events
  }
}

/** Lets operations through whose arguments the port allows, and keeps the first error for when the call comes back. */
class Gate {
  readonly #schemas: Record<string, PortMethod>
  readonly #operations: Record<string, unknown>
  #error: { thrown: unknown } | undefined

  constructor(schemas: Record<string, PortMethod>, operations: Record<string, unknown>) {
    this.#schemas = schemas
    this.#operations = operations
  }

  readonly operate: Operate = (name, args) => {
    const schema = Object.hasOwn(this.#schemas, name) ? this.#schemas[name] : undefined
    const operation = this.#operations[name]
    if (schema === undefined)
      return this.#refuse(new SubjectError('badAnswer', name, `asked for ${name}, which the port does not have`))
    if (typeof operation !== 'function') return this.#refuse(new TypeError(`The law gives no operation ${name}.`))
    if (args.kind !== 'answered') {
      const what = args.kind === 'notPlain' ? args.why : 'what cannot be read'
      return this.#refuse(new SubjectError('badAnswer', name, `called ${name} with ${what}`))
    }
    const checked = schema.args.safeParse(args.value)
    if (!checked.success) {
      const text = `called ${name} with ${brief(args.value)}: ${issue(checked.error)}`
      return this.#refuse(new SubjectError('badAnswer', name, text))
    }
    try {
      const value: unknown = Reflect.apply(operation, undefined, checked.data)
      return { done: true, value: value === undefined ? undefined : plainCopy(value) }
    } catch (error) {
      return this.#refuse(error)
    }
  }

  /** Throws what an operation of the call that came back has thrown. */
  rethrow(): void {
    if (this.#error === undefined) return
    const { thrown } = this.#error
    this.#error = undefined
    throw thrown
  }

  #refuse(thrown: unknown): { done: false } {
    this.#error ??= { thrown }
    return { done: false }
  }
}

const MAX_MESSAGE = 500

function settle(method: string, outcome: Outcome, gate: Gate, locate: Locate): unknown {
  gate.rethrow()
  switch (outcome.kind) {
    case 'answered':
      return outcome.value
    case 'notPlain':
      throw new SubjectError('badAnswer', method, `${method} gave ${outcome.why}`)
    case 'unfit':
      throw new SubjectError('badAnswer', method, outcome.why)
    case 'threw': {
      const { name, message, stack } = outcome
      const notWritten = name === 'NotWritten'
      const text = notWritten || name === '' ? message : `${name}: ${message}`
      throw new SubjectError(notWritten ? 'notWritten' : 'threw', method, text.slice(0, MAX_MESSAGE), locate(stack))
    }
  }
}

function checkedArguments(name: string, schema: z.ZodTuple, args: unknown[]): readonly unknown[] {
  const checked = schema.safeParse(args)
  if (checked.success) return checked.data
  throw new TypeError(`The suite called ${name} with what the port does not allow: ${issue(checked.error)}`)
}

function checkedAnswer(name: string, answer: unknown, schema: z.ZodType): unknown {
  const checked = schema.safeParse(answer)
  if (checked.success) return checked.data
  throw new SubjectError('badAnswer', name, `${name} gave ${brief(answer)}: ${issue(checked.error)}`)
}

function isNothing(schema: z.ZodType): boolean {
  return schema instanceof z.ZodVoid || schema instanceof z.ZodUndefined
}

function issue(error: z.ZodError): string {
  const first = error.issues[0]
  if (first === undefined) return 'not allowed'
  const path = first.path.map(String).join('.')
  return path === '' ? first.message : `${path}: ${first.message}`
}
