/**
 * MOVS, CMPS, STOS, LODS, SCAS without REP: twin of `execute/strings.ts`. With REP the interpreter moves whole pages at once.
 */
import { EAX, EDI, ESI, FLAGS } from '../../../mmu/layout.ts'
import { ES } from '../../instruction.ts'
import type { Op } from '../../op.ts'
import { SUB, stateOf } from '../flag-state.ts'
import type { Translator } from '../translator.ts'
import { type OpTranslator, storeTop, type TranslatorTable } from './operands.ts'

const DF_BIT = 10

/** Moves registers by an element, up or down as DF says. */
function advance(t: Translator, op: Op, registers: readonly number[]): void {
  const { code } = t
  const size = op.width >> 3
  const stride = code.borrow()
  code.const(size)
  t.loadWord(FLAGS)
    .const(DF_BIT)
    .op('i32_shr_u')
    .const(1)
    .op('i32_and')
    .const(2 * size)
    .op('i32_mul')
    .op('i32_sub')
  code.set(stride)
  for (const n of registers) {
    t.getRegister(n, 32)
    code.get(stride).op('i32_add')
    t.setRegister(n, 32)
  }
  code.giveBack(stride)
}

const movs: OpTranslator = (t, op) => {
  if (op.repeat !== 0 || op.addressMask !== -1 || !t.isFlat(op.segment, false) || !t.isFlat(ES, true)) return false
  const size = op.width >> 3
  const from = t.place(ESI, 0, size, false)
  const to = t.place(EDI, 0, size, true)
  t.load(from, op.width)
  storeTop(t, to, op.width)
  advance(t, op, [ESI, EDI])
  return true
}

const stos: OpTranslator = (t, op) => {
  if (op.repeat !== 0 || op.addressMask !== -1 || !t.isFlat(ES, true)) return false
  const to = t.place(EDI, 0, op.width >> 3, true)
  t.getRegister(EAX, op.width)
  storeTop(t, to, op.width)
  advance(t, op, [EDI])
  return true
}

const lods: OpTranslator = (t, op) => {
  if (op.repeat !== 0 || op.addressMask !== -1 || !t.isFlat(op.segment, false)) return false
  const from = t.place(ESI, 0, op.width >> 3, false)
  t.load(from, op.width)
  t.setRegister(EAX, op.width)
  advance(t, op, [ESI])
  return true
}

/** Takes a and b from the stack, as a comparison does. */
function compare(t: Translator, op: Op): void {
  const { first, second, result } = t.flags.locals
  t.code.set(second).tee(first).get(second).op('i32_sub').set(result)
  t.state = stateOf(SUB, op.shift)
}

const cmps: OpTranslator = (t, op) => {
  if (op.repeat !== 0 || op.addressMask !== -1 || !t.isFlat(op.segment, false) || !t.isFlat(ES, false)) return false
  const size = op.width >> 3
  const from = t.place(ESI, 0, size, false)
  const to = t.place(EDI, 0, size, false)
  t.load(from, op.width)
  t.load(to, op.width)
  compare(t, op)
  advance(t, op, [ESI, EDI])
  return true
}

const scas: OpTranslator = (t, op) => {
  if (op.repeat !== 0 || op.addressMask !== -1 || !t.isFlat(ES, false)) return false
  const to = t.place(EDI, 0, op.width >> 3, false)
  t.getRegister(EAX, op.width)
  t.load(to, op.width)
  compare(t, op)
  advance(t, op, [EDI])
  return true
}

export function bindStrings(table: TranslatorTable): void {
  table[0xa4] = movs
  table[0xa5] = movs
  table[0xa6] = cmps
  table[0xa7] = cmps
  table[0xae] = scas
  table[0xaf] = scas
  table[0xaa] = stos
  table[0xab] = stos
  table[0xac] = lods
  table[0xad] = lods
}
