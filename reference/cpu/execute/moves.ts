/**
 * MOV, MOVZX, MOVSX, LEA, XCHG, CBW/CWDE, CWD/CDQ, XLAT, NOP, loads of segment registers and far pointers (Intel SDM vol. 2A).
 */
import { EAX, EBX, EDX, SELECTOR } from '../../mmu/layout.ts'
import { ATTEND_SHADOW, type Core } from '../core.ts'
import { UD } from '../descriptor.ts'
import { CS, DS, ES, FS, GS, type Instruction, SS } from '../instruction.ts'
import { load8, readAddress, writeAddress } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import {
  effectiveAddress,
  getReg,
  getRm,
  load,
  loadOperandPart,
  modifyAddress,
  setReg,
  setRm,
  store,
} from '../operands.ts'
import { loadSegment } from '../segments.ts'
import { always, byteOrFull, type OpcodeTable } from './binder.ts'

const movRmReg: Handler = (core, op) => setRm(core, op, op.width, getReg(core, op.reg, op.width))
const movRegRm: Handler = (core, op) => setReg(core, op.reg, op.width, getRm(core, op, op.width))
const movRmImmediate: Handler = (core, op) => setRm(core, op, op.width, op.immediate)
const movRegImmediate: Handler = (core, op) => setReg(core, op.opcode & 7, op.width, op.immediate)

/** A0–A3: the address is the displacement. */
const movAccumulatorOffset: Handler = (core, op) => {
  const at = readAddress(core, op.segment, effectiveAddress(core, op), op.width >> 3)
  setReg(core, EAX, op.width, load(core, at, op.width))
}
const movOffsetAccumulator: Handler = (core, op) => {
  const at = writeAddress(core, op.segment, effectiveAddress(core, op), op.width >> 3)
  store(core, at, op.width, getReg(core, EAX, op.width))
}

const movzxByte: Handler = (core, op) => setReg(core, op.reg, op.width, getRm(core, op, 8))
const movzxWord: Handler = (core, op) => setReg(core, op.reg, op.width, getRm(core, op, 16))
const movsxByte: Handler = (core, op) => setReg(core, op.reg, op.width, (getRm(core, op, 8) << 24) >> 24)
const movsxWord: Handler = (core, op) => setReg(core, op.reg, op.width, (getRm(core, op, 16) << 16) >> 16)

const lea: Handler = (core, op) => setReg(core, op.reg, op.width, effectiveAddress(core, op))

const xchgRmReg: Handler = (core, op) => {
  const { width } = op
  const source = getReg(core, op.reg, width)
  if (op.isRegister) {
    setReg(core, op.reg, width, getReg(core, op.rm, width))
    setReg(core, op.rm, width, source)
    return
  }
  const at = modifyAddress(core, op, width)
  const old = load(core, at, width)
  store(core, at, width, source)
  setReg(core, op.reg, width, old)
}

const xchgAccumulator: Handler = (core, op) => {
  const n = op.opcode & 7
  const old = getReg(core, n, op.width)
  setReg(core, n, op.width, getReg(core, EAX, op.width))
  setReg(core, EAX, op.width, old)
}

const cbw: Handler = (core, op) => {
  const half = op.width >> 1
  setReg(core, EAX, op.width, (getReg(core, EAX, half) << (32 - half)) >> (32 - half))
}

const cwd: Handler = (core, op) => {
  setReg(core, EDX, op.width, (getReg(core, EAX, op.width) << op.shift) >> 31)
}

const xlat: Handler = (core, op) => {
  const offset = (core.r[EBX]! + core.r8[0]!) & op.addressMask
  core.r8[0] = load8(core, readAddress(core, op.segment, offset, 1))
}

const nop: Handler = () => undefined

/** A register takes the selector with zeros above it; memory takes 16 bits. */
const movRmSegment: Handler = (core, op) => {
  const selector = core.r[SELECTOR + op.reg]!
  setRm(core, op, op.isRegister ? op.width : 16, selector)
}

const movSegmentRm: Handler = (core, op) => {
  const selector = getRm(core, op, 16)
  loadSegment(core, op.reg, selector)
  if (op.reg === SS) shadowAfterStackLoad(core)
}

/** No interrupt and no single-step trap until the next instruction is complete. */
export function shadowAfterStackLoad(core: Core): void {
  core.attention |= ATTEND_SHADOW
  core.trapSuppressed = true
}

const raiseUndefined: Handler = (core) => core.raise(UD, -1)

function bindSegmentMove(insn: Instruction, op: Op): Handler {
  const loads = insn.opcode === 0x8e
  if (insn.reg > GS || (loads && insn.reg === CS)) return raiseUndefined
  if (!loads) return movRmSegment
  op.endsBlock = insn.reg === SS
  return movSegmentRm
}

/** LES, LDS, LSS, LFS, LGS: nothing changes when the selector is refused. */
function loadFarPointer(segment: number): Handler {
  return (core, op) => {
    const offset = loadOperandPart(core, op, 0, op.width)
    const selector = loadOperandPart(core, op, op.width >> 3, 16)
    loadSegment(core, segment, selector)
    setReg(core, op.reg, op.width, offset)
  }
}

const FAR_POINTER_SEGMENTS = [
  [0xc4, ES],
  [0xc5, DS],
  [0x1b2, SS],
  [0x1b4, FS],
  [0x1b5, GS],
] as const

export function bindMoves(table: OpcodeTable): void {
  const sized = (opcode: number, handler: Handler) => {
    table[opcode] = (insn, op) => {
      byteOrFull(insn, op)
      return handler
    }
  }
  sized(0x86, xchgRmReg)
  sized(0x87, xchgRmReg)
  sized(0x88, movRmReg)
  sized(0x89, movRmReg)
  sized(0x8a, movRegRm)
  sized(0x8b, movRegRm)
  table[0x8c] = bindSegmentMove
  table[0x8d] = always(lea)
  table[0x8e] = bindSegmentMove
  table[0x90] = always(nop)
  for (let n = 1; n < 8; n++) table[0x90 + n] = always(xchgAccumulator)
  table[0x98] = always(cbw)
  table[0x99] = always(cwd)
  sized(0xa0, movAccumulatorOffset)
  sized(0xa1, movAccumulatorOffset)
  sized(0xa2, movOffsetAccumulator)
  sized(0xa3, movOffsetAccumulator)
  for (let n = 0; n < 8; n++) {
    table[0xb0 + n] = (_insn, op) => {
      op.width = 8
      op.shift = 24
      return movRegImmediate
    }
    table[0xb8 + n] = always(movRegImmediate)
  }
  sized(0xc6, movRmImmediate)
  sized(0xc7, movRmImmediate)
  table[0xd7] = always(xlat)
  for (const [opcode, segment] of FAR_POINTER_SEGMENTS) table[opcode] = always(loadFarPointer(segment))
  for (let opcode = 0x118; opcode <= 0x11f; opcode++) table[opcode] = always(nop)
  table[0x1b6] = always(movzxByte)
  table[0x1b7] = always(movzxWord)
  table[0x1be] = always(movsxByte)
  table[0x1bf] = always(movsxWord)
}
