/**
 * Rounding and the exceptions that come of it (Intel SDM vol. 1 §4.8.4, §8.4–8.5): overflow, underflow, precision.
 *
 * Tininess is found after rounding. An unmasked overflow or underflow gives the result with its exponent wrapped by 24576.
 */
import { EXPONENT_SPECIAL, Extended, INTEGER_BIT, infinity, zero } from './extended.ts'

/** Exceptions: bits of the status word, and mask bits of the control word. */
export const INVALID = 0x01
export const DENORMAL = 0x02
export const ZERO_DIVIDE = 0x04
export const OVERFLOW = 0x08
export const UNDERFLOW = 0x10
export const PRECISION = 0x20
/** A stack fault comes with `INVALID`. */
export const STACK_FAULT = 0x40

/** Rounding control: bits 10–11 of the control word. */
export const ROUND_NEAREST = 0
export const ROUND_DOWN = 1
export const ROUND_UP = 2
export const ROUND_ZERO = 3

const CONTROL_INIT = 0x37f
const ROUNDING_SHIFT = 10
const PRECISION_SHIFT = 8
const PRECISION_SINGLE = 0
const PRECISION_DOUBLE = 2
const WRAP = 24576
const HALF = 0x8000_0000

/** Bits of a significand. */
export type SignificandBits = 24 | 53 | 64

/** How to compute, and what happened: the control word that applies to one instruction, and its exceptions. */
export class Arithmetic {
  rounding = ROUND_NEAREST
  /** The precision of add, subtract, multiply, divide and square root. */
  bits: SignificandBits = 64
  /** Bits of the exceptions that are masked. */
  masks = CONTROL_INIT & 0x3f
  /** What has happened since `begin`. */
  raised = 0
  /** The last rounding made the result larger: C1. */
  roundedUp = false

  /** Starts an instruction under `control`, the FPU's control word. */
  begin(control: number): void {
    this.rounding = (control >> ROUNDING_SHIFT) & 3
    const precision = (control >> PRECISION_SHIFT) & 3
    this.bits = precision === PRECISION_SINGLE ? 24 : precision === PRECISION_DOUBLE ? 53 : 64
    this.masks = control & 0x3f
    this.raised = 0
    this.roundedUp = false
  }

  isMasked(exception: number): boolean {
    return (this.masks & exception) !== 0
  }

  /** True when rounding adds one unit: `rest` is what is cut off, in units of 2^−32, `sticky` what lies below that. */
  roundsUp(sign: number, isOdd: boolean, rest: number, sticky: boolean): boolean {
    switch (this.rounding) {
      case ROUND_NEAREST:
        return rest > HALF || (rest === HALF && (sticky || isOdd))
      case ROUND_DOWN:
        return sign === 1 && (rest !== 0 || sticky)
      case ROUND_UP:
        return sign === 0 && (rest !== 0 || sticky)
      default:
        return false
    }
  }

  /**
   * The extended number next to (−1)^sign × significand × 2^exponent.
   *
   * @param exponent biased, any integer
   * @param high its top bit set
   * @param extra 32 more bits of the significand; its lowest bit stands for all that are further down
   */
  round(sign: number, exponent: number, high: number, low: number, extra: number, bits: SignificandBits): Extended {
    if (exponent <= 0) return this.#roundTiny(sign, exponent, high, low, extra, bits)
    const result = this.roundUnbounded(sign, exponent, high, low, extra, bits)
    return result.exponent >= EXPONENT_SPECIAL ? this.#overflow(result, bits) : result
  }

