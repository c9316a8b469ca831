/**
 * MOVS, CMPS, SCAS, LODS, STOS, INS, OUTS, with REP (Intel SDM vol. 2B, REP). Registers move with each element, so a fault,
 * an exit or the end of the budget between two elements leaves a state from which the instruction goes on.
 *
 * Each repetition counts as one instruction's cycles; so does a repeat count of 0.
 */
import {
  EAX,
  ECX,
  EDI,
  EDX,
  EIP,
  ESI,
  FLAGS,
  FLAT,
  FLAT_READ,
  FLAT_WRITE,
  TLB_ADDEND,
  TLB_READ,
  TLB_WRITE,
} from '../../mmu/layout.ts'
import { ATTEND_REPLAY, ATTEND_TRAP, type Core, ExitRequest, GuestFault } from '../core.ts'
import { DF, isZero, RF, setSubFlags } from '../flags.ts'
import { ES, PREFIX_REPNE } from '../instruction.ts'
import { ensureWritable, readAddress, writeAddress } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import { getReg, getReg16, load, setReg, store } from '../operands.ts'
import { byteOrFull, type OpcodeTable } from './binder.ts'
import { accessSize, checkPort, readPort, writePort } from './input-output.ts'

const PAGE_BYTES = 4096
const PAGE_MASK = -4096

/** Executes one element. */
type Element = (core: Core, op: Op) => void

/** How far an element moves (E)SI and (E)DI. */
function stride(core: Core, op: Op): number {
  const size = op.width >> 3
  return (core.r[FLAGS]! & DF) !== 0 ? -size : size
}

function source(core: Core, op: Op): number {
  return readAddress(core, op.segment, core.r[ESI]! & op.addressMask, op.width >> 3)
}

function destination(core: Core, op: Op, write: boolean): number {
  const offset = core.r[EDI]! & op.addressMask
  const size = op.width >> 3
  return write ? writeAddress(core, ES, offset, size) : readAddress(core, ES, offset, size)
}

function advance(core: Core, op: Op, register: number, by: number): void {
  if (op.addressMask === -1) core.r[register] = core.r[register]! + by
  else core.r16[register << 1] = core.r16[register << 1]! + by
}

const movs: Element = (core, op) => {
  const value = load(core, source(core, op), op.width)
  store(core, destination(core, op, true), op.width, value)
  const by = stride(core, op)
  advance(core, op, ESI, by)
  advance(core, op, EDI, by)
}

const stos: Element = (core, op) => {
  store(core, destination(core, op, true), op.width, getReg(core, EAX, op.width))
  advance(core, op, EDI, stride(core, op))
}

const lods: Element = (core, op) => {
  setReg(core, EAX, op.width, load(core, source(core, op), op.width))
  advance(core, op, ESI, stride(core, op))
}

const cmps: Element = (core, op) => {
  const a = load(core, source(core, op), op.width)
  const b = load(core, destination(core, op, false), op.width)
  setSubFlags(core.r, a, b, (a - b) | 0, op.shift)
  const by = stride(core, op)
  advance(core, op, ESI, by)
  advance(core, op, EDI, by)
}

const scas: Element = (core, op) => {
  const a = getReg(core, EAX, op.width)
  const b = load(core, destination(core, op, false), op.width)
  setSubFlags(core.r, a, b, (a - b) | 0, op.shift)
  advance(core, op, EDI, stride(core, op))
}

/** The destination is checked before the port is read. */
const ins: Element = (core, op) => {
  const port = getReg16(core, EDX)
  checkPort(core, port, op.width >> 3)
  const at = destination(core, op, true)
  ensureWritable(core, at, op.width >> 3)
  store(core, at, op.width, readPort(core, port, accessSize(op.width)))
  advance(core, op, EDI, stride(core, op))
}

const outs: Element = (core, op) => {
  const port = getReg16(core, EDX)
  checkPort(core, port, op.width >> 3)
  const value = load(core, source(core, op), op.width)
  advance(core, op, ESI, stride(core, op))
  writePort(core, port, accessSize(op.width), value)
}

