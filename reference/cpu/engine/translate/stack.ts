/**
 * PUSH, POP and LEAVE of 32 bits: twin of `execute/stack.ts`. ESP changes last.
 */
import { EBP, ESP } from '../../../mmu/layout.ts'
import type { Op } from '../../op.ts'
import type { Translator } from '../translator.ts'
import { canReach, getRm, type OpTranslator, storeTop, type TranslatorTable } from './operands.ts'

const SLOT = 4

/** Pushes onto the guest's stack what `push` pushes onto WebAssembly's. */
export function pushValue(t: Translator, push: () => void): void {
  const place = t.place(ESP, -SLOT, SLOT, true)
  push()
  storeTop(t, place, 32)
  t.addToRegister(ESP, -SLOT)
}

const pushRegister: OpTranslator = (t, op) => {
  if (op.width !== 32 || !t.hasFlatStack) return false
  pushValue(t, () => t.getRegister(op.opcode & 7, 32))
  return true
}

const pushImmediate: OpTranslator = (t, op) => {
  if (op.width !== 32 || !t.hasFlatStack) return false
  pushValue(t, () => t.immediate(op))
  return true
}

const pushRm: OpTranslator = (t, op) => {
  if (op.width !== 32 || !t.hasFlatStack || !canReach(t, op, false)) return false
  const { code } = t
  const value = code.borrow()
  getRm(t, op, 32)
  code.set(value)
  pushValue(t, () => code.get(value))
  code.giveBack(value)
  return true
}

const popRegister: OpTranslator = (t, op) => {
  if (op.width !== 32 || !t.hasFlatStack) return false
  const place = t.place(ESP, 0, SLOT, false)
  t.load(place, 32)
  t.addToRegister(ESP, SLOT)
  t.setRegister(op.opcode & 7, 32)
  return true
}

const leave: OpTranslator = (t, op: Op) => {
  if (op.width !== 32 || !t.hasFlatStack) return false
  const frame = t.tracked(EBP)
  const place = t.place(EBP, 0, SLOT, false)
  t.load(place, 32)
  t.getRegister(EBP, 32)
  t.code.const(SLOT).op('i32_add')
  t.setRegister(ESP, 32)
  t.noteTracked(ESP, frame, SLOT)
  t.setRegister(EBP, 32)
  return true
}

export function bindStack(table: TranslatorTable): void {
  for (let n = 0; n < 8; n++) {
    table[0x50 + n] = pushRegister
    table[0x58 + n] = popRegister
  }
  table[0x68] = pushImmediate
  table[0x6a] = pushImmediate
  table[0xc9] = leave
  const others = table[0xff]
  table[0xff] = (t, op) => (op.reg === 6 ? pushRm(t, op) : (others?.(t, op) ?? false))
}
