/**
 * ROL, ROR, SHL, SHR, SAR by constants and by CL: twin of `execute/shifts.ts`.
 */
import { ECX } from '../../../mmu/layout.ts'
import type { Op } from '../../op.ts'
import {
  codeOf,
  isUnknown,
  LATE,
  NOTHING,
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
  if (!isUnknown(t.state)) code.const(codeOf(t.state)).set(kind)
  else if (t.state.overlay !== NOTHING) {
    code
      .get(kind)
      .const(~OVERLAY_MASK)
      .op('i32_and')
      .const(codeOf(t.state) & OVERLAY_MASK)
      .op('i32_or')
      .set(kind)
  }
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

export function bindShifts(table: TranslatorTable): void {
  for (const opcode of [0xc0, 0xc1]) table[opcode] = (t, op) => byConstant(t, op, op.immediate & COUNT_MASK)
  for (const opcode of [0xd0, 0xd1]) table[opcode] = (t, op) => byConstant(t, op, 1)
  table[0xd2] = byCl
  table[0xd3] = byCl
}
