/**
 * ARPL, LAR, LSL, VERR, VERW, and SLDT, STR, LLDT, LTR (Intel SDM vol. 2A/2B; vol. 3A §5.10). In real and virtual-8086 mode all are #UD.
 */
import { FLAGS, LDTR, SELECTOR, TR } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import {
  type Descriptor,
  dplOf,
  GP,
  isPresent,
  limitOf,
  NP,
  TSS_BUSY,
  TYPE_CALL_GATE16,
  TYPE_CALL_GATE32,
  TYPE_LDT,
  TYPE_TASK_GATE,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS32,
  TYPE_TSS32_BUSY,
  typeOf,
  UD,
} from '../descriptor.ts'
import { getFlags, ZF } from '../flags.ts'
import type { Instruction } from '../instruction.ts'
import { systemLoad8, systemLoad32, systemStore8 } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import { getReg16, getRm, load, modifyAddress, setReg, setReg16, setRm, store } from '../operands.ts'
import {
  descriptorAddress,
  installDescriptor,
  isCode,
  isConforming,
  isNull,
  isReadable,
  isWritableData,
  readDescriptor,
  selectorError,
} from '../segments.ts'
import { always, type OpcodeTable } from './binder.ts'

const RPL = 3
const SYSTEM_TYPES_LSL = [TYPE_TSS16, TYPE_LDT, TYPE_TSS16_BUSY, TYPE_TSS32, TYPE_TSS32_BUSY]
const SYSTEM_TYPES_LAR = [...SYSTEM_TYPES_LSL, TYPE_CALL_GATE16, TYPE_TASK_GATE, TYPE_CALL_GATE32]
const SEGMENT_TYPE = 0x10
const ACCESS_RIGHTS = 0x00ff_ff00
const ACCESS_BYTE = 5

function checkProtected(core: Core): void {
  if (!core.usesDescriptors) core.raise(UD, -1)
}

function setZero(core: Core, set: boolean): void {
  const flags = getFlags(core.r)
  core.r[FLAGS] = set ? flags | ZF : flags & ~ZF
}

/** The descriptor, without faults: undefined when the selector is null or beyond its table. */
function lookUp(core: Core, selector: number): Descriptor | undefined {
  if (isNull(selector)) return undefined
  const at = descriptorAddress(core, selector)
  return at < 0 ? undefined : { low: systemLoad32(core, at | 0), high: systemLoad32(core, (at + 4) | 0) }
}

/** The current level and the selector may use the segment; a conforming code segment is for all. */
function isVisible(core: Core, selector: number, d: Descriptor): boolean {
  if (isCode(d) && isConforming(d)) return true
  return dplOf(d) >= core.cpl && dplOf(d) >= (selector & RPL)
}

function inspect(core: Core, op: Op, systemTypes: readonly number[]): Descriptor | undefined {
  checkProtected(core)
  const selector = getRm(core, op, 16)
  const d = lookUp(core, selector)
  if (d === undefined) return undefined
  const known = (typeOf(d) & SEGMENT_TYPE) !== 0 || systemTypes.includes(typeOf(d))
  return known && isVisible(core, selector, d) ? d : undefined
}

const lar: Handler = (core, op) => {
  const d = inspect(core, op, SYSTEM_TYPES_LAR)
  setZero(core, d !== undefined)
  if (d !== undefined) setReg(core, op.reg, op.width, d.high & ACCESS_RIGHTS)
}

const lsl: Handler = (core, op) => {
  const d = inspect(core, op, SYSTEM_TYPES_LSL)
  setZero(core, d !== undefined)
  if (d !== undefined) setReg(core, op.reg, op.width, limitOf(d))
}

function verify(core: Core, op: Op, isAllowed: (d: Descriptor) => boolean): void {
  checkProtected(core)
  const selector = getRm(core, op, 16)
  const d = lookUp(core, selector)
  setZero(core, d !== undefined && isAllowed(d) && isVisible(core, selector, d))
}

const verr: Handler = (core, op) => verify(core, op, isReadable)
const verw: Handler = (core, op) => verify(core, op, isWritableData)

/** Raises the RPL of the destination to that of the source. */
const arpl: Handler = (core, op) => {
  checkProtected(core)
  const source = getReg16(core, op.reg) & RPL
  const at = op.isRegister ? 0 : modifyAddress(core, op, 16)
  const selector = op.isRegister ? getReg16(core, op.rm) : load(core, at, 16)
  const lower = (selector & RPL) < source
  const adjusted = lower ? (selector & ~RPL) | source : selector
  if (op.isRegister) setReg16(core, op.rm, adjusted)
  else store(core, at, 16, adjusted)
  setZero(core, lower)
}

function storeSelector(register: number): Handler {
  return (core, op) => {
    checkProtected(core)
    setRm(core, op, op.isRegister ? op.width : 16, core.r[SELECTOR + register]!)
  }
}

function checkSystem(core: Core): void {
  checkProtected(core)
  if (core.cpl !== 0) core.raise(GP, 0)
}

const lldt: Handler = (core, op) => {
  checkSystem(core)
  const selector = getRm(core, op, 16)
  if (isNull(selector)) {
    core.setSegment(LDTR, selector, 0, 0, 0)
    return
  }
  const d = globalDescriptor(core, selector)
  if (typeOf(d) !== TYPE_LDT) core.raise(GP, selectorError(core, selector))
  if (!isPresent(d)) core.raise(NP, selectorError(core, selector))
  installDescriptor(core, LDTR, selector, d)
}

/** The descriptor becomes busy. */
const ltr: Handler = (core, op) => {
  checkSystem(core)
  const selector = getRm(core, op, 16)
  if (isNull(selector)) core.raise(GP, 0)
  const d = globalDescriptor(core, selector)
  const type = typeOf(d)
  if (type !== TYPE_TSS16 && type !== TYPE_TSS32) core.raise(GP, selectorError(core, selector))
  if (!isPresent(d)) core.raise(NP, selectorError(core, selector))
  const at = (descriptorAddress(core, selector) + ACCESS_BYTE) | 0
  systemStore8(core, at, systemLoad8(core, at) | TSS_BUSY)
  installDescriptor(core, TR, selector, { low: d.low, high: d.high | (TSS_BUSY << 8) })
}

/** LDTs and TSSs stand in the GDT only. */
function globalDescriptor(core: Core, selector: number): Descriptor {
  if ((selector & 4) !== 0) core.raise(GP, selectorError(core, selector))
  return readDescriptor(core, selector, GP)
}

const GROUP_6: readonly Handler[] = [storeSelector(LDTR), storeSelector(TR), lldt, ltr, verr, verw]

export function bindProtection(table: OpcodeTable): void {
  table[0x63] = always(arpl)
  table[0x100] = (insn: Instruction) => GROUP_6[insn.reg]!
  table[0x102] = always(lar)
  table[0x103] = always(lsl)
}
