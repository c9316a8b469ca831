/**
 * Between extended numbers and the other formats in memory: single and double, integers, packed BCD (Intel SDM vol. 1 §4.2, §4.7).
 */
import {
  BIAS,
  EXPONENT_SPECIAL,
  Extended,
  INTEGER_BIT,
  isInfinity,
  isNan,
  isSignalingNan,
  isUnsupported,
  isZero,
  significandOf,
  zero,
} from './extended.ts'
import { normalize } from './operands.ts'
import { type Arithmetic, DENORMAL, INVALID, OVERFLOW, PRECISION, shiftRight, UNDERFLOW } from './rounding.ts'

/** The exponent of a format: its field's largest value, and how much less its bias is than the extended one. */
interface Format {
  readonly special: number
  readonly rebias: number
  readonly bits: 24 | 53
}

const SINGLE: Format = { special: 0xff, rebias: BIAS - 127, bits: 24 }
const DOUBLE: Format = { special: 0x7ff, rebias: BIAS - 1023, bits: 53 }
const QUIET_BIT = 0x4000_0000
const INDEFINITE_HIGH = 0xc000_0000

/** Exact; a denormal is told of, a signaling NaN stays one. */
export function fromSingle(arithmetic: Arithmetic, word: number): Extended {
  const exponent = (word >>> 23) & 0xff
  return widen(arithmetic, SINGLE, word >>> 31, exponent, word << 8, 0)
}

export function fromDouble(arithmetic: Arithmetic, high: number, low: number): Extended {
  const exponent = (high >>> 20) & 0x7ff
  return widen(arithmetic, DOUBLE, high >>> 31, exponent, (high << 11) | (low >>> 21), low << 11)
}

/** @param high,low the fraction, its first bit in bit 30 of `high` */
function widen(
  arithmetic: Arithmetic,
  format: Format,
  sign: number,
  exponent: number,
  high: number,
  low: number,
): Extended {
  if (exponent === format.special) return new Extended(sign, EXPONENT_SPECIAL, high | INTEGER_BIT, low)
  if (exponent !== 0) return new Extended(sign, exponent + format.rebias, high | INTEGER_BIT, low)
  const fraction = high & ~INTEGER_BIT
  if ((fraction | low) === 0) return zero(sign)
  arithmetic.raised |= DENORMAL
  const normal = normalize(new Extended(sign, 0, fraction, low))
  return new Extended(sign, normal.exponent + format.rebias, normal.high, normal.low)
}

/** The word of a single, as the rounding says; with an unmasked overflow or underflow it must not be stored. */
export function toSingle(arithmetic: Arithmetic, x: Extended): number {
  const { sign, exponent, high } = narrowTo(arithmetic, SINGLE, x)
  return (sign << 31) | (exponent << 23) | ((high >>> 8) & 0x7f_ffff)
}

export function toDouble(arithmetic: Arithmetic, x: Extended): [high: number, low: number] {
  const { sign, exponent, high, low } = narrowTo(arithmetic, DOUBLE, x)
  return [(sign << 31) | (exponent << 20) | ((high >>> 11) & 0xf_ffff), (low >>> 11) | (high << 21)]
}

/** The number with the exponent field of `format` and as many bits as it has. */
function narrowTo(arithmetic: Arithmetic, format: Format, x: Extended): Extended {
  if (isUnsupported(x)) {
    arithmetic.raised |= INVALID
    return new Extended(1, format.special, INDEFINITE_HIGH, 0)
  }
  if (isNan(x)) {
    if (isSignalingNan(x)) arithmetic.raised |= INVALID
    return new Extended(x.sign, format.special, x.high | QUIET_BIT, x.low)
  }
  if (isInfinity(x)) return new Extended(x.sign, format.special, INTEGER_BIT, 0)
  if (isZero(x)) return x
  const { exponent, high, low } = normalize(x)
  const { raised } = arithmetic
  const rounded = arithmetic.roundUnbounded(x.sign, exponent - format.rebias, high, low, 0, format.bits)
  if (rounded.exponent >= format.special) return overflow(arithmetic, format, rounded)
  if (rounded.exponent > 0) return rounded
  if (!arithmetic.isMasked(UNDERFLOW)) {
    arithmetic.raised |= UNDERFLOW
    return rounded
  }
  arithmetic.raised = raised
  const shifted = shiftRight(high, low, 0, Math.min(1 - (exponent - format.rebias), 96))
  const result = arithmetic.roundUnbounded(x.sign, 0, ...shifted, format.bits)
  if ((arithmetic.raised & PRECISION) !== 0) arithmetic.raised |= UNDERFLOW
  return result.high < 0 ? new Extended(x.sign, 1, result.high, result.low) : result
}

