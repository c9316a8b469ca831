/**
 * A decoded instruction made ready to run: the operands' fields, and the function that executes it.
 *
 * Ops stand in blocks: straight runs of instructions in one page. `start`, `end` and `position` are relative to the block,
 * because one block may run at several addresses.
 */
import type { DecodedBlock } from '../mmu/code-frames.ts'
import { ZERO } from '../mmu/layout.ts'
import type { Core } from './core.ts'
import { type Instruction, PREFIX_REP, PREFIX_REPNE } from './instruction.ts'

export type Handler = (core: Core, op: Op) => void

export class Op {
  run: Handler
  readonly opcode: number
  /** Operand size in bits: 8, 16 or 32. */
  width: number
  /** Brings a result's sign bit to bit 31: 32 − width. */
  shift: number
  /** The operand size without regard to byte forms: 16 or 32. */
  readonly operandSize: 16 | 32
  readonly isRegister: boolean
  readonly mod: number
  readonly reg: number
  readonly rm: number
  /** Word offsets of base and index register; `ZERO` stands for none. */
  readonly base: number
  readonly index: number
  readonly scale: number
  readonly displacement: number
  /** −1 or 0xFFFF: bits of an address that count. */
  readonly addressMask: number
  readonly segment: number
  immediate: number
  /** Where the immediate stands in machine memory, when it is read anew each time; otherwise −1. */
  live = -1
  readonly immediate2: number
  /** `PREFIX_REP`, `PREFIX_REPNE` or 0. */
  readonly repeat: number
  /** Offset of the first byte in the block, and of the byte behind the instruction. */
  readonly start: number
  readonly end: number
  /** Index in the block. */
  readonly position: number
  /** The next instruction of the block; the last one's is itself. */
  next: Op = this
  /** The instruction writes EIP itself. */
  transfers = false
  /** Something must be looked at behind it: no further instruction in its block. */
  endsBlock = false
  /** Where an indirect branch went, as far as it was noted. */
  targets: number[] | undefined

  constructor(run: Handler, insn: Instruction, start: number, position: number) {
    this.run = run
    this.opcode = insn.opcode
    this.width = insn.operandSize
    this.shift = 32 - insn.operandSize
    this.operandSize = insn.operandSize
    this.isRegister = insn.mod === 3
    this.mod = insn.mod
    this.reg = insn.reg
    this.rm = insn.rm
    this.base = insn.base < 0 ? ZERO : insn.base
    this.index = insn.index < 0 ? ZERO : insn.index
    this.scale = insn.scale
    this.displacement = insn.displacement
    this.addressMask = insn.addressSize === 32 ? -1 : 0xffff
    this.segment = insn.segment
    this.immediate = insn.immediate
    this.immediate2 = insn.immediate2
    this.repeat = insn.prefixes & (PREFIX_REP | PREFIX_REPNE)
    this.start = start
    this.end = start + insn.length
    this.position = position
  }

  /** The same instruction in a block of its own. */
  alone(): Block {
    const copy: Op = Object.assign(Object.create(Op.prototype), this, {
      start: 0,
      end: this.end - this.start,
      position: 0,
    })
    return new Block([copy])
  }
}

export class Block implements DecodedBlock {
  count: number
  readonly ops: readonly Op[]
  readonly first: Op
  readonly lengthBytes: number
  /** How often the interpreter ran it. */
  heat = 0
  /** Translated code that can be entered here, for each vcpu. */
  readonly translations: (unknown | undefined)[] = []

  /** @param ops at least one */
  constructor(ops: readonly [Op, ...Op[]]) {
    this.ops = ops
    this.first = ops[0]
    for (const [i, op] of ops.entries()) op.next = ops[i + 1] ?? op
    this.count = ops.length
    this.lengthBytes = ops.at(-1)?.end ?? 0
  }
}

const MOST_TARGETS = 64

/** An indirect branch goes to `target`: what is translated together with it. */
export function noteTarget(op: Op, target: number): void {
  if (op.targets === undefined) op.targets = [target]
  else if (op.targets[0] !== target && !op.targets.includes(target) && op.targets.length < MOST_TARGETS) {
    op.targets.push(target)
  }
}
