/**
 * EFLAGS (Intel SDM vol. 1 §3.4.3), with the arithmetic flags computed only when someone asks.
 *
 * An instruction leaves its operands a and b, its result and its size in the vcpu's block; `LAZY_MASK` says which flags
 * follow from them. Operands and result are shifted left so that the sign bit is bit 31. With that, for an addition the
 * carries out of each bit are (a & b) | ((a | b) & ~r), for a subtraction the borrows are (~a & b) | ((~a | b) & r):
 * CF is the top one, OF the top one against the one below, AF that out of bit 3. This holds with carry-in, too.
 */
import { FLAGS, LAZY_A, LAZY_B, LAZY_MASK, LAZY_RESULT, LAZY_SHIFT } from '../mmu/layout.ts'

export const CF = 0x1
export const PF = 0x4
export const AF = 0x10
export const ZF = 0x40
export const SF = 0x80
export const TF = 0x100
export const IF = 0x200
export const DF = 0x400
export const OF = 0x800
export const IOPL_MASK = 0x3000
export const IOPL_SHIFT = 12
export const NT = 0x4000
export const RF = 0x1_0000
export const VM = 0x2_0000
export const AC = 0x4_0000
export const ID = 0x20_0000
/** Every flag that this processor has; VIF and VIP belong to VME. */
export const FLAGS_KNOWN = 0x27_7fd5

/** Bit 1 always reads as 1. */
export const FLAGS_ALWAYS_ONE = 2
/** OF SF ZF AF PF CF. */
const ARITHMETIC_FLAGS = 0x8d5
const ALL_BUT_CF = ARITHMETIC_FLAGS & ~CF
/** The flags that follow from a result alone. */
const RESULT_FLAGS = SF | ZF | PF

/** The value of `LAZY_SHIFT` for a subtraction of 32-bit operands is this alone. */
const SUBTRACTION = -0x8000_0000

/** Marks a subtraction with borrow in `LAZY_SHIFT`: then a < b does not tell CF and SF ≠ OF. */
export const WITH_BORROW = 32

/** What flags and conditions are read from: the words of a vcpu's block. */
type Words = Int32Array

/** a + b (+ carry) = result, all of `32 - shift` bits. */
export function setAddFlags(r: Words, a: number, b: number, result: number, shift: number): void {
  r[LAZY_MASK] = ARITHMETIC_FLAGS
  r[LAZY_A] = a
  r[LAZY_B] = b
  r[LAZY_RESULT] = result
  r[LAZY_SHIFT] = shift
}

/** a − b (− borrow) = result. */
export function setSubFlags(r: Words, a: number, b: number, result: number, shift: number): void {
  r[LAZY_MASK] = ARITHMETIC_FLAGS
  r[LAZY_A] = a
  r[LAZY_B] = b
  r[LAZY_RESULT] = result
  r[LAZY_SHIFT] = shift | SUBTRACTION
}

/** AND, OR, XOR, TEST: as adding 0 to the result, which has no carries. So CF and OF are 0; AF is undefined, and 0 here. */
export function setLogicFlags(r: Words, result: number, shift: number): void {
  setAddFlags(r, result, 0, result, shift)
}

/** INC and DEC: like adding or subtracting 1, but CF stays. */
export function setIncFlags(r: Words, a: number, result: number, shift: number): void {
  if ((r[LAZY_MASK]! & CF) !== 0) r[FLAGS] = (r[FLAGS]! & ~CF) | carry(r)
  r[LAZY_MASK] = ALL_BUT_CF
  r[LAZY_A] = a
  r[LAZY_B] = 1
  r[LAZY_RESULT] = result
  r[LAZY_SHIFT] = shift
}

export function setDecFlags(r: Words, a: number, result: number, shift: number): void {
  if ((r[LAZY_MASK]! & CF) !== 0) r[FLAGS] = (r[FLAGS]! & ~CF) | carry(r)
  r[LAZY_MASK] = ALL_BUT_CF
  r[LAZY_A] = a
  r[LAZY_B] = 1
  r[LAZY_RESULT] = result
  r[LAZY_SHIFT] = shift | SUBTRACTION
}

/** SF, ZF and PF follow from `result`; the other arithmetic flags are those in `flags`. */
export function setResultFlags(r: Words, result: number, shift: number, flags: number): void {
  r[FLAGS] = (r[FLAGS]! & ~(CF | OF | AF)) | flags
  r[LAZY_MASK] = RESULT_FLAGS
  r[LAZY_RESULT] = result
  r[LAZY_SHIFT] = shift
}