function count(core: Core, op: Op): number {
  return op.addressMask === -1 ? core.r[ECX]! >>> 0 : core.r16[ECX << 1]!
}

function setCount(core: Core, op: Op, value: number): void {
  if (op.addressMask === -1) core.r[ECX] = value
  else core.r16[ECX << 1] = value
}

/** Elements that this run of the instruction may do: what is left of the budget now, and one at a time when each is trapped. */
function allowance(core: Core, op: Op): number {
  if ((core.attention & ATTEND_TRAP) !== 0) return 1
  const left = core.fuel - op.position
  return (core.attention & ATTEND_REPLAY) !== 0 ? Math.max(left, 1) : left
}

function repeated(element: Element, compares: boolean): Handler {
  return (core, op) => {
    const next = core.blockEip + op.end
    let left = count(core, op)
    core.r[EIP] = next
    if (left === 0) return
    let done = 0
    try {
      while (done < allowance(core, op)) {
        element(core, op)
        done++
        left--
        setCount(core, op, left)
        core.answers.length = 0
        core.answersUsed = 0
        if (left === 0 || (compares && isZero(core.r) === ((op.repeat & PREFIX_REPNE) !== 0))) {
          core.consume(done - 1)
          return
        }
        const codeChanged = core.end === 0
        if (core.pendingExits.length > 0 || codeChanged) break
        const most = Math.min(left, allowance(core, op) - done)
        const quick = compares ? quickComparisons(core, op, element, most) : quickElements(core, op, element, most)
        done += quick
        left -= quick
        if (quick > 0) setCount(core, op, left)
        if (left === 0) {
          core.consume(done - 1)
          return
        }
      }
    } catch (thrown) {
      if (thrown instanceof GuestFault || thrown instanceof ExitRequest) core.consume(done)
      throw thrown
    }
    core.r[EIP] = core.blockEip + op.start
    if (core.breakpoints.instructions.length > 0) core.r[FLAGS] = core.r[FLAGS]! | RF
    core.counters.retired--
    core.consume(done - 1)
    core.end = 0
  }
}

/**
 * Hot path. Does up to `most` elements of a forward MOVS or STOS at once while source and destination are in flat segments
 * and stay in pages that the TLB knows; gives the number of elements done, perhaps 0.
 */
function quickElements(core: Core, op: Op, element: Element, most: number): number {
  const r = core.r
  if (most <= 1 || op.addressMask !== -1 || (r[FLAGS]! & DF) !== 0 || (r[FLAT + ES]! & FLAT_WRITE) === 0) return 0
  if (element === stos) return quickStore(core, op, most)
  return element === movs && (r[FLAT + op.segment]! & FLAT_READ) !== 0 ? quickMove(core, op, most) : 0
}

/**
 * Hot path. Passes over elements of a forward CMPS or SCAS that do not end the repetition, as {@link quickElements} does. At least
 * one of the `most` is left, which sets the flags.
 */
function quickComparisons(core: Core, op: Op, element: Element, most: number): number {
  const r = core.r
  if (most <= 2 || op.addressMask !== -1 || (r[FLAGS]! & DF) !== 0 || (r[FLAT + ES]! & FLAT_READ) === 0) return 0
  const size = op.width >> 3
  const right = placeOf(core, r[EDI]!, TLB_READ)
  if (right < 0) return 0
  let elements = Math.min(most - 1, elementsInPage(r[EDI]!, size))
  const goesOnWhenEqual = op.repeat !== PREFIX_REPNE
  if (element === scas) {
    const value = getReg(core, EAX, op.width)
    elements = countWhile(elements, (i) => (elementAt(core, right, i, size) === value) === goesOnWhenEqual)
  } else {
    if ((r[FLAT + op.segment]! & FLAT_READ) === 0) return 0
    const left = placeOf(core, r[ESI]!, TLB_READ)
    if (left < 0) return 0
    elements = Math.min(elements, elementsInPage(r[ESI]!, size))
    elements = countWhile(
      elements,
      (i) => (elementAt(core, left, i, size) === elementAt(core, right, i, size)) === goesOnWhenEqual,
    )
    r[ESI] = r[ESI]! + elements * size
  }
  r[EDI] = r[EDI]! + elements * size
  return elements
}

