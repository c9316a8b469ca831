/**
 * MOV, MOVZX, MOVSX, LEA, XCHG, CBW/CWDE, CWD/CDQ, NOP, CMOVcc, SETcc, BSWAP: twin of `execute/moves.ts` and of parts of
 * `execute/bits.ts`.
 */
import { EAX, EDX, SELECTOR, ZERO } from '../../../mmu/layout.ts'
import { FEATURE_CMOV } from '../../cpuid.ts'
import { GS } from '../../instruction.ts'
import { canReach, exchange, getRm, modify, type OpTranslator, storeTop, type TranslatorTable } from './operands.ts'

const movRmReg: OpTranslator = (t, op) => {
  if (!canReach(t, op, true)) return false
  if (op.isRegister) {
    const source = op.width === 32 ? t.tracked(op.reg) : undefined
    t.getRegister(op.reg, op.width)
    t.setRegister(op.rm, op.width)
    if (source !== undefined) t.noteTracked(op.rm, source)
    return true
  }
  const place = t.operandPlace(op, op.width >> 3, true)
  t.getRegister(op.reg, op.width)
  storeTop(t, place, op.width)
  return true
}

const movRegRm: OpTranslator = (t, op) => {
  if (!canReach(t, op, false)) return false
  const source = op.isRegister && op.width === 32 ? t.tracked(op.rm) : undefined
  getRm(t, op, op.width)
  t.setRegister(op.reg, op.width)
  if (source !== undefined) t.noteTracked(op.reg, source)
  return true
}

const movRmImmediate: OpTranslator = (t, op) => {
  if (op.reg !== 0 || !canReach(t, op, true)) return false
  if (op.isRegister) {
    t.immediate(op)
    t.setRegister(op.rm, op.width)
    return true
  }
  const place = t.operandPlace(op, op.width >> 3, true)
  t.immediate(op)
  storeTop(t, place, op.width)
  return true
}

const movRegImmediate: OpTranslator = (t, op) => {
  t.immediate(op)
  t.setRegister(op.opcode & 7, op.width)
  return true
}

const movAccumulatorOffset: OpTranslator = (t, op) => {
  if (op.addressMask !== -1 || !t.isFlat(op.segment, false)) return false
  t.load(t.operandPlace(op, op.width >> 3, false), op.width)
  t.setRegister(EAX, op.width)
  return true
}

const movOffsetAccumulator: OpTranslator = (t, op) => {
  if (op.addressMask !== -1 || !t.isFlat(op.segment, true)) return false
  const place = t.operandPlace(op, op.width >> 3, true)
  t.getRegister(EAX, op.width)
  storeTop(t, place, op.width)
  return true
}

function movExtended(width: number, signed: boolean): OpTranslator {
  return (t, op) => {
    if (!canReach(t, op, false)) return false
    const { code } = t
    if (op.isRegister) {
      t.getRegister(op.rm, width)
      if (!signed) code.const(width === 8 ? 0xff : 0xffff).op('i32_and')
      else code.op(width === 8 ? 'i32_extend8_s' : 'i32_extend16_s')
    } else {
      const place = t.operandPlace(op, width >> 3, false)
      if (width === 8) t.loadAs(place, signed ? 'i32_load8_s' : 'i32_load8_u')
      else t.loadAs(place, signed ? 'i32_load16_s' : 'i32_load16_u')
    }
    t.setRegister(op.reg, op.width)
    return true
  }
}

const lea: OpTranslator = (t, op) => {
  if (op.isRegister || op.addressMask !== -1) return false
  const isAddition = op.width === 32 && op.index === ZERO && op.base !== ZERO
  const source = isAddition ? t.tracked(op.base) : undefined
  t.effectiveAddress(op)
  t.setRegister(op.reg, op.width)
  if (source !== undefined) t.noteTracked(op.reg, source, op.displacement)
  return true
}

const xchgRmReg: OpTranslator = (t, op) => {
  if (!canReach(t, op, true)) return false
  const { code } = t
  const operand = modify(t, op, op.width)
  const old = code.borrow()
  operand.push()
  code.set(old)
  t.getRegister(op.reg, op.width)
  exchange(t, op, operand, old)
  code.giveBack(old)
  return true
}

