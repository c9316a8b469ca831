/**
 * How instructions reach memory: segment checks (Intel SDM vol. 3A §5.3), then the TLB, then machine memory.
 *
 * Hot path: the `load…` and `store…` functions consult the TLB inline (`bench/interpreter.ts` guards them). Everything
 * else, page boundaries, misses, MMIO and pages that hold decoded code, goes through the slow functions below them.
 */
import type { AccessSize } from '../io/device.ts'
import {
  ATTRIBUTES,
  BASE,
  FLAT,
  FLAT_READ,
  FLAT_WRITE,
  FRAME_SHIFT,
  LIMIT,
  TLB_ADDEND,
  TLB_MMIO,
  TLB_PAGE,
  TLB_WRITABLE,
  TLB_WRITE,
} from '../mmu/layout.ts'
import { TRANSLATED } from '../mmu/policy.ts'
import { TLB_INDEX_SHIFT } from '../mmu/tlb.ts'
import type { Core } from './core.ts'
import { noteAccess } from './debug.ts'
import {
  AC_FAULT,
  ATTR_BIG,
  ATTR_CODE,
  ATTR_EXPAND_DOWN,
  ATTR_PRESENT,
  ATTR_WRITABLE,
  GP,
  PAGE_FAULT,
  SS_FAULT,
} from './descriptor.ts'
import { SS } from './instruction.ts'

const PAGE_MASK = -4096
const OFFSET_MASK = 0xfff
const PAGE_BYTES = 4096

/** The linear address of `size` bytes at `offset` of a segment, for reading. */
export function readAddress(core: Core, segment: number, offset: number, size: number): number {
  if ((core.r[FLAT + segment]! & FLAT_READ) !== 0) return offset
  return checkedAddress(core, segment, offset, size, size, false)
}

/** The linear address of `size` bytes at `offset` of a segment, for writing. */
export function writeAddress(core: Core, segment: number, offset: number, size: number): number {
  if ((core.r[FLAT + segment]! & FLAT_WRITE) !== 0) return offset
  return checkedAddress(core, segment, offset, size, size, true)
}

/** @param alignment in bytes: what #AC asks of the address while alignment is checked */
export function checkedAddress(
  core: Core,
  segment: number,
  offset: number,
  size: number,
  alignment: number,
  write: boolean,
): number {
  const r = core.r
  const attributes = r[ATTRIBUTES + segment]!
  if ((attributes & ATTR_PRESENT) === 0) refuse(core, segment)
  if ((attributes & ATTR_CODE) !== 0) {
    if (write || (attributes & ATTR_WRITABLE) === 0) refuse(core, segment)
  } else if (write && (attributes & ATTR_WRITABLE) === 0) refuse(core, segment)
  const first = offset >>> 0
  const last = first + size - 1
  const limit = r[LIMIT + segment]! >>> 0
  if ((attributes & (ATTR_CODE | ATTR_EXPAND_DOWN)) === ATTR_EXPAND_DOWN) {
    const top = (attributes & ATTR_BIG) !== 0 ? 0xffff_ffff : 0xffff
    if (first <= limit || last > top) refuse(core, segment)
  } else if (last > limit) refuse(core, segment)
  const linear = (r[BASE + segment]! + offset) | 0
  if (core.alignmentChecked && (linear & (alignment - 1)) !== 0) core.raise(AC_FAULT, 0)
  return linear
}

function refuse(core: Core, segment: number): never {
  return core.raise(segment === SS ? SS_FAULT : GP, 0)
}

export function load8(core: Core, linear: number): number {
  const tlb = core.tlb
  const e = core.tlbHalf + ((linear >>> TLB_INDEX_SHIFT) & core.tlbMask)
  if (tlb[e] === (linear & PAGE_MASK)) return core.bytes[(linear + tlb[e + TLB_ADDEND]!) | 0]!
  return slowLoad(core, linear, 1)
}

/** Unsigned. */
export function load16(core: Core, linear: number): number {
  const tlb = core.tlb
  const e = core.tlbHalf + ((linear >>> TLB_INDEX_SHIFT) & core.tlbMask)
  if (tlb[e] === ((linear + 1) & PAGE_MASK)) return core.view.getUint16((linear + tlb[e + TLB_ADDEND]!) | 0, true)
  return slowLoad(core, linear, 2)
}

