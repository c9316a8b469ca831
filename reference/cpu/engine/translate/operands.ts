/**
 * Operands of translated instructions, as `operands.ts` has them for the interpreter.
 */
import type { Op } from '../../op.ts'
import type { Place, Translator } from '../translator.ts'
import type { Local } from '../wasm-code.ts'

/**
 * Translates an instruction, with the value of the stack as it was before.
 * @returns false when it cannot, before anything was written: the interpreter executes it then
 */
export type OpTranslator = (t: Translator, op: Op) => boolean

/** By opcode, as in `execute/table.ts`. */
export type TranslatorTable = (OpTranslator | undefined)[]

/** The r/m operand is a register, or memory that is reached without segment checks. */
export function canReach(t: Translator, op: Op, write: boolean): boolean {
  return op.isRegister || (op.addressMask === -1 && t.isFlat(op.segment, write))
}

/** Pushes the r/m operand. */
export function getRm(t: Translator, op: Op, width: number): void {
  if (op.isRegister) t.getRegister(op.rm, width)
  else t.load(t.operandPlace(op, width >> 3, false), width)
}

/** The r/m operand, read and then written. */
export interface Modified {
  /** Pushes its value. */
  push(): void
  /** Takes the new value from the stack. */
  pop(): void
}

export function modify(t: Translator, op: Op, width: number): Modified {
  if (op.isRegister) {
    return { push: () => t.getRegister(op.rm, width), pop: () => t.setRegister(op.rm, width) }
  }
  const place = t.operandPlace(op, width >> 3, true)
  return { push: () => t.load(place, width), pop: () => storeTop(t, place, width) }
}

/** The r/m operand takes the value on the stack, and `op.reg` the `old` one; the r/m operand wins when they are the same register. */
export function exchange(t: Translator, op: Op, operand: Modified, old: Local): void {
  const value = t.code.borrow()
  t.code.set(value).get(old)
  t.setRegister(op.reg, op.width)
  t.code.get(value)
  operand.pop()
  t.code.giveBack(value)
}

/** Stores the value on the stack. */
export function storeTop(t: Translator, place: Place, width: number): void {
  const value = t.code.borrow()
  t.code.set(value)
  t.store(place, width, value)
  t.code.giveBack(value)
}

/** The value without its upper bits. */
export function masked(t: Translator, width: number): void {
  if (width !== 32) t.code.const(width === 16 ? 0xffff : 0xff).op('i32_and')
}

export function signExtended(t: Translator, width: number): void {
  if (width === 8) t.code.op('i32_extend8_s')
  else if (width === 16) t.code.op('i32_extend16_s')
}
