/**
 * The double extended-precision format (Intel SDM vol. 1 §4.2.2, §8.2): sign, 15-bit exponent, 64-bit significand with its
 * integer bit. Values never change; words are signed 32-bit numbers, which V8 keeps without a box.
 */

export const BIAS = 16383
/** The exponent field of infinities and NaNs. */
export const EXPONENT_SPECIAL = 0x7fff
export const INTEGER_BIT = 0x8000_0000 | 0
const QUIET_BIT = 0x4000_0000

export class Extended {
  /** 0 or 1. */
  readonly sign: number
  /** As stored, 0–7FFFh. */
  readonly exponent: number
  /** The significand's words. */
  readonly high: number
  readonly low: number

  constructor(sign: number, exponent: number, high: number, low: number) {
    this.sign = sign
    this.exponent = exponent
    this.high = high | 0
    this.low = low | 0
  }
}

export const ONE = new Extended(0, BIAS, INTEGER_BIT, 0)
/** The QNaN floating-point indefinite: the masked answer to an invalid operation. */
export const INDEFINITE = new Extended(1, EXPONENT_SPECIAL, INTEGER_BIT | QUIET_BIT, 0)

export function zero(sign: number): Extended {
  return new Extended(sign, 0, 0, 0)
}

export function infinity(sign: number): Extended {
  return new Extended(sign, EXPONENT_SPECIAL, INTEGER_BIT, 0)
}

export function withSign(x: Extended, sign: number): Extended {
  return new Extended(sign, x.exponent, x.high, x.low)
}

/** Hot path: a normal number needs no further look. */
export function isNormal(x: Extended): boolean {
  return x.high < 0 && x.exponent !== 0 && x.exponent !== EXPONENT_SPECIAL
}

export function isZero(x: Extended): boolean {
  return x.exponent === 0 && (x.high | x.low) === 0
}

/** Denormals and pseudo-denormals. */
export function isDenormal(x: Extended): boolean {
  return x.exponent === 0 && (x.high | x.low) !== 0
}

export function isInfinity(x: Extended): boolean {
  return x.exponent === EXPONENT_SPECIAL && x.high === INTEGER_BIT && x.low === 0
}

export function isNan(x: Extended): boolean {
  return x.exponent === EXPONENT_SPECIAL && x.high < 0 && ((x.high << 1) | x.low) !== 0
}

export function isSignalingNan(x: Extended): boolean {
  return isNan(x) && (x.high & QUIET_BIT) === 0
}

/** Unnormals, pseudo-infinities and pseudo-NaNs (§8.2.2): invalid operands since the 80387. */
export function isUnsupported(x: Extended): boolean {
  return x.exponent !== 0 && x.high >= 0
}

export function quiet(x: Extended): Extended {
  return new Extended(x.sign, x.exponent, x.high | QUIET_BIT, x.low)
}

/** The significand as an integer; the value of a finite number is it × 2^{@link scaleOf}. */
export function significandOf(x: Extended): bigint {
  return (BigInt(x.high >>> 0) << 32n) | BigInt(x.low >>> 0)
}

/** The weight of the significand's last bit, as a power of 2. */
export function scaleOf(x: Extended): number {
  return (x.exponent === 0 ? 1 : x.exponent) - BIAS - 63
}

/** −1, 0 or 1: the unsigned order of two significands. */
export function compareSignificands(a: Extended, b: Extended): number {
  if (a.high !== b.high) return a.high >>> 0 < b.high >>> 0 ? -1 : 1
  if (a.low === b.low) return 0
  return a.low >>> 0 < b.low >>> 0 ? -1 : 1
}
