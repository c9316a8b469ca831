/** What became of one call into student code, as plain data: all that a transport brings back. */

export type Outcome =
  /** It came back; `value` is plain data, or undefined where the port wants no answer. */
  | { readonly kind: 'answered'; readonly value: unknown }
  /** What it gave back is no plain data: the end of the sentence "it gave …". */
  | { readonly kind: 'notPlain'; readonly why: string }
  /** It threw an error. */
  | { readonly kind: 'threw'; readonly name: string; readonly message: string; readonly stack: string }
  /** There is no such method, or `create` made no object: the whole sentence. */
  | { readonly kind: 'unfit'; readonly why: string }

/** How much of a message and a stack crosses, in characters. */
const MAX_MESSAGE = 500
const MAX_STACK = 4_000

/** Runs student code that makes or uses an instance, and says what became of it. It never throws. */
export function outcomeOf(run: () => Outcome): Outcome {
  try {
    return run()
  } catch (error) {
    return thrown(error)
  }
}

/** Reads an error of unknown making; its getters may throw, too. */
function thrown(error: unknown): Outcome {
  try {
    if (typeof error !== 'object' || error === null) {
      return { kind: 'threw', name: '', message: `threw ${brief(error)}`.slice(0, MAX_MESSAGE), stack: '' }
    }
    const { name, message, stack } = error as Record<string, unknown>
    return {
      kind: 'threw',
      name: asText(name, MAX_MESSAGE),
      message: asText(message, MAX_MESSAGE),
      stack: asText(stack, MAX_STACK),
    }
  } catch {
    return { kind: 'threw', name: '', message: 'threw an object that cannot be read', stack: '' }
  }
}

function asText(value: unknown, most: number): string {
  return typeof value === 'string' ? value.slice(0, most) : ''
}

/** What a value is, for "gave … instead of". */
export function kindOf(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a ${typeof value}`
}

/** A value for a message, in at most 120 characters. */
export function brief(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || value === undefined) return String(value)
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))
  return text === undefined ? kindOf(value) : text.length > 120 ? `${text.slice(0, 119)}…` : text
}
