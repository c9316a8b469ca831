/**
 * Handlers of their own for the 32-bit forms that programs execute most. Hot path: guarded by `bench/interpreter.ts`.
 *
 * Each one does the same as the general handler of its opcode, which stays for all other forms.
 */
import { FLAT, FLAT_READ, FLAT_WRITE } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { setAddFlags, setDecFlags, setIncFlags, setLogicFlags, setSubFlags } from '../flags.ts'
import type { Instruction } from '../instruction.ts'
import { checkedAddress, load32, store32 } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import type { OpcodeTable } from './binder.ts'

/** The linear address of a 32-bit memory operand, for reading and for writing. */
function readAt(core: Core, op: Op): number {
  const r = core.r
  const offset = (r[op.base]! + (r[op.index]! << op.scale) + op.displacement) & op.addressMask
  if ((r[FLAT + op.segment]! & FLAT_READ) !== 0) return offset
  return checkedAddress(core, op.segment, offset, 4, 4, false)
}

function writeAt(core: Core, op: Op): number {
  const r = core.r
  const offset = (r[op.base]! + (r[op.index]! << op.scale) + op.displacement) & op.addressMask
  if ((r[FLAT + op.segment]! & FLAT_WRITE) !== 0) return offset
  return checkedAddress(core, op.segment, offset, 4, 4, true)
}

const movRegReg: Handler = (core, op) => {
  core.r[op.rm] = core.r[op.reg]!
}
const movRegRm: Handler = (core, op) => {
  core.r[op.reg] = core.r[op.rm]!
}
const movRegMemory: Handler = (core, op) => {
  core.r[op.reg] = load32(core, readAt(core, op))
}
const movMemoryReg: Handler = (core, op) => {
  store32(core, writeAt(core, op), core.r[op.reg]!)
}
const movRegImmediate: Handler = (core, op) => {
  core.r[op.opcode & 7] = op.immediate
}
const movMemoryImmediate: Handler = (core, op) => {
  store32(core, writeAt(core, op), op.immediate)
}

const addRmReg: Handler = (core, op) => {
  const r = core.r
  const a = r[op.rm]!
  const b = r[op.reg]!
  const result = (a + b) | 0
  r[op.rm] = result
  setAddFlags(r, a, b, result, 0)
}
const addRegRm: Handler = (core, op) => {
  const r = core.r
  const a = r[op.reg]!
  const b = r[op.rm]!
  const result = (a + b) | 0
  r[op.reg] = result
  setAddFlags(r, a, b, result, 0)
}
const addRegMemory: Handler = (core, op) => {
  const r = core.r
  const a = r[op.reg]!
  const b = load32(core, readAt(core, op))
  const result = (a + b) | 0
  r[op.reg] = result
  setAddFlags(r, a, b, result, 0)
}
const addRmImmediate: Handler = (core, op) => {
  const r = core.r
  const a = r[op.rm]!
  const b = op.immediate
  const result = (a + b) | 0
  r[op.rm] = result
  setAddFlags(r, a, b, result, 0)
}

const SUB_SHIFT = 0

const subRmReg: Handler = (core, op) => {
  const r = core.r
  const a = r[op.rm]!
  const b = r[op.reg]!
  const result = (a - b) | 0
  r[op.rm] = result
  setSubFlags(r, a, b, result, SUB_SHIFT)
}
const subRegRm: Handler = (core, op) => {
  const r = core.r
  const a = r[op.reg]!
  const b = r[op.rm]!
  const result = (a - b) | 0
  r[op.reg] = result
  setSubFlags(r, a, b, result, SUB_SHIFT)
}
const subRmImmediate: Handler = (core, op) => {
  const r = core.r
  const a = r[op.rm]!
  const b = op.immediate
  const result = (a - b) | 0
  r[op.rm] = result
  setSubFlags(r, a, b, result, SUB_SHIFT)
}

const cmpRmReg: Handler = (core, op) => {
  const r = core.r
  const a = r[op.rm]!
  const b = r[op.reg]!
  setSubFlags(r, a, b, (a - b) | 0, SUB_SHIFT)
}
const cmpRegRm: Handler = (core, op) => {
  const r = core.r
  const a = r[op.reg]!
  const b = r[op.rm]!
  setSubFlags(r, a, b, (a - b) | 0, SUB_SHIFT)
}
const cmpRegMemory: Handler = (core, op) => {
  const r = core.r
  const a = r[op.reg]!
  const b = load32(core, readAt(core, op))
  setSubFlags(r, a, b, (a - b) | 0, SUB_SHIFT)
}
const cmpMemoryReg: Handler = (core, op) => {
  const r = core.r
  const b = r[op.reg]!
  const a = load32(core, readAt(core, op))
  setSubFlags(r, a, b, (a - b) | 0, SUB_SHIFT)
}
const cmpRmImmediate: Handler = (core, op) => {
  const r = core.r
  const a = r[op.rm]!
  const b = op.immediate
  setSubFlags(r, a, b, (a - b) | 0, SUB_SHIFT)
}
const cmpMemoryImmediate: Handler = (core, op) => {
  const r = core.r
  const a = load32(core, readAt(core, op))
  const b = op.immediate
  setSubFlags(r, a, b, (a - b) | 0, SUB_SHIFT)
}

