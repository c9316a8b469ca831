/**
 * The floating-point escapes D8–DF: from the form that `fpu-map.ts` gives to its handler. FWAIT is here, too.
 */

import { FEATURE_CMOV } from '../cpuid.ts'
import { UD } from '../descriptor.ts'
import { wait } from '../fpu/exceptions.ts'
import type { SourceFormat } from '../fpu/memory.ts'
import { fpuFormOf } from '../fpu-map.ts'
import type { Handler } from '../op.ts'
import type { OpcodeForm } from '../opcode-form.ts'
import { always, type OpcodeTable } from './binder.ts'
import { BINARY, compareMemory, compareStack, FUNCTIONS, withMemory, withStack } from './fpu-arithmetic.ts'
import { CONTROL } from './fpu-control.ts'
import { MOVES, moveIf } from './fpu-moves.ts'

const FIRST_ESCAPE = 0xd8
const LAST_ESCAPE = 0xdf

const FORMATS: Readonly<Record<string, SourceFormat>> = { Md: 'single', Mq: 'double' }
const INTEGER_FORMATS: Readonly<Record<string, SourceFormat>> = { Mw: 'int16', Md: 'int32' }

/** The condition of Jcc that FCMOVcc moves on. */
const MOVE_CONDITIONS: Readonly<Record<string, number>> = {
  fcmovb: 2,
  fcmovnb: 3,
  fcmove: 4,
  fcmovne: 5,
  fcmovbe: 6,
  fcmovnbe: 7,
  fcmovu: 10,
  fcmovnu: 11,
}

/** Comparisons of ST with a register. */
const COMPARISONS: Readonly<Record<string, Handler>> = {
  fcom: compareStack({}),
  fcomp: compareStack({ pops: 1 }),
  fcompp: compareStack({ pops: 2 }),
  fucom: compareStack({ quiet: true }),
  fucomp: compareStack({ quiet: true, pops: 1 }),
  fucompp: compareStack({ quiet: true, pops: 2 }),
}
const FLAG_COMPARISONS: Readonly<Record<string, Handler>> = {
  fcomi: compareStack({ toFlags: true }),
  fcomip: compareStack({ toFlags: true, pops: 1 }),
  fucomi: compareStack({ toFlags: true, quiet: true }),
  fucomip: compareStack({ toFlags: true, quiet: true, pops: 1 }),
}

/** What the P6 family brought is undefined for a processor without CMOV. */
function withCmov(handler: Handler): Handler {
  return (core, op) => {
    if ((core.model.features & FEATURE_CMOV) === 0) core.raise(UD, -1)
    handler(core, op)
  }
}

const bound = new Map<OpcodeForm, Handler>()

/** The handler of a form, which is the same whatever the other fields are. */
function handlerOf(form: OpcodeForm): Handler {
  let handler = bound.get(form)
  if (handler === undefined) {
    handler = choose(form)
    bound.set(form, handler)
  }
  return handler
}

function choose({ mnemonic, operands }: OpcodeForm): Handler {
  const [operand = '', other] = operands
  const key = [mnemonic, ...operands].join(' ')
  const condition = MOVE_CONDITIONS[mnemonic]
  if (condition !== undefined) return withCmov(moveIf(condition))
  const toFlags = FLAG_COMPARISONS[mnemonic]
  if (toFlags !== undefined) return withCmov(toFlags)
  const plain = CONTROL[key] ?? MOVES[key] ?? FUNCTIONS[key]
  if (plain !== undefined) return plain
  if (operand.startsWith('M')) return chooseMemory(mnemonic, operand)
  if (other === undefined) return COMPARISONS[mnemonic]!
  const pops = mnemonic.endsWith('p')
  return withStack(BINARY[mnemonic.slice(1, pops ? -1 : undefined)]!, operand === 'ST', pops)
}

/** FADD … FDIVR, FCOM and FCOMP of memory, and the same with an integer. */
function chooseMemory(mnemonic: string, operand: string): Handler {
  const isInteger = mnemonic.startsWith('fi')
  const name = mnemonic.slice(isInteger ? 2 : 1)
  const format = (isInteger ? INTEGER_FORMATS : FORMATS)[operand]!
  const operation = BINARY[name]
  if (operation !== undefined) return withMemory(operation, format)
  return compareMemory(format, name === 'comp' ? 1 : 0)
}

export function bindFpu(table: OpcodeTable): void {
  table[0x9b] = always(wait)
  for (let opcode = FIRST_ESCAPE; opcode <= LAST_ESCAPE; opcode++) {
    table[opcode] = (insn) => handlerOf(fpuFormOf(insn.opcode, insn.mod, insn.reg, insn.rm)!)
  }
}
