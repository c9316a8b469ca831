/**
 * Segment and gate descriptors (Intel SDM vol. 3A §3.4.5, §3.5, §6.11) and the exceptions by vector (§6.3).
 *
 * Attributes are bits 8–23 of a descriptor's second word: the access byte, then AVL, 0, D/B and G in bits 12–15.
 */
export const ATTR_PRESENT = 0x80
/** Code or data, not a system descriptor. */
export const ATTR_SEGMENT = 0x10
export const ATTR_CODE = 0x08
/** Of a code segment. */
export const ATTR_CONFORMING = 0x04
/** Of a data segment. */
export const ATTR_EXPAND_DOWN = 0x04
/** Of a data segment: writable. Of a code segment: readable. */
export const ATTR_WRITABLE = 0x02
/** D of a code segment, B of a stack segment. */
export const ATTR_BIG = 0x4000
const ATTR_MASK = 0xf0ff

/** Types of system descriptors: the low five bits of the access byte. */
export const TYPE_TSS16 = 1
export const TYPE_LDT = 2
export const TYPE_TSS16_BUSY = 3
export const TYPE_CALL_GATE16 = 4
export const TYPE_TASK_GATE = 5
export const TYPE_INTERRUPT_GATE16 = 6
export const TYPE_TRAP_GATE16 = 7
export const TYPE_TSS32 = 9
export const TYPE_TSS32_BUSY = 11
export const TYPE_CALL_GATE32 = 12
export const TYPE_INTERRUPT_GATE32 = 14
export const TYPE_TRAP_GATE32 = 15
/** The busy bit of a TSS descriptor's type. */
export const TSS_BUSY = 2
/** Set in the type of 32-bit gates and TSSs. */
export const TYPE_IS_32 = 8

/** Exception vectors. */
export const DE = 0
export const DB = 1
export const NMI = 2
export const BP = 3
export const OF_TRAP = 4
export const BR = 5
export const UD = 6
export const NM = 7
export const DF_FAULT = 8
export const TS = 10
export const NP = 11
export const SS_FAULT = 12
export const GP = 13
export const PAGE_FAULT = 14
export const MF = 16
export const AC_FAULT = 17

/** Bit 1 of an error code (bit 0 is `Core.externalEvent`): the index is one of the IDT. */
export const ERROR_IDT = 2

/** A descriptor's two words. */
export interface Descriptor {
  readonly low: number
  readonly high: number
}

export function attributesOf(d: Descriptor): number {
  return (d.high >>> 8) & ATTR_MASK
}

/** The four type bits and the S bit. */
export function typeOf(d: Descriptor): number {
  return (d.high >>> 8) & 0x1f
}

export function dplOf(d: Descriptor): number {
  return (d.high >>> 13) & 3
}

export function isPresent(d: Descriptor): boolean {
  return (d.high & 0x8000) !== 0
}

export function baseOf(d: Descriptor): number {
  return (d.low >>> 16) | ((d.high & 0xff) << 16) | (d.high & 0xff00_0000)
}

/** In bytes, as a signed number. */
export function limitOf(d: Descriptor): number {
  const limit = (d.low & 0xffff) | (d.high & 0xf_0000)
  return (d.high & 0x80_0000) !== 0 ? (limit << 12) | 0xfff : limit
}

/** The offset of a gate. */
export function gateOffset(d: Descriptor): number {
  return (d.low & 0xffff) | (d.high & 0xffff_0000)
}

/** The selector of a gate. */
export function gateSelector(d: Descriptor): number {
  return d.low >>> 16
}
