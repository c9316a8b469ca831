/**
 * One direction of a serial line, followed item by item: what went in, what came out, what is still on its way, and the
 * first that was lost, doubled, or never sent.
 */
import { type Item, itemText } from './wire.ts'

interface Sent {
  readonly item: Item
  /** Its place in the stream, from 1. */
  readonly number: number
  /** It may be thrown away: there was nobody to read it while it was held. */
  mayVanish: boolean
}

/** What was wrong with an item that came out. */
export interface StreamFault {
  readonly kind: 'lost' | 'doubled' | 'foreign' | 'late'
  readonly expected: string
  readonly actual: string
}

/** How many of the last items are remembered, to know a doubled one. */
const REMEMBERED = 64

export class Stream {
  /** What is on its way begins at `#head`. */
  #items: Sent[] = []
  #head = 0
  #recent: Item[] = []
  /** Thrown away for good. */
  readonly #vanished: Item[] = []
  #sent = 0
  /** Behind the first fault nothing can be told any more. */
  #broken = false

  /** How many went in. */
  get sent(): number {
    return this.#sent
  }

  /** On their way, if nothing of it was thrown away. */
  get held(): number {
    return this.#items.length - this.#head
  }

  /** On their way for certain. */
  get owed(): number {
    let owed = 0
    for (let i = this.#head; i < this.#items.length; i++) if (!this.#items[i]!.mayVanish) owed++
    return owed
  }

  /** The first that has not come out. */
  get next(): string {
    const first = this.#items[this.#head]
    return first === undefined ? 'nothing' : `${itemText([first.item])}, number ${first.number} of the stream`
  }

  send(items: readonly Item[], mayVanish: boolean): void {
    for (const item of items) this.#items.push({ item, number: ++this.#sent, mayVanish })
  }

  /** The last items were offered and not taken. */
  retract(count: number): void {
    const retracted = Math.min(count, this.held)
    this.#items.length -= retracted
    this.#sent -= retracted
  }

  /** Nobody reads: what is held may be thrown away. */
  unplug(): void {
    for (let i = this.#head; i < this.#items.length; i++) this.#items[i]!.mayVanish = true
  }

  /** What is held must have been thrown away by now. */
  vanish(): void {
    for (const { item } of this.#items.slice(this.#head)) this.#vanished.push(item)
    this.#items = []
    this.#head = 0
  }

  /** An item came out; what is wrong with it, if anything. Only the first fault is told. */
  receive(item: Item): StreamFault | undefined {
    if (this.#broken) return undefined
    let first = this.#head
    while (this.#items[first]?.mayVanish === true && this.#items[first]!.item !== item) first++
    if (this.#items[first]?.item === item) {
      this.#head = first + 1
      this.#recent.push(item)
      this.#forget()
      return undefined
    }
    this.#broken = true
    const expected = this.next
    const actual = itemText([item])
    const later = this.#items.slice(this.#head).find((each) => each.item === item)
    if (later !== undefined)
      return { kind: 'lost', expected, actual: `${actual}, number ${later.number} of the stream` }
    if (this.#vanished.includes(item)) {
      return { kind: 'late', expected, actual: `${actual}, which was sent while nobody read` }
    }
    return { kind: this.#recent.slice(-REMEMBERED).includes(item) ? 'doubled' : 'foreign', expected, actual }
  }

  #forget(): void {
    if (this.#recent.length > 16 * REMEMBERED) this.#recent = this.#recent.slice(-REMEMBERED)
    if (this.#head <= 1024) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
