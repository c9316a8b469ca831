/**
 * Far JMP, CALL and RET, and IRET (Intel SDM vol. 2A/2B; vol. 3A §5.8, §6.12.1): code segments, call gates, stack switches,
 * virtual-8086 mode; task gates and TSS selectors go on in `task-switch.ts`.
 */
import { CPL, EIP, ESP, FLAGS, LIMIT, SELECTOR } from '../mmu/layout.ts'
import { type Core, NO_ERROR } from './core.ts'
import {
  type Descriptor,
  dplOf,
  GP,
  gateOffset,
  gateSelector,
  isPresent,
  limitOf,
  NP,
  TYPE_CALL_GATE16,
  TYPE_CALL_GATE32,
  TYPE_TASK_GATE,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS32,
  TYPE_TSS32_BUSY,
  typeOf,
} from './descriptor.ts'
import {
  AC,
  AF,
  CF,
  DF,
  FLAGS_KNOWN,
  getFlags,
  ID,
  IF,
  IOPL_MASK,
  IOPL_SHIFT,
  NT,
  OF,
  PF,
  RF,
  SF,
  TF,
  VM,
  ZF,
} from './flags.ts'
import { CS, DS, ES, FS, GS, SS } from './instruction.ts'
import { drop, peek, setStackPointer } from './operands.ts'
import {
  checkedStackDescriptor,
  dropPrivilegedSegments,
  installDescriptor,
  isCode,
  isConforming,
  isNull,
  loadRealSegment,
  loadV86Segment,
  markAccessed,
  readDescriptor,
  selectorError,
} from './segments.ts'
import { StackFrame } from './stack-frame.ts'
import { returnToTask, switchTask, type TaskCause, taskDescriptor } from './task-switch.ts'
import { writeFlags } from './write-flags.ts'

const RPL = 3
const TSS_TYPES = [TYPE_TSS16, TYPE_TSS16_BUSY, TYPE_TSS32, TYPE_TSS32_BUSY]
type SixWords = [number, number, number, number, number, number]
/** What IRET and POPF always take from the stack. */
const USER_FLAGS = CF | PF | AF | ZF | SF | TF | DF | OF | NT
/** Flags that only a 32-bit image has. */
const UPPER_FLAGS = AC | ID

/** EFLAGS after taking `image` at the current privilege: what may not be changed stays, and RF is 0. */
export function mergeFlags(core: Core, image: number, width: number): number {
  const old = getFlags(core.r)
  const iopl = (old & IOPL_MASK) >> IOPL_SHIFT
  let mask = USER_FLAGS
  if (width === 32) mask |= UPPER_FLAGS
  if (core.cpl <= iopl) mask |= IF
  if (core.cpl === 0) mask |= IOPL_MASK
  return (old & ~(mask | RF)) | (image & mask)
}

/** In virtual-8086 mode the instructions that see IF are for IOPL 3 (§20.2.7): #GP(0). */
export function checkV86Privilege(core: Core): void {
  if (core.protectedMode && !core.usesDescriptors && (core.r[FLAGS]! & IOPL_MASK) !== IOPL_MASK) core.raise(GP, 0)
}

export function farJump(core: Core, selector: number, offset: number, returnEip: number): void {
  if (!core.usesDescriptors) {
    jumpReal(core, selector, offset)
    return
  }
  const d = transferDescriptor(core, selector)
  if (isCode(d)) {
    checkDirect(core, selector, d)
    enterCode(core, selector, d, offset, core.cpl)
    return
  }
  if (switchesTask(core, selector, d, 'jump', returnEip)) return
  checkGate(core, selector, d)
  const target = gateSelector(d)
  const code = gateTarget(core, target)
  if (!isConforming(code) && dplOf(code) !== core.cpl) core.raise(GP, selectorError(core, target))
  if (!isPresent(code)) core.raise(NP, selectorError(core, target))
  enterCode(core, target, code, targetOffset(d), core.cpl)
}

export function farCall(core: Core, selector: number, offset: number, width: number, returnEip: number): void {
  const r = core.r
  if (!core.usesDescriptors) {
    if (offset >>> 0 > r[LIMIT + CS]! >>> 0) core.raise(GP, 0)
    const stack = StackFrame.current(core)
    stack.push(width, r[SELECTOR + CS]!)
    stack.push(width, returnEip)
    stack.install()
    jumpReal(core, selector, offset)
    return
  }
  const d = transferDescriptor(core, selector)
  if (!isCode(d)) {
    if (switchesTask(core, selector, d, 'call', returnEip)) return
    callGate(core, selector, d, returnEip)
    return
  }
  checkDirect(core, selector, d)
  const stack = StackFrame.current(core)
  stack.push(width, r[SELECTOR + CS]!)
  stack.push(width, returnEip)
  checkOffset(core, d, offset)
  enterCode(core, selector, d, offset, core.cpl)
  stack.install()
}

