/**
 * MUL, IMUL, DIV, IDIV (Intel SDM vol. 2A). Products and dividends of 64 bits are exact: BigInt where 53 bits do not do.
 */
import { EAX, EDX } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { DE } from '../descriptor.ts'
import { CF, OF, setResultFlags } from '../flags.ts'
import type { Handler } from '../op.ts'
import { getReg, getReg16, getRm, setReg, setReg16 } from '../operands.ts'
import { always, byteOrFull, type OpcodeTable } from './binder.ts'

const LARGEST_EXACT = 2 ** 53

function signed(value: number, shift: number): number {
  return (value << shift) >> shift
}

/** The upper 32 bits of an unsigned product. */
function upperProduct(a: number, b: number): number {
  const product = (a >>> 0) * (b >>> 0)
  if (product < LARGEST_EXACT) return Math.floor(product / 2 ** 32) | 0
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carryIn = (middle % 0x1_0000) + aLow * bHigh
  return (aHigh * bHigh + Math.floor(middle / 0x1_0000) + Math.floor(carryIn / 0x1_0000)) | 0
}

function finish(core: Core, low: number, shift: number, overflow: boolean): void {
  setResultFlags(core.r, low, shift, overflow ? CF | OF : 0)
}

const mul: Handler = (core, op) => {
  const { width, shift } = op
  const b = getRm(core, op, width)
  const a = getReg(core, EAX, width)
  if (width === 32) {
    const high = upperProduct(a, b)
    const low = Math.imul(a, b)
    core.r[EAX] = low
    core.r[EDX] = high
    finish(core, low, shift, high !== 0)
    return
  }
  const product = Math.imul(a, b) >>> 0
  storeProduct(core, width, product)
  finish(core, product, shift, product >>> width !== 0)
}

function storeProduct(core: Core, width: number, product: number): void {
  if (width === 8) {
    setReg16(core, EAX, product)
    return
  }
  setReg16(core, EAX, product)
  setReg16(core, EDX, product >>> 16)
}

const imul: Handler = (core, op) => {
  const { width, shift } = op
  const b = signed(getRm(core, op, width), shift)
  const a = signed(getReg(core, EAX, width), shift)
  if (width === 32) {
    const low = Math.imul(a, b)
    const high = (upperProduct(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0
    core.r[EAX] = low
    core.r[EDX] = high
    finish(core, low, shift, high !== low >> 31)
    return
  }
  const product = Math.imul(a, b)
  storeProduct(core, width, product)
  finish(core, product, shift, product !== signed(product, shift))
}

/** The two- and three-operand forms: the product's upper half only shows in CF and OF. */
function multiplyInto(core: Core, reg: number, width: number, shift: number, x: number, y: number): void {
  const a = signed(x, shift)
  const b = signed(y, shift)
  const low = signed(Math.imul(a, b), shift)
  setReg(core, reg, width, low)
  finish(core, low, shift, low !== a * b)
}

const imulRegRm: Handler = (core, op) => {
  const b = getRm(core, op, op.width)
  multiplyInto(core, op.reg, op.width, op.shift, getReg(core, op.reg, op.width), b)
}

const imulImmediate: Handler = (core, op) => {
  multiplyInto(core, op.reg, op.width, op.shift, getRm(core, op, op.width), op.immediate)
}

const div: Handler = (core, op) => {
  const { width } = op
  const divisor = getRm(core, op, width) >>> 0
  if (divisor === 0) core.raise(DE, -1)
  if (width === 32) {
    divide64(core, BigInt(core.r[EDX]! >>> 0), BigInt(divisor))
    return
  }
  const dividend = dividendOf(core, width) >>> 0
  const quotient = Math.floor(dividend / divisor)
  if (quotient >= 2 ** width) core.raise(DE, -1)
  storeQuotient(core, width, quotient, dividend % divisor)
}

/** EDX:EAX is unsigned; in the common case EDX is 0 and no BigInt is needed. */
function divide64(core: Core, high: bigint, divisor: bigint): void {
  const r = core.r
  if (high === 0n) {
    const dividend = r[EAX]! >>> 0
    r[EAX] = Math.floor(dividend / Number(divisor)) | 0
    r[EDX] = (dividend % Number(divisor)) | 0
    return
  }
  const dividend = (high << 32n) | BigInt(r[EAX]! >>> 0)
  const quotient = dividend / divisor
  if (quotient > 0xffff_ffffn) core.raise(DE, -1)
  r[EAX] = Number(quotient) | 0
  r[EDX] = Number(dividend % divisor) | 0
}

const idiv: Handler = (core, op) => {
  const { width, shift } = op
  const r = core.r
  const divisor = signed(getRm(core, op, width), shift)
  if (divisor === 0) core.raise(DE, -1)
  if (width === 32) {
    const dividend = (BigInt(r[EDX]!) << 32n) | BigInt(r[EAX]! >>> 0)
    const quotient = dividend / BigInt(divisor)
    if (quotient !== BigInt.asIntN(32, quotient)) core.raise(DE, -1)
    r[EAX] = Number(quotient)
    r[EDX] = Number(dividend % BigInt(divisor))
    return
  }
  const dividend = width === 8 ? signed(dividendOf(core, width), 16) : dividendOf(core, width)
  const quotient = Math.trunc(dividend / divisor)
  if (quotient !== signed(quotient, shift)) core.raise(DE, -1)
  storeQuotient(core, width, quotient, dividend % divisor)
}

/** AX, or DX:AX as a signed number. */
function dividendOf(core: Core, width: number): number {
  return width === 8 ? getReg16(core, EAX) : (getReg16(core, EDX) << 16) | getReg16(core, EAX)
}

function storeQuotient(core: Core, width: number, quotient: number, remainder: number): void {
  if (width === 8) {
    core.r8[0] = quotient
    core.r8[1] = remainder
    return
  }
  setReg16(core, EAX, quotient)
  setReg16(core, EDX, remainder)
}

const GROUP_3: readonly Handler[] = [mul, imul, div, idiv]
const FIRST = 4

export function bindMultiply(table: OpcodeTable): void {
  for (const opcode of [0xf6, 0xf7]) {
    const others = table[opcode]!
    table[opcode] = (insn, op) => {
      if (insn.reg < FIRST) return others(insn, op)
      byteOrFull(insn, op)
      return GROUP_3[insn.reg - FIRST]!
    }
  }
  table[0x69] = always(imulImmediate)
  table[0x6b] = always(imulImmediate)
  table[0x1af] = always(imulRegRm)
}