  /** The same with an exponent that has no bounds. */
  roundUnbounded(
    sign: number,
    exponent: number,
    high: number,
    low: number,
    extra: number,
    bits: SignificandBits,
  ): Extended {
    let rest = extra >>> 0
    let sticky = false
    let keptLow = low
    let keptHigh = high
    let unitLow = 1
    let unitHigh = 0
    if (bits === 53) {
      sticky = extra !== 0
      rest = (low << 21) >>> 0
      keptLow = low & ~0x7ff
      unitLow = 0x800
    } else if (bits === 24) {
      sticky = (low | extra) !== 0
      rest = (high << 24) >>> 0
      keptLow = 0
      keptHigh = high & ~0xff
      unitLow = 0
      unitHigh = 0x100
    }
    this.roundedUp = false
    if (rest === 0 && !sticky) return new Extended(sign, exponent, keptHigh, keptLow)
    this.raised |= PRECISION
    const isOdd = ((keptLow & unitLow) | (keptHigh & unitHigh)) !== 0
    if (!this.roundsUp(sign, isOdd, rest, sticky)) return new Extended(sign, exponent, keptHigh, keptLow)
    this.roundedUp = true
    const sumLow = (keptLow + unitLow) | 0
    const carry = unitLow !== 0 && sumLow === 0 ? 1 : 0
    const sumHigh = (keptHigh + unitHigh + carry) | 0
    return sumHigh === 0 && keptHigh !== 0
      ? new Extended(sign, exponent + 1, INTEGER_BIT, 0)
      : new Extended(sign, exponent, sumHigh, sumLow)
  }

  /** An overflow gives the largest finite number, not infinity. */
  cutsOverflow(sign: number): boolean {
    return this.rounding === ROUND_ZERO || this.rounding === (sign === 0 ? ROUND_DOWN : ROUND_UP)
  }

  #overflow(rounded: Extended, bits: SignificandBits): Extended {
    const { sign } = rounded
    this.raised |= OVERFLOW
    if (!this.isMasked(OVERFLOW)) {
      const exponent = rounded.exponent - WRAP
      if (exponent < EXPONENT_SPECIAL) return new Extended(sign, exponent, rounded.high, rounded.low)
      this.raised |= PRECISION
      this.roundedUp = true
      return infinity(sign)
    }
    this.raised |= PRECISION
    this.roundedUp = !this.cutsOverflow(sign)
    return this.roundedUp ? infinity(sign) : largest(sign, bits)
  }

  #roundTiny(
    sign: number,
    exponent: number,
    high: number,
    low: number,
    extra: number,
    bits: SignificandBits,
  ): Extended {
    const { raised } = this
    const unbounded = this.roundUnbounded(sign, exponent, high, low, extra, bits)
    if (!this.isMasked(UNDERFLOW)) {
      if (unbounded.exponent > 0) return unbounded
      this.raised |= UNDERFLOW
      const wrapped = unbounded.exponent + WRAP
      if (wrapped > 0) return new Extended(sign, wrapped, unbounded.high, unbounded.low)
      this.raised |= PRECISION
      return zero(sign)
    }
    const isTiny = unbounded.exponent <= 0
    this.raised = raised
    const shift = Math.min(1 - exponent, 96)
    const [high2, low2, extra2] = shiftRight(high, low, extra, shift)
    const result = this.roundUnbounded(sign, 0, high2, low2, extra2, bits)
    if (isTiny && (this.raised & PRECISION) !== 0) this.raised |= UNDERFLOW
    return result.high < 0 ? new Extended(sign, 1, result.high, result.low) : result
  }
}

/** The largest finite number of a precision. */
function largest(sign: number, bits: SignificandBits): Extended {
  if (bits === 24) return new Extended(sign, EXPONENT_SPECIAL - 1, 0xffff_ff00, 0)
  return new Extended(sign, EXPONENT_SPECIAL - 1, -1, bits === 53 ? 0xffff_f800 : -1)
}

/** Shifts 96 bits right; what falls out stays as the lowest bit. */
export function shiftRight(
  high: number,
  low: number,
  extra: number,
  count: number,
): [high: number, low: number, extra: number] {
  let [h, l, x] = [high, low, extra]
  let sticky = 0
  let rest = count
  while (rest >= 32) {
    if (x !== 0) sticky = 1
    x = l
    l = h
    h = 0
    rest -= 32
  }
  if (rest > 0) {
    if (x << (32 - rest) !== 0) sticky = 1
    x = (x >>> rest) | (l << (32 - rest))
    l = (l >>> rest) | (h << (32 - rest))
    h >>>= rest
  }
  return [h | 0, l | 0, x | sticky | 0]
}
