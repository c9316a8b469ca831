/**
 * The student's side of a port: the objects that `create` made, by number, the calls of their methods, and the
 * operations that they may ask of the machine.
 *
 * It runs beside the student's code, in its realm, so it needs nothing but the language.
 */
import { kindOf, type Outcome, outcomeOf } from './outcome.ts'
import { NotPlain, plainCopy } from './plain-data.ts'

/** The machine's operations by name, as `create` is given them. */
export type Operations = Record<string, (...args: unknown[]) => unknown>

/** Asks an operation of the machine with arguments that are plain data, or are said to be none. */
export type Operate = (name: string, args: Outcome) => OperationReply

/** What the machine gave back; without `done` it refused, and the call under way will fail whatever it answers. */
export type OperationReply = { readonly done: true; readonly value: unknown } | { readonly done: false }

export class Instances {
  readonly #create: (operations: Operations) => unknown
  readonly #names: readonly string[]
  readonly #instances = new Map<number, object>()

  /**
   * @param create makes one fresh instance; called once for each {@link make}
   * @param names the port's operations
   */
  constructor(create: (operations: Operations) => unknown, names: readonly string[]) {
    this.#create = create
    this.#names = names
  }

  make(id: number, operate: Operate): Outcome {
    return outcomeOf(() => {
      const instance = this.#create(operationsOf(this.#names, operate))
      if (typeof instance !== 'object' || instance === null) {
        return { kind: 'unfit', why: `create() gave ${kindOf(instance)} instead of an object` }
      }
      this.#instances.set(id, instance)
      return { kind: 'answered', value: undefined }
    })
  }

  /** Calls a method with arguments that are the callee's to keep. */
  call(id: number, method: string, args: readonly unknown[], wantsAnswer: boolean): Outcome {
    return outcomeOf(() => {
      const instance = this.#instances.get(id) ?? {}
      const implementation: unknown = Reflect.get(instance, method)
      if (typeof implementation !== 'function') {
        return { kind: 'unfit', why: `the object that create() gave has no method ${method}` }
      }
      const answer: unknown = Reflect.apply(implementation, instance, args)
      return wantsAnswer ? plain(answer) : { kind: 'answered', value: undefined }
    })
  }
}

function operationsOf(names: readonly string[], operate: Operate): Operations {
  const operations: Operations = {}
  for (const name of names) {
    operations[name] = (...args) => {
      const reply = operate(name, plain(args))
      if (!reply.done) throw new Error(`the machine refused ${name}`)
      return reply.value
    }
  }
  return operations
}

function plain(value: unknown): Outcome {
  try {
    return { kind: 'answered', value: plainCopy(value) }
  } catch (error) {
    return { kind: 'notPlain', why: error instanceof NotPlain ? error.message : 'an object that cannot be read' }
  }
}
