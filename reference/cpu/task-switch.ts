/**
 * Hardware task switches (Intel SDM vol. 3A ch. 7): JMP, CALL, interrupts and IRET to a task-state segment of 16 or 32 bits.
 *
 * All that can be refused is looked at first; then the old task is saved, and from there on faults belong to the new one.
 */
import { ATTRIBUTES, BASE, CR0, CR3, DR, EIP, LDTR, LIMIT, SELECTOR, TR } from '../mmu/layout.ts'
import { CR0_PG, CR0_TS } from './control-registers.ts'
import { type Core, NO_ERROR } from './core.ts'
import {
  type Descriptor,
  dplOf,
  GP,
  isPresent,
  limitOf,
  NP,
  TS,
  TSS_BUSY,
  TYPE_IS_32,
  TYPE_LDT,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS32,
  TYPE_TSS32_BUSY,
  typeOf,
} from './descriptor.ts'
import { FLAGS_KNOWN, getFlags, NT, VM } from './flags.ts'
import { CS, DS, ES, FS, GS, SS } from './instruction.ts'
import { storeAs, systemLoad8, systemLoad16, systemLoad32, systemStore8, translate } from './memory-access.ts'
import {
  checkedStackDescriptor,
  descriptorAddress,
  installDescriptor,
  isCode,
  isConforming,
  isNull,
  isReadable,
  loadV86Segment,
  markAccessed,
  readDescriptor,
  selectorError,
} from './segments.ts'
import { StackFrame } from './stack-frame.ts'
import { writeFlags } from './write-flags.ts'

export type TaskCause = 'jump' | 'call' | 'return'

/** Where a TSS keeps things, in bytes (§7.2.1, §7.6). */
interface TssFormat {
  readonly width: 16 | 32
  readonly smallestLimit: number
  readonly cr3: number
  readonly eip: number
  readonly flags: number
  readonly general: number
  readonly segments: number
  readonly ldt: number
}

const TSS32: TssFormat = {
  width: 32,
  smallestLimit: 0x67,
  cr3: 0x1c,
  eip: 0x20,
  flags: 0x24,
  general: 0x28,
  segments: 0x48,
  ldt: 0x60,
}
const TSS16: TssFormat = {
  width: 16,
  smallestLimit: 0x2b,
  cr3: -1,
  eip: 0x0e,
  flags: 0x10,
  general: 0x12,
  segments: 0x22,
  ldt: 0x2a,
}
/** Bit 0 of this word: the debug trap. */
const TRAP_OFFSET = 0x64
const ACCESS_BYTE = 5
const RPL = 3
const TABLE = 4
const UPPER_WORD = 0xffff_0000
/** Local breakpoints, which a task switch ends. */
const DR7_LOCAL = 0x155
const DR6_TASK_SWITCH = 0x8000

function formatOf(type: number): TssFormat {
  return (type & TYPE_IS_32) !== 0 ? TSS32 : TSS16
}

/** The TSS that a JMP, a CALL, a task gate or a back link names. */
export function taskDescriptor(core: Core, selector: number, cause: TaskCause): Descriptor {
  const isReturn = cause === 'return'
  const vector = isReturn ? TS : GP
  if (isNull(selector) || (selector & TABLE) !== 0) core.raise(vector, selectorError(core, selector))
  const d = readDescriptor(core, selector, vector)
  const type = typeOf(d)
  const isRight = isReturn
    ? type === TYPE_TSS16_BUSY || type === TYPE_TSS32_BUSY
    : type === TYPE_TSS16 || type === TYPE_TSS32
  if (!isRight) core.raise(vector, selectorError(core, selector))
  if (!isPresent(d)) core.raise(NP, selectorError(core, selector))
  return d
}

/** What the new task finds: the words of its TSS. */
interface TaskImage {
  readonly cr3: number
  readonly eip: number
  readonly flags: number
  readonly general: readonly number[]
  readonly segments: readonly number[]
  readonly ldt: number
  readonly trap: boolean
}

