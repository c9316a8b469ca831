/**
 * FSIN, FCOS, FSINCOS, FPTAN, FPATAN (Intel SDM vol. 1 §8.3.8; vol. 2A). Arguments are reduced with the π of 66 bits that
 * the manual names, so that results are those of the hardware even close to a multiple of π.
 */
import { bitLength, roundBig } from './big.ts'
import {
  BIAS,
  EXPONENT_SPECIAL,
  type Extended,
  isInfinity,
  isZero,
  ONE,
  scaleOf,
  significandOf,
  zero,
} from './extended.ts'
import { integerRoot } from './multiply.ts'
import { invalid, refuseOne, refuseTwo } from './operands.ts'
import type { Arithmetic } from './rounding.ts'
import { arctanRatioOf, cosineOf, dividePoint, PI, POINT, sineRatio, toPoint } from './series.ts'

/** §8.3.8: π = 0.C90FDAA22168C234Ch × 4, here in units of 2^−66. */
const PI_66 = 0xc90f_daa2_2168_c234cn
const PI_66_SCALE = -66
const HALF_PI_66 = PI_66 >> 1n
const LARGEST_EXPONENT = BIAS + 63
/** Below one half nothing needs to be reduced. */
const ONE_HALF_EXPONENT = BIAS - 1

/** |x| = quadrant × π/2 ± magnitude × 2^scale. */
interface Reduced {
  readonly quadrant: number
  readonly isNegative: boolean
  readonly magnitude: bigint
  readonly scale: number
}

/** True when the argument is so large that the instruction sets C2 and does nothing. */
export function isOutOfRange(x: Extended): boolean {
  return x.exponent >= LARGEST_EXPONENT && x.exponent !== EXPONENT_SPECIAL && x.high < 0
}

function reduce(x: Extended): Reduced {
  const magnitude = significandOf(x)
  const scale = scaleOf(x)
  if (x.exponent < ONE_HALF_EXPONENT) return { quadrant: 0, isNegative: false, magnitude, scale }
  const aligned = magnitude << BigInt(scale - PI_66_SCALE)
  const quotient = (2n * aligned + HALF_PI_66) / (2n * HALF_PI_66)
  const rest = aligned - quotient * HALF_PI_66
  return {
    quadrant: Number(quotient & 3n),
    isNegative: rest < 0n,
    magnitude: rest < 0n ? -rest : rest,
    scale: PI_66_SCALE,
  }
}

function squareOf({ magnitude, scale }: Reduced): bigint {
  const r = toPoint(magnitude, scale)
  return (r * r) >> BigInt(POINT)
}

function roundSine(arithmetic: Arithmetic, sign: number, reduced: Reduced): Extended {
  const negative = sign ^ (reduced.isNegative ? 1 : 0)
  return roundBig(arithmetic, negative, reduced.magnitude * sineRatio(squareOf(reduced)), reduced.scale - POINT, false)
}

function roundCosine(arithmetic: Arithmetic, sign: number, reduced: Reduced): Extended {
  return roundBig(arithmetic, sign, cosineOf(squareOf(reduced)), -POINT, false)
}

/** @param x not {@link isOutOfRange} */
export function sine(arithmetic: Arithmetic, x: Extended): Extended {
  const special = refuseAngle(arithmetic, x)
  if (special !== undefined) return special
  if (isZero(x)) return x
  const reduced = reduce(x)
  const sign = x.sign ^ (reduced.quadrant >> 1)
  return (reduced.quadrant & 1) === 0 ? roundSine(arithmetic, sign, reduced) : roundCosine(arithmetic, sign, reduced)
}

export function cosine(arithmetic: Arithmetic, x: Extended): Extended {
  const special = refuseAngle(arithmetic, x)
  if (special !== undefined) return special
  if (isZero(x)) return ONE
  const reduced = reduce(x)
  const { quadrant } = reduced
  if ((quadrant & 1) === 0) return roundCosine(arithmetic, quadrant >> 1, reduced)
  return roundSine(arithmetic, quadrant === 1 ? 1 : 0, reduced)
}

export function tangent(arithmetic: Arithmetic, x: Extended): Extended {
  const special = refuseAngle(arithmetic, x)
  if (special !== undefined) return special
  if (isZero(x)) return x
  const reduced = reduce(x)
  const square = squareOf(reduced)
  const sign = x.sign ^ (reduced.isNegative ? 1 : 0)
  const ratio = dividePoint(sineRatio(square), cosineOf(square))
  if ((reduced.quadrant & 1) === 0) {
    return roundBig(arithmetic, sign, reduced.magnitude * ratio, reduced.scale - POINT, false)
  }
  const inverse = (1n << BigInt(2 * POINT)) / (reduced.magnitude * ratio)
  return roundBig(arithmetic, sign ^ 1, inverse, -POINT - reduced.scale, false)
}

function refuseAngle(arithmetic: Arithmetic, x: Extended): Extended | undefined {
  return refuseOne(arithmetic, x) ?? (isInfinity(x) ? invalid(arithmetic) : undefined)
}

/** The angle of the point (x, y), −π … π. */
export function arctangent(arithmetic: Arithmetic, y: Extended, x: Extended): Extended {
  const refused = refuseTwo(arithmetic, y, x)
  if (refused !== undefined) return refused
  const multiple = (eighths: bigint) => roundBig(arithmetic, y.sign, (PI * eighths) >> 3n, -POINT, false)
  if (isInfinity(y)) return multiple(isInfinity(x) ? (x.sign === 0 ? 2n : 6n) : 4n)
  if (isZero(y) || isInfinity(x)) return x.sign === 0 ? zero(y.sign) : multiple(8n)
  if (isZero(x)) return multiple(4n)
  const scale = Math.min(scaleOf(x), scaleOf(y))
  const [a, b] = [significandOf(y) << BigInt(scaleOf(y) - scale), significandOf(x) << BigInt(scaleOf(x) - scale)]
  return a > b ? steep(arithmetic, y.sign, x.sign, b, a) : flat(arithmetic, y.sign, x.sign, a, b)
}

/** |y| > |x|: π/2 ∓ arctan(|x| ÷ |y|). */
function steep(arithmetic: Arithmetic, sign: number, signX: number, small: bigint, large: bigint): Extended {
  const t = (small << BigInt(POINT)) / large
  const angle = (t * arctanRatioOf(t, integerRoot)) >> BigInt(POINT)
  return roundBig(arithmetic, sign, (PI >> 1n) + (signX === 1 ? angle : -angle), -POINT, false)
}

/** |y| ≤ |x|: arctan(|y| ÷ |x|), or π less that. */
function flat(arithmetic: Arithmetic, sign: number, signX: number, small: bigint, large: bigint): Extended {
  const t = (small << BigInt(POINT)) / large
  const ratio = arctanRatioOf(t, integerRoot)
  if (signX === 1) return roundBig(arithmetic, sign, PI - ((t * ratio) >> BigInt(POINT)), -POINT, false)
  const extra = BigInt(Math.max(bitLength(large) - bitLength(small), 0) + POINT)
  return roundBig(arithmetic, sign, ((small << extra) / large) * ratio, -Number(extra) - POINT, false)
}
