/** The host's agenda: what is to happen at which point of virtual time. Equal times keep the order of their entry. */
import type { Cycles } from './virtual-time.ts'

export interface TimedEvent {
  readonly at: Cycles
  readonly action: (now: Cycles) => void
}

/** A priority queue by time, first come first served among equals. Sorted insertion: agendas are short. */
export class EventQueue {
  readonly #events: TimedEvent[] = []

  /** The time of the next event, or `Infinity`. */
  get nextAt(): Cycles {
    return this.#events[0]?.at ?? Number.POSITIVE_INFINITY
  }

  add(at: Cycles, action: (now: Cycles) => void): void {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#events[middle]!.at <= at) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, { at, action })
  }

  /** Takes the next event out if it is due at `now`. */
  take(now: Cycles): TimedEvent | undefined {
    return this.nextAt <= now ? this.#events.shift() : undefined
  }
}
