/**
 * ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NOT, NEG, XADD, CMPXCHG: twin of `execute/arithmetic.ts`.
 */
import { EAX } from '../../../mmu/layout.ts'
import type { Op } from '../../op.ts'
import { ADC, ADD, DEC, INC, LOGIC, SBB, SUB, stateOf } from '../flag-state.ts'
import type { Translator } from '../translator.ts'
import { canReach, exchange, getRm, modify, type OpTranslator, storeTop, type TranslatorTable } from './operands.ts'

const CMP = 7
const OPERATIONS = ['i32_add', 'i32_or', 'i32_add', 'i32_sub', 'i32_and', 'i32_sub', 'i32_xor', 'i32_sub'] as const
const BASES = [ADD, LOGIC, ADC, SBB, LOGIC, SUB, LOGIC, SUB]

/** Takes a and b from the stack, pushes the result, and notes what the flags follow from. */
function compute(t: Translator, operation: number, shift: number): void {
  const { code, flags } = t
  const { first, second, result } = flags.locals
  const name = OPERATIONS[operation]!
  const base = BASES[operation]!
  if (base === LOGIC) {
    code.op(name).tee(result)
  } else if (base === ADC || base === SBB) {
    const a = code.borrow()
    const b = code.borrow()
    code.set(b).set(a)
    flags.carry(t.state)
    const carry = code.borrow()
    code.set(carry).get(a).set(first).get(b).set(second)
    code.get(a).get(b).op(name).get(carry).op(name).tee(result)
    for (const local of [a, b, carry]) code.giveBack(local)
  } else {
    code.set(second).tee(first).get(second).op(name).tee(result)
  }
  t.state = stateOf(base, shift)
}

/** The r/m operand with a value that `push` pushes. */
function rmAndValue(t: Translator, op: Op, operation: number, push: () => void): boolean {
  if (!canReach(t, op, operation !== CMP)) return false
  if (operation === CMP) {
    getRm(t, op, op.width)
    push()
    compute(t, operation, op.shift)
    t.code.op('drop')
    return true
  }
  const operand = modify(t, op, op.width)
  const isConstantAddition =
    op.isRegister && op.width === 32 && (operation === 0 || operation === 5) && isGroup1(op) && op.live < 0
  const before = isConstantAddition ? t.tracked(op.rm) : undefined
  operand.push()
  push()
  compute(t, operation, op.shift)
  operand.pop()
  if (before !== undefined) {
    t.noteTracked(op.rm, before, operation === 0 ? op.immediate : -op.immediate)
  }
  return true
}

function isGroup1(op: Op): boolean {
  return op.opcode >= 0x80 && op.opcode <= 0x83
}

const rmReg: OpTranslator = (t, op) => rmAndValue(t, op, (op.opcode >> 3) & 7, () => t.getRegister(op.reg, op.width))

const regRm: OpTranslator = (t, op) => {
  if (!canReach(t, op, false)) return false
  const operation = (op.opcode >> 3) & 7
  if (op.isRegister) {
    t.getRegister(op.reg, op.width)
    t.getRegister(op.rm, op.width)
  } else {
    const place = t.operandPlace(op, op.width >> 3, false)
    t.getRegister(op.reg, op.width)
    t.load(place, op.width)
  }
  compute(t, operation, op.shift)
  if (operation === CMP) t.code.op('drop')
  else t.setRegister(op.reg, op.width)
  return true
}

const accumulatorImmediate: OpTranslator = (t, op) => {
  const operation = (op.opcode >> 3) & 7
  t.getRegister(EAX, op.width)
  t.immediate(op)
  compute(t, operation, op.shift)
  if (operation === CMP) t.code.op('drop')
  else t.setRegister(EAX, op.width)
  return true
}

const group1: OpTranslator = (t, op) => rmAndValue(t, op, op.reg, () => t.immediate(op))

/** Takes the result of an AND from the stack. */
function test(t: Translator, shift: number): void {
  t.code.op('i32_and').set(t.flags.locals.result)
  t.state = stateOf(LOGIC, shift)
}

const testRmReg: OpTranslator = (t, op) => {
  if (!canReach(t, op, false)) return false
  getRm(t, op, op.width)
  t.getRegister(op.reg, op.width)
  test(t, op.shift)
  return true
}

const testAccumulator: OpTranslator = (t, op) => {
  t.getRegister(EAX, op.width)
  t.immediate(op)
  test(t, op.shift)
  return true
}

