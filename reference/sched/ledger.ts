/**
 * The host's own book of what each vcpu was doing: an interval of virtual time after the other, each with one state.
 * Laws compare a monitor's totals with it. It counts by intervals at the time of the question, not by running totals.
 */
import type { Cycles } from './virtual-time.ts'

/** What a vcpu does: it executes, it could but has no pcpu, or it has halted and nothing that it may take has come. */
export type Activity = 'busy' | 'steal' | 'idle'

export interface Interval {
  readonly from: Cycles
  readonly activity: Activity
}

export interface LedgerTotals {
  readonly idle: Cycles
  readonly busy: Cycles
  readonly steal: Cycles
}

/** One vcpu's book. */
export class Ledger {
  readonly #intervals: Interval[] = []

  /** From `now` on the vcpu is doing this. An interval without length is not kept. */
  enter(activity: Activity, now: Cycles): void {
    const last = this.#intervals.at(-1)
    if (last?.activity === activity) return
    if (last?.from === now) this.#intervals.pop()
    if (this.#intervals.at(-1)?.activity !== activity) this.#intervals.push({ from: now, activity })
  }

  get intervals(): readonly Interval[] {
    return this.#intervals
  }

  /** The totals of the time from the first entry to `now`. */
  totals(now: Cycles): LedgerTotals {
    const totals = { idle: 0, busy: 0, steal: 0 }
    this.#intervals.forEach(({ from, activity }, i) => {
      const to = Math.min(this.#intervals[i + 1]?.from ?? now, now)
      if (to > from) totals[activity] += to - from
    })
    return totals
  }
}
