/**
 * System instructions (Intel SDM vol. 3A §2.8): control and debug registers, descriptor-table registers, TLB and caches,
 * HLT, CPUID, RDTSC, model-specific registers, VMCALL.
 */
import {
  BASE,
  CR0,
  CR2,
  CR3,
  CR4,
  DR,
  EAX,
  EBX,
  ECX,
  EDI,
  EDX,
  ESI,
  GDTR_BASE,
  GDTR_LIMIT,
  IDTR_BASE,
  IDTR_LIMIT,
} from '../../mmu/layout.ts'
import {
  CR0_CD,
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR0_WRITABLE,
  CR4_DE,
  CR4_MCE,
  CR4_PCE,
  CR4_PGE,
  CR4_PSE,
  CR4_TSD,
} from '../control-registers.ts'
import { ATTEND_HALTED, type Core } from '../core.ts'
import {
  cpuid,
  FEATURE_CMOV,
  FEATURE_DE,
  FEATURE_MCE,
  FEATURE_PGE,
  FEATURE_PSE,
  HYPERVISOR_LEAF_FIRST,
  HYPERVISOR_LEAF_LAST,
} from '../cpuid.ts'
import { DR6_ACCESS, DR6_ONES, DR6_WRITABLE, DR7_GENERAL_DETECT, DR7_ONES, DR7_WRITABLE } from '../debug.ts'
import { DB, GP, UD } from '../descriptor.ts'
import type { Instruction } from '../instruction.ts'
import { readAddress, writeAddress } from '../memory-access.ts'
import { readMsr, writeMsr } from '../msr.ts'
import type { Handler, Op } from '../op.ts'
import { effectiveAddress, getRm, load, setRm, store } from '../operands.ts'
import { always, ending, type OpcodeTable } from './binder.ts'

const CONTROLS_OF_FEATURES = [
  [FEATURE_DE, CR4_DE],
  [FEATURE_PSE, CR4_PSE],
  [FEATURE_MCE, CR4_MCE],
  [FEATURE_PGE, CR4_PGE],
  [FEATURE_CMOV, CR4_PCE],
] as const
/** Where CR0–CR4 lie in the vcpu's block; there is no CR1. */
const CONTROL_WORDS = [CR0, CR0, CR2, CR3, CR4]
/** What a 16-bit LGDT or LIDT keeps of the base. */
const BASE_24_BITS = 0xff_ffff

function checkSupervisor(core: Core): void {
  if (core.cpl !== 0) core.raise(GP, 0)
}

const raiseUndefined: Handler = (core) => core.raise(UD, -1)

/** The bits of CR4 that a model has: what CPUID tells of. Writing any other one is #GP(0). */
function knownControls(core: Core): number {
  const { features } = core.model
  let known = CR4_TSD
  for (const [feature, bits] of CONTROLS_OF_FEATURES) if ((features & feature) !== 0) known |= bits
  return known
}

/** Writes a control register, and forgets the translations that depended on it (§4.10.4.1). */
function writeControl(core: Core, register: number, value: number): void {
  const r = core.r
  if (register === 0) {
    const next = (value & CR0_WRITABLE) | CR0_ET
    if ((next & CR0_PG) !== 0 && (next & CR0_PE) === 0) core.raise(GP, 0)
    if ((next & CR0_NW) !== 0 && (next & CR0_CD) === 0) core.raise(GP, 0)
    const changed = r[CR0]! ^ next
    r[CR0] = next
    core.refreshPaging()
    if ((changed & (CR0_PG | CR0_WP | CR0_PE)) !== 0) core.flushTlb(false)
  } else if (register === 3) {
    r[CR3] = value
    core.refreshPaging()
    core.flushTlb(true)
  } else if (register === 4) {
    if ((value & ~knownControls(core)) !== 0) core.raise(GP, 0)
    const changed = r[CR4]! ^ value
    r[CR4] = value
    core.refreshPaging()
    if ((changed & (CR4_PSE | CR4_PGE)) !== 0) core.flushTlb(false)
    if ((changed & CR4_DE) !== 0) core.refreshBreakpoints()
  } else r[CR2] = value
}

