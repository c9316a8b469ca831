/**
 * FPREM, FPREM1, FRNDINT, FSCALE, FXTRACT (Intel SDM vol. 2A): exact operations on exponents and significands.
 */
import { roundBig } from './big.ts'
import { binaryExponent, C0, C1, C2, C3 } from './compare.ts'
import { fromInt32, roundToInteger } from './convert.ts'
import { BIAS, Extended, infinity, isInfinity, isZero, scaleOf, significandOf, zero } from './extended.ts'
import { invalid, normalize, refuseOne, refuseTwo } from './operands.ts'
import { type Arithmetic, ZERO_DIVIDE } from './rounding.ts'

/** A step reduces an exponent by fewer than this. */
const FULL_REDUCTION = 64

export interface Remainder {
  readonly value: Extended
  /** C0, C1, C3: the quotient's low bits; C2 alone: the reduction is not complete; undefined: there is no quotient. */
  readonly codes: number | undefined
}

/** @param nearest FPREM1: the quotient is rounded to nearest, not cut */
export function remainder(arithmetic: Arithmetic, a: Extended, b: Extended, nearest: boolean): Remainder {
  const refused = refuseTwo(arithmetic, a, b)
  if (refused !== undefined) return { value: refused, codes: undefined }
  if (isInfinity(a) || isZero(b)) return { value: invalid(arithmetic), codes: undefined }
  if (isZero(a) || isInfinity(b)) return { value: a, codes: 0 }
  const distance = binaryExponent(a) - binaryExponent(b)
  const scale = Math.min(scaleOf(a), scaleOf(b))
  if (distance < FULL_REDUCTION) return reduce(arithmetic, a, b, scale, nearest)
  const step = distance - ((distance & 31) | 32)
  const divisor = significandOf(b) << BigInt(scaleOf(b) - scale + step)
  const rest = (significandOf(a) << BigInt(scaleOf(a) - scale)) % divisor
  return { value: roundBig(arithmetic, a.sign, rest, scale, true), codes: C2 }
}

function reduce(arithmetic: Arithmetic, a: Extended, b: Extended, scale: number, nearest: boolean): Remainder {
  const distance = binaryExponent(a) - binaryExponent(b)
  if (distance < -1) return { value: roundBig(arithmetic, a.sign, significandOf(a), scaleOf(a), true), codes: 0 }
  const dividend = significandOf(a) << BigInt(scaleOf(a) - scale)
  const divisor = significandOf(b) << BigInt(scaleOf(b) - scale)
  let quotient = dividend / divisor
  let rest = dividend - quotient * divisor
  let { sign } = a
  if (nearest) {
    const twice = rest * 2n
    if (twice > divisor || (twice === divisor && (quotient & 1n) === 1n)) {
      quotient++
      rest = divisor - rest
      sign ^= 1
    }
  }
  const codes =
    ((quotient & 1n) !== 0n ? C1 : 0) | ((quotient & 2n) !== 0n ? C3 : 0) | ((quotient & 4n) !== 0n ? C0 : 0)
  return { value: rest === 0n ? zero(a.sign) : roundBig(arithmetic, sign, rest, scale, true), codes }
}

export function roundToIntegral(arithmetic: Arithmetic, a: Extended): Extended {
  const refused = refuseOne(arithmetic, a)
  if (refused !== undefined) return refused
  if (a.exponent >= BIAS + 63) return a
  const magnitude = roundToInteger(arithmetic, a)
  const { raised, roundedUp } = arithmetic
  const value = roundBig(arithmetic, a.sign, magnitude, 0, true)
  arithmetic.raised = raised
  arithmetic.roundedUp = roundedUp
  return value
}

/** a × 2^(b cut to an integer). */
export function scaleBy(arithmetic: Arithmetic, a: Extended, b: Extended): Extended {
  const refused = refuseTwo(arithmetic, a, b)
  if (refused !== undefined) return refused
  if (isInfinity(b)) {
    if (b.sign === 0) {
      if (isZero(a)) return invalid(arithmetic)
      return infinity(a.sign)
    }
    return isInfinity(a) ? invalid(arithmetic) : zero(a.sign)
  }
  if (isInfinity(a) || isZero(a)) return a
  const shift = cutToInteger(b)
  const { exponent, high, low } = normalize(a)
  return arithmetic.round(a.sign, exponent + shift, high, low, 0, 64)
}

/** Exponents end far below what 17 bits hold. */
const FARTHEST_SHIFT = 0x1_ffff

function cutToInteger(x: Extended): number {
  const exponent = x.exponent - BIAS
  if (exponent < 0) return 0
  const magnitude = exponent > 16 ? FARTHEST_SHIFT : Number(significandOf(x) >> BigInt(63 - exponent))
  return x.sign === 1 ? -magnitude : magnitude
}

export interface Parts {
  readonly exponent: Extended
  readonly significand: Extended
}

export function extract(arithmetic: Arithmetic, a: Extended): Parts {
  const refused = refuseOne(arithmetic, a)
  if (refused !== undefined) return { exponent: refused, significand: refused }
  if (isInfinity(a)) return { exponent: infinity(0), significand: a }
  if (isZero(a)) {
    arithmetic.raised |= ZERO_DIVIDE
    return { exponent: infinity(1), significand: a }
  }
  const { exponent, high, low } = normalize(a)
  return { exponent: fromInt32(exponent - BIAS), significand: new Extended(a.sign, BIAS, high, low) }
}
