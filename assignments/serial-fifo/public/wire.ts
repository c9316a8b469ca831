/** How a variant's bytes and breaks stand in a pipe, as the suites read and write it. */
import type { Variant } from './variant.ts'

/** A break, among bytes. */
export const BREAK_ITEM = 256

/** A byte, or {@link BREAK_ITEM}. */
export type Item = number

/** What the far side writes: any cut of a stream is allowed, so one packet holds as much as fits. */
export function wireBytes(items: readonly Item[], { framing, escapeByte }: Variant): number[] {
  switch (framing) {
    case 'raw':
      return items.filter((item) => item !== BREAK_ITEM)
    case 'escaped':
      return items.flatMap((item) => {
        if (item === BREAK_ITEM) return [escapeByte, 0]
        return item === escapeByte ? [item, item] : [item]
      })
    case 'packets':
      return runs(items).flatMap((run) => (run[0] === BREAK_ITEM ? [1, 0] : [0, run.length, ...run]))
  }
}

/** Breaks alone, bytes in runs of at most 255. */
function runs(items: readonly Item[]): Item[][] {
  const all: Item[][] = []
  for (const item of items) {
    const last = all.at(-1)
    if (last === undefined || item === BREAK_ITEM || last[0] === BREAK_ITEM || last.length === 255) all.push([item])
    else last.push(item)
  }
  return all
}

/** Reads a stream as it comes. */
export class WireReader {
  readonly #variant: Variant
  #state: 'plain' | 'afterEscape' | 'length' | 'payload' = 'plain'
  #type = 0
  #left = 0

  constructor(variant: Variant) {
    this.#variant = variant
  }

  /** The items that a byte completes: none or one. */
  read(byte: number): Item[] {
    const { framing, escapeByte } = this.#variant
    if (framing === 'raw') return [byte]
    if (framing === 'escaped') {
      const escaped = this.#state === 'afterEscape'
      this.#state = !escaped && byte === escapeByte ? 'afterEscape' : 'plain'
      if (escaped) return [byte === 0 ? BREAK_ITEM : byte]
      return byte === escapeByte ? [] : [byte]
    }
    return this.#readPacket(byte)
  }

  /** Whoever wrote has gone: the next writer begins anew. */
  reset(): void {
    this.#state = 'plain'
  }

  #readPacket(byte: number): Item[] {
    switch (this.#state) {
      case 'plain':
        this.#type = byte
        this.#state = 'length'
        return []
      case 'length':
        this.#left = byte
        this.#state = byte === 0 ? 'plain' : 'payload'
        return this.#type === 1 ? [BREAK_ITEM] : []
      default:
        if (--this.#left === 0) this.#state = 'plain'
        return this.#type === 0 ? [byte] : []
    }
  }
}

/** Items for a person: `41 42 break`. */
export function itemText(items: readonly Item[]): string {
  const shown = items.slice(0, 12).map((item) => (item === BREAK_ITEM ? 'break' : item.toString(16).padStart(2, '0')))
  return `${shown.join(' ')}${items.length > 12 ? ` … (${items.length})` : ''}`
}
