/**
 * One counter of the 8254 interval timer: modes 0–5, binary and BCD, latches (Intel 8254 data sheet 231164, "Mode
 * Definitions"). It knows CLK pulses only; pulses that just count are taken in one stride, so long waits cost nothing.
 *
 * The smallest legal count of modes 2 and 3 is 2; a count of 1 is taken as 2 there.
 */
import type { Line } from './device.ts'

const BCD = 0x01
const MODE_SHIFT = 1
const ACCESS_SHIFT = 4
const CONTROL_MASK = 0x3f
const ACCESS_LATCH = 0
const ACCESS_LSB = 1
const ACCESS_MSB = 2
const ACCESS_WORD = 3
const STATUS_OUT = 0x80
const STATUS_NULL_COUNT = 0x40

/** The state of one counter. −1 stands for "not latched". */
export interface PitCounterState {
  /** The low six bits of the control word. */
  readonly control: number
  readonly gate: boolean
  readonly out: boolean
  /** CR, the count register, as a number of pulses: 1 to the modulus. */
  readonly countRegister: number
  /** A count was written since the control word. */
  readonly written: boolean
  /** CE, the counting element: 0 to the modulus − 1. */
  readonly element: number
  /** The count that CE was loaded with. */
  readonly loaded: number
  /** CE has been loaded since the control word. */
  readonly counting: boolean
  /** The next pulse loads CE. */
  readonly load: boolean
  /** Modes 0, 1, 4, 5: the count has not expired yet. */
  readonly armed: boolean
  readonly nullCount: boolean
  /** The first byte of a two-byte count, or −1. */
  readonly firstByte: number
  readonly readSecond: boolean
  readonly latchedCount: number
  readonly latchedStatus: number
}

export class PitCounter {
  readonly #line: Line | undefined
  #control = ACCESS_WORD << ACCESS_SHIFT
  #gate: boolean
  #out = false
  #countRegister = 0x1_0000
  #written = false
  #element = 0
  #loaded = 0x1_0000
  #counting = false
  #load = false
  #armed = false
  #nullCount = true
  #firstByte = -1
  #readSecond = false
  #latchedCount = -1
  #latchedStatus = -1

  /** `line` is told the output at each change. */
  constructor(gate: boolean, line?: Line) {
    this.#gate = gate
    this.#line = line
  }

  get out(): boolean {
    return this.#out
  }

  get #mode(): number {
    const mode = (this.#control >> MODE_SHIFT) & 7
    return mode > 5 ? mode - 4 : mode
  }

  get #modulus(): number {
    return (this.#control & BCD) !== 0 ? 10_000 : 0x1_0000
  }

  /** A control word for this counter: its low six bits, or the counter latch command. */
  control(value: number): void {
    if (((value >> ACCESS_SHIFT) & 3) === ACCESS_LATCH) {
      this.latchCount()
      return
    }
    this.#control = value & CONTROL_MASK
    this.#written = false
    this.#counting = false
    this.#load = false
    this.#armed = false
    this.#nullCount = true
    this.#firstByte = -1
    this.#readSecond = false
    this.#latchedCount = -1
    this.#latchedStatus = -1
    this.#element %= this.#modulus
    this.#setOut(this.#mode !== 0)
  }

