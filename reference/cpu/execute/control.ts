/**
 * JMP, CALL, RET, Jcc, LOOP, JCXZ, INT n, INT3, INTO, INT1, IRET, BOUND (Intel SDM vol. 2A).
 */
import { ECX, EIP, LIMIT } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { BP, BR, DB, GP, OF_TRAP } from '../descriptor.ts'
import { checkV86Privilege, farCall, farJump, farReturn, interruptReturn } from '../far-transfer.ts'
import { carry, condition, isLess, isOverflow, isSign, isZero } from '../flags.ts'
import { CS, type Instruction } from '../instruction.ts'
import { deliverSoftware } from '../interrupts.ts'
import { type Handler, noteTarget, type Op } from '../op.ts'
import { drop, getReg, getRm, loadOperandPart, peek, push } from '../operands.ts'
import { type OpcodeTable, transferring } from './binder.ts'

function nextEip(core: Core, op: Op): number {
  return (core.blockEip + op.end) | 0
}

/** #GP(0) when `eip` is beyond the code segment. */
function checkTarget(core: Core, eip: number): void {
  if (!core.csFlat && eip >>> 0 > core.r[LIMIT + CS]! >>> 0) core.raise(GP, 0)
}

function jump(core: Core, eip: number): void {
  checkTarget(core, eip)
  core.r[EIP] = eip
}

/** The target of a relative branch: 16-bit operands cut EIP to 16 bits. */
function relative(core: Core, op: Op): number {
  const target = (core.blockEip + op.end + op.immediate) | 0
  return op.operandSize === 32 ? target : target & 0xffff
}

function branch(core: Core, op: Op, taken: boolean): void {
  if (taken) jump(core, relative(core, op))
  else core.r[EIP] = core.blockEip + op.end
}

const jmpRelative: Handler = (core, op) => jump(core, relative(core, op))

/** Hot path: the conditions that loops end with have handlers of their own. */
const jccHandlers: readonly Handler[] = [
  (core, op) => branch(core, op, isOverflow(core.r)),
  (core, op) => branch(core, op, !isOverflow(core.r)),
  (core, op) => branch(core, op, carry(core.r) !== 0),
  (core, op) => branch(core, op, carry(core.r) === 0),
  (core, op) => branch(core, op, isZero(core.r)),
  (core, op) => branch(core, op, !isZero(core.r)),
  (core, op) => branch(core, op, condition(core.r, 6)),
  (core, op) => branch(core, op, condition(core.r, 7)),
  (core, op) => branch(core, op, isSign(core.r)),
  (core, op) => branch(core, op, !isSign(core.r)),
  (core, op) => branch(core, op, condition(core.r, 10)),
  (core, op) => branch(core, op, condition(core.r, 11)),
  (core, op) => branch(core, op, isLess(core.r)),
  (core, op) => branch(core, op, !isLess(core.r)),
  (core, op) => branch(core, op, isZero(core.r) || isLess(core.r)),
  (core, op) => branch(core, op, !isZero(core.r) && !isLess(core.r)),
]

function callNear(core: Core, op: Op, target: number): void {
  checkTarget(core, target)
  push(core, op.operandSize, nextEip(core, op))
  core.r[EIP] = target
}

const callRelative: Handler = (core, op) => callNear(core, op, relative(core, op))
const callRm: Handler = (core, op) => callNear(core, op, nearTarget(core, op))
const jmpRm: Handler = (core, op) => jump(core, nearTarget(core, op))

function nearTarget(core: Core, op: Op): number {
  const target = getRm(core, op, op.operandSize)
  if (core.engine !== undefined) noteTarget(op, target)
  return target
}

const ret: Handler = (core, op) => {
  const target = peek(core, op.operandSize, 0)
  jump(core, target)
  drop(core, op.operandSize >> 3)
}

const retImmediate: Handler = (core, op) => {
  const target = peek(core, op.operandSize, 0)
  jump(core, target)
  drop(core, (op.operandSize >> 3) + (op.immediate & 0xffff))
}

const retFar: Handler = (core, op) => farReturn(core, op.operandSize, 0)
const retFarImmediate: Handler = (core, op) => farReturn(core, op.operandSize, op.immediate & 0xffff)

/** A 16-bit far pointer's offset is unsigned. */
function farOffset(op: Op): number {
  return op.operandSize === 16 ? op.immediate & 0xffff : op.immediate
}

