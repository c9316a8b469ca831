/**
 * Addition and subtraction of extended numbers (Intel SDM vol. 1 §8.3.5; vol. 2A FADD, FSUB, tables of special values).
 */
import { type Extended, isInfinity, isNormal, isZero, withSign, zero } from './extended.ts'
import { invalid, type Normalized, normalize, refuseTwo } from './operands.ts'
import { type Arithmetic, ROUND_DOWN, shiftRight } from './rounding.ts'

export function add(arithmetic: Arithmetic, a: Extended, b: Extended): Extended {
  return sum(arithmetic, a, b, b.sign)
}

export function subtract(arithmetic: Arithmetic, a: Extended, b: Extended): Extended {
  return sum(arithmetic, a, b, b.sign ^ 1)
}

/** @param signB the sign that counts for `b`, unless it is a NaN */
function sum(arithmetic: Arithmetic, a: Extended, b: Extended, signB: number): Extended {
  if (isNormal(a) && isNormal(b)) return addFinite(arithmetic, a.sign, a, signB, b)
  const refused = refuseTwo(arithmetic, a, b)
  if (refused !== undefined) return refused
  if (isInfinity(a)) return isInfinity(b) && a.sign !== signB ? invalid(arithmetic) : a
  if (isInfinity(b)) return withSign(b, signB)
  if (isZero(a) && isZero(b)) return zero(a.sign === signB ? signB : exactZeroSign(arithmetic))
  if (isZero(a)) return rounded(arithmetic, signB, normalize(b))
  if (isZero(b)) return rounded(arithmetic, a.sign, normalize(a))
  return addFinite(arithmetic, a.sign, normalize(a), signB, normalize(b))
}

function rounded(arithmetic: Arithmetic, sign: number, x: Normalized): Extended {
  return arithmetic.round(sign, x.exponent, x.high, x.low, 0, arithmetic.bits)
}

/** x − x is −0 only when rounding down (§4.8.3.1). */
function exactZeroSign(arithmetic: Arithmetic): number {
  return arithmetic.rounding === ROUND_DOWN ? 1 : 0
}

function isLess(a: Normalized, b: Normalized): boolean {
  if (a.exponent !== b.exponent) return a.exponent < b.exponent
  if (a.high !== b.high) return a.high >>> 0 < b.high >>> 0
  return a.low >>> 0 < b.low >>> 0
}

/** Hot path. */
function addFinite(arithmetic: Arithmetic, signA: number, a: Normalized, signB: number, b: Normalized): Extended {
  const swaps = isLess(a, b)
  const big = swaps ? b : a
  const small = swaps ? a : b
  const sign = swaps ? signB : signA
  const distance = big.exponent - small.exponent
  let { high, low } = small
  let extra = 0
  if (distance > 0) [high, low, extra] = shiftRight(high, low, 0, Math.min(distance, 96))
  return signA === signB
    ? addMagnitudes(arithmetic, sign, big, high, low, extra)
    : subtractMagnitudes(arithmetic, sign, big, high, low, extra)
}

function addMagnitudes(
  arithmetic: Arithmetic,
  sign: number,
  big: Normalized,
  high: number,
  low: number,
  extra: number,
): Extended {
  const sumLow = (big.low >>> 0) + (low >>> 0)
  const sumHigh = (big.high >>> 0) + (high >>> 0) + (sumLow > 0xffff_ffff ? 1 : 0)
  if (sumHigh <= 0xffff_ffff) {
    return arithmetic.round(sign, big.exponent, sumHigh | 0, sumLow | 0, extra, arithmetic.bits)
  }
  const outLow = (sumLow >>> 1) | (sumHigh << 31)
  const outExtra = (extra >>> 1) | (extra & 1) | (sumLow << 31)
  const outHigh = (sumHigh >>> 1) | 0x8000_0000
  return arithmetic.round(sign, big.exponent + 1, outHigh | 0, outLow | 0, outExtra | 0, arithmetic.bits)
}

function subtractMagnitudes(
  arithmetic: Arithmetic,
  sign: number,
  big: Normalized,
  high: number,
  low: number,
  extra: number,
): Extended {
  let outExtra = -extra | 0
  const lowDifference = (big.low >>> 0) - (low >>> 0) - (extra !== 0 ? 1 : 0)
  let outLow = lowDifference | 0
  let outHigh = (big.high - high - (lowDifference < 0 ? 1 : 0)) | 0
  let { exponent } = big
  if ((outHigh | outLow | outExtra) === 0) return zero(exactZeroSign(arithmetic))
  while (outHigh === 0) {
    outHigh = outLow
    outLow = outExtra
    outExtra = 0
    exponent -= 32
  }
  const zeros = Math.clz32(outHigh)
  if (zeros > 0) {
    outHigh = (outHigh << zeros) | (outLow >>> (32 - zeros))
    outLow = (outLow << zeros) | (outExtra >>> (32 - zeros))
    outExtra <<= zeros
    exponent -= zeros
  }
  return arithmetic.round(sign, exponent, outHigh, outLow, outExtra, arithmetic.bits)
}