  writeByte(value: number): void {
    const access = (this.#control >> ACCESS_SHIFT) & 3
    if (access === ACCESS_WORD && this.#firstByte < 0) {
      this.#firstByte = value
      if (this.#mode === 0) this.#setOut(false)
      return
    }
    const first = this.#firstByte
    this.#firstByte = -1
    this.#writeCount(access === ACCESS_LSB ? value : access === ACCESS_MSB ? value << 8 : (value << 8) | first)
  }

  readByte(): number {
    if (this.#latchedStatus >= 0) {
      const status = this.#latchedStatus
      this.#latchedStatus = -1
      return status
    }
    const count = this.#latchedCount >= 0 ? this.#latchedCount : this.#visibleCount()
    const access = (this.#control >> ACCESS_SHIFT) & 3
    const high = access === ACCESS_MSB || (access === ACCESS_WORD && this.#readSecond)
    if (access === ACCESS_WORD) this.#readSecond = !this.#readSecond
    if (!this.#readSecond) this.#latchedCount = -1
    return high ? count >> 8 : count & 0xff
  }

  /** Keeps the count until it is read; a second latch before that is ignored. */
  latchCount(): void {
    if (this.#latchedCount < 0) this.#latchedCount = this.#visibleCount()
  }

  latchStatus(): void {
    if (this.#latchedStatus >= 0) return
    this.#latchedStatus =
      (this.#out ? STATUS_OUT : 0) | (this.#nullCount ? STATUS_NULL_COUNT : 0) | (this.#control & CONTROL_MASK)
  }

  setGate(gate: boolean): void {
    if (gate === this.#gate) return
    this.#gate = gate
    const mode = this.#mode
    const periodic = mode === 2 || mode === 3
    if (gate) {
      if (this.#written && (periodic || mode === 1 || mode === 5)) this.#load = true
    } else if (periodic) this.#setOut(true)
  }

  /** How many coming pulses only count, without loading CE and without changing the output; Infinity when all do. */
  quietTicks(): number {
    if (this.#load || (this.#mode >= 4 && !this.#out)) return 0
    if (!this.#decrements()) return Number.POSITIVE_INFINITY
    const toZero = this.#element === 0 ? this.#modulus : this.#element
    switch (this.#mode) {
      case 2:
        return this.#out ? Math.max(0, toZero - 2) : 0
      case 3:
        return this.#ticksOfHalf() - 1
      default:
        return this.#armed ? toZero - 1 : Number.POSITIVE_INFINITY
    }
  }

  /** Takes `ticks` CLK pulses. */
  run(ticks: number): void {
    let left = ticks
    while (left > 0) {
      if (this.#line === undefined && this.#isSteady() && left >= this.#loaded) left %= this.#loaded
      const quiet = Math.min(left, this.quietTicks())
      if (quiet > 0) {
        this.#count(quiet)
        left -= quiet
      } else if (left > 0) {
        this.#pulse()
        left--
      }
    }
  }

  save(): PitCounterState {
    return {
      control: this.#control,
      gate: this.#gate,
      out: this.#out,
      countRegister: this.#countRegister,
      written: this.#written,
      element: this.#element,
      loaded: this.#loaded,
      counting: this.#counting,
      load: this.#load,
      armed: this.#armed,
      nullCount: this.#nullCount,
      firstByte: this.#firstByte,
      readSecond: this.#readSecond,
      latchedCount: this.#latchedCount,
      latchedStatus: this.#latchedStatus,
    }
  }

  /** Does not tell the line. */
  restore(state: PitCounterState): void {
    this.#control = state.control
    this.#gate = state.gate
    this.#out = state.out
    this.#countRegister = state.countRegister
    this.#written = state.written
    this.#element = state.element
    this.#loaded = state.loaded
    this.#counting = state.counting
    this.#load = state.load
    this.#armed = state.armed
    this.#nullCount = state.nullCount
    this.#firstByte = state.firstByte
    this.#readSecond = state.readSecond
    this.#latchedCount = state.latchedCount
    this.#latchedStatus = state.latchedStatus
  }

  #writeCount(raw: number): void {
    const mode = this.#mode
    const count = (this.#control & BCD) !== 0 ? fromBcd(raw) : raw
    this.#countRegister = count === 0 ? this.#modulus : count
    if ((mode === 2 || mode === 3) && this.#countRegister === 1) this.#countRegister = 2
    this.#written = true
    this.#nullCount = true
    if (mode === 0) this.#setOut(false)
    if (mode === 0 || mode === 4 || ((mode === 2 || mode === 3) && !this.#counting)) this.#load = true
  }

  #visibleCount(): number {
    return (this.#control & BCD) !== 0 ? toBcd(this.#element) : this.#element
  }

  #decrements(): boolean {
    if (!this.#counting) return false
    const mode = this.#mode
    if (mode === 1 || mode === 5) return true
    return this.#gate && !(mode === 0 && this.#firstByte >= 0)
  }

  /** In modes 2 and 3, the state after one whole period is the state now. */
  #isSteady(): boolean {
    return (this.#mode === 2 || this.#mode === 3) && this.#decrements() && !this.#load && !this.#nullCount
  }

  /** Mode 3: pulses until the output toggles. An odd count is loaded less one, and its high half is a pulse longer. */
  #ticksOfHalf(): number {
    if (this.#loaded % 2 === 1) return this.#element / 2 + (this.#out ? 1 : 0)
    return (this.#element === 0 ? this.#modulus : this.#element) / 2
  }

  #count(ticks: number): void {
    if (!this.#decrements()) return
    const step = this.#mode === 3 ? 2 : 1
    const rest = (this.#element - ticks * step) % this.#modulus
    this.#element = rest < 0 ? rest + this.#modulus : rest
  }

  /** One pulse that does more than count. */
  #pulse(): void {
    const mode = this.#mode
    const strobes = mode >= 4 && !this.#out
    if (this.#load) {
      this.#loadElement()
      this.#armed = true
      if (mode === 1) this.#setOut(false)
      else if (mode !== 0) this.#setOut(true)
    } else if (mode === 2 && !this.#out) {
      this.#loadElement()
      this.#setOut(true)
    } else if (mode === 3) {
      this.#loadElement()
      this.#setOut(!this.#out)
    } else {
      this.#count(1)
      if (mode === 2) this.#setOut(false)
      else if (strobes) this.#setOut(true)
      if (mode !== 2 && this.#armed && this.#element === 0) {
        this.#armed = false
        this.#setOut(mode < 4)
      }
    }
  }

  #loadElement(): void {
    this.#load = false
    this.#counting = true
    this.#nullCount = false
    this.#loaded = this.#countRegister
    const odd = this.#mode === 3 && this.#loaded % 2 === 1
    this.#element = (odd ? this.#loaded - 1 : this.#loaded) % this.#modulus
  }

  #setOut(out: boolean): void {
    if (out === this.#out) return
    this.#out = out
    this.#line?.(out)
  }
}

function fromBcd(value: number): number {
  return ((value >> 12) & 15) * 1000 + ((value >> 8) & 15) * 100 + ((value >> 4) & 15) * 10 + (value & 15)
}

function toBcd(value: number): number {
  const digit = (scale: number) => Math.floor(value / scale) % 10
  return (digit(1000) << 12) | (digit(100) << 8) | (digit(10) << 4) | digit(1)
}
