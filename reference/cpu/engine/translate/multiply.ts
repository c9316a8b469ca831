/**
 * MUL, IMUL, DIV, IDIV of 32 bits: twin of `execute/multiply.ts`. A quotient that does not fit leaves the region, and the
 * interpreter raises #DE.
 */
import { EAX, EDX } from '../../../mmu/layout.ts'
import type { Op } from '../../op.ts'
import { MUL, stateOf } from '../flag-state.ts'
import type { Translator } from '../translator.ts'
import { TYPE_I64 } from '../wasm-code.ts'
import { group3 } from './arithmetic.ts'
import { canReach, getRm, type OpTranslator, type TranslatorTable } from './operands.ts'

const UPPER = 32

function multiply(t: Translator, op: Op, signed: boolean): void {
  const { code } = t
  const { first, result } = t.flags.locals
  const extend = signed ? 'i64_extend_i32_s' : 'i64_extend_i32_u'
  const product = code.borrow(TYPE_I64)
  getRm(t, op, 32)
  code.op(extend)
  t.getRegister(EAX, 32)
  code.op(extend).op('i64_mul').tee(product).op('i32_wrap_i64').tee(result)
  t.setRegister(EAX, 32)
  code.get(product).const64(UPPER).op('i64_shr_u').op('i32_wrap_i64')
  t.setRegister(EDX, 32)
  t.getRegister(EDX, 32)
  if (signed) code.get(result).const(31).op('i32_shr_s').op('i32_ne')
  else code.const(0).op('i32_ne')
  code.set(first)
  code.giveBack(product)
  t.state = stateOf(MUL)
}

function divide(t: Translator, op: Op, signed: boolean): void {
  const { code } = t
  const divisor = code.borrow()
  const quotient = code.borrow()
  const dividend64 = code.borrow(TYPE_I64)
  const quotient64 = code.borrow(TYPE_I64)
  const eax = t.registerLocal(EAX)
  const edx = t.registerLocal(EDX)
  getRm(t, op, 32)
  code.tee(divisor).op('i32_eqz')
  t.leaveIf()
  if (signed) {
    // What would trap: −2^63 / −1 and, in the narrow way, −2^31 / −1. Neither quotient fits.
    code.get(divisor).const(-1).op('i32_eq')
    code.get(edx).const(0x8000_0000).op('i32_eq')
    code.get(eax).const(0x8000_0000).op('i32_eq').op('i32_or').op('i32_and')
    t.leaveIf()
  }
  code.get(edx)
  if (signed) code.get(eax).const(31).op('i32_shr_s').op('i32_eq')
  else code.op('i32_eqz')
  code.if()
  code
    .get(eax)
    .get(divisor)
    .op(signed ? 'i32_div_s' : 'i32_div_u')
    .set(quotient)
  code
    .get(eax)
    .get(divisor)
    .op(signed ? 'i32_rem_s' : 'i32_rem_u')
    .set(edx)
  code.get(quotient).set(eax)
  code.else()
  code.get(edx).op('i64_extend_i32_u').const64(UPPER).op('i64_shl').get(eax).op('i64_extend_i32_u').op('i64_or')
  code
    .tee(dividend64)
    .get(divisor)
    .op(signed ? 'i64_extend_i32_s' : 'i64_extend_i32_u')
  code.op(signed ? 'i64_div_s' : 'i64_div_u').tee(quotient64)
  if (signed) code.get(quotient64).op('i32_wrap_i64').op('i64_extend_i32_s').op('i64_ne')
  else code.const64(UPPER).op('i64_shr_u').const64(0).op('i64_ne')
  t.leaveIf()
  code
    .get(dividend64)
    .get(divisor)
    .op(signed ? 'i64_extend_i32_s' : 'i64_extend_i32_u')
  code
    .op(signed ? 'i64_rem_s' : 'i64_rem_u')
    .op('i32_wrap_i64')
    .set(edx)
  code.get(quotient64).op('i32_wrap_i64').set(eax)
  code.end()
  t.wasChanged(EAX)
  t.wasChanged(EDX)
  for (const local of [divisor, quotient, dividend64, quotient64]) code.giveBack(local)
}

/** The two- and three-operand forms. */
function multiplyInto(t: Translator, op: Op, pushOther: () => void): boolean {
  if (!canReach(t, op, false)) return false
  const { code } = t
  const { first, result } = t.flags.locals
  if (op.width === 16) {
    getRm(t, op, 16)
    code.op('i32_extend16_s')
    pushOther()
    code.op('i32_extend16_s').op('i32_mul').tee(first).op('i32_extend16_s').tee(result)
    t.setRegister(op.reg, 16)
    code.get(first).get(result).op('i32_ne').set(first)
    t.state = stateOf(MUL, op.shift)
    return true
  }
  const product = code.borrow(TYPE_I64)
  getRm(t, op, 32)
  code.op('i64_extend_i32_s')
  pushOther()
  code.op('i64_extend_i32_s').op('i64_mul').tee(product).op('i32_wrap_i64').tee(result)
  t.setRegister(op.reg, 32)
  code.get(product).get(result).op('i64_extend_i32_s').op('i64_ne').set(first)
  code.giveBack(product)
  t.state = stateOf(MUL)
  return true
}

const group3And: OpTranslator = (t, op) => {
  if (op.reg < 4) return group3(t, op)
  if (op.width !== 32 || !canReach(t, op, false)) return false
  if (op.reg < 6) multiply(t, op, op.reg === 5)
  else divide(t, op, op.reg === 7)
  return true
}

export function bindMultiply(table: TranslatorTable): void {
  table[0xf7] = group3And
  table[0x69] = (t, op) => multiplyInto(t, op, () => t.immediate(op))
  table[0x6b] = (t, op) => multiplyInto(t, op, () => t.immediate(op))
  table[0x1af] = (t, op) => multiplyInto(t, op, () => t.getRegister(op.reg, op.width))
}
