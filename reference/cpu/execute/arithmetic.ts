/**
 * ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NOT, NEG, XADD, CMPXCHG, CMPXCHG8B (Intel SDM vol. 2A/2B), for all
 * widths and operands. The common 32-bit forms have handlers of their own in `fast-paths.ts`.
 */
import { EAX, EBX, ECX, EDX, FLAGS } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import {
  carry,
  getFlags,
  setAddFlags,
  setDecFlags,
  setIncFlags,
  setLogicFlags,
  setSubFlags,
  WITH_BORROW,
  ZF,
} from '../flags.ts'
import { checkedAddress, ensureWritable, load32, store32 } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import { effectiveAddress, getReg, getRm, load, modifyAddress, setReg, store } from '../operands.ts'
import { always, byteOrFull, type OpcodeTable } from './binder.ts'

const CMP = 7

/** The eight operations by the number that opcodes give them; sets the flags. */
function compute(core: Core, operation: number, a: number, b: number, shift: number): number {
  const r = core.r
  let result: number
  switch (operation) {
    case 0:
      result = (a + b) | 0
      setAddFlags(r, a, b, result, shift)
      return result
    case 1:
      result = a | b
      setLogicFlags(r, result, shift)
      return result
    case 2:
      result = (a + b + carry(r)) | 0
      setAddFlags(r, a, b, result, shift)
      return result
    case 3:
      result = (a - b - carry(r)) | 0
      setSubFlags(r, a, b, result, shift | WITH_BORROW)
      return result
    case 4:
      result = a & b
      setLogicFlags(r, result, shift)
      return result
    case 6:
      result = a ^ b
      setLogicFlags(r, result, shift)
      return result
    default:
      result = (a - b) | 0
      setSubFlags(r, a, b, result, shift)
      return result
  }
}

function rmAndValue(core: Core, op: Op, operation: number, b: number): void {
  if (op.isRegister) {
    const result = compute(core, operation, getReg(core, op.rm, op.width), b, op.shift)
    if (operation !== CMP) setReg(core, op.rm, op.width, result)
  } else if (operation === CMP) {
    compute(core, operation, getRm(core, op, op.width), b, op.shift)
  } else {
    const at = modifyAddress(core, op, op.width)
    const a = load(core, at, op.width)
    store(core, at, op.width, compute(core, operation, a, b, op.shift))
  }
}

const rmReg: Handler = (core, op) => rmAndValue(core, op, (op.opcode >> 3) & 7, getReg(core, op.reg, op.width))

const regRm: Handler = (core, op) => {
  const operation = (op.opcode >> 3) & 7
  const b = getRm(core, op, op.width)
  const result = compute(core, operation, getReg(core, op.reg, op.width), b, op.shift)
  if (operation !== CMP) setReg(core, op.reg, op.width, result)
}

const accumulatorImmediate: Handler = (core, op) => {
  const operation = (op.opcode >> 3) & 7
  const result = compute(core, operation, getReg(core, EAX, op.width), op.immediate, op.shift)
  if (operation !== CMP) setReg(core, EAX, op.width, result)
}

const group1: Handler = (core, op) => rmAndValue(core, op, op.reg, op.immediate)

const testRmReg: Handler = (core, op) => {
  const b = getReg(core, op.reg, op.width)
  setLogicFlags(core.r, getRm(core, op, op.width) & b, op.shift)
}

const testRmImmediate: Handler = (core, op) => {
  setLogicFlags(core.r, getRm(core, op, op.width) & op.immediate, op.shift)
}

const testAccumulator: Handler = (core, op) => {
  setLogicFlags(core.r, getReg(core, EAX, op.width) & op.immediate, op.shift)
}

/** Applies `change` to the r/m operand; `change` also sets the flags. */
function modify(core: Core, op: Op, change: (core: Core, value: number, shift: number) => number): void {
  if (op.isRegister) {
    setReg(core, op.rm, op.width, change(core, getReg(core, op.rm, op.width), op.shift))
    return
  }
  const at = modifyAddress(core, op, op.width)
  store(core, at, op.width, change(core, load(core, at, op.width), op.shift))
}

function increment(core: Core, value: number, shift: number): number {
  const result = (value + 1) | 0
  setIncFlags(core.r, value, result, shift)
  return result
}

function decrement(core: Core, value: number, shift: number): number {
  const result = (value - 1) | 0
  setDecFlags(core.r, value, result, shift)
  return result
}

function negate(core: Core, value: number, shift: number): number {
  const result = -value | 0
  setSubFlags(core.r, 0, value, result, shift)
  return result
}

