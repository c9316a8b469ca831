/**
 * PUSH, POP, PUSHA, POPA, ENTER, LEAVE (Intel SDM vol. 2A/2B), for registers, memory, immediates and segment registers.
 *
 * ESP changes last: an instruction that faults in the middle leaves it as it was.
 */
import { EBP, EDI, ESP, SELECTOR } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { CS, DS, ES, FS, GS, SS } from '../instruction.ts'
import { ensureWritable, readAddress, writeAddress } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import { drop, getReg, getRm, load, peek, push, setReg, setRm, setStackPointer, store } from '../operands.ts'
import { loadSegment } from '../segments.ts'
import { always, ending, type OpcodeTable } from './binder.ts'
import { shadowAfterStackLoad } from './moves.ts'

const ENTER_LEVEL_MASK = 31

const pushReg: Handler = (core, op) => push(core, op.width, getReg(core, op.opcode & 7, op.width))
const pushImmediate: Handler = (core, op) => push(core, op.width, op.immediate)
const pushRm: Handler = (core, op) => push(core, op.width, getRm(core, op, op.width))

const popReg: Handler = (core, op) => {
  const value = peek(core, op.width, 0)
  drop(core, op.width >> 3)
  setReg(core, op.opcode & 7, op.width, value)
}

/** An address with ESP is computed after ESP was incremented. */
const popRm: Handler = (core, op) => {
  const value = peek(core, op.width, 0)
  const before = core.r[ESP]!
  drop(core, op.width >> 3)
  if (op.isRegister) {
    setRm(core, op, op.width, value)
    return
  }
  const after = core.r[ESP]!
  try {
    setRm(core, op, op.width, value)
  } catch (fault) {
    core.r[ESP] = before
    throw fault
  }
  core.r[ESP] = after
}

/** A 32-bit push of a selector has zeros above it. */
function pushSegment(segment: number): Handler {
  return (core, op) => push(core, op.width, core.r[SELECTOR + segment]!)
}

function popSegment(segment: number): Handler {
  return (core, op) => {
    const selector = peekSelector(core, op)
    const before = core.r[ESP]!
    const mask = core.stackMask
    loadSegment(core, segment, selector)
    const after = (before + (op.width >> 3)) & mask
    core.r[ESP] = (before & ~mask) | after
    if (segment === SS) shadowAfterStackLoad(core)
  }
}

/** Only 16 bits are read, whatever the operand size is. */
function peekSelector(core: Core, op: Op): number {
  return peek(core, op.width, 0) & 0xffff
}

const pusha: Handler = (core, op) => {
  const { width } = op
  const size = width >> 3
  const top = core.r[ESP]! & core.stackMask
  const addresses = Array.from({ length: 8 }, (_, i) => {
    const at = writeAddress(core, SS, (top - (i + 1) * size) & core.stackMask, size)
    ensureWritable(core, at, size)
    return at
  })
  for (const [n, at] of addresses.entries()) store(core, at, width, getReg(core, n, width))
  setStackPointer(core, (top - 8 * size) & core.stackMask)
}

/** Registers are written one by one, as processors do: a fault in the middle leaves those already read, and ESP as it was. */
const popa: Handler = (core, op) => {
  const { width } = op
  const size = width >> 3
  for (let i = 0; i < 8; i++) {
    const value = peek(core, width, i * size)
    if (EDI - i !== ESP) setReg(core, EDI - i, width, value)
  }
  drop(core, 8 * size)
}

/** The frame pointers of outer levels are copied; the last write is checked before anything changes. */
const enter: Handler = (core, op) => {
  const r = core.r
  const { width } = op
  const size = width >> 3
  const level = op.immediate2 & ENTER_LEVEL_MASK
  const mask = core.stackMask
  let top = (r[ESP]! - size) & mask
  store(core, writeAddress(core, SS, top, size), width, getReg(core, EBP, width))
  const frame = top
  let outer = r[EBP]!
  for (let i = 1; i < level; i++) {
    outer = (outer - size) & mask
    const pointer = load(core, readAddress(core, SS, outer, size), width)
    top = (top - size) & mask
    store(core, writeAddress(core, SS, top, size), width, pointer)
  }
  const frameValue = mask === -1 ? frame : (r[ESP]! & ~mask) | frame
  if (level > 0) {
    top = (top - size) & mask
    store(core, writeAddress(core, SS, top, size), width, frameValue)
  }
  top = (top - (op.immediate & 0xffff)) & mask
  ensureWritable(core, writeAddress(core, SS, top, size), size)
  setReg(core, EBP, width, frameValue)
  setStackPointer(core, top)
}

const leave: Handler = (core, op) => {
  const { width } = op
  const r = core.r
  const frame = r[EBP]! & core.stackMask
  const value = load(core, readAddress(core, SS, frame, width >> 3), width)
  setStackPointer(core, frame + (width >> 3))
  setReg(core, EBP, width, value)
}

const SEGMENT_PUSHES = [
  [0x06, ES],
  [0x0e, CS],
  [0x16, SS],
  [0x1e, DS],
  [0x1a0, FS],
  [0x1a8, GS],
] as const

export function bindStack(table: OpcodeTable): void {
  for (const [opcode, segment] of SEGMENT_PUSHES) {
    table[opcode] = always(pushSegment(segment))
    if (segment !== CS) table[opcode + 1] = segment === SS ? ending(popSegment(SS)) : always(popSegment(segment))
  }
  for (let n = 0; n < 8; n++) {
    table[0x50 + n] = always(pushReg)
    table[0x58 + n] = always(popReg)
  }
  table[0x60] = always(pusha)
  table[0x61] = always(popa)
  table[0x68] = always(pushImmediate)
  table[0x6a] = always(pushImmediate)
  table[0x8f] = always(popRm)
  table[0xc8] = always(enter)
  table[0xc9] = always(leave)
  const others = table[0xff]!
  table[0xff] = (insn, op) => (insn.reg === 6 ? pushRm : others(insn, op))
}
