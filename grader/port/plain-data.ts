/**
 * Copies what crosses a port into plain data: numbers, bigints, booleans, strings, byte arrays, arrays and records.
 * Each property of the original is read once, and nothing of the original stays reachable: no prototype, no getter.
 */
import { types } from 'node:util'

/** The deepest nesting and the most values that may cross in one answer. */
const MAX_DEPTH = 16
const MAX_VALUES = 100_000
const MAX_STRING = 1 << 20

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
  if (types.isUint8Array(value)) return new Uint8Array(value)
  if (types.isPromise(value)) throw new NotPlain('a promise, but the methods of this port are synchronous')
  if (types.isMap(value) || types.isSet(value)) throw new NotPlain('a Map or a Set')
  if (Array.isArray(value)) {
    const length = value.length
    if (length > budget.left) throw new NotPlain(`more than ${MAX_VALUES} values`)
    const items: unknown[] = []
    for (let index = 0; index < length; index++) items.push(copy(value[index], depth + 1, budget))
    return items
  }
  const record: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const property: unknown = (value as Record<string, unknown>)[key]
    if (property === undefined) continue
    setOwn(record, key, copy(property, depth + 1, budget))
  }
  return record
}

/** Sets a property as data, also one that is called `__proto__`. */
function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
  else record[key] = value
}