const incRm: Handler = (core, op) => modify(core, op, increment)
const decRm: Handler = (core, op) => modify(core, op, decrement)
const negRm: Handler = (core, op) => modify(core, op, negate)
const notRm: Handler = (core, op) => modify(core, op, (_core, value) => ~value)

const incReg: Handler = (core, op) => {
  const n = op.opcode & 7
  setReg(core, n, op.width, increment(core, getReg(core, n, op.width), op.shift))
}

const decReg: Handler = (core, op) => {
  const n = op.opcode & 7
  setReg(core, n, op.width, decrement(core, getReg(core, n, op.width), op.shift))
}

const xadd: Handler = (core, op) => {
  const { width, shift } = op
  const source = getReg(core, op.reg, width)
  if (op.isRegister) {
    const old = getReg(core, op.rm, width)
    const sum = compute(core, 0, old, source, shift)
    setReg(core, op.reg, width, old)
    setReg(core, op.rm, width, sum)
    return
  }
  const at = modifyAddress(core, op, width)
  const old = load(core, at, width)
  store(core, at, width, old + source)
  compute(core, 0, old, source, shift)
  setReg(core, op.reg, width, old)
}

/** The destination is written in any case: with its own value when the comparison fails. */
const cmpxchg: Handler = (core, op) => {
  const { width, shift } = op
  const accumulator = getReg(core, EAX, width)
  const source = getReg(core, op.reg, width)
  let old: number
  if (op.isRegister) {
    old = getReg(core, op.rm, width)
    if ((accumulator ^ old) << shift === 0) setReg(core, op.rm, width, source)
    else setReg(core, EAX, width, old)
  } else {
    const at = modifyAddress(core, op, width)
    old = load(core, at, width)
    const equal = (accumulator ^ old) << shift === 0
    store(core, at, width, equal ? source : old)
    if (!equal) setReg(core, EAX, width, old)
  }
  compute(core, CMP, accumulator, old, shift)
}

const cmpxchg8b: Handler = (core, op) => {
  const r = core.r
  const at = checkedAddress(core, op.segment, effectiveAddress(core, op), 8, 8, true)
  ensureWritable(core, at, 8)
  const low = load32(core, at)
  const high = load32(core, at + 4)
  const equal = low === r[EAX] && high === r[EDX]
  const newLow = equal ? r[EBX]! : low
  const newHigh = equal ? r[ECX]! : high
  store32(core, at, newLow)
  store32(core, at + 4, newHigh)
  getFlags(r)
  if (equal) {
    r[FLAGS] = r[FLAGS]! | ZF
    return
  }
  r[FLAGS] = r[FLAGS]! & ~ZF
  r[EAX] = low
  r[EDX] = high
}

/** How opcodes F6 and F7 go on, by reg field; multiplication and division are elsewhere. */
const GROUP_3 = [testRmImmediate, testRmImmediate, notRm, negRm]

export function bindArithmetic(table: OpcodeTable): void {
  for (let operation = 0; operation < 8; operation++) {
    const first = operation << 3
    for (const [form, handler] of [rmReg, rmReg, regRm, regRm, accumulatorImmediate, accumulatorImmediate].entries()) {
      table[first + form] = (insn, op) => {
        byteOrFull(insn, op)
        return handler
      }
    }
  }
  const sized = (opcode: number, handler: Handler) => {
    table[opcode] = (insn, op) => {
      byteOrFull(insn, op)
      return handler
    }
  }
  for (const opcode of [0x80, 0x81, 0x82]) sized(opcode, group1)
  table[0x83] = always(group1)
  sized(0x84, testRmReg)
  sized(0x85, testRmReg)
  sized(0xa8, testAccumulator)
  sized(0xa9, testAccumulator)
  for (let n = 0; n < 8; n++) {
    table[0x40 + n] = always(incReg)
    table[0x48 + n] = always(decReg)
  }
  for (const opcode of [0xf6, 0xf7]) {
    table[opcode] = (insn, op) => {
      byteOrFull(insn, op)
      return GROUP_3[insn.reg]!
    }
  }
  for (const opcode of [0xfe, 0xff]) {
    table[opcode] = (insn, op) => {
      byteOrFull(insn, op)
      return insn.reg === 0 ? incRm : decRm
    }
  }
  for (const opcode of [0x1b0, 0x1b1]) sized(opcode, cmpxchg)
  for (const opcode of [0x1c0, 0x1c1]) sized(opcode, xadd)
  table[0x1c7] = always(cmpxchg8b)
}
