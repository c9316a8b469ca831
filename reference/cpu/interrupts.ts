/**
 * Delivering exceptions and interrupts (Intel SDM vol. 3A §6.10–6.15): gates, stack switches, and what happens when
 * delivery itself faults. Returning from them is in `far-transfer.ts`.
 */
import { CPL, CR2, DR, EIP, IDTR_BASE, IDTR_LIMIT, SELECTOR } from '../mmu/layout.ts'
import { ATTEND_TRAP, type Core, ExitRequest, GuestFault, NO_ERROR } from './core.ts'
import { DR7_GENERAL_DETECT } from './debug.ts'
import {
  DB,
  DE,
  type Descriptor,
  DF_FAULT,
  dplOf,
  ERROR_IDT,
  GP,
  gateOffset,
  gateSelector,
  isPresent,
  limitOf,
  NP,
  PAGE_FAULT,
  TS,
  TYPE_INTERRUPT_GATE16,
  TYPE_INTERRUPT_GATE32,
  TYPE_IS_32,
  TYPE_TASK_GATE,
  TYPE_TRAP_GATE16,
  TYPE_TRAP_GATE32,
  typeOf,
} from './descriptor.ts'
import type { Exit } from './exit.ts'
import { AC, getFlags, IF, NT, RF, TF, VM } from './flags.ts'
import { CS, DS, ES, FS, GS, SS } from './instruction.ts'
import { systemLoad16, systemLoad32 } from './memory-access.ts'
import {
  installDescriptor,
  isCode,
  isConforming,
  isNull,
  loadRealSegment,
  markAccessed,
  readDescriptor,
  selectorError,
} from './segments.ts'
import { StackFrame } from './stack-frame.ts'
import { switchTask, taskDescriptor } from './task-switch.ts'
import { writeFlags } from './write-flags.ts'

/** Who caused the event; `injected`: an exception that the hypervisor gives, which is not intercepted again. */
export type EventKind = 'fault' | 'trap' | 'external' | 'software' | 'injected'

/** Pushed in this order, and null then, when virtual-8086 mode is left (§20.3.1). */
const DATA_SEGMENTS = [GS, FS, DS, ES]

/** An exception of the instruction at EIP. @returns an exit when it is intercepted, or after a triple fault */
export function deliverFault(core: Core, vector: number, error: number): Exit | undefined {
  return deliverChecked(core, vector, error, 'fault')
}

/** A debug exception between two instructions. @param bits what DR6 tells of it, besides what waits there */
export function deliverDebug(core: Core, bits: number): Exit | undefined {
  core.r[DR + 6] = core.r[DR + 6]! | bits | core.pendingDebug
  core.forgetDebug()
  return deliverChecked(core, DB, NO_ERROR, 'trap')
}

/** Delivers an event, and the faults that delivering it raises: §6.15, interrupt 8. */
export function deliverChecked(core: Core, vector: number, error: number, kind: EventKind): Exit | undefined {
  let event = { vector, error, kind }
  core.faultChain = []
  for (;;) {
    core.faultChain.push({ vector: event.vector, error: event.error })
    if (event.kind !== 'external' && event.kind !== 'injected') {
      const exit = intercepted(core, event.vector, event.error)
      if (exit !== undefined) return exit
      if (event.vector === PAGE_FAULT) core.r[CR2] = core.fault.cr2
    }
    try {
      deliver(core, event.vector, event.error, event.kind, core.r[EIP]!)
      count(core, event.vector, event.kind)
      return undefined
    } catch (thrown) {
      core.committed = false
      if (thrown instanceof ExitRequest) return { reason: 'shutdown' }
      if (!(thrown instanceof GuestFault)) throw thrown
      if (event.vector === DF_FAULT && event.kind !== 'external') return { reason: 'shutdown' }
      const isDouble = event.kind !== 'external' && becomesDoubleFault(event.vector, thrown.vector)
      event = isDouble
        ? { vector: DF_FAULT, error: 0, kind: 'fault' }
        : { vector: thrown.vector, error: thrown.error, kind: 'fault' }
    }
  }
}

/** INT n, INT3, INTO, INT1 with the return address `returnEip`. Faults go to the caller. */
export function deliverSoftware(core: Core, vector: number, returnEip: number): void {
  if ((core.attention & ATTEND_TRAP) !== 0) core.trapSuppressed = true
  deliver(core, vector, NO_ERROR, 'software', returnEip)
  count(core, vector, 'software')
}

function intercepted(core: Core, vector: number, error: number): Exit | undefined {
  if (vector === PAGE_FAULT && core.interceptPageFault) {
    return { reason: 'pageFault', gva: core.fault.cr2 >>> 0, error }
  }
  return (core.interceptExceptions & (1 << vector)) !== 0 ? { reason: 'exception', vector, error } : undefined
}

function count(core: Core, vector: number, kind: EventKind): void {
  if (kind === 'external') {
    core.counters.interruptsDelivered++
    core.charge('interrupt', 1)
    return
  }
  if (kind !== 'software') core.counters.guestFaults[vector]!++
  core.charge(vector === PAGE_FAULT && kind !== 'software' ? 'pageFault' : 'exception', 1)
}

/** Table 6-5: a second fault while delivering the first. */
function becomesDoubleFault(first: number, second: number): boolean {
  if (first === PAGE_FAULT) return isContributory(second) || second === PAGE_FAULT
  return isContributory(first) && isContributory(second)
}

