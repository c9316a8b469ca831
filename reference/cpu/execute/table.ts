/**
 * From an opcode to the function that executes it. Each group of instructions puts its binders into one table; a binder
 * looks once at a decoded instruction and chooses the handler that runs each time.
 */
import { UD } from '../descriptor.ts'
import { type Instruction, PREFIX_LOCK } from '../instruction.ts'
import type { Handler, Op } from '../op.ts'
import { formOf, OPCODE_COUNT } from '../opcode-map.ts'
import { bindArithmetic } from './arithmetic.ts'
import { bindBcd } from './bcd.ts'
import type { OpcodeTable } from './binder.ts'
import { bindBits } from './bits.ts'
import { bindControl } from './control.ts'
import { bindFastPaths } from './fast-paths.ts'
import { bindFlags } from './flag-instructions.ts'
import { bindFpu } from './fpu.ts'
import { bindInputOutput } from './input-output.ts'
import { isLockable } from './lock.ts'
import { bindMoves } from './moves.ts'
import { bindMultiply } from './multiply.ts'
import { bindProtection } from './protection.ts'
import { bindShifts } from './shifts.ts'
import { bindStack } from './stack.ts'
import { bindStrings } from './strings.ts'
import { bindSystem } from './system.ts'

const table: OpcodeTable = new Array(OPCODE_COUNT)
bindArithmetic(table)
bindBcd(table)
bindBits(table)
bindControl(table)
bindFlags(table)
bindFpu(table)
bindInputOutput(table)
bindMoves(table)
bindMultiply(table)
bindProtection(table)
bindShifts(table)
bindStack(table)
bindStrings(table)
bindSystem(table)
bindFastPaths(table)

/** The handler of a decoded instruction. `op` gets its width, and whether it ends its block. */
export function handlerFor(insn: Instruction, op: Op): Handler {
  const isLocked = (insn.prefixes & PREFIX_LOCK) !== 0
  const isDefined = formOf(insn.opcode, insn.mod, insn.reg, insn.rm) !== undefined
  const binder = table[insn.opcode]
  if (!isDefined || binder === undefined || (isLocked && !isLockable(insn))) {
    op.endsBlock = true
    return undefinedOpcode
  }
  return binder(insn, op)
}

/** Executing it raises #UD. */
export function isUndefined(op: Op): boolean {
  return op.run === undefinedOpcode
}

const undefinedOpcode: Handler = (core) => core.raise(UD, -1)
