/**
 * BT, BTS, BTR, BTC, BSF, BSR, BSWAP, SETcc, CMOVcc (Intel SDM vol. 2A/2B).
 */
import { FLAGS } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { FEATURE_CMOV } from '../cpuid.ts'
import { UD } from '../descriptor.ts'
import { CF, condition, getFlags, setResultFlags, ZF } from '../flags.ts'
import { ensureWritable, readAddress, writeAddress } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import { effectiveAddress, getReg, getRm, load, setReg, setRm, store } from '../operands.ts'
import { always, type OpcodeTable } from './binder.ts'

/** BT = 0, BTS = 1, BTR = 2, BTC = 3. */
const BT = 0

function changed(value: number, bit: number, operation: number): number {
  if (operation === 1) return value | bit
  return operation === 2 ? value & ~bit : value ^ bit
}

function setCarry(core: Core, set: boolean): void {
  getFlags(core.r)
  core.r[FLAGS] = set ? core.r[FLAGS]! | CF : core.r[FLAGS]! & ~CF
}

/** @param displacement bytes between the memory operand and the word that holds the bit */
function testBit(core: Core, op: Op, operation: number, index: number, displacement: number): void {
  const { width } = op
  const bit = 1 << (index & (width - 1))
  if (op.isRegister) {
    const value = getReg(core, op.rm, width)
    if (operation !== BT) setReg(core, op.rm, width, changed(value, bit, operation))
    setCarry(core, (value & bit) !== 0)
    return
  }
  const offset = (effectiveAddress(core, op) + displacement) & op.addressMask
  if (operation === BT) {
    const value = load(core, readAddress(core, op.segment, offset, width >> 3), width)
    setCarry(core, (value & bit) !== 0)
    return
  }
  const at = writeAddress(core, op.segment, offset, width >> 3)
  ensureWritable(core, at, width >> 3)
  const value = load(core, at, width)
  store(core, at, width, changed(value, bit, operation))
  setCarry(core, (value & bit) !== 0)
}

/** The bit offset in a register reaches beyond the operand: a bit string of 2^32 (2^16) bits. */
const bitByReg: Handler = (core, op) => {
  const source = getReg(core, op.reg, op.width)
  const index = op.width === 16 ? (source << 16) >> 16 : source
  const displacement = (index >> (op.width === 16 ? 4 : 5)) * (op.width >> 3)
  testBit(core, op, (op.opcode >> 3) & 3, index, displacement)
}

const bitByImmediate: Handler = (core, op) => testBit(core, op, op.reg & 3, op.immediate, 0)

function scan(core: Core, op: Op, forward: boolean): void {
  const raw = getRm(core, op, op.width)
  const value = op.width === 16 ? raw & 0xffff : raw
  if (value === 0) {
    setResultFlags(core.r, 0, 0, 0)
    return
  }
  const index = forward ? 31 - Math.clz32(value & -value) : 31 - Math.clz32(value)
  setReg(core, op.reg, op.width, index)
  setResultFlags(core.r, 1, 0, 0)
  core.r[FLAGS] = getFlags(core.r) & ~ZF
}

const bsf: Handler = (core, op) => scan(core, op, true)
const bsr: Handler = (core, op) => scan(core, op, false)

/** Of a 16-bit operand the result is undefined; processors give 0. */
const bswap: Handler = (core, op) => {
  const n = op.opcode & 7
  if (op.width === 16) {
    setReg(core, n, 16, 0)
    return
  }
  const v = core.r[n]!
  core.r[n] = (v << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24)
}

const setCondition: Handler = (core, op) => setRm(core, op, 8, condition(core.r, op.opcode) ? 1 : 0)

/** The source is read, and may fault, whatever the condition says. */
const moveCondition: Handler = (core, op) => {
  if ((core.model.features & FEATURE_CMOV) === 0) core.raise(UD, -1)
  const value = getRm(core, op, op.width)
  if (condition(core.r, op.opcode)) setReg(core, op.reg, op.width, value)
}

export function bindBits(table: OpcodeTable): void {
  for (const opcode of [0x1a3, 0x1ab, 0x1b3, 0x1bb]) table[opcode] = always(bitByReg)
  table[0x1ba] = always(bitByImmediate)
  table[0x1bc] = always(bsf)
  table[0x1bd] = always(bsr)
  for (let n = 0; n < 8; n++) table[0x1c8 + n] = always(bswap)
  for (let code = 0; code < 16; code++) {
    table[0x190 + code] = always(setCondition)
    table[0x140 + code] = always(moveCondition)
  }
}
