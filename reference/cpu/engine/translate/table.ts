/**
 * From an opcode to the function that translates it; what has none is left to the interpreter.
 */
import { isUndefined } from '../../execute/table.ts'
import type { Op } from '../../op.ts'
import { bindArithmetic } from './arithmetic.ts'
import { bindBits } from './bits.ts'
import { bindMoves } from './moves.ts'
import { bindMultiply } from './multiply.ts'
import type { OpTranslator, TranslatorTable } from './operands.ts'
import { bindShifts } from './shifts.ts'
import { bindStack } from './stack.ts'
import { bindStrings } from './strings.ts'

const table: TranslatorTable = []
bindArithmetic(table)
bindBits(table)
bindMoves(table)
bindMultiply(table)
bindShifts(table)
bindStack(table)
bindStrings(table)

export function translatorOf(op: Op): OpTranslator | undefined {
  return isUndefined(op) || op.transfers ? undefined : table[op.opcode]
}