/** A TSS, or a task gate that names one. @returns false when the descriptor is neither */
function switchesTask(core: Core, selector: number, d: Descriptor, cause: TaskCause, returnEip: number): boolean {
  const type = typeOf(d)
  const isGate = type === TYPE_TASK_GATE
  if (!isGate && !TSS_TYPES.includes(type)) return false
  const error = selectorError(core, selector)
  if (dplOf(d) < core.cpl || dplOf(d) < (selector & RPL)) core.raise(GP, error)
  if (isGate && !isPresent(d)) core.raise(NP, error)
  const target = isGate ? gateSelector(d) : selector
  const descriptor = taskDescriptor(core, target, cause)
  switchTask(core, { selector: target, descriptor, cause, returnEip, flags: getFlags(core.r), error: NO_ERROR })
  return true
}

function callGate(core: Core, selector: number, gate: Descriptor, returnEip: number): void {
  checkGate(core, selector, gate)
  const r = core.r
  const width = typeOf(gate) === TYPE_CALL_GATE32 ? 32 : 16
  const target = gateSelector(gate)
  const code = gateTarget(core, target)
  if (!isPresent(code)) core.raise(NP, selectorError(core, target))
  const inner = !isConforming(code) && dplOf(code) < core.cpl
  const cpl = inner ? dplOf(code) : core.cpl
  const stack = inner ? StackFrame.inner(core, cpl) : StackFrame.current(core)
  if (inner) {
    const parameters = gate.high & 0x1f
    const size = width >> 3
    const copied = Array.from({ length: parameters }, (_, i) => peek(core, width, i * size))
    stack.push(width, r[SELECTOR + SS]!)
    stack.push(width, r[ESP]!)
    for (let i = parameters - 1; i >= 0; i--) stack.push(width, copied[i]!)
  }
  stack.push(width, r[SELECTOR + CS]!)
  stack.push(width, returnEip)
  const offset = targetOffset(gate)
  checkOffset(core, code, offset)
  stack.install()
  enterCode(core, target, code, offset, cpl)
}

/** @param release bytes of parameters that RET n drops from the stack */
export function farReturn(core: Core, width: number, release: number): void {
  const size = width >> 3
  const offset = peek(core, width, 0)
  const selector = peek(core, width, size) & 0xffff
  if (!core.usesDescriptors) {
    if (offset >>> 0 > core.r[LIMIT + CS]! >>> 0) core.raise(GP, 0)
    drop(core, 2 * size + release)
    jumpReal(core, selector, offset)
    return
  }
  const code = returnDescriptor(core, selector)
  if ((selector & RPL) === core.cpl) {
    checkOffset(core, code, offset)
    enterCode(core, selector, code, offset, core.cpl)
    drop(core, 2 * size + release)
    return
  }
  const pointer = peek(core, width, 2 * size + release)
  const stackSelector = peek(core, width, 3 * size + release) & 0xffff
  returnOuter(core, selector, code, offset, stackSelector, pointer, release)
}

/** IRETD, and nothing else, takes RF from the stack. */
function returnedFlags(core: Core, image: number, width: number): number {
  return mergeFlags(core, image, width) | (width === 32 ? image & RF : 0)
}

export function interruptReturn(core: Core, width: number, returnEip: number): void {
  const r = core.r
  const size = width >> 3
  checkV86Privilege(core)
  if (core.usesDescriptors && (getFlags(r) & NT) !== 0) {
    returnToTask(core, returnEip)
    return
  }
  const offset = peek(core, width, 0)
  const selector = peek(core, width, size) & 0xffff
  const image = peek(core, width, 2 * size)
  if (!core.usesDescriptors) {
    if (offset >>> 0 > r[LIMIT + CS]! >>> 0) core.raise(GP, 0)
    drop(core, 3 * size)
    const flags = returnedFlags(core, image, width)
    jumpReal(core, selector, offset)
    writeFlags(core, flags)
    core.nmiBlocked = false
    return
  }
  if (width === 32 && (image & VM) !== 0 && core.cpl === 0) {
    returnToV86(core, offset, selector, image)
    return
  }
  const code = returnDescriptor(core, selector)
  const flags = returnedFlags(core, image, width)
  if ((selector & RPL) === core.cpl) {
    checkOffset(core, code, offset)
    enterCode(core, selector, code, offset, core.cpl)
    drop(core, 3 * size)
  } else {
    const pointer = peek(core, width, 3 * size)
    const stackSelector = peek(core, width, 4 * size) & 0xffff
    returnOuter(core, selector, code, offset, stackSelector, pointer, 0)
  }
  writeFlags(core, flags)
  core.nmiBlocked = false
}

