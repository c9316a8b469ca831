/**
 * Multiplication, division and square root of extended numbers (Intel SDM vol. 2A FMUL, FDIV, FSQRT, tables of special values).
 */
import { BIAS, type Extended, infinity, isInfinity, isNormal, isZero, zero } from './extended.ts'
import { invalid, type Normalized, normalize, refuseOne, refuseTwo } from './operands.ts'
import { type Arithmetic, ZERO_DIVIDE } from './rounding.ts'

const WORD = 2 ** 32
/** Makes up for the errors of a double's square root. */
const ABOVE = 1 + 2 ** -40

/** The upper word of the product of two unsigned words. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const other = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + Math.floor(middle / 0x1_0000) + (other >>> 16)) | 0
}

export function multiply(arithmetic: Arithmetic, a: Extended, b: Extended): Extended {
  const sign = a.sign ^ b.sign
  if (isNormal(a) && isNormal(b)) return multiplyFinite(arithmetic, sign, a, b)
  const refused = refuseTwo(arithmetic, a, b)
  if (refused !== undefined) return refused
  if (isInfinity(a) || isInfinity(b)) return isZero(a) || isZero(b) ? invalid(arithmetic) : infinity(sign)
  if (isZero(a) || isZero(b)) return zero(sign)
  return multiplyFinite(arithmetic, sign, normalize(a), normalize(b))
}

/** Hot path. */
function multiplyFinite(arithmetic: Arithmetic, sign: number, a: Normalized, b: Normalized): Extended {
  const word0 = Math.imul(a.low, b.low)
  const sum1 = (multiplyHigh(a.low, b.low) >>> 0) + (Math.imul(a.high, b.low) >>> 0) + (Math.imul(a.low, b.high) >>> 0)
  const sum2 =
    (multiplyHigh(a.high, b.low) >>> 0) +
    (multiplyHigh(a.low, b.high) >>> 0) +
    (Math.imul(a.high, b.high) >>> 0) +
    Math.floor(sum1 / WORD)
  const low = sum2 | 0
  const high = (multiplyHigh(a.high, b.high) + Math.floor(sum2 / WORD)) | 0
  const extra = sum1 | 0
  const sticky = word0 !== 0 ? 1 : 0
  const exponent = a.exponent + b.exponent - BIAS + 1
  if (high < 0) return arithmetic.round(sign, exponent, high, low, extra | sticky, arithmetic.bits)
  return arithmetic.round(
    sign,
    exponent - 1,
    (high << 1) | (low >>> 31),
    (low << 1) | (extra >>> 31),
    (extra << 1) | (word0 >>> 31) | (word0 << 1 !== 0 ? 1 : 0),
    arithmetic.bits,
  )
}

/** a ÷ b. */
export function divide(arithmetic: Arithmetic, a: Extended, b: Extended): Extended {
  const sign = a.sign ^ b.sign
  if (isNormal(a) && isNormal(b)) return divideFinite(arithmetic, sign, a, b)
  const refused = refuseTwo(arithmetic, a, b)
  if (refused !== undefined) return refused
  if (isInfinity(a)) return isInfinity(b) ? invalid(arithmetic) : infinity(sign)
  if (isInfinity(b)) return zero(sign)
  if (isZero(b)) {
    if (isZero(a)) return invalid(arithmetic)
    arithmetic.raised = ZERO_DIVIDE
    return infinity(sign)
  }
  if (isZero(a)) return zero(sign)
  return divideFinite(arithmetic, sign, normalize(a), normalize(b))
}

/** Bit by bit: 64 bits of quotient, 2 more to round, and the remainder as sticky bit. */
function divideFinite(arithmetic: Arithmetic, sign: number, a: Normalized, b: Normalized): Extended {
  const divisorHigh = b.high >>> 0
  const divisorLow = b.low >>> 0
  let restHigh = a.high >>> 0
  let restLow = a.low >>> 0
  let carry = false
  let exponent = a.exponent - b.exponent + BIAS
  const words = [0, 0, 0]
  if (restHigh < divisorHigh || (restHigh === divisorHigh && restLow < divisorLow)) {
    exponent--
    carry = restHigh >= 0x8000_0000
    restHigh = ((restHigh << 1) | (restLow >>> 31)) >>> 0
    restLow = (restLow << 1) >>> 0
  }
  for (let bit = 0; bit < 66; bit++) {
    if (carry || restHigh > divisorHigh || (restHigh === divisorHigh && restLow >= divisorLow)) {
      const difference = restLow - divisorLow
      restHigh = (restHigh - divisorHigh - (difference < 0 ? 1 : 0)) >>> 0
      restLow = difference >>> 0
      words[bit >> 5]! |= 1 << (31 - (bit & 31))
    }
    carry = restHigh >= 0x8000_0000
    restHigh = ((restHigh << 1) | (restLow >>> 31)) >>> 0
    restLow = (restLow << 1) >>> 0
  }
  const sticky = carry || restHigh !== 0 || restLow !== 0 ? 1 : 0
  return arithmetic.round(sign, exponent, words[0]!, words[1]!, words[2]! | sticky, arithmetic.bits)
}

export function squareRoot(arithmetic: Arithmetic, a: Extended): Extended {
  const refused = refuseOne(arithmetic, a)
  if (refused !== undefined) return refused
  if (isZero(a)) return a
  if (a.sign === 1) return invalid(arithmetic)
  if (isInfinity(a)) return a
  const { exponent, high, low } = normalize(a)
  const isOdd = ((exponent - BIAS) & 1) !== 0
  const significand = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  const scaled = significand << (isOdd ? 66n : 65n)
  const root = integerRoot(scaled)
  const sticky = root * root === scaled ? 0n : 1n
  const half = (exponent - BIAS - (isOdd ? 1 : 0)) / 2 + BIAS
  const bits = (root << 31n) | sticky
  return arithmetic.round(
    0,
    half,
    Number(BigInt.asIntN(32, bits >> 64n)),
    Number(BigInt.asIntN(32, bits >> 32n)),
    Number(BigInt.asIntN(32, bits)),
    arithmetic.bits,
  )
}

/** The largest integer whose square is not larger than `n` (below 2^1000): Newton's method, from just above. */
export function integerRoot(n: bigint): bigint {
  if (n === 0n) return 0n
  let root = BigInt(Math.ceil(Math.sqrt(Number(n)) * ABOVE))
  for (;;) {
    const next = (root + n / root) >> 1n
    if (next >= root) return root
    root = next
  }
}
