/**
 * Comparing and examining extended numbers (Intel SDM vol. 1 §8.3.6; vol. 2A FCOM, FUCOM, FXAM).
 */
import {
  BIAS,
  compareSignificands,
  type Extended,
  isDenormal,
  isInfinity,
  isNan,
  isSignalingNan,
  isUnsupported,
  isZero,
} from './extended.ts'
import { normalize } from './operands.ts'
import { type Arithmetic, DENORMAL, INVALID } from './rounding.ts'

/** Condition codes: bits of the status word. */
export const C0 = 0x0100
export const C1 = 0x0200
export const C2 = 0x0400
export const C3 = 0x4000

/** Greater: none of them. */
const GREATER = 0
export const UNORDERED = C0 | C2 | C3

/** C0, C2 and C3 after comparing. @param quiet FUCOM: only an SNaN is an invalid operand */
export function compare(arithmetic: Arithmetic, a: Extended, b: Extended, quiet: boolean): number {
  if (isUnsupported(a) || isUnsupported(b)) {
    arithmetic.raised = INVALID
    return UNORDERED
  }
  if (isNan(a) || isNan(b)) {
    arithmetic.raised = !quiet || isSignalingNan(a) || isSignalingNan(b) ? INVALID : 0
    return UNORDERED
  }
  if (isDenormal(a) || isDenormal(b)) arithmetic.raised |= DENORMAL
  if (isZero(a) && isZero(b)) return C3
  if (a.sign !== b.sign) return a.sign === 1 ? C0 : GREATER
  const order = compareMagnitudes(a, b)
  if (order === 0) return C3
  return order < 0 === (a.sign === 0) ? C0 : GREATER
}

function compareMagnitudes(a: Extended, b: Extended): number {
  const exponentA = a.exponent === 0 && a.high < 0 ? 1 : a.exponent
  const exponentB = b.exponent === 0 && b.high < 0 ? 1 : b.exponent
  return exponentA === exponentB ? compareSignificands(a, b) : exponentA - exponentB
}

/** FXAM of a register that is not empty: C0, C2, C3 by class, C1 the sign. */
export function examine(x: Extended): number {
  const sign = x.sign === 1 ? C1 : 0
  if (isUnsupported(x)) return sign
  if (isNan(x)) return sign | C0
  if (isInfinity(x)) return sign | C2 | C0
  if (isZero(x)) return sign | C3
  return sign | (isDenormal(x) ? C3 | C2 : C2)
}

/** The exponent of a finite number other than 0, without bias, as if its significand were normalized. */
export function binaryExponent(x: Extended): number {
  return normalize(x).exponent - BIAS
}