const jmpFar: Handler = (core, op) => farJump(core, op.immediate2, farOffset(op), nextEip(core, op))
const callFar: Handler = (core, op) => farCall(core, op.immediate2, farOffset(op), op.operandSize, nextEip(core, op))

const jmpFarMemory: Handler = (core, op) => {
  const offset = loadOperandPart(core, op, 0, op.operandSize)
  farJump(core, loadOperandPart(core, op, op.operandSize >> 3, 16), offset, nextEip(core, op))
}
const callFarMemory: Handler = (core, op) => {
  const offset = loadOperandPart(core, op, 0, op.operandSize)
  const selector = loadOperandPart(core, op, op.operandSize >> 3, 16)
  farCall(core, selector, offset, op.operandSize, nextEip(core, op))
}

/** FF by reg field. */
const GROUP_5: Readonly<Record<number, Handler>> = { 2: callRm, 3: callFarMemory, 4: jmpRm, 5: jmpFarMemory }

const iret: Handler = (core, op) => interruptReturn(core, op.operandSize, nextEip(core, op))

function softwareInterrupt(core: Core, op: Op, vector: number): void {
  deliverSoftware(core, vector, nextEip(core, op))
}

/** INT3 and INTO are exceptions, which a hypervisor may intercept: it then sees EIP behind the instruction. */
function trapInstruction(core: Core, op: Op, vector: number): void {
  if ((core.interceptExceptions & (1 << vector)) !== 0) {
    core.r[EIP] = nextEip(core, op)
    core.exitAfter({ reason: 'exception', vector, error: -1 })
    return
  }
  softwareInterrupt(core, op, vector)
}

const int3: Handler = (core, op) => trapInstruction(core, op, BP)
const int1: Handler = (core, op) => trapInstruction(core, op, DB)
const intN: Handler = (core, op) => {
  checkV86Privilege(core)
  softwareInterrupt(core, op, op.immediate & 0xff)
}
const into: Handler = (core, op) => {
  if (isOverflow(core.r)) trapInstruction(core, op, OF_TRAP)
  else core.r[EIP] = nextEip(core, op)
}

/** The counter is (E)CX, by address size. */
function decrementCount(core: Core, op: Op): number {
  return op.addressMask === -1 ? (core.r[ECX]! - 1) | 0 : (core.r[ECX]! - 1) & 0xffff
}

function loopWhile(core: Core, op: Op, goesOn: boolean): void {
  const count = decrementCount(core, op)
  branch(core, op, goesOn && count !== 0)
  if (op.addressMask === -1) core.r[ECX] = count
  else core.r16[ECX << 1] = count
}

const loop: Handler = (core, op) => loopWhile(core, op, true)
const loope: Handler = (core, op) => loopWhile(core, op, isZero(core.r))
const loopne: Handler = (core, op) => loopWhile(core, op, !isZero(core.r))
const jcxz: Handler = (core, op) => branch(core, op, (core.r[ECX]! & op.addressMask) === 0)

const bound: Handler = (core, op) => {
  const { width, shift } = op
  const index = (getReg(core, op.reg, width) << shift) >> shift
  const lower = (loadOperandPart(core, op, 0, width) << shift) >> shift
  const upper = (loadOperandPart(core, op, width >> 3, width) << shift) >> shift
  if (index < lower || index > upper) core.raise(BR, -1)
}

export function bindControl(table: OpcodeTable): void {
  table[0x62] = () => bound
  for (let code = 0; code < 16; code++) {
    table[0x70 + code] = transferring(jccHandlers[code]!)
    table[0x180 + code] = transferring(jccHandlers[code]!)
  }
  const others = table[0xff]!
  table[0xff] = (insn: Instruction, op: Op) => {
    const handler = GROUP_5[insn.reg]
    if (handler === undefined) return others(insn, op)
    op.transfers = true
    return handler
  }
  const plain: readonly (readonly [opcode: number, handler: Handler])[] = [
    [0x9a, callFar],
    [0xc2, retImmediate],
    [0xc3, ret],
    [0xca, retFarImmediate],
    [0xcb, retFar],
    [0xcc, int3],
    [0xcd, intN],
    [0xce, into],
    [0xcf, iret],
    [0xe0, loopne],
    [0xe1, loope],
    [0xe2, loop],
    [0xe3, jcxz],
    [0xe8, callRelative],
    [0xe9, jmpRelative],
    [0xea, jmpFar],
    [0xeb, jmpRelative],
    [0xf1, int1],
  ]
  for (const [opcode, handler] of plain) table[opcode] = transferring(handler)
}
