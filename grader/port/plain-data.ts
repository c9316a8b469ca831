/**
 * Copies what crosses a port into plain data: numbers, bigints, booleans, strings, byte arrays, arrays and records.
 * Each property of the original is read once, and nothing of the original stays reachable: no prototype, no getter.
 *
 * This module runs on both sides of the border, also inside the realm of the student's code, so it needs nothing but
 * the language.
 */

/** The deepest nesting and the most values that may cross in one answer. */
export const MAX_DEPTH = 16
export const MAX_VALUES = 100_000
export const MAX_STRING = 1 << 20

/** Why a value may not cross, to end the sentence "it gave …". */
export class NotPlain extends Error {}

/**
 * The copy. A record's properties that are `undefined` are left out, and -0 becomes 0, as on every transport.
 *
 * @throws NotPlain when the value, or one inside it, may not cross; whatever a getter or a proxy throws
 */
export function plainCopy(value: unknown): unknown {
  return copy(value, 0, { left: MAX_VALUES })
}

interface Budget {
  left: number
}

function copy(value: unknown, depth: number, budget: Budget): unknown {
  if (--budget.left < 0) throw new NotPlain(`more than ${MAX_VALUES} values`)
  switch (typeof value) {
    case 'number':
      return value === 0 ? 0 : value
    case 'bigint':
    case 'boolean':
      return value
    case 'string':
      if (value.length > MAX_STRING) throw new NotPlain(`a string of ${value.length} characters`)
      return value
    case 'object':
      if (value === null) throw new NotPlain('null')
      return copyObject(value, depth, budget)
    case 'undefined':
      throw new NotPlain('undefined')
    default:
      throw new NotPlain(`a ${typeof value}`)
  }
}

function copyObject(value: object, depth: number, budget: Budget): unknown {
  if (depth >= MAX_DEPTH) throw new NotPlain(`data nested more than ${MAX_DEPTH} levels deep`)
  if (isBytes(value)) return copyBytes(value)
  if (Array.isArray(value)) {
    const length = value.length
    if (length > budget.left) throw new NotPlain(`more than ${MAX_VALUES} values`)
    const items: unknown[] = []
    for (let index = 0; index < length; index++) items.push(copy(value[index], depth + 1, budget))
    return items
  }
  switch (Object.prototype.toString.call(value)) {
    case '[object Promise]':
      throw new NotPlain('a promise, but the methods of this port are synchronous')
    case '[object Map]':
    case '[object Set]':
      throw new NotPlain('a Map or a Set')
  }
  const record: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const property: unknown = (value as Record<string, unknown>)[key]
    if (property === undefined) continue
    setOwn(record, key, copy(property, depth + 1, budget))
  }
  return record
}

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get!

/** True for a Uint8Array of any realm, whatever it pretends. */
export function isBytes(value: unknown): value is Uint8Array {
  return Reflect.apply(typedArrayName, value, []) === 'Uint8Array'
}

function copyBytes(value: Uint8Array): Uint8Array {
  if (value.length > MAX_STRING) throw new NotPlain(`${value.length} bytes`)
  return new Uint8Array(value)
}

/** Sets a property as data, also one that is called `__proto__`. */
export function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
  else record[key] = value
}
