/**
 * The receiver of the 16550A: RBR or the 16-byte receiver FIFO, overrun, break and the character timeout
 * (PC16550D data sheet §8.1, §8.4 and §8.11). It knows no registers and no interrupts.
 */
import type { Cycles } from '../sched/virtual-time.ts'

/** Each FIFO of the chip, in bytes. */
export const FIFO_BYTES = 16
/** Marks the null character of a break. */
export const BREAK = 0x100
const NEVER = -1

export interface UartReceiverState {
  /** Received characters, oldest first; a break is 100h. */
  readonly characters: readonly number[]
  readonly overrun: boolean
  /** When the character timeout comes, or −1. */
  readonly timeoutAt: Cycles
  readonly timedOut: boolean
}

export class UartReceiver {
  #characters: number[] = []
  #overrun = false
  #timeoutAt: Cycles = NEVER
  #timedOut = false

  get count(): number {
    return this.#characters.length
  }

  get overrun(): boolean {
    return this.#overrun
  }

  /** The character timeout came and no byte moved since. */
  get timedOut(): boolean {
    return this.#timedOut
  }

  /** The next character to read is a break that no LSR read has reported yet. */
  get breakAtTop(): boolean {
    return this.#characters[0] === BREAK
  }

  get holdsBreak(): boolean {
    return this.#characters.includes(BREAK)
  }

  /** When the timeout comes, or `Infinity`. */
  get timeoutAt(): Cycles {
    return this.#timeoutAt === NEVER ? Number.POSITIVE_INFINITY : this.#timeoutAt
  }

  /**
   * Takes a character. False on overrun: the FIFO keeps what it has, while a lone RBR (capacity 1) takes the new one.
   * `timeoutAt` is when the character timeout comes if no byte moves; `Infinity` for never.
   */
  store(character: number, capacity: number, timeoutAt: Cycles): boolean {
    if (this.#characters.length >= capacity) {
      this.#overrun = true
      if (capacity === 1) this.#characters[0] = character
      return false
    }
    this.#characters.push(character)
    this.#startTimeout(timeoutAt)
    return true
  }

  /** The oldest byte, 0 when there is none. */
  take(timeoutAt: Cycles): number {
    const character = this.#characters.shift() ?? 0
    this.#startTimeout(timeoutAt)
    return character & 0xff
  }

  /** Lets a due timeout happen; true when it did. */
  advance(now: Cycles): boolean {
    if (now < this.timeoutAt) return false
    this.#timeoutAt = NEVER
    this.#timedOut = true
    return true
  }

  /** An LSR read: overrun and the break at the top have been reported. */
  clearErrors(): void {
    this.#overrun = false
    if (this.breakAtTop) this.#characters[0] = 0
  }

  reset(): void {
    this.#characters = []
    this.#startTimeout(Number.POSITIVE_INFINITY)
  }

  save(): UartReceiverState {
    return {
      characters: [...this.#characters],
      overrun: this.#overrun,
      timeoutAt: this.#timeoutAt,
      timedOut: this.#timedOut,
    }
  }

  restore(state: UartReceiverState): void {
    this.#characters = [...state.characters]
    this.#overrun = state.overrun
    this.#timeoutAt = state.timeoutAt
    this.#timedOut = state.timedOut
  }

  #startTimeout(timeoutAt: Cycles): void {
    this.#timedOut = false
    const starts = this.#characters.length > 0 && timeoutAt !== Number.POSITIVE_INFINITY
    this.#timeoutAt = starts ? timeoutAt : NEVER
  }
}