/** INC and DEC leave CF. */
function step(t: Translator, base: number, shift: number): void {
  const { code, flags } = t
  const { first, result, carry } = flags.locals
  const value = code.borrow()
  code.set(value)
  flags.carry(t.state)
  code
    .set(carry)
    .get(value)
    .tee(first)
    .const(base === INC ? 1 : -1)
    .op('i32_add')
    .tee(result)
  code.giveBack(value)
  t.state = stateOf(base, shift)
}

const stepRm: OpTranslator = (t, op) => {
  if (!canReach(t, op, true)) return false
  const base = op.reg === 0 ? INC : DEC
  const operand = modify(t, op, op.width)
  const before = op.isRegister && op.width === 32 ? t.tracked(op.rm) : undefined
  operand.push()
  step(t, base, op.shift)
  operand.pop()
  if (before !== undefined) t.noteTracked(op.rm, before, base === INC ? 1 : -1)
  return true
}

const stepRegister: OpTranslator = (t, op) => {
  const base = op.opcode < 0x48 ? INC : DEC
  const n = op.opcode & 7
  const before = op.width === 32 ? t.tracked(n) : undefined
  t.getRegister(n, op.width)
  step(t, base, op.shift)
  t.setRegister(n, op.width)
  if (before !== undefined) t.noteTracked(n, before, base === INC ? 1 : -1)
  return true
}

/** F6 and F7, by reg field: TEST, NOT, NEG; others are in `multiply.ts`. */
export const group3: OpTranslator = (t, op) => {
  const { code } = t
  if (op.reg < 2) {
    if (!canReach(t, op, false)) return false
    getRm(t, op, op.width)
    t.immediate(op)
    test(t, op.shift)
    return true
  }
  if (op.reg > 3 || !canReach(t, op, true)) return false
  const operand = modify(t, op, op.width)
  if (op.reg === 2) {
    operand.push()
    code.const(-1).op('i32_xor')
    operand.pop()
    return true
  }
  const { first, second, result } = t.flags.locals
  operand.push()
  code.set(second).const(0).tee(first).get(second).op('i32_sub').tee(result)
  t.state = stateOf(SUB, op.shift)
  operand.pop()
  return true
}

const xadd: OpTranslator = (t, op) => {
  if (!canReach(t, op, true)) return false
  const { code } = t
  const operand = modify(t, op, op.width)
  const old = code.borrow()
  operand.push()
  code.tee(old)
  t.getRegister(op.reg, op.width)
  compute(t, 0, op.shift)
  exchange(t, op, operand, old)
  code.giveBack(old)
  return true
}

/** Memory only: it is written in any case. */
const cmpxchg: OpTranslator = (t, op) => {
  if (op.isRegister || !canReach(t, op, true)) return false
  const { code } = t
  const { result } = t.flags.locals
  const place = t.operandPlace(op, op.width >> 3, true)
  const old = code.borrow()
  const equal = code.borrow()
  t.load(place, op.width)
  code.set(old)
  t.getRegister(EAX, op.width)
  code.get(old)
  compute(t, CMP, op.shift)
  code.op('drop').get(result)
  if (op.shift !== 0) code.const(op.shift).op('i32_shl')
  code.op('i32_eqz').set(equal)
  t.getRegister(op.reg, op.width)
  code.get(old).get(equal).op('select')
  storeTop(t, place, op.width)
  t.getRegister(EAX, op.width)
  code.get(old)
  code.get(equal).op('select')
  t.setRegister(EAX, op.width)
  code.giveBack(old)
  code.giveBack(equal)
  return true
}

export function bindArithmetic(table: TranslatorTable): void {
  for (let operation = 0; operation < 8; operation++) {
    const forms = [rmReg, rmReg, regRm, regRm, accumulatorImmediate, accumulatorImmediate]
    for (const [form, translator] of forms.entries()) table[(operation << 3) + form] = translator
  }
  for (const opcode of [0x80, 0x81, 0x82, 0x83]) table[opcode] = group1
  table[0x84] = testRmReg
  table[0x85] = testRmReg
  table[0xa8] = testAccumulator
  table[0xa9] = testAccumulator
  for (let n = 0; n < 16; n++) table[0x40 + n] = stepRegister
  table[0xf6] = group3
  table[0xf7] = group3
  table[0xfe] = (t, op) => op.reg < 2 && stepRm(t, op)
  table[0xff] = (t, op) => op.reg < 2 && stepRm(t, op)
  table[0x1b0] = cmpxchg
  table[0x1b1] = cmpxchg
  table[0x1c0] = xadd
  table[0x1c1] = xadd
}