/** Signed. */
export function load32(core: Core, linear: number): number {
  const tlb = core.tlb
  const e = core.tlbHalf + ((linear >>> TLB_INDEX_SHIFT) & core.tlbMask)
  if (tlb[e] === ((linear + 3) & PAGE_MASK)) return core.view.getInt32((linear + tlb[e + TLB_ADDEND]!) | 0, true)
  return slowLoad(core, linear, 4)
}

export function store8(core: Core, linear: number, value: number): void {
  const tlb = core.tlb
  const e = core.tlbHalf + ((linear >>> TLB_INDEX_SHIFT) & core.tlbMask)
  if (tlb[e + TLB_WRITE] === (linear & PAGE_MASK)) core.bytes[(linear + tlb[e + TLB_ADDEND]!) | 0] = value
  else slowStore(core, linear, 1, value)
}

export function store16(core: Core, linear: number, value: number): void {
  const tlb = core.tlb
  const e = core.tlbHalf + ((linear >>> TLB_INDEX_SHIFT) & core.tlbMask)
  if (tlb[e + TLB_WRITE] === ((linear + 1) & PAGE_MASK)) {
    core.view.setInt16((linear + tlb[e + TLB_ADDEND]!) | 0, value, true)
  } else slowStore(core, linear, 2, value)
}

export function store32(core: Core, linear: number, value: number): void {
  const tlb = core.tlb
  const e = core.tlbHalf + ((linear >>> TLB_INDEX_SHIFT) & core.tlbMask)
  if (tlb[e + TLB_WRITE] === ((linear + 3) & PAGE_MASK)) {
    core.view.setInt32((linear + tlb[e + TLB_ADDEND]!) | 0, value, true)
  } else slowStore(core, linear, 4, value)
}

/** Makes sure that `size` bytes can be written, before an instruction that reads them first changes anything. */
export function ensureWritable(core: Core, linear: number, size: number): void {
  const tlb = core.tlb
  const e = core.tlbHalf + ((linear >>> TLB_INDEX_SHIFT) & core.tlbMask)
  if (tlb[e + TLB_WRITE] === ((linear + size - 1) & PAGE_MASK)) return
  translate(core, linear, true, core.cpl === 3)
  if ((linear & OFFSET_MASK) + size > PAGE_BYTES) translate(core, (linear + size - 1) & PAGE_MASK, true, core.cpl === 3)
}

/** Loads with supervisor rights, as the processor reads descriptor tables and task-state segments. */
export function systemLoad32(core: Core, linear: number): number {
  const e = (linear >>> TLB_INDEX_SHIFT) & core.tlbMask
  if (core.tlb[e] === ((linear + 3) & PAGE_MASK))
    return core.view.getInt32((linear + core.tlb[e + TLB_ADDEND]!) | 0, true)
  return systemLoad16(core, linear) | (systemLoad16(core, linear + 2) << 16) | 0
}

export function systemLoad16(core: Core, linear: number): number {
  const e = (linear >>> TLB_INDEX_SHIFT) & core.tlbMask
  if (core.tlb[e] === ((linear + 1) & PAGE_MASK))
    return core.view.getUint16((linear + core.tlb[e + TLB_ADDEND]!) | 0, true)
  return systemLoad8(core, linear) | (systemLoad8(core, linear + 1) << 8)
}

export function systemLoad8(core: Core, linear: number): number {
  return readPhysical(core, translate(core, linear, false, false), linear, 1)
}

export function systemStore8(core: Core, linear: number, value: number): void {
  writePhysical(core, translate(core, linear, true, false), linear, 1, value)
}

/**
 * The TLB entry (word offset) of the page that holds `linear`, asking the MMU policy when there is none that allows the access.
 * Raises the guest's page fault.
 */
export function translate(core: Core, linear: number, write: boolean, user: boolean): number {
  const tlb = core.tlb
  const e = core.tlbTable.index(user ? core.tlbTable.halfWords : 0, linear)
  const isKnown = tlb[e + TLB_PAGE] === (linear & PAGE_MASK)
  if (isKnown && (!write || (core.tlbTable.physical[e >> 2]! & TLB_WRITABLE) !== 0)) return e
  core.counters.tlbMisses++
  core.charge('tlbMiss', 1)
  const found = core.found
  const error = core.mmu.translate(linear | 0, write, user, core.paging, found)
  core.counters.pageWalkReads += found.reads
  core.charge('pageWalkRead', found.reads)
  if (error !== TRANSLATED) {
    core.fault.cr2 = linear | 0
    core.raise(PAGE_FAULT, error)
  }
  core.tlbTable.fill(e, linear, found)
  return e
}

