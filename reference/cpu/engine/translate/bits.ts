/**
 * BT, BTS, BTR, BTC, BSF, BSR, STC, CLC, CMC, CLD, STD, LAHF, SAHF, PUSHF, CLI: twin of parts of `execute/bits.ts` and of
 * `execute/flag-instructions.ts`.
 */
import { ESP, FLAGS } from '../../../mmu/layout.ts'
import { AF, CF, DF, IF, PF, RF, SF, VM, ZF } from '../../flags.ts'
import type { Op } from '../../op.ts'
import { ARITHMETIC, CARRY_ONLY, MATERIAL, MUL, NEEDS_ALL, NOTHING, stateOf } from '../flag-state.ts'
import type { Translator } from '../translator.ts'
import { canReach, getRm, modify, type OpTranslator, storeTop, type TranslatorTable } from './operands.ts'

const WIDTH_MASK = 31
const AH = 4
const SAHF_FLAGS = SF | ZF | AF | PF | CF

/** Takes the new CF from the stack; an overlay that holds OF as well is worked into the flags first. */
function setCarry(t: Translator): void {
  const { code, flags } = t
  const carry = code.borrow()
  code.set(carry)
  flags.require(t.state, NEEDS_ALL)
  if (t.state.overlay !== NOTHING) {
    flags.materialise(t.state)
    t.state = stateOf(MATERIAL)
  }
  code.get(carry).set(flags.locals.other)
  code.giveBack(carry)
  t.state = { ...t.state, overlay: CARRY_ONLY, overlayShift: 0 }
}

/** BT = 0, BTS = 1, BTR = 2, BTC = 3. */
function testBit(t: Translator, op: Op, operation: number, pushIndex: () => void): boolean {
  const isString = !op.isRegister && op.opcode !== 0x1ba
  if (op.width !== 32 || isString || !canReach(t, op, operation !== 0)) return false
  const { code } = t
  const operand = operation === 0 ? { push: () => getRm(t, op, 32), pop: () => undefined } : modify(t, op, 32)
  const index = code.borrow()
  const value = code.borrow()
  pushIndex()
  code.const(WIDTH_MASK).op('i32_and').set(index)
  operand.push()
  code.set(value)
  if (operation !== 0) {
    code.get(value).const(1).get(index).op('i32_shl')
    if (operation === 1) code.op('i32_or')
    else if (operation === 3) code.op('i32_xor')
    else code.const(-1).op('i32_xor').op('i32_and')
    operand.pop()
  }
  code.get(value).get(index).op('i32_shr_u').const(1).op('i32_and')
  setCarry(t)
  code.giveBack(index)
  code.giveBack(value)
  return true
}

function scan(forward: boolean): OpTranslator {
  return (t, op) => {
    if (op.width !== 32 || !canReach(t, op, false)) return false
    const { code } = t
    const { first, result } = t.flags.locals
    const value = code.borrow()
    getRm(t, op, 32)
    code.set(value)
    if (forward) code.get(value).op('i32_ctz')
    else code.const(31).get(value).op('i32_clz').op('i32_sub')
    t.getRegister(op.reg, 32)
    code.get(value).op('select')
    t.setRegister(op.reg, 32)
    code.get(value).const(0).op('i32_ne').set(result).const(0).set(first)
    code.giveBack(value)
    t.state = stateOf(MUL)
    return true
  }
}

const stc: OpTranslator = (t) => {
  t.code.const(1)
  setCarry(t)
  return true
}
const clc: OpTranslator = (t) => {
  t.code.const(0)
  setCarry(t)
  return true
}
const cmc: OpTranslator = (t) => {
  t.flags.carry(t.state)
  t.code.const(1).op('i32_xor')
  setCarry(t)
  return true
}

/** AH is SF ZF AF PF CF, with bit 1 set. */
const lahf: OpTranslator = (t) => {
  const { code, flags } = t
  flags.materialise(t.state)
  t.state = stateOf(MATERIAL)
  code.get(flags.locals.bits).const(SAHF_FLAGS).op('i32_and').const(2).op('i32_or')
  t.setRegister(AH, 8)
  return true
}

const sahf: OpTranslator = (t) => {
  const { code, flags } = t
  flags.materialise(t.state)
  t.state = stateOf(MATERIAL)
  code.get(flags.locals.bits).const(~SAHF_FLAGS).op('i32_and')
  t.getRegister(AH, 8)
  code.const(SAHF_FLAGS).op('i32_and').op('i32_or').set(flags.locals.bits)
  return true
}

/** Not in virtual-8086 mode, where segments are never flat. */
const pushf: OpTranslator = (t, op) => {
  if (op.width !== 32 || !t.hasFlatStack) return false
  const { flags } = t
  const place = t.place(ESP, -4, 4, true)
  flags.materialise(t.state)
  t.state = stateOf(MATERIAL)
  t.loadWord(FLAGS)
    .const(~(ARITHMETIC | VM | RF))
    .op('i32_and')
    .get(flags.locals.bits)
    .op('i32_or')
  storeTop(t, place, 32)
  t.addToRegister(ESP, -4)
  return true
}

/** Of privilege level 0. */
const cli: OpTranslator = (t) => {
  if (t.mode.cpl !== 0) return false
  const { code } = t
  const value = code.borrow()
  t.loadWord(FLAGS).const(~IF).op('i32_and').set(value)
  t.storeWord(FLAGS, value)
  code.giveBack(value)
  return true
}

function setDirection(down: boolean): OpTranslator {
  return (t) => {
    const { code } = t
    const value = code.borrow()
    t.loadWord(FLAGS)
      .const(down ? DF : ~DF)
      .op(down ? 'i32_or' : 'i32_and')
      .set(value)
    t.storeWord(FLAGS, value)
    code.giveBack(value)
    return true
  }
}

export function bindBits(table: TranslatorTable): void {
  for (const opcode of [0x1a3, 0x1ab, 0x1b3, 0x1bb]) {
    table[opcode] = (t, op) => testBit(t, op, (op.opcode >> 3) & 3, () => t.getRegister(op.reg, 32))
  }
  table[0x1ba] = (t, op) => testBit(t, op, op.reg & 3, () => t.code.const(op.immediate))
  table[0x1bc] = scan(true)
  table[0x1bd] = scan(false)
  table[0x9c] = pushf
  table[0x9e] = sahf
  table[0x9f] = lahf
  table[0xf5] = cmc
  table[0xf8] = clc
  table[0xf9] = stc
  table[0xfa] = cli
  table[0xfc] = setDirection(false)
  table[0xfd] = setDirection(true)
}
