/**
 * ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD (Intel SDM vol. 2B). Counts are taken modulo 32; a count of 0 changes nothing.
 */
import { ECX, FLAGS } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { CF, carry, getFlags, OF, setResultFlags } from '../flags.ts'
import type { Handler, Op } from '../op.ts'
import { getReg, getReg8, load, modifyAddress, setReg, store } from '../operands.ts'
import { always, byteOrFull, type OpcodeTable } from './binder.ts'

const COUNT_MASK = 31

function mask(width: number): number {
  return width === 32 ? -1 : (1 << width) - 1
}

function topBit(value: number, width: number): number {
  return (value >>> (width - 1)) & 1
}

/** Writes CF and OF and leaves the others. */
function setCarryOverflow(core: Core, carryOut: number, overflow: number): void {
  const flags = getFlags(core.r) & ~(CF | OF)
  core.r[FLAGS] = flags | (carryOut !== 0 ? CF : 0) | (overflow !== 0 ? OF : 0)
}

function rotateLeft(core: Core, value: number, count: number, width: number): number {
  const by = count & (width - 1)
  const v = value & mask(width)
  const result = by === 0 ? v : (v << by) | (v >>> (width - by))
  const carryOut = result & 1
  setCarryOverflow(core, carryOut, carryOut ^ topBit(result, width))
  return result
}

function rotateRight(core: Core, value: number, count: number, width: number): number {
  const by = count & (width - 1)
  const v = value & mask(width)
  const result = by === 0 ? v : (v >>> by) | (v << (width - by))
  setCarryOverflow(core, topBit(result, width), topBit(result, width) ^ ((result >>> (width - 2)) & 1))
  return result
}

/** Bit by bit: the rotation includes CF, so it has 9, 17 or 33 places. */
function rotateCarryLeft(core: Core, value: number, count: number, width: number): number {
  let v = value & mask(width)
  let c = carry(core.r)
  for (let i = count % (width + 1); i > 0; i--) {
    const out = topBit(v, width)
    v = ((v << 1) | c) & mask(width)
    c = out
  }
  setCarryOverflow(core, c, c ^ topBit(v, width))
  return v
}

function rotateCarryRight(core: Core, value: number, count: number, width: number): number {
  let v = value & mask(width)
  let c = carry(core.r)
  for (let i = count % (width + 1); i > 0; i--) {
    const out = v & 1
    v = (v >>> 1) | (c << (width - 1))
    c = out
  }
  setCarryOverflow(core, c, topBit(v, width) ^ ((v >>> (width - 2)) & 1))
  return v
}

function shiftLeft(core: Core, value: number, count: number, width: number): number {
  const result = value << count
  const carryOut = count <= width ? (value >>> (width - count)) & 1 : 0
  const overflow = carryOut ^ topBit(result, width)
  setResultFlags(core.r, result, 32 - width, carryOut | (overflow !== 0 ? OF : 0))
  return result
}

function shiftRight(core: Core, value: number, count: number, width: number): number {
  const v = value & mask(width)
  const result = v >>> count
  const carryOut = (v >>> (count - 1)) & 1
  setResultFlags(core.r, result, 32 - width, carryOut | (topBit(v, width) !== 0 ? OF : 0))
  return result
}

function shiftArithmetic(core: Core, value: number, count: number, width: number): number {
  const v = (value << (32 - width)) >> (32 - width)
  const result = v >> count
  setResultFlags(core.r, result, 32 - width, (v >> (count - 1)) & 1)
  return result
}

type Shift = (core: Core, value: number, count: number, width: number) => number

/** By reg field; 6 is an alias of SHL. */
const SHIFTS: readonly Shift[] = [
  rotateLeft,
  rotateRight,
  rotateCarryLeft,
  rotateCarryRight,
  shiftLeft,
  shiftRight,
  shiftLeft,
  shiftArithmetic,
]

/** The memory operand is checked for writing even if the count is 0. */
function shiftRm(core: Core, op: Op, count: number): void {
  const shift = SHIFTS[op.reg]!
  const { width } = op
  if (op.isRegister) {
    if (count !== 0) setReg(core, op.rm, width, shift(core, getReg(core, op.rm, width), count, width))
    return
  }
  const at = modifyAddress(core, op, width)
  const value = load(core, at, width)
  store(core, at, width, count === 0 ? value : shift(core, value, count, width))
}

const byImmediate: Handler = (core, op) => shiftRm(core, op, op.immediate & COUNT_MASK)
const byOne: Handler = (core, op) => shiftRm(core, op, 1)
const byCl: Handler = (core, op) => shiftRm(core, op, getReg8(core, ECX) & COUNT_MASK)

/** Of 16-bit operands with a count above 16 the result is undefined: here the operands follow each other without end. */
function double(core: Core, op: Op, count: number, left: boolean): void {
  const { width, shift } = op
  const source = getReg(core, op.reg, width) & mask(width)
  const combine = (value: number): number => {
    if (count === 0) return value
    const v = value & mask(width)
    const result = left ? shldResult(v, source, count, width) : shrdResult(v, source, count, width)
    const carryOut = left ? shldCarry(v, source, count, width) : shrdCarry(v, source, count, width)
    const overflow = topBit(result, width) ^ topBit(v, width)
    setResultFlags(core.r, result, shift, carryOut | (overflow !== 0 ? OF : 0))
    return result
  }
  if (op.isRegister) {
    setReg(core, op.rm, width, combine(getReg(core, op.rm, width)))
    return
  }
  const at = modifyAddress(core, op, width)
  store(core, at, width, combine(load(core, at, width)))
}

function shldResult(v: number, source: number, count: number, width: number): number {
  if (width === 32) return (v << count) | (source >>> (32 - count))
  if (count <= 16) return ((v << count) | (source >>> (16 - count))) & 0xffff
  return ((source << (count - 16)) | (v >>> (32 - count))) & 0xffff
}

function shldCarry(v: number, source: number, count: number, width: number): number {
  if (count <= width) return (v >>> (width - count)) & 1
  return (source >>> (32 - count)) & 1
}

function shrdResult(v: number, source: number, count: number, width: number): number {
  if (width === 32) return (v >>> count) | (source << (32 - count))
  if (count <= 16) return ((v >>> count) | (source << (16 - count))) & 0xffff
  return ((source >>> (count - 16)) | (v << (32 - count))) & 0xffff
}

function shrdCarry(v: number, source: number, count: number, width: number): number {
  if (count <= width) return (v >>> (count - 1)) & 1
  return (source >>> (count - 17)) & 1
}

const shldImmediate: Handler = (core, op) => double(core, op, op.immediate & COUNT_MASK, true)
const shldCl: Handler = (core, op) => double(core, op, getReg8(core, ECX) & COUNT_MASK, true)
const shrdImmediate: Handler = (core, op) => double(core, op, op.immediate & COUNT_MASK, false)
const shrdCl: Handler = (core, op) => double(core, op, getReg8(core, ECX) & COUNT_MASK, false)

export function bindShifts(table: OpcodeTable): void {
  for (const [first, handler] of [[0xc0, byImmediate] as const, [0xd0, byOne] as const, [0xd2, byCl] as const]) {
    for (const opcode of [first, first + 1]) {
      table[opcode] = (insn, op) => {
        byteOrFull(insn, op)
        return handler
      }
    }
  }
  table[0x1a4] = always(shldImmediate)
  table[0x1a5] = always(shldCl)
  table[0x1ac] = always(shrdImmediate)
  table[0x1ad] = always(shrdCl)
}
