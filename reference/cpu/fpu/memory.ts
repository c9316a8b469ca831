/**
 * FPU operands in memory: addresses with the FPU's own alignments (Intel SDM vol. 3A table 6-7), and numbers in all formats.
 * A store asks for its address, which brings all faults, before anything changes.
 */
import { FLAT, FLAT_READ, FLAT_WRITE } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { checkedAddress, ensureWritable, load8, load16, load32, store8, store16, store32 } from '../memory-access.ts'
import type { Op } from '../op.ts'
import { effectiveAddress } from '../operands.ts'
import { fromDouble, fromInt32, fromInteger, fromSingle } from './convert.ts'
import { noteInstruction, noteOperand } from './environment.ts'
import { EXPONENT_SPECIAL, Extended } from './extended.ts'

/** Formats of a number, by the operand code of `fpu-map.ts` with its kind. */
export type SourceFormat = 'single' | 'double' | 'int16' | 'int32'

const WORD = 4
const LARGE_ALIGNMENT = 8
const WORD_BITS = 32n

export function readableAt(core: Core, op: Op, size: number, alignment: number): number {
  const offset = effectiveAddress(core, op)
  if ((core.r[FLAT + op.segment]! & FLAT_READ) !== 0) return offset
  return checkedAddress(core, op.segment, offset, size, alignment, false)
}

export function writableAt(core: Core, op: Op, size: number, alignment: number): number {
  const offset = effectiveAddress(core, op)
  const isFlat = (core.r[FLAT + op.segment]! & FLAT_WRITE) !== 0
  const at = isFlat ? offset : checkedAddress(core, op.segment, offset, size, alignment, true)
  ensureWritable(core, at, size)
  return at
}

/** The operand was reached: the instruction can no longer fault. */
export function note(core: Core, op: Op): void {
  noteInstruction(core, op)
  if (!op.isRegister) noteOperand(core, op, effectiveAddress(core, op))
}

export function readNumber(core: Core, op: Op, format: SourceFormat): Extended {
  const { arithmetic } = core
  switch (format) {
    case 'single':
      return fromSingle(arithmetic, load32(core, readableAt(core, op, 4, 4)))
    case 'double': {
      const at = readableAt(core, op, 8, LARGE_ALIGNMENT)
      const low = load32(core, at)
      return fromDouble(arithmetic, load32(core, (at + WORD) | 0), low)
    }
    case 'int16':
      return fromInt32((load16(core, readableAt(core, op, 2, 2)) << 16) >> 16)
    case 'int32':
      return fromInt32(load32(core, readableAt(core, op, 4, 4)))
  }
}

export function readInt64(core: Core, op: Op): Extended {
  const at = readableAt(core, op, 8, LARGE_ALIGNMENT)
  const low = load32(core, at)
  return fromInteger((BigInt(load32(core, (at + WORD) | 0)) << WORD_BITS) | BigInt(low >>> 0))
}

export function writeInt64(core: Core, at: number, value: bigint): void {
  store32(core, at, Number(BigInt.asIntN(32, value)))
  store32(core, (at + WORD) | 0, Number(BigInt.asIntN(32, value >> WORD_BITS)))
}

export function readExtended(core: Core, at: number): Extended {
  const low = load32(core, at)
  const high = load32(core, (at + WORD) | 0)
  const top = load16(core, (at + 2 * WORD) | 0)
  return new Extended(top >> 15, top & EXPONENT_SPECIAL, high, low)
}

export function writeExtended(core: Core, at: number, x: Extended): void {
  store32(core, at, x.low)
  store32(core, (at + WORD) | 0, x.high)
  store16(core, (at + 2 * WORD) | 0, (x.sign << 15) | x.exponent)
}

export function readBytes(core: Core, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => load8(core, (at + i) | 0))
}

export function writeBytes(core: Core, at: number, bytes: readonly number[]): void {
  for (const [i, byte] of bytes.entries()) store8(core, (at + i) | 0, byte)
}