const andRmReg: Handler = (core, op) => {
  const r = core.r
  const result = r[op.rm]! & r[op.reg]!
  r[op.rm] = result
  setLogicFlags(r, result, 0)
}
const andRmImmediate: Handler = (core, op) => {
  const r = core.r
  const result = r[op.rm]! & op.immediate
  r[op.rm] = result
  setLogicFlags(r, result, 0)
}
const orRmReg: Handler = (core, op) => {
  const r = core.r
  const result = r[op.rm]! | r[op.reg]!
  r[op.rm] = result
  setLogicFlags(r, result, 0)
}
const xorRmReg: Handler = (core, op) => {
  const r = core.r
  const result = r[op.rm]! ^ r[op.reg]!
  r[op.rm] = result
  setLogicFlags(r, result, 0)
}
const xorRegRm: Handler = (core, op) => {
  const r = core.r
  const result = r[op.reg]! ^ r[op.rm]!
  r[op.reg] = result
  setLogicFlags(r, result, 0)
}
const testRmReg: Handler = (core, op) => {
  const r = core.r
  setLogicFlags(r, r[op.rm]! & r[op.reg]!, 0)
}
const incReg: Handler = (core, op) => {
  const r = core.r
  const n = op.opcode & 7
  const a = r[n]!
  const result = (a + 1) | 0
  r[n] = result
  setIncFlags(r, a, result, 0)
}
const decReg: Handler = (core, op) => {
  const r = core.r
  const n = op.opcode & 7
  const a = r[n]!
  const result = (a - 1) | 0
  r[n] = result
  setDecFlags(r, a, result, 0)
}
const lea: Handler = (core, op) => {
  const r = core.r
  r[op.reg] = (r[op.base]! + (r[op.index]! << op.scale) + op.displacement) & op.addressMask
}

/** Handlers by opcode: for a register and for a memory operand. */
const BY_OPCODE: Readonly<Record<number, readonly [register: Handler | undefined, memory: Handler | undefined]>> = {
  1: [addRmReg, undefined],
  3: [addRegRm, addRegMemory],
  9: [orRmReg, undefined],
  33: [andRmReg, undefined],
  41: [subRmReg, undefined],
  43: [subRegRm, undefined],
  49: [xorRmReg, undefined],
  51: [xorRegRm, undefined],
  57: [cmpRmReg, cmpMemoryReg],
  59: [cmpRegRm, cmpRegMemory],
  133: [testRmReg, undefined],
  137: [movRegReg, movMemoryReg],
  139: [movRegRm, movRegMemory],
  141: [undefined, lea],
  199: [undefined, movMemoryImmediate],
}

/** 81 and 83 by reg field. */
const GROUP_1: Readonly<Record<number, readonly [register: Handler | undefined, memory: Handler | undefined]>> = {
  0: [addRmImmediate, undefined],
  4: [andRmImmediate, undefined],
  5: [subRmImmediate, undefined],
  7: [cmpRmImmediate, cmpMemoryImmediate],
}

/** Registers without ModR/M: opcode + number. */
const BY_REGISTER: readonly (readonly [first: number, handler: Handler])[] = [
  [0x40, incReg],
  [0x48, decReg],
  [0xb8, movRegImmediate],
]

/** Puts the fast handlers before the general ones, which must already be in the table. */
export function bindFastPaths(table: OpcodeTable): void {
  const prefer = (opcode: number, choose: (insn: Instruction) => Handler | undefined) => {
    const general = table[opcode]!
    table[opcode] = (insn, op) => {
      const handler = general(insn, op)
      return (op.width === 32 ? choose(insn) : undefined) ?? handler
    }
  }
  for (const [opcode, forms] of Object.entries(BY_OPCODE)) {
    prefer(Number(opcode), (insn) => (insn.mod === 3 ? forms[0] : forms[1]))
  }
  for (const opcode of [0x81, 0x83]) {
    prefer(opcode, (insn) => {
      const forms = GROUP_1[insn.reg]
      return insn.mod === 3 ? forms?.[0] : forms?.[1]
    })
  }
  for (const [first, handler] of BY_REGISTER) {
    for (let n = 0; n < 8; n++) prefer(first + n, () => handler)
  }
}