/** The carries (or borrows) out of each bit; those of the operand's top bit are in bit 31. */
function carries(r: Words): number {
  const kind = r[LAZY_SHIFT]!
  const shift = kind & 31
  const a = r[LAZY_A]!
  const b = r[LAZY_B]!
  const result = r[LAZY_RESULT]!
  const all = kind < 0 ? (~a & b) | ((~a | b) & result) : (a & b) | ((a | b) & ~result)
  return all << shift
}

/** CF as 0 or 1. */
export function carry(r: Words): number {
  if ((r[LAZY_MASK]! & CF) === 0) return r[FLAGS]! & CF
  if (r[LAZY_SHIFT] === SUBTRACTION) return r[LAZY_A]! >>> 0 < r[LAZY_B]! >>> 0 ? 1 : 0
  return carries(r) >>> 31
}

export function isZero(r: Words): boolean {
  if ((r[LAZY_MASK]! & ZF) === 0) return (r[FLAGS]! & ZF) !== 0
  return r[LAZY_RESULT]! << (r[LAZY_SHIFT]! & 31) === 0
}

export function isSign(r: Words): boolean {
  if ((r[LAZY_MASK]! & SF) === 0) return (r[FLAGS]! & SF) !== 0
  return r[LAZY_RESULT]! << (r[LAZY_SHIFT]! & 31) < 0
}

export function isOverflow(r: Words): boolean {
  if ((r[LAZY_MASK]! & OF) === 0) return (r[FLAGS]! & OF) !== 0
  const c = carries(r)
  return (c ^ (c << 1)) < 0
}

function isParity(r: Words): boolean {
  if ((r[LAZY_MASK]! & PF) === 0) return (r[FLAGS]! & PF) !== 0
  return evenParity(r[LAZY_RESULT]!)
}

/** The number of ones in the low byte is even. */
function evenParity(value: number): boolean {
  let bits = value & 0xff
  bits ^= bits >> 4
  return ((0x9669 >> (bits & 15)) & 1) !== 0
}

/** SF ≠ OF: signed less, after a comparison. */
export function isLess(r: Words): boolean {
  if (r[LAZY_MASK] === ARITHMETIC_FLAGS && r[LAZY_SHIFT] === SUBTRACTION) return r[LAZY_A]! < r[LAZY_B]!
  return isSign(r) !== isOverflow(r)
}

/** Jcc, SETcc, CMOVcc: the condition in the low four bits of the opcode (SDM vol. 1 appendix B). */
export function condition(r: Words, code: number): boolean {
  switch (code & 15) {
    case 0:
      return isOverflow(r)
    case 1:
      return !isOverflow(r)
    case 2:
      return carry(r) !== 0
    case 3:
      return carry(r) === 0
    case 4:
      return isZero(r)
    case 5:
      return !isZero(r)
    case 6:
      return carry(r) !== 0 || isZero(r)
    case 7:
      return carry(r) === 0 && !isZero(r)
    case 8:
      return isSign(r)
    case 9:
      return !isSign(r)
    case 10:
      return isParity(r)
    case 11:
      return !isParity(r)
    case 12:
      return isLess(r)
    case 13:
      return !isLess(r)
    case 14:
      return isZero(r) || isLess(r)
    default:
      return !isZero(r) && !isLess(r)
  }
}

/** EFLAGS with all flags computed. */
export function getFlags(r: Words): number {
  const mask = r[LAZY_MASK]!
  if (mask === 0) return r[FLAGS]!
  let computed = 0
  if (carry(r) !== 0) computed |= CF
  if (isParity(r)) computed |= PF
  if (isZero(r)) computed |= ZF
  if (isSign(r)) computed |= SF
  if (isOverflow(r)) computed |= OF
  if (((r[LAZY_A]! ^ r[LAZY_B]! ^ r[LAZY_RESULT]!) & AF) !== 0) computed |= AF
  const flags = (r[FLAGS]! & ~mask) | (computed & mask)
  r[FLAGS] = flags
  r[LAZY_MASK] = 0
  return flags
}

/** Writes all of EFLAGS. */
export function setFlags(r: Words, flags: number): void {
  r[FLAGS] = flags | FLAGS_ALWAYS_ONE
  r[LAZY_MASK] = 0
}
