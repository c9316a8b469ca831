/**
 * Loading segment registers: descriptor tables, and the checks of type and privilege (Intel SDM vol. 3A §3.4, §5.2–5.7).
 */
import { ATTRIBUTES, BASE, GDTR_BASE, GDTR_LIMIT, LDTR, LIMIT } from '../mmu/layout.ts'
import type { Core } from './core.ts'
import {
  ATTR_CODE,
  ATTR_CONFORMING,
  ATTR_PRESENT,
  ATTR_SEGMENT,
  ATTR_WRITABLE,
  attributesOf,
  baseOf,
  type Descriptor,
  dplOf,
  GP,
  isPresent,
  limitOf,
  NP,
  SS_FAULT,
} from './descriptor.ts'
import { CS, DS, ES, FS, GS, SS } from './instruction.ts'
import { systemLoad8, systemLoad32, systemStore8 } from './memory-access.ts'

/** What real mode gives CS when it is loaded: writable data. */
const REAL_MODE_ATTRIBUTES = 0x93
/** Every segment of virtual-8086 mode: 64 KiB of writable data, DPL 3. */
const V86_ATTRIBUTES = 0xf3
const V86_LIMIT = 0xffff
const SELECTOR_TABLE = 4
const SELECTOR_RPL = 3
const ACCESS_BYTE = 5
const ATTR_TYPE_ACCESSED = 1

/** A selector without privilege names nothing: index 0 of the GDT. */
export function isNull(selector: number): boolean {
  return (selector & ~SELECTOR_RPL & 0xffff) === 0
}

/** The error code that names a selector; bit 0 tells when the program itself did not cause the event. */
export function selectorError(core: Core, selector: number): number {
  return (selector & ~SELECTOR_RPL & 0xffff) | core.externalEvent
}

/** The linear address of a selector's descriptor, or −1 when it is beyond the table. */
export function descriptorAddress(core: Core, selector: number): number {
  const r = core.r
  const offset = selector & 0xfff8
  if ((selector & SELECTOR_TABLE) === 0) {
    return offset + 7 > r[GDTR_LIMIT]! >>> 0 ? -1 : (r[GDTR_BASE]! + offset) >>> 0
  }
  if ((r[ATTRIBUTES + LDTR]! & ATTR_PRESENT) === 0 || offset + 7 > r[LIMIT + LDTR]! >>> 0) return -1
  return (r[BASE + LDTR]! + offset) >>> 0
}

/** @param vector the exception when the selector is beyond its table */
export function readDescriptor(core: Core, selector: number, vector: number): Descriptor {
  const at = descriptorAddress(core, selector)
  if (at < 0) core.raise(vector, selectorError(core, selector))
  return { low: systemLoad32(core, at | 0), high: systemLoad32(core, (at + 4) | 0) }
}

/** The processor marks a descriptor when it loads it. */
export function markAccessed(core: Core, selector: number, d: Descriptor): Descriptor {
  if ((d.high & (ATTR_TYPE_ACCESSED << 8)) !== 0) return d
  const at = (descriptorAddress(core, selector) + ACCESS_BYTE) | 0
  systemStore8(core, at, systemLoad8(core, at) | ATTR_TYPE_ACCESSED)
  return { low: d.low, high: d.high | (ATTR_TYPE_ACCESSED << 8) }
}

/** Copies a descriptor into a segment register's hidden part. */
export function installDescriptor(core: Core, segment: number, selector: number, d: Descriptor): void {
  core.setSegment(segment, selector, baseOf(d), limitOf(d), attributesOf(d))
}

export function isCode(d: Descriptor): boolean {
  return (attributesOf(d) & (ATTR_SEGMENT | ATTR_CODE)) === (ATTR_SEGMENT | ATTR_CODE)
}

export function isConforming(d: Descriptor): boolean {
  return (attributesOf(d) & ATTR_CONFORMING) !== 0
}

export function isWritableData(d: Descriptor): boolean {
  return (attributesOf(d) & (ATTR_SEGMENT | ATTR_CODE | ATTR_WRITABLE)) === (ATTR_SEGMENT | ATTR_WRITABLE)
}

/** Data, or code that may be read. */
export function isReadable(d: Descriptor): boolean {
  const attributes = attributesOf(d)
  if ((attributes & ATTR_SEGMENT) === 0) return false
  return (attributes & ATTR_CODE) === 0 || (attributes & ATTR_WRITABLE) !== 0
}

/** Loads a segment register in virtual-8086 mode (§20.2.1). */
export function loadV86Segment(core: Core, segment: number, selector: number): void {
  core.setSegment(segment, selector, selector << 4, V86_LIMIT, V86_ATTRIBUTES)
}

/** In real mode a segment register is its base; limit and attributes stay what they were. */
export function loadRealSegment(core: Core, segment: number, selector: number): void {
  if (core.protectedMode) {
    loadV86Segment(core, segment, selector)
    return
  }
  const attributes = segment === CS ? REAL_MODE_ATTRIBUTES : core.r[ATTRIBUTES + segment]!
  core.setSegment(segment, selector, selector << 4, core.r[LIMIT + segment]!, attributes)
}

/** MOV and POP to ES, SS, DS, FS or GS, and LES … LGS. */
export function loadSegment(core: Core, segment: number, selector: number): void {
  if (!core.usesDescriptors) loadRealSegment(core, segment, selector)
  else if (segment === SS) loadStackSegment(core, selector)
  else loadDataSegment(core, segment, selector)
}

function loadStackSegment(core: Core, selector: number): void {
  if (isNull(selector)) core.raise(GP, 0)
  const d = checkedStackDescriptor(core, selector, core.cpl, GP)
  installDescriptor(core, SS, selector, markAccessed(core, selector, d))
}

/**
 * A stack segment for privilege level `cpl`.
 * @param vector the exception for a descriptor of the wrong kind: #GP, or #TS for one from the task-state segment
 */
export function checkedStackDescriptor(core: Core, selector: number, cpl: number, vector: number): Descriptor {
  const d = readDescriptor(core, selector, vector)
  const error = selectorError(core, selector)
  if ((selector & SELECTOR_RPL) !== cpl || !isWritableData(d) || dplOf(d) !== cpl) core.raise(vector, error)
  if (!isPresent(d)) core.raise(SS_FAULT, error)
  return d
}

function loadDataSegment(core: Core, segment: number, selector: number): void {
  if (isNull(selector)) {
    core.setSegment(segment, selector, 0, 0, 0)
    return
  }
  const d = readDescriptor(core, selector, GP)
  const error = selectorError(core, selector)
  if (!isReadable(d)) core.raise(GP, error)
  const privileged = !isCode(d) || !isConforming(d)
  if (privileged && (dplOf(d) < (selector & SELECTOR_RPL) || dplOf(d) < core.cpl)) core.raise(GP, error)
  if (!isPresent(d)) core.raise(NP, error)
  installDescriptor(core, segment, selector, markAccessed(core, selector, d))
}

/** After a return to an outer level: data segments that this level may not use become null. */
export function dropPrivilegedSegments(core: Core): void {
  for (const segment of [ES, DS, FS, GS]) {
    const attributes = core.r[ATTRIBUTES + segment]!
    const conforming = (attributes & (ATTR_CODE | ATTR_CONFORMING)) === (ATTR_CODE | ATTR_CONFORMING)
    const dpl = (attributes >> 5) & 3
    if ((attributes & ATTR_PRESENT) !== 0 && !conforming && dpl < core.cpl) core.setSegment(segment, 0, 0, 0, 0)
  }
}