const movFromControl: Handler = (core, op) => {
  if (op.reg === 1 || op.reg > 4) core.raise(UD, -1)
  checkSupervisor(core)
  core.r[op.rm] = core.r[CONTROL_WORDS[op.reg]!]!
}

const movToControl: Handler = (core, op) => {
  if (op.reg === 1 || op.reg > 4) core.raise(UD, -1)
  checkSupervisor(core)
  const value = core.r[op.rm]!
  if (core.interceptCr) core.exitAfter({ reason: 'cr', cr: op.reg, value: value >>> 0 })
  else writeControl(core, op.reg, value)
}

/** DR4 and DR5 are DR6 and DR7, unless CR4.DE is set; general detect keeps all of them from everybody. */
function debugRegister(core: Core, n: number): number {
  const isAlias = n === 4 || n === 5
  if (isAlias && (core.r[CR4]! & CR4_DE) !== 0) core.raise(UD, -1)
  checkSupervisor(core)
  if ((core.r[DR + 7]! & DR7_GENERAL_DETECT) !== 0) {
    core.r[DR + 6] = core.r[DR + 6]! | DR6_ACCESS
    core.raise(DB, -1)
  }
  return isAlias ? n + 2 : n
}

const movFromDebug: Handler = (core, op) => {
  const n = debugRegister(core, op.reg)
  core.r[op.rm] = core.r[DR + n]!
}

const movToDebug: Handler = (core, op) => {
  const n = debugRegister(core, op.reg)
  const value = core.r[op.rm]!
  if (n === 6) core.r[DR + n] = (value & DR6_WRITABLE) | DR6_ONES
  else if (n === 7) core.r[DR + n] = (value & DR7_WRITABLE) | DR7_ONES
  else core.r[DR + n] = value
  core.refreshBreakpoints()
}

const clts: Handler = (core) => {
  checkSupervisor(core)
  core.r[CR0] = core.r[CR0]! & ~CR0_TS
}

const smsw: Handler = (core, op) => setRm(core, op, op.isRegister ? op.width : 16, core.r[CR0]!)

/** Sets MP, EM, TS and PE; PE cannot be cleared. */
const lmsw: Handler = (core, op) => {
  checkSupervisor(core)
  const word = getRm(core, op, 16)
  const old = core.r[CR0]!
  const changeable = CR0_MP | CR0_EM | CR0_TS
  const value = (old & ~changeable) | (word & changeable) | (word & CR0_PE)
  if (core.interceptCr) core.exitAfter({ reason: 'cr', cr: 0, value: value >>> 0 })
  else writeControl(core, 0, value)
}

function storeTable(base: number, limit: number): Handler {
  return (core, op) => {
    const at = tableAddress(core, op, true)
    const value = op.operandSize === 16 ? core.r[base]! & BASE_24_BITS : core.r[base]!
    store(core, at.limit, 16, core.r[limit]!)
    store(core, at.base, 32, value)
  }
}

function loadTable(base: number, limit: number): Handler {
  return (core, op) => {
    checkSupervisor(core)
    const at = tableAddress(core, op, false)
    const newLimit = load(core, at.limit, 16)
    const value = load(core, at.base, 32)
    core.r[limit] = newLimit
    core.r[base] = op.operandSize === 16 ? value & BASE_24_BITS : value
  }
}

function tableAddress(core: Core, op: Op, write: boolean): { limit: number; base: number } {
  const offset = effectiveAddress(core, op)
  const address = write ? writeAddress : readAddress
  return {
    limit: address(core, op.segment, offset, 2),
    base: address(core, op.segment, (offset + 2) & op.addressMask, 4),
  }
}

const invlpg: Handler = (core, op) => {
  checkSupervisor(core)
  const gva = (core.r[BASE + op.segment]! + effectiveAddress(core, op)) | 0
  if (core.interceptInvlpg) {
    core.exitAfter({ reason: 'invlpg', gva: gva >>> 0 })
    return
  }
  core.invalidatePage(gva)
}

