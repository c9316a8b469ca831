/**
 * ROL, ROR, SHL, SHR, SAR by constants and by CL: twin of `execute/shifts.ts`.
 */
import { ECX } from '../../../mmu/layout.ts'
import type { Op } from '../../op.ts'
import {
  codeOf,
  DOUBLE,
  LATE,
  MATERIAL,
  OVERLAY_MASK,
  ROTATED_LEFT,
  ROTATED_RIGHT,
  SAR,
  SHL,
  SHR,
  stateOf,
} from '../flag-state.ts'
import type { Translator } from '../translator.ts'
import { canReach, masked, modify, type OpTranslator, signExtended, type TranslatorTable } from './operands.ts'

const COUNT_MASK = 31
const COUNT_SHIFT = 9
const WIDTH = 32
const ROL = 0
const ROR = 1
const BASES = [undefined, undefined, undefined, undefined, SHL, SHR, SHL, SAR]

function byConstant(t: Translator, op: Op, count: number): boolean {
  if (!canReach(t, op, true) || op.reg === 2 || op.reg === 3) return false
  const { code } = t
  const { width, shift } = op
  const operand = modify(t, op, width)
  if (count === 0) return true
  operand.push()
  if (op.reg === ROL || op.reg === ROR) {
    rotate(t, op, count)
    code.tee(t.flags.locals.other)
    const overlay = op.reg === ROL ? ROTATED_LEFT : ROTATED_RIGHT
    t.state = { ...t.state, overlay, overlayShift: shift }
    operand.pop()
    return true
  }
  const base = BASES[op.reg]!
  code.tee(t.flags.locals.first)
  shiftTop(t, base, width, () => code.const(count))
  code.tee(t.flags.locals.result)
  t.state = stateOf(base, shift, count)
  operand.pop()
  return true
}

/** Rotates the value on the stack. */
function rotate(t: Translator, op: Op, count: number): void {
  const { code } = t
  const { width } = op
  if (width === 32) {
    code.const(count).op(op.reg === ROL ? 'i32_rotl' : 'i32_rotr')
    return
  }
  const value = code.borrow()
  const left = op.reg === ROL ? count & (width - 1) : (width - (count & (width - 1))) & (width - 1)
  masked(t, width)
  code.tee(value).const(left).op('i32_shl')
  code
    .get(value)
    .const(width - left)
    .op('i32_shr_u')
    .op('i32_or')
  masked(t, width)
  code.giveBack(value)
}

function shiftTop(t: Translator, base: number, width: number, pushCount: () => void): void {
  if (base === SHR) masked(t, width)
  if (base === SAR) signExtended(t, width)
  pushCount()
  t.code.op(base === SHL ? 'i32_shl' : base === SHR ? 'i32_shr_u' : 'i32_shr_s')
}

/** A count of 0 leaves the flags as they were, so that which operation they follow from is known only at run time. */
const byCl: OpTranslator = (t, op) => {
  if (op.width !== 32 || op.reg === 2 || op.reg === 3 || !canReach(t, op, true)) return false
  if (t.avoidsLateFlags) return false
  const { code } = t
  const { first, result, other, kind } = t.flags.locals
  const operand = modify(t, op, 32)
  const count = code.borrow()
  const value = code.borrow()
  const shifted = code.borrow()
  t.rememberFlags()
  t.getRegister(ECX, 32)
  code.const(COUNT_MASK).op('i32_and').set(count)
  operand.push()
  code.set(value)
  const select = (local: number) => code.get(local).get(count).op('select').set(local)
  if (op.reg === ROL || op.reg === ROR) {
    code
      .get(value)
      .get(count)
      .op(op.reg === ROL ? 'i32_rotl' : 'i32_rotr')
      .tee(shifted)
    select(other)
    const overlay = { ...stateOf(0), overlay: op.reg === ROL ? ROTATED_LEFT : ROTATED_RIGHT }
    code.get(kind).const(~OVERLAY_MASK).op('i32_and').const(codeOf(overlay)).op('i32_or')
    select(kind)
  } else {
    const base = BASES[op.reg]!
    code.get(value)
    shiftTop(t, base, 32, () => code.get(count))
    code.tee(shifted)
    select(result)
    code.get(value)
    select(first)
    code
      .get(count)
      .const(COUNT_SHIFT)
      .op('i32_shl')
      .const(codeOf(stateOf(base)))
      .op('i32_or')
    select(kind)
  }
  t.state = stateOf(LATE)
  code.get(shifted)
  operand.pop()
  for (const local of [count, value, shifted]) code.giveBack(local)
  return true
}