function overflow(arithmetic: Arithmetic, format: Format, rounded: Extended): Extended {
  arithmetic.raised |= OVERFLOW
  if (!arithmetic.isMasked(OVERFLOW)) return rounded
  arithmetic.raised |= PRECISION
  arithmetic.roundedUp = !arithmetic.cutsOverflow(rounded.sign)
  if (arithmetic.roundedUp) return new Extended(rounded.sign, format.special, INTEGER_BIT, 0)
  return new Extended(rounded.sign, format.special - 1, -1, -1)
}

/** Exact. @param value 64 bits at most */
export function fromInteger(value: bigint): Extended {
  if (value === 0n) return zero(0)
  const sign = value < 0n ? 1 : 0
  const magnitude = value < 0n ? -value : value
  return fromWords(sign, Number(magnitude >> 32n) | 0, Number(magnitude & 0xffff_ffffn) | 0)
}

/** Exact; the same for 32 bits. */
export function fromInt32(value: number): Extended {
  return value === 0 ? zero(0) : fromWords(value < 0 ? 1 : 0, 0, Math.abs(value) | 0)
}

function fromWords(sign: number, high: number, low: number): Extended {
  const zeros = high === 0 ? 32 + Math.clz32(low) : Math.clz32(high)
  const exponent = BIAS + 63 - zeros
  if (zeros >= 32) return new Extended(sign, exponent, low << (zeros - 32), 0)
  if (zeros === 0) return new Extended(sign, exponent, high, low)
  return new Extended(sign, exponent, (high << zeros) | (low >>> (32 - zeros)), low << zeros)
}

/** `x` as an integer, rounded; undefined when it is none or has more than 64 bits: an invalid operation. */
export function toInteger(arithmetic: Arithmetic, x: Extended): bigint | undefined {
  if (isUnsupported(x) || x.exponent === EXPONENT_SPECIAL || x.exponent > BIAS + 63) return undefined
  const magnitude = roundToInteger(arithmetic, x)
  return x.sign === 1 ? -magnitude : magnitude
}

/** The magnitude of a finite number below 2^64, rounded to an integer. */
export function roundToInteger(arithmetic: Arithmetic, x: Extended): bigint {
  const cut = BIAS + 63 - Math.max(x.exponent, 1)
  const significand = significandOf(x)
  arithmetic.roundedUp = false
  if (cut === 0 || significand === 0n) return significand
  const shift = BigInt(Math.min(cut, 66))
  const kept = significand >> shift
  const rest = significand - (kept << shift)
  if (rest === 0n) return kept
  arithmetic.raised |= PRECISION
  const half = 1n << (shift - 1n)
  const upper = rest > half ? HALF_AND_MORE : rest === half ? HALF_AND_MORE - 1 : 1
  if (!arithmetic.roundsUp(x.sign, (kept & 1n) === 1n, upper, false)) return kept
  arithmetic.roundedUp = true
  return kept + 1n
}

/** A rest that is more than half a unit, as `Arithmetic.roundsUp` takes it. */
const HALF_AND_MORE = 0x8000_0001

/** Eighteen digits, two in a byte, and the sign in the top bit of the tenth. Digits above 9 give what their sum is. */
export function fromBcd(bytes: readonly number[]): Extended {
  let value = 0n
  for (let i = 8; i >= 0; i--) value = value * 100n + BigInt((bytes[i]! >> 4) * 10 + (bytes[i]! & 15))
  const sign = bytes[9]! >> 7
  const magnitude = fromInteger(value)
  return new Extended(sign, magnitude.exponent, magnitude.high, magnitude.low)
}

const LARGEST_BCD = 999_999_999_999_999_999n
export const BCD_INDEFINITE: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff]

/** Undefined: an invalid operation. */
export function toBcd(arithmetic: Arithmetic, x: Extended): readonly number[] | undefined {
  const value = toInteger(arithmetic, x)
  if (value === undefined) return undefined
  let rest = value < 0n ? -value : value
  if (rest > LARGEST_BCD) return undefined
  const bytes: number[] = []
  for (let i = 0; i < 9; i++) {
    const pair = Number(rest % 100n)
    bytes.push((Math.floor(pair / 10) << 4) | (pair % 10))
    rest /= 100n
  }
  bytes.push(x.sign << 7)
  return bytes
}