const hypercall: Handler = (core) => {
  const r = core.r
  const args = [EBX, ECX, EDX, ESI, EDI].map((n) => r[n]! >>> 0)
  core.exit({ reason: 'hypercall', number: r[EAX]! >>> 0, args })
}

const group7Memory: readonly (Handler | undefined)[] = [
  storeTable(GDTR_BASE, GDTR_LIMIT),
  storeTable(IDTR_BASE, IDTR_LIMIT),
  loadTable(GDTR_BASE, GDTR_LIMIT),
  loadTable(IDTR_BASE, IDTR_LIMIT),
  smsw,
  undefined,
  lmsw,
  invlpg,
]

function bindGroup7(insn: Instruction, op: Op): Handler {
  op.endsBlock = true
  if (insn.mod === 3 && insn.reg === 0 && insn.rm === 1) return hypercall
  return group7Memory[insn.reg] ?? raiseUndefined
}

const cacheControl: Handler = (core) => checkSupervisor(core)

/** Not intercepted, the processor halts behind the instruction; intercepted, EIP stays at it. */
const hlt: Handler = (core, op) => {
  checkSupervisor(core)
  const length = op.end - op.start
  if (core.interceptHlt) core.exit({ reason: 'hlt', length })
  core.attention |= ATTEND_HALTED
  core.exitAfter({ reason: 'hlt', length })
}

const cpuidInstruction: Handler = (core) => {
  const r = core.r
  const leaf = r[EAX]! >>> 0
  if (leaf >= HYPERVISOR_LEAF_FIRST && leaf <= HYPERVISOR_LEAF_LAST) {
    core.exit({ reason: 'cpuid', leaf, subleaf: r[ECX]! >>> 0 })
  }
  const result = cpuid(core.model, leaf, core.apicId)
  r[EAX] = result.eax
  r[EBX] = result.ebx
  r[ECX] = result.ecx
  r[EDX] = result.edx
}

function setEdxEax(core: Core, value: bigint): void {
  core.r[EAX] = Number(BigInt.asIntN(32, value))
  core.r[EDX] = Number(BigInt.asIntN(32, value >> 32n))
}

const rdtsc: Handler = (core, op) => {
  if ((core.r[CR4]! & CR4_TSD) !== 0 && core.cpl !== 0) core.raise(GP, 0)
  setEdxEax(core, core.tscAt(op.position))
}

/** It came with the P6 family. There is no performance counter: any number is beyond the last. */
const rdpmc: Handler = (core) => {
  if ((core.model.features & FEATURE_CMOV) === 0) core.raise(UD, -1)
  if (core.cpl !== 0 && (core.r[CR4]! & CR4_PCE) === 0) core.raise(GP, 0)
  core.raise(GP, 0)
}

const rdmsr: Handler = (core, op) => {
  checkSupervisor(core)
  const value = readMsr(core, core.r[ECX]! >>> 0, op.position)
  if (value === undefined) core.raise(GP, 0)
  else setEdxEax(core, value)
}

const wrmsr: Handler = (core, op) => {
  checkSupervisor(core)
  const value = (BigInt(core.r[EDX]! >>> 0) << 32n) | BigInt(core.r[EAX]! >>> 0)
  if (!writeMsr(core, core.r[ECX]! >>> 0, value, op.position)) core.raise(GP, 0)
}

export function bindSystem(table: OpcodeTable): void {
  table[0xf4] = ending(hlt)
  table[0x101] = bindGroup7
  table[0x106] = ending(clts)
  table[0x108] = always(cacheControl)
  table[0x109] = always(cacheControl)
  for (const opcode of [0x10b, 0x134, 0x135, 0x1aa, 0x1b9, 0x1ff]) table[opcode] = ending(raiseUndefined)
  table[0x120] = always(movFromControl)
  table[0x121] = always(movFromDebug)
  table[0x122] = ending(movToControl)
  table[0x123] = ending(movToDebug)
  table[0x130] = ending(wrmsr)
  table[0x131] = always(rdtsc)
  table[0x132] = always(rdmsr)
  table[0x133] = always(rdpmc)
  table[0x1a2] = ending(cpuidInstruction)
}
