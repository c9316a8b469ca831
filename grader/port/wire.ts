/**
 * Plain data for transports that leave the realm or the process: values of JSON (RFC 8259) in which a string
 * carries its type as first letter (`s` text, `n` bigint, `b` bytes, `f` a number that JSON lacks).
 *
 * It runs on both sides of the border, so it needs nothing but the language. A value may come from hostile code.
 */
import { isBytes, MAX_DEPTH, MAX_VALUES, NotPlain, setOwn } from './plain-data.ts'

/** Plain data, as {@link plainCopy} gives it, as a value that JSON can hold; `undefined` as null. */
export function toWire(value: unknown): unknown {
  return value === undefined ? null : tagged(value)
}

/**
 * Reads a parsed value that {@link toWire} made.
 *
 * @throws NotPlain when it is something else
 */
export function fromWire(json: unknown): unknown {
  return json === null ? undefined : untagged(json, 0, { left: MAX_VALUES })
}

function tagged(value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : `f${value}`
    case 'bigint':
      return `n${value}`
    case 'string':
      return `s${value}`
    case 'object': {
      if (isBytes(value)) return `b${latin1(value)}`
      if (Array.isArray(value)) return value.map(tagged)
      const record: Record<string, unknown> = {}
      for (const key of Object.keys(value as object))
        setOwn(record, key, tagged((value as Record<string, unknown>)[key]))
      return record
    }
    default:
      return value
  }
}

function untagged(json: unknown, depth: number, budget: { left: number }): unknown {
  if (--budget.left < 0) throw new NotPlain(`more than ${MAX_VALUES} values`)
  if (typeof json === 'string') return untagText(json)
  if (typeof json !== 'object') return json
  if (json === null) throw new NotPlain('null')
  if (depth >= MAX_DEPTH) throw new NotPlain(`data nested more than ${MAX_DEPTH} levels deep`)
  if (Array.isArray(json)) return json.map((item) => untagged(item, depth + 1, budget))
  const record: Record<string, unknown> = {}
  for (const key of Object.keys(json)) {
    setOwn(record, key, untagged((json as Record<string, unknown>)[key], depth + 1, budget))
  }
  return record
}

const INTEGER = /^-?\d{1,1000}$/

function untagText(text: string): unknown {
  const rest = text.slice(1)
  switch (text[0]) {
    case 's':
      return rest
    case 'n':
      if (INTEGER.test(rest)) return BigInt(rest)
      break
    case 'b':
      return bytesOf(rest)
    case 'f':
      return Number(rest)
  }
  throw new NotPlain('a text of no known type')
}

const CHUNK = 4096

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK) as unknown as number[])
  }
  return text
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0xff) throw new NotPlain('bytes above 255')
    bytes[at] = code
  }
  return bytes
}
