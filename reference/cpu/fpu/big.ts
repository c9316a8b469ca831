/**
 * From an integer of any length, times a power of 2, to the extended number next to it. Used where speed does not matter.
 */
import { BIAS, type Extended, zero } from './extended.ts'
import type { Arithmetic } from './rounding.ts'

const KEPT_BITS = 96

export function bitLength(n: bigint): number {
  return n === 0n ? 0 : n.toString(16).length * 4 - LEADING_ZEROS[Number.parseInt(n.toString(16)[0]!, 16)]!
}

/** Of a hexadecimal digit. */
const LEADING_ZEROS = [4, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]

/**
 * (−1)^sign × magnitude × 2^scale, rounded to 64 bits.
 * @param isExact false: the true value is a little larger, by less than a unit of `magnitude`
 */
export function roundBig(
  arithmetic: Arithmetic,
  sign: number,
  magnitude: bigint,
  scale: number,
  isExact: boolean,
): Extended {
  if (magnitude === 0n) return zero(sign)
  const excess = bitLength(magnitude) - KEPT_BITS
  let bits = magnitude
  let sticky = !isExact
  if (excess > 0) {
    bits = magnitude >> BigInt(excess)
    sticky ||= bits << BigInt(excess) !== magnitude
  } else bits = magnitude << BigInt(-excess)
  if (sticky) bits |= 1n
  const exponent = scale + excess + KEPT_BITS - 1 + BIAS
  return arithmetic.round(
    sign,
    exponent,
    Number(BigInt.asIntN(32, bits >> 64n)),
    Number(BigInt.asIntN(32, bits >> 32n)),
    Number(BigInt.asIntN(32, bits)),
    64,
  )
}