function isContributory(vector: number): boolean {
  return vector === DE || (vector >= TS && vector <= GP)
}

function deliver(core: Core, vector: number, error: number, kind: EventKind, returnEip: number): void {
  core.externalEvent = kind === 'software' ? 0 : 1
  if (vector === DB && kind !== 'software') core.r[DR + 7] = core.r[DR + 7]! & ~DR7_GENERAL_DETECT
  try {
    if (core.protectedMode) deliverThroughGate(core, vector, error, kind, returnEip)
    else deliverRealMode(core, vector, returnEip)
  } finally {
    core.externalEvent = 0
  }
}

/** §20.1.4: the table holds far pointers; error codes are not pushed. */
function deliverRealMode(core: Core, vector: number, returnEip: number): void {
  const r = core.r
  if (vector * 4 + 3 > r[IDTR_LIMIT]! >>> 0) core.raise(GP, vector * 8 + ERROR_IDT + core.externalEvent)
  const at = (r[IDTR_BASE]! + vector * 4) | 0
  const offset = systemLoad16(core, at)
  const selector = systemLoad16(core, at + 2)
  const flags = getFlags(r)
  const stack = StackFrame.current(core)
  stack.push(16, flags)
  stack.push(16, r[SELECTOR + CS]!)
  stack.push(16, returnEip)
  stack.install()
  loadRealSegment(core, CS, selector)
  r[EIP] = offset
  writeFlags(core, flags & ~(IF | TF | AC))
}

function deliverThroughGate(core: Core, vector: number, error: number, kind: EventKind, returnEip: number): void {
  const r = core.r
  const gateError = vector * 8 + ERROR_IDT + core.externalEvent
  const gate = readGate(core, vector, gateError)
  const type = typeOf(gate)
  if (kind === 'software' && dplOf(gate) < core.cpl) core.raise(GP, gateError)
  if (!isPresent(gate)) core.raise(NP, gateError)

  const selector = gateSelector(gate)
  if (type === TYPE_TASK_GATE) {
    const flags = getFlags(r)
    switchTask(core, {
      selector,
      descriptor: taskDescriptor(core, selector, 'call'),
      cause: 'call',
      returnEip,
      flags: kind === 'fault' || kind === 'injected' ? flags | RF : flags,
      error,
    })
    return
  }
  const code = handlerSegment(core, selector)
  const conforming = isConforming(code)
  const flags = getFlags(r)
  const leavesV86 = (flags & VM) !== 0
  if (leavesV86 && (conforming || dplOf(code) !== 0)) core.raise(GP, selectorError(core, selector))
  const cpl = conforming ? core.cpl : dplOf(code)
  const width = (type & TYPE_IS_32) !== 0 ? 32 : 16
  const offset = width === 32 ? gateOffset(gate) : gateOffset(gate) & 0xffff
  const switches = cpl < core.cpl
  const stack = switches ? StackFrame.inner(core, cpl) : StackFrame.current(core)
  if (offset >>> 0 > limitOf(code) >>> 0) core.raise(GP, core.externalEvent)

  if (leavesV86) for (const segment of DATA_SEGMENTS) stack.push(width, r[SELECTOR + segment]!)
  if (switches) {
    stack.push(width, r[SELECTOR + SS]!)
    stack.push(width, r[4]!)
  }
  stack.push(width, kind === 'fault' || kind === 'injected' ? flags | RF : flags)
  stack.push(width, r[SELECTOR + CS]!)
  stack.push(width, returnEip)
  if (error !== NO_ERROR) stack.push(width, error)

  const accessed = markAccessed(core, selector, code)
  if (leavesV86) for (const segment of DATA_SEGMENTS) core.setSegment(segment, 0, 0, 0, 0)
  stack.install()
  installDescriptor(core, CS, (selector & ~3) | cpl, accessed)
  if (r[CPL] !== cpl) core.setCpl(cpl)
  r[EIP] = offset
  const isInterruptGate = type === TYPE_INTERRUPT_GATE16 || type === TYPE_INTERRUPT_GATE32
  writeFlags(core, flags & ~(TF | NT | RF | VM | (isInterruptGate ? IF : 0)))
}

function readGate(core: Core, vector: number, gateError: number): Descriptor {
  if (vector * 8 + 7 > core.r[IDTR_LIMIT]! >>> 0) core.raise(GP, gateError)
  const at = (core.r[IDTR_BASE]! + vector * 8) | 0
  const gate = { low: systemLoad32(core, at), high: systemLoad32(core, at + 4) }
  switch (typeOf(gate)) {
    case TYPE_TASK_GATE:
    case TYPE_INTERRUPT_GATE16:
    case TYPE_INTERRUPT_GATE32:
    case TYPE_TRAP_GATE16:
    case TYPE_TRAP_GATE32:
      return gate
    default:
      return core.raise(GP, gateError)
  }
}

function handlerSegment(core: Core, selector: number): Descriptor {
  if (isNull(selector)) core.raise(GP, core.externalEvent)
  const code = readDescriptor(core, selector, GP)
  const error = selectorError(core, selector)
  if (!isCode(code) || dplOf(code) > core.cpl) core.raise(GP, error)
  if (!isPresent(code)) core.raise(NP, error)
  return code
}
