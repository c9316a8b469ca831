/**
 * F2XM1, FYL2X, FYL2XP1 (Intel SDM vol. 2A, with their tables of special values).
 */
import { bitLength, roundBig } from './big.ts'
import { BIAS, Extended, INTEGER_BIT, infinity, isInfinity, isZero, scaleOf, significandOf, zero } from './extended.ts'
import { invalid, refuseOne, refuseTwo } from './operands.ts'
import { type Arithmetic, PRECISION, ZERO_DIVIDE } from './rounding.ts'
import { artanhRatio, dividePoint, exponentialRatio, LN2, ONE_POINT, POINT, toPoint } from './series.ts'

/** 2^x − 1. Beyond −1 … 1 the result is undefined; here it is x. */
export function powerOfTwoMinusOne(arithmetic: Arithmetic, x: Extended): Extended {
  const refused = refuseOne(arithmetic, x)
  if (refused !== undefined) return refused
  if (isZero(x)) return x
  if (isInfinity(x)) return x.sign === 0 ? x : new Extended(1, BIAS, INTEGER_BIT, 0)
  if (x.exponent >= BIAS) {
    arithmetic.raised |= PRECISION
    const isOne = x.exponent === BIAS && x.high === INTEGER_BIT && x.low === 0
    return isOne && x.sign === 1 ? new Extended(1, BIAS - 1, INTEGER_BIT, 0) : x
  }
  const significand = significandOf(x)
  const scale = scaleOf(x)
  const y = toPoint(significand * LN2, scale - POINT)
  const ratio = exponentialRatio(x.sign === 1 ? -y : y)
  return roundBig(arithmetic, x.sign, significand * LN2 * ratio, scale - 2 * POINT, false)
}

/** y × log2(x). Also an exact result is told to be inexact. */
export function logarithm(arithmetic: Arithmetic, y: Extended, x: Extended): Extended {
  const refused = refuseTwo(arithmetic, y, x)
  if (refused !== undefined) return refused
  if (isZero(x)) {
    if (isZero(y)) return invalid(arithmetic)
    if (!isInfinity(y)) arithmetic.raised = ZERO_DIVIDE
    return infinity(y.sign ^ 1)
  }
  if (x.sign === 1) return invalid(arithmetic)
  if (isInfinity(x)) return isZero(y) ? invalid(arithmetic) : infinity(y.sign)
  const isOne = x.exponent === BIAS && x.high === INTEGER_BIT && x.low === 0
  const isSmall = x.exponent < BIAS
  if (isInfinity(y)) {
    return isOne ? invalid(arithmetic) : infinity(isSmall ? y.sign ^ 1 : y.sign)
  }
  if (isZero(y) || isOne) return zero(isSmall ? y.sign ^ 1 : y.sign)
  const log = binaryLogarithm(x)
  const isExact = (log & (ONE_POINT - 1n)) === 0n
  const magnitude = log < 0n ? -log : log
  const sign = log < 0n ? y.sign ^ 1 : y.sign
  arithmetic.raised |= PRECISION
  return roundBig(arithmetic, sign, significandOf(y) * magnitude, scaleOf(y) - POINT, isExact)
}

/** log2 of a positive finite number, in fixed point; exact for powers of 2. */
function binaryLogarithm(x: Extended): bigint {
  const significand = significandOf(x)
  let exponent = scaleOf(x) + bitLength(significand) - 1
  let fraction = toPoint(significand, 1 - bitLength(significand))
  if (fraction * fraction > 2n * ONE_POINT * ONE_POINT) {
    fraction >>= 1n
    exponent++
  }
  const z = dividePoint(fraction - ONE_POINT, fraction + ONE_POINT)
  const natural = (2n * z * artanhRatio((z * z) >> BigInt(POINT))) >> BigInt(POINT)
  return BigInt(exponent) * ONE_POINT + dividePoint(natural, LN2)
}

/** y × log2(x + 1). The manual asks for |x| < 1 − √½; this is good to |x| < 1. */
export function logarithmOfSum(arithmetic: Arithmetic, y: Extended, x: Extended): Extended {
  const refused = refuseTwo(arithmetic, y, x)
  if (refused !== undefined) return refused
  const sign = y.sign ^ x.sign
  if (isInfinity(x)) return x.sign === 1 || isZero(y) ? invalid(arithmetic) : infinity(y.sign)
  if (isInfinity(y)) return isZero(x) ? invalid(arithmetic) : infinity(sign)
  if (isZero(x) || isZero(y)) return zero(sign)
  if (x.exponent >= BIAS) return beyondRange(arithmetic, y, x)
  const significand = significandOf(x)
  const scale = scaleOf(x)
  const value = toPoint(significand, scale)
  const divisor = 2n * ONE_POINT + (x.sign === 1 ? -value : value)
  const z = dividePoint(value, divisor)
  const ratio = artanhRatio((z * z) >> BigInt(POINT))
  const factor = dividePoint(dividePoint(2n * ratio, divisor), LN2)
  return roundBig(arithmetic, sign, significandOf(y) * significand * factor, scaleOf(y) + scale - POINT, false)
}

/** Undefined; processors give something: here the true value, or for a sum that is not positive an invalid operation. */
function beyondRange(arithmetic: Arithmetic, y: Extended, x: Extended): Extended {
  if (x.sign === 1) return invalid(arithmetic)
  const scale = Math.min(scaleOf(x), 0)
  const sum = (significandOf(x) << BigInt(scaleOf(x) - scale)) + (1n << BigInt(-scale))
  const length = bitLength(sum)
  const rounded = sum >> BigInt(Math.max(length - 64, 0))
  const exponent = scale + length - 1 + BIAS
  const shifted = rounded << BigInt(Math.max(64 - length, 0))
  const above = new Extended(0, exponent, Number(shifted >> 32n), Number(shifted & 0xffff_ffffn))
  arithmetic.raised |= PRECISION
  return logarithm(arithmetic, y, above)
}