/** §20.2.2: behind EFLAGS stand ESP and the segment registers. */
function returnToV86(core: Core, offset: number, selector: number, image: number): void {
  const [pointer, ss, es, ds, fs, gs] = [12, 16, 20, 24, 28, 32].map((depth) => peek(core, 32, depth)) as SixWords
  writeFlags(core, image & FLAGS_KNOWN)
  core.setCpl(RPL)
  for (const [segment, value] of [
    [CS, selector],
    [SS, ss],
    [ES, es],
    [DS, ds],
    [FS, fs],
    [GS, gs],
  ] as const) {
    loadV86Segment(core, segment, value & 0xffff)
  }
  core.r[EIP] = offset & 0xffff
  core.r[ESP] = pointer
  core.nmiBlocked = false
}

function returnOuter(
  core: Core,
  selector: number,
  code: Descriptor,
  offset: number,
  stackSelector: number,
  pointer: number,
  release: number,
): void {
  const cpl = selector & RPL
  if (isNull(stackSelector)) core.raise(GP, 0)
  const stack = checkedStackDescriptor(core, stackSelector, cpl, GP)
  checkOffset(core, code, offset)
  const accessed = markAccessed(core, stackSelector, stack)
  enterCode(core, selector, code, offset, cpl)
  installDescriptor(core, SS, stackSelector, accessed)
  setStackPointer(core, pointer + release)
  dropPrivilegedSegments(core)
}

function jumpReal(core: Core, selector: number, offset: number): void {
  if (offset >>> 0 > core.r[LIMIT + CS]! >>> 0) core.raise(GP, 0)
  loadRealSegment(core, CS, selector)
  core.r[EIP] = offset
}

/** Loads CS for privilege level `cpl` and goes to `offset`. Everything but the offset has been checked. */
function enterCode(core: Core, selector: number, code: Descriptor, offset: number, cpl: number): void {
  checkOffset(core, code, offset)
  const accessed = markAccessed(core, selector, code)
  installDescriptor(core, CS, (selector & ~RPL) | cpl, accessed)
  core.r[EIP] = offset
  if (core.r[CPL] !== cpl) core.setCpl(cpl)
}

function checkOffset(core: Core, code: Descriptor, offset: number): void {
  if (offset >>> 0 > limitOf(code) >>> 0) core.raise(GP, 0)
}

function transferDescriptor(core: Core, selector: number): Descriptor {
  if (isNull(selector)) core.raise(GP, 0)
  return readDescriptor(core, selector, GP)
}

/** JMP or CALL straight to a code segment. */
function checkDirect(core: Core, selector: number, code: Descriptor): void {
  const error = selectorError(core, selector)
  const dpl = dplOf(code)
  const allowed = isConforming(code) ? dpl <= core.cpl : dpl === core.cpl && (selector & RPL) <= core.cpl
  if (!allowed) core.raise(GP, error)
  if (!isPresent(code)) core.raise(NP, error)
}

function checkGate(core: Core, selector: number, gate: Descriptor): void {
  const error = selectorError(core, selector)
  const type = typeOf(gate)
  if (type !== TYPE_CALL_GATE16 && type !== TYPE_CALL_GATE32) core.raise(GP, error)
  if (dplOf(gate) < core.cpl || dplOf(gate) < (selector & RPL)) core.raise(GP, error)
  if (!isPresent(gate)) core.raise(NP, error)
}

function gateTarget(core: Core, selector: number): Descriptor {
  if (isNull(selector)) core.raise(GP, 0)
  const code = readDescriptor(core, selector, GP)
  if (!isCode(code) || dplOf(code) > core.cpl) core.raise(GP, selectorError(core, selector))
  return code
}

function targetOffset(gate: Descriptor): number {
  return typeOf(gate) === TYPE_CALL_GATE32 ? gateOffset(gate) : gateOffset(gate) & 0xffff
}

function returnDescriptor(core: Core, selector: number): Descriptor {
  if (isNull(selector)) core.raise(GP, 0)
  const code = readDescriptor(core, selector, GP)
  const error = selectorError(core, selector)
  const rpl = selector & RPL
  if (!isCode(code) || rpl < core.cpl) core.raise(GP, error)
  if (isConforming(code) ? dplOf(code) > rpl : dplOf(code) !== rpl) core.raise(GP, error)
  if (!isPresent(code)) core.raise(NP, error)
  return code
}
