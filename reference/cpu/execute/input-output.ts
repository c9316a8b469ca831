/**
 * IN and OUT (Intel SDM vol. 1 ch. 19): each is an exit. INS and OUTS are in `strings.ts`.
 */

import type { AccessSize } from '../../io/device.ts'
import { ATTRIBUTES, BASE, EAX, EDX, FLAGS, LIMIT, TR } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { notePort } from '../debug.ts'
import { ATTR_PRESENT, GP, TYPE_IS_32 } from '../descriptor.ts'
import { IOPL_MASK, IOPL_SHIFT } from '../flags.ts'
import { narrow, systemLoad16 } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import { getReg, getReg16, setReg } from '../operands.ts'
import { byteOrFull, ending, type OpcodeTable } from './binder.ts'

/** Where a 32-bit TSS tells the offset of its I/O permission bitmap. */
const IO_MAP_BASE = 0x66
const SMALLEST_TSS32_LIMIT = 0x67

/** #GP(0) unless IOPL (which virtual-8086 mode does not ask) or the I/O permission bitmap of the TSS allows all `size` ports. */
export function checkPort(core: Core, port: number, size: number): void {
  const r = core.r
  if (!core.protectedMode) return
  if (core.usesDescriptors && core.cpl <= (r[FLAGS]! & IOPL_MASK) >> IOPL_SHIFT) return
  const limit = r[LIMIT + TR]! >>> 0
  const attributes = r[ATTRIBUTES + TR]!
  const hasMap = (attributes & ATTR_PRESENT) !== 0 && (attributes & TYPE_IS_32) !== 0 && limit >= SMALLEST_TSS32_LIMIT
  if (!hasMap) core.raise(GP, 0)
  const offset = systemLoad16(core, (r[BASE + TR]! + IO_MAP_BASE) | 0) + (port >> 3)
  if (offset + 1 > limit) core.raise(GP, 0)
  const bits = systemLoad16(core, (r[BASE + TR]! + offset) | 0)
  if (((bits >> (port & 7)) & ((1 << size) - 1)) !== 0) core.raise(GP, 0)
}

/** Signed when `size` is 4. The instruction exits, and gets the answer when it is executed again. */
export function readPort(core: Core, port: number, size: AccessSize): number {
  notePort(core, port, size)
  if (core.answersUsed < core.answers.length) return narrow(core.answers[core.answersUsed++]!, size)
  return core.exit({ reason: 'io', direction: 'in', port, size, value: 0 })
}

/** The exit follows behind the instruction. */
export function writePort(core: Core, port: number, size: AccessSize, value: number): void {
  notePort(core, port, size)
  const mask = size === 4 ? -1 : (1 << (8 * size)) - 1
  core.exitAfter({ reason: 'io', direction: 'out', port, size, value: (value & mask) >>> 0 })
}

export function accessSize(width: number): AccessSize {
  if (width === 32) return 4
  return width === 16 ? 2 : 1
}

/** Hot path: does not throw for its exit. */
function input(core: Core, op: Op, port: number): void {
  const size = accessSize(op.width)
  checkPort(core, port, size)
  if (core.answersUsed === core.answers.length) {
    notePort(core, port, size)
    core.suspend({ reason: 'io', direction: 'in', port, size, value: 0 })
    return
  }
  setReg(core, EAX, op.width, readPort(core, port, size))
}

function output(core: Core, op: Op, port: number): void {
  checkPort(core, port, op.width >> 3)
  writePort(core, port, accessSize(op.width), getReg(core, EAX, op.width))
}

const inImmediate: Handler = (core, op) => input(core, op, op.immediate & 0xff)
const inDx: Handler = (core, op) => input(core, op, getReg16(core, EDX))
const outImmediate: Handler = (core, op) => output(core, op, op.immediate & 0xff)
const outDx: Handler = (core, op) => output(core, op, getReg16(core, EDX))

export function bindInputOutput(table: OpcodeTable): void {
  for (const [first, handler] of [
    [0xe4, inImmediate],
    [0xe6, outImmediate],
    [0xec, inDx],
    [0xee, outDx],
  ] as const) {
    for (const opcode of [first, first + 1]) {
      table[opcode] = (insn, op) => {
        byteOrFull(insn, op)
        return ending(handler)(insn, op)
      }
    }
  }
}