/** SHLD and SHRD of 32 bits by a constant: CF is the last bit shifted out, OF tells of a change of sign. */
function double(left: boolean): OpTranslator {
  return (t, op) => {
    const count = op.immediate & COUNT_MASK
    if (op.width !== 32 || !canReach(t, op, true)) return false
    const operand = modify(t, op, 32)
    if (count === 0) return true
    const value = t.code.borrow()
    operand.push()
    t.code.set(value)
    shiftDouble(t, op, value, left, () => t.code.const(count))
    operand.pop()
    t.code.giveBack(value)
    return true
  }
}

/** SHLD and SHRD by CL: a count of 0 changes nothing, and leaves the flags as they were. */
function doubleByCl(left: boolean): OpTranslator {
  return (t, op) => {
    if (op.width !== 32 || !canReach(t, op, true)) return false
    const { code, flags } = t
    const operand = modify(t, op, 32)
    const count = code.borrow()
    const value = code.borrow()
    const result = code.borrow()
    const before = code.borrow()
    flags.materialise(t.state)
    t.state = stateOf(MATERIAL)
    code.get(flags.locals.bits).set(before)
    t.getRegister(ECX, 32)
    code.const(COUNT_MASK).op('i32_and').set(count)
    operand.push()
    code.set(value)
    shiftDouble(t, op, value, left, () => code.get(count))
    code.get(value).get(count).op('select').set(result)
    flags.materialise(t.state)
    t.state = stateOf(MATERIAL)
    code.get(flags.locals.bits).get(before).get(count).op('select').set(flags.locals.bits)
    code.get(result)
    operand.pop()
    for (const local of [count, value, result, before]) code.giveBack(local)
    return true
  }
}

/** Pushes the result of a double shift by 1 to 31 (by 0: anything), with flags as of a double shift. */
function shiftDouble(t: Translator, op: Op, value: number, left: boolean, pushCount: () => void): void {
  const { code } = t
  const { first, second, result } = t.flags.locals
  const [forth, back] = left ? (['i32_shl', 'i32_shr_u'] as const) : (['i32_shr_u', 'i32_shl'] as const)
  const rest = () => {
    code.const(WIDTH)
    pushCount()
    code.op('i32_sub')
  }
  code.get(value)
  pushCount()
  code.op(forth)
  t.getRegister(op.reg, 32)
  rest()
  code.op(back).op('i32_or').set(result)
  code.get(value)
  if (left) rest()
  else {
    pushCount()
    code.const(1).op('i32_sub')
  }
  code.op('i32_shr_u').const(1).op('i32_and').set(second)
  code
    .get(value)
    .get(result)
    .op('i32_xor')
    .const(WIDTH - 1)
    .op('i32_shr_u')
    .set(first)
  code.get(result)
  t.state = stateOf(DOUBLE)
}

export function bindShifts(table: TranslatorTable): void {
  for (const opcode of [0xc0, 0xc1]) table[opcode] = (t, op) => byConstant(t, op, op.immediate & COUNT_MASK)
  for (const opcode of [0xd0, 0xd1]) table[opcode] = (t, op) => byConstant(t, op, 1)
  table[0x1a4] = double(true)
  table[0x1a5] = doubleByCl(true)
  table[0x1ac] = double(false)
  table[0x1ad] = doubleByCl(false)
  table[0xd2] = byCl
  table[0xd3] = byCl
}
