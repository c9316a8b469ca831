/**
 * What a group of instructions gives to the table of `table.ts`.
 */
import type { Instruction } from '../instruction.ts'
import type { Handler, Op } from '../op.ts'

/** Looks at a decoded instruction and answers with its handler. */
export type Binder = (insn: Instruction, op: Op) => Handler

export type OpcodeTable = (Binder | undefined)[]

/** The operand width of instructions whose opcode's low bit tells bytes (0) from words and doublewords (1). */
export function byteOrFull(insn: Instruction, op: Op): void {
  if ((insn.opcode & 1) === 0) {
    op.width = 8
    op.shift = 24
  }
}

/** One handler whatever the operands are. */
export function always(handler: Handler): Binder {
  return () => handler
}

/** One handler that writes EIP. */
export function transferring(handler: Handler): Binder {
  return (_insn, op) => {
    op.transfers = true
    return handler
  }
}

/** One handler behind which its block ends. */
export function ending(handler: Handler): Binder {
  return (_insn, op) => {
    op.endsBlock = true
    return handler
  }
}