function slowLoad(core: Core, linear: number, size: AccessSize): number {
  if (core.breakpoints.data.length > 0) noteAccess(core, linear, size, false)
  const user = core.cpl === 3
  if ((linear & OFFSET_MASK) + size > PAGE_BYTES) {
    let value = 0
    for (let i = 0; i < size; i++) {
      const at = (linear + i) | 0
      value |= readPhysical(core, translate(core, at, false, user), at, 1) << (8 * i)
    }
    return value
  }
  return readPhysical(core, translate(core, linear, false, user), linear, size)
}

function slowStore(core: Core, linear: number, size: AccessSize, value: number): void {
  storeAs(core, linear, size, value, core.cpl === 3)
  if (core.breakpoints.data.length > 0) noteAccess(core, linear, size, true)
}

/** A store with the rights of a user or supervisor, whatever the current level is. */
export function storeAs(core: Core, linear: number, size: AccessSize, value: number, user: boolean): void {
  const e = core.tlbTable.index(user ? core.tlbTable.halfWords : 0, linear)
  if (size === 4 && core.tlb[e + TLB_WRITE] === ((linear + 3) & PAGE_MASK)) {
    core.view.setInt32((linear + core.tlb[e + TLB_ADDEND]!) | 0, value, true)
    return
  }
  if ((linear & OFFSET_MASK) + size <= PAGE_BYTES) {
    writePhysical(core, translate(core, linear, true, user), linear, size, value)
    return
  }
  translate(core, linear, true, user)
  translate(core, (linear + size - 1) & PAGE_MASK, true, user)
  for (let i = 0; i < size; i++) {
    const at = (linear + i) | 0
    writePhysical(core, translate(core, at, true, user), at, 1, (value >>> (8 * i)) & 0xff)
  }
}

function readPhysical(core: Core, entry: number, linear: number, size: AccessSize): number {
  const physical = core.tlbTable.physical[entry >> 2]!
  if ((physical & TLB_MMIO) !== 0) return readMmio(core, ((physical & PAGE_MASK) | (linear & OFFSET_MASK)) >>> 0, size)
  const at = (linear + core.tlb[entry + TLB_ADDEND]!) | 0
  if (size === 1) return core.bytes[at]!
  return size === 2 ? core.view.getUint16(at, true) : core.view.getInt32(at, true)
}

function writePhysical(core: Core, entry: number, linear: number, size: AccessSize, value: number): void {
  const tlb = core.tlb
  const physical = core.tlbTable.physical[entry >> 2]!
  if ((physical & TLB_MMIO) !== 0) {
    writeMmio(core, ((physical & PAGE_MASK) | (linear & OFFSET_MASK)) >>> 0, size, value)
    return
  }
  const at = (linear + tlb[entry + TLB_ADDEND]!) | 0
  const machine = core.machine
  if (machine.codeFrames[at >>> FRAME_SHIFT] !== undefined) machine.noteWrite(at, size)
  const isTraced = machine.traced[at >>> FRAME_SHIFT] !== 0
  const isSeen =
    isTraced || machine.codeFrames[at >>> FRAME_SHIFT] !== undefined || core.breakpoints.pages.has(linear & PAGE_MASK)
  if (!isSeen) tlb[entry + TLB_WRITE] = linear & PAGE_MASK
  if (size === 1) core.bytes[at] = value
  else if (size === 2) core.view.setInt16(at, value, true)
  else core.view.setInt32(at, value, true)
  if (isTraced) machine.noteStored(at, size)
}

/** What the processor answers by itself, or the hypervisor's answer when there is one; otherwise the instruction exits and is executed again. */
function readMmio(core: Core, gpa: number, size: AccessSize): number {
  const local = core.readLocal?.(gpa, size)
  if (local !== undefined) return narrow(local, size)
  if (core.answersUsed < core.answers.length) return narrow(core.answers[core.answersUsed++]!, size)
  return core.exit({ reason: 'mmio', write: false, gpa, size, value: 0 })
}

/** A hypervisor's answer as a load gives it: unsigned bytes and words, signed doublewords. */
export function narrow(value: number, size: AccessSize): number {
  if (size === 4) return value | 0
  return size === 2 ? value & 0xffff : value & 0xff
}

/** The exit follows behind the instruction, which need not wait for it. */
function writeMmio(core: Core, gpa: number, size: AccessSize, value: number): void {
  const mask = size === 4 ? 0xffff_ffff : (1 << (8 * size)) - 1
  core.exitAfter({ reason: 'mmio', write: true, gpa, size, value: (value & mask) >>> 0 })
}
