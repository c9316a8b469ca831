/**
 * Series for the transcendental instructions, in fixed point: an integer n stands for n × 2^−{@link POINT}. They are right to far
 * more bits than a significand has, so that what the instructions round is in effect the true value (Intel SDM vol. 1 §8.3.10).
 */

/** Bits behind the point. */
export const POINT = 224
const POINT_BITS = BigInt(POINT)
export const ONE_POINT = 1n << POINT_BITS

/** n × 2^scale in fixed point; bits below the point are cut off. */
export function toPoint(n: bigint, scale: number): bigint {
  const shift = scale + POINT
  return shift >= 0 ? n << BigInt(shift) : n >> BigInt(-shift)
}

function multiplyPoint(a: bigint, b: bigint): bigint {
  return (a * b) >> POINT_BITS
}

/** a ÷ b of two numbers in fixed point. */
export function dividePoint(a: bigint, b: bigint): bigint {
  return (a << POINT_BITS) / b
}

/** (e^y − 1) ÷ y, for |y| < 1. */
export function exponentialRatio(y: bigint): bigint {
  let sum = 0n
  let term = ONE_POINT
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    sum += term
    term = multiplyPoint(term, y) / k
  }
  return sum
}

/** artanh(z) ÷ z for `square` = z². */
export function artanhRatio(square: bigint): bigint {
  let sum = 0n
  let power = ONE_POINT
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k
    power = multiplyPoint(power, square)
  }
  return sum
}

/** arctan(t) ÷ t for `square` = t². */
function arctanRatio(square: bigint): bigint {
  let sum = 0n
  let power = ONE_POINT
  for (let k = 1n; power !== 0n; k += 4n) {
    sum += power / k
    power = multiplyPoint(power, square)
    sum -= power / (k + 2n)
    power = multiplyPoint(power, square)
  }
  return sum
}

/** sin(r) ÷ r for `square` = r². Never 1: r is not 0. */
export function sineRatio(square: bigint): bigint {
  const sum = alternate(square, 2n)
  return sum === ONE_POINT ? sum - 1n : sum
}

/** cos(r) for `square` = r². Never 1: r is not 0. */
export function cosineOf(square: bigint): bigint {
  const sum = alternate(square, 1n)
  return sum === ONE_POINT ? sum - 1n : sum
}

/** 1 − s ÷ (k(k+1)) + s² ÷ (k(k+1)(k+2)(k+3)) − … */
function alternate(square: bigint, first: bigint): bigint {
  let sum = 0n
  let term = ONE_POINT
  for (let k = first; term !== 0n; k += 4n) {
    sum += term
    term = multiplyPoint(term, square) / (k * (k + 1n))
    sum -= term
    term = multiplyPoint(term, square) / ((k + 2n) * (k + 3n))
  }
  return sum
}

/** arctan(1 ÷ n). */
function arctanOfInverse(n: bigint): bigint {
  return arctanRatio(ONE_POINT / (n * n)) / n
}

export const LN2 = (artanhRatio(ONE_POINT / 9n) * 2n) / 3n
/** Machin's formula. */
export const PI = 16n * arctanOfInverse(5n) - 4n * arctanOfInverse(239n)

/** Arguments are halved this often, so that the series is short. */
const HALVINGS = 3

/** arctan(t) ÷ t for 0 ≤ t ≤ 1: arctan t = 2 arctan(t ÷ (1 + √(1 + t²))). */
export function arctanRatioOf(t: bigint, squareRoot: (n: bigint) => bigint): bigint {
  let half = t
  let factor = ONE_POINT
  for (let i = 0; i < HALVINGS; i++) {
    const root = squareRoot((ONE_POINT + multiplyPoint(half, half)) << POINT_BITS)
    const divisor = ONE_POINT + root
    half = dividePoint(half, divisor)
    factor = dividePoint(factor, divisor) * 2n
  }
  return multiplyPoint(factor, arctanRatio(multiplyPoint(half, half)))
}