function readImage(core: Core, base: number, format: TssFormat): TaskImage {
  const word = (offset: number) => systemLoad16(core, (base + offset) | 0)
  const long = (offset: number) => systemLoad32(core, (base + offset) | 0)
  const is32 = format.width === 32
  const size = is32 ? 4 : 2
  const register = is32 ? long : (offset: number) => word(offset) | UPPER_WORD
  return {
    cr3: is32 ? long(format.cr3) : 0,
    eip: is32 ? long(format.eip) : word(format.eip),
    flags: is32 ? long(format.flags) : word(format.flags),
    general: Array.from({ length: 8 }, (_, i) => register(format.general + i * size)),
    segments: Array.from({ length: is32 ? 6 : 4 }, (_, i) => word(format.segments + i * size)),
    ldt: word(format.ldt),
    trap: is32 && (word(TRAP_OFFSET) & 1) !== 0,
  }
}

/** Writes registers into the running task's TSS; all its pages were found writable before. */
function saveTask(core: Core, flags: number, eip: number): void {
  const { r } = core
  const format = formatOf(r[ATTRIBUTES + TR]!)
  const size = format.width === 32 ? 4 : 2
  const put = (offset: number, value: number) => storeAs(core, (r[BASE + TR]! + offset) | 0, size, value, false)
  put(format.eip, eip)
  put(format.flags, flags)
  for (let i = 0; i < 8; i++) put(format.general + i * size, r[i]!)
  const segments = format.width === 32 ? 6 : 4
  for (let i = 0; i < segments; i++) {
    storeAs(core, (r[BASE + TR]! + format.segments + i * size) | 0, 2, r[SELECTOR + i]!, false)
  }
}

/** Page faults come before anything changes. */
function touch(core: Core, base: number, limit: number): void {
  translate(core, base | 0, true, false)
  translate(core, (base + limit) | 0, true, false)
}

function setBusy(core: Core, selector: number, busy: boolean): void {
  const descriptor = descriptorAddress(core, selector)
  if (descriptor < 0) return
  const at = (descriptor + ACCESS_BYTE) | 0
  const access = systemLoad8(core, at)
  systemStore8(core, at, busy ? access | TSS_BUSY : access & ~TSS_BUSY)
}

export interface TaskSwitch {
  readonly selector: number
  /** From {@link taskDescriptor}. */
  readonly descriptor: Descriptor
  readonly cause: TaskCause
  /** Where the old task goes on, and with what flags. */
  readonly returnEip: number
  readonly flags: number
  /** Pushed on the new task's stack, or `NO_ERROR`. */
  readonly error: number
}

export function switchTask(core: Core, change: TaskSwitch): void {
  const { selector, descriptor, cause } = change
  const { r } = core
  const format = formatOf(typeOf(descriptor))
  const limit = limitOf(descriptor)
  const old = formatOf(r[ATTRIBUTES + TR]!)
  if (limit >>> 0 < format.smallestLimit) core.raise(TS, selectorError(core, selector))
  if (r[LIMIT + TR]! >>> 0 < old.smallestLimit) core.raise(TS, selectorError(core, r[SELECTOR + TR]!))
  const base = (descriptor.low >>> 16) | ((descriptor.high & 0xff) << 16) | (descriptor.high & 0xff00_0000)
  const oldSelector = r[SELECTOR + TR]!
  touch(core, r[BASE + TR]!, old.smallestLimit)
  touch(core, base, format.smallestLimit)
  for (const changed of [oldSelector, selector]) {
    const at = descriptorAddress(core, changed)
    if (at >= 0) touch(core, at, ACCESS_BYTE)
  }
  const image = readImage(core, base, format)

  if (cause !== 'call') setBusy(core, oldSelector, false)
  saveTask(core, cause === 'return' ? change.flags & ~NT : change.flags, change.returnEip)
  if (cause === 'call') storeAs(core, base, 2, oldSelector, false)
  if (cause !== 'return') setBusy(core, selector, true)
  installDescriptor(core, TR, selector, { low: descriptor.low, high: descriptor.high | (TSS_BUSY << 8) })
  r[CR0] = r[CR0]! | CR0_TS
  r[DR + 7] = r[DR + 7]! & ~DR7_LOCAL
  core.refreshBreakpoints()
  core.committed = true
  enterTask(core, image, format, cause === 'call', change.error)
  core.committed = false
}

