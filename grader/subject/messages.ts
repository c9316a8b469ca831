/**
 * What judge and subject say to each other, as JSON texts (RFC 8259). Both sides write and read them here; what the
 * subject wrote is checked as any stranger's text.
 */
import type { OperationReply } from '../port/instances.ts'
import type { Outcome } from '../port/outcome.ts'
import { NotPlain } from '../port/plain-data.ts'
import { fromWire, toWire } from '../port/wire.ts'

/** The longest text of an outcome's sentence or stack that is taken, in characters. */
const MAX_TEXT = 4_000

export type Request =
  | { readonly kind: 'make'; readonly id: number }
  | {
      readonly kind: 'call'
      readonly id: number
      readonly method: string
      readonly wantsAnswer: boolean
      readonly args: readonly unknown[]
    }

/** An operation that an instance asks of the machine. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly args: Outcome
}

export function writeRequest(request: Request): string {
  return request.kind === 'make'
    ? `[${request.id}]`
    : JSON.stringify([request.id, request.method, request.wantsAnswer, toWire(request.args)])
}

/** Reads the judge's own text. */
export function readRequest(text: string): Request {
  const [id, method, wantsAnswer, args] = JSON.parse(text) as [number, string, boolean, unknown]
  return method === undefined
    ? { kind: 'make', id }
    : { kind: 'call', id, method, wantsAnswer, args: fromWire(args) as unknown[] }
}

export function writeOutcome(outcome: Outcome): string {
  return JSON.stringify(outcomeItems(outcome))
}

/** @throws NotPlain or SyntaxError when the text is no outcome */
export function readOutcome(text: string): Outcome {
  return outcomeOfItems(JSON.parse(text))
}

export function writeAsked({ id, name, args }: Asked): string {
  return JSON.stringify([id, name, outcomeItems(args)])
}

/** @throws NotPlain or SyntaxError when the text asks for no operation */
export function readAsked(text: string): Asked {
  const json: unknown = JSON.parse(text)
  if (!Array.isArray(json) || json.length !== 3) throw new NotPlain('no operation')
  const [id, name, args] = json as unknown[]
  if (!Number.isSafeInteger(id)) throw new NotPlain('no operation')
  return { id: id as number, name: textOf(name), args: outcomeOfItems(args) }
}

export function writeReply(reply: OperationReply): string {
  return JSON.stringify(reply.done ? [toWire(reply.value)] : [])
}

/** Reads the judge's own text. */
export function readReply(text: string): OperationReply {
  const items = JSON.parse(text) as unknown[]
  return items.length === 0 ? { done: false } : { done: true, value: fromWire(items[0]) }
}

function outcomeItems(outcome: Outcome): unknown[] {
  switch (outcome.kind) {
    case 'answered':
      return ['answered', toWire(outcome.value)]
    case 'threw':
      return ['threw', outcome.name, outcome.message, outcome.stack]
    default:
      return [outcome.kind, outcome.why]
  }
}

function outcomeOfItems(json: unknown): Outcome {
  if (!Array.isArray(json)) throw new NotPlain('no outcome')
  const [kind, first, second, third] = json as unknown[]
  switch (kind) {
    case 'answered':
      return { kind, value: fromWire(first) }
    case 'notPlain':
    case 'unfit':
      return { kind, why: textOf(first) }
    case 'threw':
      return { kind, name: textOf(first), message: textOf(second), stack: textOf(third) }
    default:
      throw new NotPlain('no outcome')
  }
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_TEXT) throw new NotPlain('no text')
  return value
}
