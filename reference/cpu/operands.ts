/**
 * Operands of instructions: registers by number and width, the r/m field, the stack (Intel SDM vol. 1 §3.7, §6.2).
 *
 * A value of width w has its meaning in its low w bits; memory gives unsigned bytes and words and signed doublewords.
 */
import { ESP } from '../mmu/layout.ts'
import type { Core } from './core.ts'
import { SS } from './instruction.ts'
import {
  ensureWritable,
  load8,
  load16,
  load32,
  readAddress,
  store8,
  store16,
  store32,
  writeAddress,
} from './memory-access.ts'
import type { Op } from './op.ts'

/** The offset of the memory operand in its segment. */
export function effectiveAddress(core: Core, op: Op): number {
  const r = core.r
  return (r[op.base]! + (r[op.index]! << op.scale) + op.displacement) & op.addressMask
}

/** Byte register `n`: AL CL DL BL AH CH DH BH. */
export function getReg8(core: Core, n: number): number {
  return core.r8[((n & 3) << 2) + (n >> 2)]!
}

export function setReg8(core: Core, n: number, value: number): void {
  core.r8[((n & 3) << 2) + (n >> 2)] = value
}

export function getReg16(core: Core, n: number): number {
  return core.r16[n << 1]!
}

export function setReg16(core: Core, n: number, value: number): void {
  core.r16[n << 1] = value
}

export function getReg(core: Core, n: number, width: number): number {
  if (width === 32) return core.r[n]!
  return width === 16 ? core.r16[n << 1]! : getReg8(core, n)
}

export function setReg(core: Core, n: number, width: number, value: number): void {
  if (width === 32) core.r[n] = value
  else if (width === 16) core.r16[n << 1] = value
  else setReg8(core, n, value)
}

export function load(core: Core, linear: number, width: number): number {
  if (width === 32) return load32(core, linear)
  return width === 16 ? load16(core, linear) : load8(core, linear)
}

export function store(core: Core, linear: number, width: number, value: number): void {
  if (width === 32) store32(core, linear, value)
  else if (width === 16) store16(core, linear, value)
  else store8(core, linear, value)
}

/** Reads the r/m operand. */
export function getRm(core: Core, op: Op, width: number): number {
  if (op.isRegister) return getReg(core, op.rm, width)
  return load(core, readAddress(core, op.segment, effectiveAddress(core, op), width >> 3), width)
}

/** Writes the r/m operand, without reading it. */
export function setRm(core: Core, op: Op, width: number, value: number): void {
  if (op.isRegister) setReg(core, op.rm, width, value)
  else store(core, writeAddress(core, op.segment, effectiveAddress(core, op), width >> 3), width, value)
}

/** The linear address of a memory operand that is read and then written; all faults come here. */
export function modifyAddress(core: Core, op: Op, width: number): number {
  const linear = writeAddress(core, op.segment, effectiveAddress(core, op), width >> 3)
  ensureWritable(core, linear, width >> 3)
  return linear
}

/** A word at `offset` bytes from the memory operand's start, in its segment. */
export function loadOperandPart(core: Core, op: Op, offset: number, width: number): number {
  const at = (effectiveAddress(core, op) + offset) & op.addressMask
  return load(core, readAddress(core, op.segment, at, width >> 3), width)
}

/** Writes ESP or SP, as the stack segment says. */
export function setStackPointer(core: Core, value: number): void {
  if (core.stackMask === -1) core.r[ESP] = value
  else core.r16[ESP << 1] = value
}

export function push(core: Core, width: number, value: number): void {
  const top = (core.r[ESP]! - (width >> 3)) & core.stackMask
  store(core, writeAddress(core, SS, top, width >> 3), width, value)
  setStackPointer(core, top)
}

/** The value on top of the stack, left there: what the caller does next may fault. */
export function peek(core: Core, width: number, depthBytes: number): number {
  const at = (core.r[ESP]! + depthBytes) & core.stackMask
  return load(core, readAddress(core, SS, at, width >> 3), width)
}

/** Takes `bytes` from the stack. */
export function drop(core: Core, bytes: number): void {
  setStackPointer(core, core.r[ESP]! + bytes)
}
