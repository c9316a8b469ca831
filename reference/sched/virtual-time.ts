/**
 * Virtual time: the only time that the machine, its devices and every mark know.
 *
 * One unit is one cycle of the host's processor. Whole cycles are safe integers: at 3.8 GHz they last 27 days.
 */

/** A point in virtual time, or a span of it, in cycles of the host's processor: a safe integer ≥ 0. */
export type Cycles = number

/**
 * How many whole ticks of a clock of `tickHz` have passed after `cycles` of a clock of `cycleHz`.
 * Exact for both rates up to 4 GHz × 2 MHz: the whole seconds are split off, so that no product exceeds 2^53.
 */
export function ticksAt(cycles: Cycles, cycleHz: number, tickHz: number): number {
  const seconds = Math.floor(cycles / cycleHz)
  return seconds * tickHz + Math.floor(((cycles - seconds * cycleHz) * tickHz) / cycleHz)
}

/** The first cycle at which `ticksAt` is at least `ticks`: the inverse of {@link ticksAt}. */
export function cyclesAtTick(ticks: number, cycleHz: number, tickHz: number): Cycles {
  const seconds = Math.floor(ticks / tickHz)
  return seconds * cycleHz + Math.ceil(((ticks - seconds * tickHz) * cycleHz) / tickHz)
}