function enterTask(core: Core, image: TaskImage, format: TssFormat, nested: boolean, error: number): void {
  const { r } = core
  if (format.width === 32 && (r[CR0]! & CR0_PG) !== 0) {
    r[CR3] = image.cr3
    core.refreshPaging()
    core.flushTlb(true)
  }
  for (const [i, value] of image.general.entries()) r[i] = value
  r[EIP] = image.eip
  const flags = (image.flags & FLAGS_KNOWN) | (nested ? NT : 0)
  writeFlags(core, flags)
  for (let i = 0; i < 6; i++) core.setSegment(i, image.segments[i] ?? 0, 0, 0, 0)
  core.setSegment(LDTR, image.ldt, 0, 0, 0)
  const cpl = (flags & VM) !== 0 ? RPL : image.segments[CS]! & RPL
  core.setCpl(cpl)
  core.forgetFetchPage()
  if (image.trap) core.noteDebug(DR6_TASK_SWITCH)
  loadTable(core, image.ldt)
  if ((flags & VM) !== 0) {
    for (const [i, selector] of image.segments.entries()) loadV86Segment(core, i, selector)
  } else loadSegments(core, image.segments, cpl)
  if (error !== NO_ERROR) {
    const stack = StackFrame.current(core)
    stack.push(format.width, error)
    stack.install()
  }
  if (r[EIP]! >>> 0 > r[LIMIT + CS]! >>> 0) core.raise(GP, core.externalEvent)
}

function loadTable(core: Core, selector: number): void {
  if (isNull(selector)) return
  const error = selectorError(core, selector)
  if ((selector & TABLE) !== 0) core.raise(TS, error)
  const d = readDescriptor(core, selector, TS)
  if (typeOf(d) !== TYPE_LDT || !isPresent(d)) core.raise(TS, error)
  installDescriptor(core, LDTR, selector, d)
}

/** Table 7-1: the checks of a task switch, in their order. */
function loadSegments(core: Core, selectors: readonly number[], cpl: number): void {
  const code = codeDescriptor(core, selectors[CS]!, cpl)
  installDescriptor(core, CS, selectors[CS]!, markAccessed(core, selectors[CS]!, code))
  const stackSelector = selectors[SS]!
  if (isNull(stackSelector)) core.raise(TS, selectorError(core, stackSelector))
  const stack = checkedStackDescriptor(core, stackSelector, cpl, TS)
  installDescriptor(core, SS, stackSelector, markAccessed(core, stackSelector, stack))
  for (const segment of [ES, DS, FS, GS]) {
    const selector = selectors[segment] ?? 0
    if (!isNull(selector)) {
      const d = dataDescriptor(core, selector, cpl)
      installDescriptor(core, segment, selector, markAccessed(core, selector, d))
    }
  }
}

function codeDescriptor(core: Core, selector: number, cpl: number): Descriptor {
  const error = selectorError(core, selector)
  if (isNull(selector)) core.raise(TS, error)
  const d = readDescriptor(core, selector, TS)
  if (!isCode(d) || (isConforming(d) ? dplOf(d) > cpl : dplOf(d) !== cpl)) core.raise(TS, error)
  if (!isPresent(d)) core.raise(NP, error)
  return d
}

function dataDescriptor(core: Core, selector: number, cpl: number): Descriptor {
  const error = selectorError(core, selector)
  const d = readDescriptor(core, selector, TS)
  const isPrivate = !isCode(d) || !isConforming(d)
  if (!isReadable(d) || (isPrivate && (dplOf(d) < cpl || dplOf(d) < (selector & RPL)))) core.raise(TS, error)
  if (!isPresent(d)) core.raise(NP, error)
  return d
}

/** IRET with NT: to the task that the back link names (§7.4). */
export function returnToTask(core: Core, returnEip: number): void {
  const link = systemLoad16(core, core.r[BASE + TR]!)
  switchTask(core, {
    selector: link,
    descriptor: taskDescriptor(core, link, 'return'),
    cause: 'return',
    returnEip,
    flags: getFlags(core.r),
    error: NO_ERROR,
  })
  core.nmiBlocked = false
}
