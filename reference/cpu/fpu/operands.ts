/**
 * What comes before every operation: unsupported formats, NaNs and denormals among its operands (Intel SDM vol. 1 §4.8.3,
 * §8.5.1–8.5.2, table 4-7), and the significand as an operation likes it.
 */
import {
  compareSignificands,
  type Extended,
  INDEFINITE,
  isDenormal,
  isNan,
  isSignalingNan,
  isUnsupported,
  quiet,
} from './extended.ts'
import { type Arithmetic, DENORMAL, INVALID } from './rounding.ts'

/** An invalid operation: its masked answer. Nothing else is told of it. */
export function invalid(arithmetic: Arithmetic): Extended {
  arithmetic.raised = INVALID
  return INDEFINITE
}

/** The result of an operation with one operand when that is no number; undefined: go on. */
export function refuseOne(arithmetic: Arithmetic, a: Extended): Extended | undefined {
  if (isUnsupported(a)) return invalid(arithmetic)
  if (isNan(a)) {
    arithmetic.raised = isSignalingNan(a) ? INVALID : 0
    return quiet(a)
  }
  if (isDenormal(a)) arithmetic.raised |= DENORMAL
  return undefined
}

/** The same for two operands. */
export function refuseTwo(arithmetic: Arithmetic, a: Extended, b: Extended): Extended | undefined {
  if (isUnsupported(a) || isUnsupported(b)) return invalid(arithmetic)
  if (isNan(a) || isNan(b)) return propagate(arithmetic, a, b)
  if (isDenormal(a) || isDenormal(b)) arithmetic.raised |= DENORMAL
  return undefined
}

/** One operand at least is a NaN: a QNaN before an SNaN, otherwise the larger significand, otherwise the positive one. */
function propagate(arithmetic: Arithmetic, a: Extended, b: Extended): Extended {
  const signalsA = isSignalingNan(a)
  const signalsB = isSignalingNan(b)
  arithmetic.raised = signalsA || signalsB ? INVALID : 0
  if (!isNan(b)) return quiet(a)
  if (!isNan(a)) return quiet(b)
  if (signalsA !== signalsB) return signalsA ? b : a
  const order = compareSignificands(a, b)
  if (order !== 0) return quiet(order > 0 ? a : b)
  return quiet(a.sign === 0 ? a : b)
}

/** A finite number other than 0 with its integer bit set: the exponent is biased and may be negative. */
export interface Normalized {
  readonly exponent: number
  readonly high: number
  readonly low: number
}

export function normalize(x: Extended): Normalized {
  if (x.high < 0) return x.exponent === 0 ? { exponent: 1, high: x.high, low: x.low } : x
  const lowOnly = x.high === 0
  const zeros = Math.clz32(lowOnly ? x.low : x.high)
  const high = lowOnly ? x.low : x.high
  const low = lowOnly ? 0 : x.low
  const exponent = 1 - zeros - (lowOnly ? 32 : 0)
  if (zeros === 0) return { exponent, high, low }
  return { exponent, high: (high << zeros) | (low >>> (32 - zeros)), low: low << zeros }
}