const xchgAccumulator: OpTranslator = (t, op) => {
  const { code } = t
  const n = op.opcode & 7
  const old = code.borrow()
  t.getRegister(n, op.width)
  code.set(old)
  t.getRegister(EAX, op.width)
  t.setRegister(n, op.width)
  code.get(old)
  t.setRegister(EAX, op.width)
  code.giveBack(old)
  return true
}

const cbw: OpTranslator = (t, op) => {
  t.getRegister(EAX, op.width)
  t.code.op(op.width === 32 ? 'i32_extend16_s' : 'i32_extend8_s')
  t.setRegister(EAX, op.width)
  return true
}

const cwd: OpTranslator = (t, op) => {
  const { code } = t
  t.getRegister(EAX, op.width)
  if (op.shift !== 0) code.const(op.shift).op('i32_shl')
  code.const(31).op('i32_shr_s')
  t.setRegister(EDX, op.width)
  return true
}

const nop: OpTranslator = () => true

/** The selector, with zeros above it in a register. */
const movRmSegment: OpTranslator = (t, op) => {
  if (op.reg > GS || !op.isRegister) return false
  t.loadWord(SELECTOR + op.reg)
  t.setRegister(op.rm, op.width)
  return true
}

const moveCondition: OpTranslator = (t, op) => {
  if ((t.features & FEATURE_CMOV) === 0 || !canReach(t, op, false)) return false
  const { code } = t
  getRm(t, op, op.width)
  t.getRegister(op.reg, op.width)
  t.flags.condition(t.state, op.opcode & 15)
  code.op('select')
  t.setRegister(op.reg, op.width)
  return true
}

const setCondition: OpTranslator = (t, op) => {
  if (!canReach(t, op, true)) return false
  if (op.isRegister) {
    t.flags.condition(t.state, op.opcode & 15)
    t.setRegister(op.rm, 8)
    return true
  }
  const place = t.operandPlace(op, 1, true)
  t.flags.condition(t.state, op.opcode & 15)
  storeTop(t, place, 8)
  return true
}

const bswap: OpTranslator = (t, op) => {
  if (op.width !== 32) return false
  const { code } = t
  const n = op.opcode & 7
  const value = t.registerLocal(n)
  code.get(value).const(8).op('i32_rotl').const(0x00ff_00ff).op('i32_and')
  code.get(value).const(8).op('i32_rotr').const(0xff00_ff00).op('i32_and').op('i32_or')
  t.setRegister(n, 32)
  return true
}

export function bindMoves(table: TranslatorTable): void {
  table[0x86] = xchgRmReg
  table[0x87] = xchgRmReg
  table[0x88] = movRmReg
  table[0x89] = movRmReg
  table[0x8a] = movRegRm
  table[0x8b] = movRegRm
  table[0x8c] = movRmSegment
  table[0x8d] = lea
  table[0x90] = nop
  for (let n = 1; n < 8; n++) table[0x90 + n] = xchgAccumulator
  table[0x98] = cbw
  table[0x99] = cwd
  table[0xa0] = movAccumulatorOffset
  table[0xa1] = movAccumulatorOffset
  table[0xa2] = movOffsetAccumulator
  table[0xa3] = movOffsetAccumulator
  for (let n = 0; n < 16; n++) table[0xb0 + n] = movRegImmediate
  table[0xc6] = movRmImmediate
  table[0xc7] = movRmImmediate
  for (let opcode = 0x118; opcode <= 0x11f; opcode++) table[opcode] = nop
  for (let condition = 0; condition < 16; condition++) {
    table[0x140 + condition] = moveCondition
    table[0x190 + condition] = setCondition
  }
  table[0x1b6] = movExtended(8, false)
  table[0x1b7] = movExtended(16, false)
  table[0x1be] = movExtended(8, true)
  table[0x1bf] = movExtended(16, true)
  for (let n = 0; n < 8; n++) table[0x1c8 + n] = bswap
}
