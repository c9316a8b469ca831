/**
 * From bytes in memory to blocks of ops. A block is kept by the machine frame of its bytes, so that every address that maps
 * the frame shares it; it never leaves its page. An instruction across two pages is decoded anew each time it runs.
 */

import { HOLE_BYTES } from '../mmu/code-frames.ts'
import { FETCH_FRAME, FETCH_GPA, FETCH_PAGE, FRAME_BYTES, LIMIT, TLB_ADDEND, TLB_MMIO } from '../mmu/layout.ts'
import type { Core } from './core.ts'
import { decodeInstruction, InstructionTooLong } from './decoder.ts'
import { GP } from './descriptor.ts'
import { handlerFor } from './execute/table.ts'
import { CS, type Instruction } from './instruction.ts'
import { translate } from './memory-access.ts'
import { Block, Op } from './op.ts'

const PAGE_MASK = -4096
const OFFSET_MASK = 0xfff
const LONGEST_BLOCK = 64
/** Writes to an immediate after which it counts as data. */
const OFTEN_PATCHED = 3
/** What the bus gives where there is no memory. */
const NO_MEMORY_BYTE = 0xff

/** Thrown by the reader of a page's bytes at the page's end. */
const PAGE_ENDS = { pageEnds: true }

/** Looks up the page of the linear address `at` for fetching. Raises the guest's page fault. */
export function findFetchPage(core: Core, at: number): void {
  const r = core.r
  if (r[FETCH_PAGE] !== (at & PAGE_MASK)) {
    core.forgetFetchPage()
    const e = translate(core, at, false, core.cpl === 3)
    const physical = core.tlbTable.physical[e >> 2]!
    if ((physical & TLB_MMIO) === 0) {
      r[FETCH_FRAME] = (at & PAGE_MASK) + core.tlb[e + TLB_ADDEND]!
    }
    r[FETCH_GPA] = physical & PAGE_MASK
    r[FETCH_PAGE] = at & PAGE_MASK
  }
  const frame = r[FETCH_FRAME]!
  if (frame === -1) return
  const code = core.machine.codeFrames[frame >>> 12]
  if (code !== undefined) core.blocks = core.codeSize === 32 ? code.blocks32 : code.blocks16
}

/** The block that begins at the linear address `at`, in the page that `findFetchPage` found. */
export function decodeBlock(core: Core, at: number): Block {
  const frame = core.r[FETCH_FRAME]!
  if (frame === -1) return decodeUncached(core, at)
  const start = at & OFFSET_MASK
  const bytes = core.bytes
  const ops: Op[] = []
  const patches = core.machine.patchesOf(frame)
  const holes: number[] = []
  let offset = start
  const readByte = (i: number) => {
    if (offset + i >= FRAME_BYTES) throw PAGE_ENDS
    return bytes[frame + offset + i]!
  }
  for (;;) {
    let insn: Instruction
    try {
      insn = decodeInstruction(readByte, core.codeSize)
    } catch (error) {
      if (error !== PAGE_ENDS && !(error instanceof InstructionTooLong)) throw error
      break
    }
    const op = prepare(insn, offset - start, ops.length)
    const end = offset + insn.length
    if (patches !== undefined && isPatched(patches, offset, end) && hasFullImmediate(op)) {
      readAnew(op, frame + end - HOLE_BYTES)
      holes.push(end - HOLE_BYTES)
    }
    core.counters.decodedInstructions++
    ops.push(op)
    offset += insn.length
    if (op.transfers || op.endsBlock || ops.length === LONGEST_BLOCK || offset === FRAME_BYTES) break
  }
  const [first, ...others] = ops
  if (first === undefined) return decodeUncached(core, at)
  const block = new Block([first, ...others])
  const code = core.machine.codeFrameAt(frame)
  code.add(block, start, block.lengthBytes, core.codeSize, holes)
  core.blocks = core.codeSize === 32 ? code.blocks32 : code.blocks16
  return block
}

/** One instruction, fetched byte by byte with all checks. */
export function decodeUncached(core: Core, at: number): Block {
  const eip = (at - core.csBase) >>> 0
  const limit = core.r[LIMIT + CS]! >>> 0
  const readByte = (i: number) => {
    if (eip + i > limit) core.raise(GP, 0)
    const byteAt = (at + i) | 0
    const e = translate(core, byteAt, false, core.cpl === 3)
    if ((core.tlbTable.physical[e >> 2]! & TLB_MMIO) !== 0) return NO_MEMORY_BYTE
    return core.bytes[(byteAt + core.tlb[e + TLB_ADDEND]!) | 0]!
  }
  let insn: Instruction
  try {
    insn = decodeInstruction(readByte, core.codeSize)
  } catch (error) {
    if (error instanceof InstructionTooLong) core.raise(GP, 0)
    throw error
  }
  core.counters.decodedInstructions++
  return new Block([prepare(insn, 0, 0)])
}

/** The last four bytes of an instruction were written over again and again, and nothing else of it. */
function isPatched(patches: Uint8Array, start: number, end: number): boolean {
  const hole = end - HOLE_BYTES
  for (let i = start; i < end; i++) {
    if (i < hole ? patches[i] !== 0 : patches[i]! < OFTEN_PATCHED) return false
  }
  return hole > start
}

/** The opcodes of 32-bit operands that end with an immediate of 32 bits: ALU, TEST, MOV, PUSH, IMUL. */
function hasFullImmediate({ opcode, width, reg }: Op): boolean {
  if (width !== 32) return false
  if (opcode < 0x40) return (opcode & 7) === 5
  if (opcode >= 0xb8 && opcode <= 0xbf) return true
  return [0x68, 0x69, 0x81, 0xa9, 0xc7].includes(opcode) || (opcode === 0xf7 && reg < 2)
}

/** Code that is patched all the time would be decoded all the time: its immediate is read when it runs, from `place` in machine memory. */
function readAnew(op: Op, place: number): void {
  const { run } = op
  op.live = place
  op.run = (core, self) => {
    self.immediate = core.view.getInt32(place, true)
    run(core, self)
  }
}

function prepare(insn: Instruction, start: number, position: number): Op {
  const op = new Op(notBound, insn, start, position)
  op.run = handlerFor(insn, op)
  return op
}

function notBound(): never {
  throw new Error('An op was run before it was bound.')
}