/** Where a linear address lies in machine memory; −1 when the TLB does not say that it may be read or written. @param access `TLB_READ` or `TLB_WRITE` */
function placeOf(core: Core, linear: number, access: number): number {
  const entry = core.tlbTable.index(core.tlbHalf, linear)
  return core.tlb[entry + access] === (linear & PAGE_MASK) ? (linear + core.tlb[entry + TLB_ADDEND]!) | 0 : -1
}

/** As `load` and `getReg` give them: bytes and words unsigned, doublewords signed. */
function elementAt(core: Core, start: number, i: number, size: number): number {
  if (size === 1) return core.bytes[start + i]!
  return size === 2 ? core.view.getUint16(start + 2 * i, true) : core.view.getInt32(start + 4 * i, true)
}

/** How many of the numbers from 0 on the condition holds for, at most `most`. */
function countWhile(most: number, holds: (i: number) => boolean): number {
  let i = 0
  while (i < most && holds(i)) i++
  return i
}

function quickStore(core: Core, op: Op, most: number): number {
  const r = core.r
  const size = op.width >> 3
  const to = r[EDI]!
  const start = placeOf(core, to, TLB_WRITE)
  if (start < 0) return 0
  const elements = Math.min(most, elementsInPage(to, size))
  const value = r[EAX]!
  const low = value & 0xff
  const isUniform = size === 1 || (size === 2 ? (value & 0xffff) === low * 0x101 : value >>> 0 === low * 0x101_0101)
  if (isUniform) core.bytes.fill(low, start, start + elements * size)
  else if (size === 4 && (start & 3) === 0) core.words.fill(value, start >> 2, (start >> 2) + elements)
  else if (size === 4) for (let i = 0; i < elements; i++) core.view.setInt32(start + i * 4, value, true)
  else for (let i = 0; i < elements; i++) core.view.setInt16(start + i * 2, value, true)
  r[EDI] = to + elements * size
  return elements
}

/** A destination that overlaps the source from above repeats a pattern: that is left to the element-wise way. */
function quickMove(core: Core, op: Op, most: number): number {
  const r = core.r
  const size = op.width >> 3
  const from = r[ESI]!
  const to = r[EDI]!
  const source = placeOf(core, from, TLB_READ)
  const start = placeOf(core, to, TLB_WRITE)
  if (source < 0 || start < 0) return 0
  const elements = Math.min(most, elementsInPage(from, size), elementsInPage(to, size))
  const length = elements * size
  if (start > source && start < source + length) return 0
  core.bytes.copyWithin(start, source, source + length)
  r[ESI] = from + length
  r[EDI] = to + length
  return elements
}

/** Whole elements from a linear address to the end of its page. */
function elementsInPage(linear: number, size: number): number {
  return Math.floor((PAGE_BYTES - (linear & (PAGE_BYTES - 1))) / size)
}

function bindElement(table: OpcodeTable, first: number, element: Element, compares: boolean): void {
  const repeat = repeated(element, compares)
  for (const opcode of [first, first + 1]) {
    table[opcode] = (insn, op) => {
      byteOrFull(insn, op)
      const isPort = insn.opcode < 0x70
      if (op.repeat === 0) {
        op.endsBlock = isPort
        return element
      }
      op.transfers = true
      return repeat
    }
  }
}

export function bindStrings(table: OpcodeTable): void {
  bindElement(table, 0x6c, ins, false)
  bindElement(table, 0x6e, outs, false)
  bindElement(table, 0xa4, movs, false)
  bindElement(table, 0xa6, cmps, true)
  bindElement(table, 0xaa, stos, false)
  bindElement(table, 0xac, lods, false)
  bindElement(table, 0xae, scas, true)
}
