/**
 * The local APIC's timer (Intel SDM vol. 3A §11.5.4): counts down from the initial count, once or again and again.
 */
import type { Cycles } from '../sched/virtual-time.ts'

/** Divide configuration: bits 0, 1 and 3 choose 2, 4, … 128 or 1. */
const DIVIDE_KNOWN = 0b1011

export interface LapicTimerState {
  initial: number
  /** When the count was last loaded. */
  startedAt: Cycles
  divide: number
  isPeriodic: boolean
  isRunning: boolean
}

export class LapicTimer {
  state: LapicTimerState = { initial: 0, startedAt: 0, divide: 0, isPeriodic: false, isRunning: false }
  readonly #cyclesPerTick: number

  /** @param cyclesPerTick of the bus clock that is divided */
  constructor(cyclesPerTick: number) {
    this.#cyclesPerTick = cyclesPerTick
  }

  /** Loads the count; 0 stops the timer. */
  start(count: number, now: Cycles): void {
    this.state.initial = count
    this.state.startedAt = now
    this.state.isRunning = count !== 0
  }

  setPeriodic(isPeriodic: boolean): void {
    this.state.isPeriodic = isPeriodic
  }

  get divide(): number {
    return this.state.divide
  }

  /** The count goes on from where it is, at the new rate. */
  setDivide(value: number, now: Cycles): void {
    const left = this.current(now)
    const elapsed = this.state.initial - left
    this.state.divide = value & DIVIDE_KNOWN
    if (this.state.isRunning) this.state.startedAt = now - elapsed * this.#tick()
  }

  current(now: Cycles): number {
    const { isRunning, initial, startedAt } = this.state
    if (!isRunning) return 0
    return Math.max(0, initial - Math.floor((now - startedAt) / this.#tick()))
  }

  /** When the count reaches 0, in whole cycles, or `Infinity`. */
  get expiresAt(): Cycles {
    const { isRunning, initial, startedAt } = this.state
    return isRunning ? Math.ceil(startedAt + initial * this.#tick()) : Number.POSITIVE_INFINITY
  }

  /** Goes on to `now`. @returns true when the count reached 0 on the way */
  advance(now: Cycles): boolean {
    if (this.expiresAt > now) return false
    const { initial, startedAt, isPeriodic } = this.state
    if (isPeriodic) {
      const period = initial * this.#tick()
      this.state.startedAt = startedAt + Math.floor((now - startedAt) / period) * period
    } else this.state.isRunning = false
    return true
  }

  #tick(): number {
    const code = (this.state.divide & 3) | ((this.state.divide >> 1) & 4)
    return this.#cyclesPerTick * (code === 7 ? 1 : 2 << code)
  }
}
