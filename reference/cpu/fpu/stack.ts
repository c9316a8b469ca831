/**
 * The FPU's register stack in the vcpu's words (Intel SDM vol. 1 §8.1.2, §8.1.3, §8.1.7): ST(i) is R((TOP + i) mod 8).
 */
import { FPU_CONTROL, FPU_EMPTY, FPU_REGISTER, FPU_REGISTER_WORDS, FPU_STATUS } from '../../mmu/layout.ts'
import { EXPONENT_SPECIAL, Extended, isNormal, isZero } from './extended.ts'

type Words = Int32Array

const TOP_SHIFT = 11
const TOP_MASK = 7 << TOP_SHIFT
const CONTROL_AFTER_FNINIT = 0x37f
const CONTROL_AFTER_RESET = 0x40
const ALL_EMPTY = 0xff
const TAG_VALID = 0
const TAG_ZERO = 1
const TAG_SPECIAL = 2
const TAG_EMPTY = 3

/** The number of the physical register that ST(i) is. */
export function physical(r: Words, i: number): number {
  return ((r[FPU_STATUS]! >> TOP_SHIFT) + i) & 7
}

export function isEmpty(r: Words, i: number): boolean {
  return ((r[FPU_EMPTY]! >> physical(r, i)) & 1) !== 0
}

export function readStack(r: Words, i: number): Extended {
  return readPhysical(r, physical(r, i))
}

/** Writes ST(i), which is not empty then. */
export function writeStack(r: Words, i: number, x: Extended): void {
  const n = physical(r, i)
  writePhysical(r, n, x)
  r[FPU_EMPTY] = r[FPU_EMPTY]! & ~(1 << n)
}

export function readPhysical(r: Words, n: number): Extended {
  const at = FPU_REGISTER + FPU_REGISTER_WORDS * n
  const top = r[at + 2]!
  return new Extended((top >> 15) & 1, top & EXPONENT_SPECIAL, r[at + 1]!, r[at]!)
}

export function writePhysical(r: Words, n: number, x: Extended): void {
  const at = FPU_REGISTER + FPU_REGISTER_WORDS * n
  r[at] = x.low
  r[at + 1] = x.high
  r[at + 2] = (x.sign << 15) | x.exponent
}

/** Adds to TOP. */
export function rotate(r: Words, by: number): void {
  const status = r[FPU_STATUS]!
  r[FPU_STATUS] = (status & ~TOP_MASK) | ((status + (by << TOP_SHIFT)) & TOP_MASK)
}

export function setEmpty(r: Words, i: number): void {
  r[FPU_EMPTY] = r[FPU_EMPTY]! | (1 << physical(r, i))
}

export function pop(r: Words): void {
  setEmpty(r, 0)
  rotate(r, 1)
}

/** The tag word: two bits for each physical register, from what it holds. */
export function tagWord(r: Words): number {
  let word = 0
  for (let n = 7; n >= 0; n--) word = (word << 2) | tagOf(r, n)
  return word
}

function tagOf(r: Words, n: number): number {
  if (((r[FPU_EMPTY]! >> n) & 1) !== 0) return TAG_EMPTY
  const x = readPhysical(r, n)
  if (isZero(x)) return TAG_ZERO
  return isNormal(x) ? TAG_VALID : TAG_SPECIAL
}

/** Of a tag word that is loaded only "empty" counts. */
export function setTagWord(r: Words, word: number): void {
  let empty = 0
  for (let n = 0; n < 8; n++) if (((word >> (2 * n)) & 3) === TAG_EMPTY) empty |= 1 << n
  r[FPU_EMPTY] = empty
}

/** FNINIT: the registers keep what they hold. */
export function initialize(r: Words): void {
  r[FPU_CONTROL] = CONTROL_AFTER_FNINIT
  r[FPU_STATUS] = 0
  r[FPU_EMPTY] = ALL_EMPTY
}

/** RESET: all registers are +0 (vol. 3A table 10-1). */
export function resetFpu(r: Words): void {
  r[FPU_CONTROL] = CONTROL_AFTER_RESET
}
