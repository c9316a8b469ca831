/**
 * How an FPU instruction begins and ends (Intel SDM vol. 1 §8.5–8.7): #NM, the exception that waits from an earlier one,
 * and the status word. An unmasked exception waits for the next waiting instruction: #MF with CR0.NE, FERR# without.
 */
import { CR0, FPU_CONTROL, FPU_STATUS } from '../../mmu/layout.ts'
import { CR0_EM, CR0_MP, CR0_NE, CR0_TS } from '../control-registers.ts'
import { ATTEND_HALTED, ATTEND_WINDOW, type Core } from '../core.ts'
import { MF, NM } from '../descriptor.ts'
import { C1 } from './compare.ts'
import { DENORMAL, INVALID, PRECISION, STACK_FAULT, ZERO_DIVIDE } from './rounding.ts'

const ERROR_SUMMARY = 0x80
const BUSY = 0x8000
const EXCEPTIONS = 0x3f
/** Found before anything is computed: unmasked, the instruction does nothing more. */
const PRECOMPUTATION = INVALID | DENORMAL | ZERO_DIVIDE

/** Begins an instruction that does not wait: FNINIT, FNSTSW and their kind. */
export function beginControl(core: Core): void {
  if ((core.r[CR0]! & (CR0_EM | CR0_TS)) !== 0) core.raise(NM, -1)
}

/** Begins every other instruction. */
export function begin(core: Core): void {
  beginControl(core)
  checkPending(core)
  core.arithmetic.begin(core.r[FPU_CONTROL]!)
}

/** FWAIT looks at CR0.MP, too, and not at EM. */
export function wait(core: Core): void {
  const both = CR0_MP | CR0_TS
  if ((core.r[CR0]! & both) === both) core.raise(NM, -1)
  checkPending(core)
}

/** Without CR0.NE the processor stands still until an interrupt comes, which FERR# has asked for; unless IGNNE# is given. */
function checkPending(core: Core): void {
  if ((core.r[FPU_STATUS]! & ERROR_SUMMARY) === 0) return
  if ((core.r[CR0]! & CR0_NE) !== 0) core.raise(MF, -1)
  if (core.ferr === undefined || core.ignoresNumericErrors) return
  core.ferr(true)
  if (!core.interceptHlt) core.attention |= ATTEND_HALTED
  core.exit({ reason: 'hlt', length: 0 })
}

/**
 * Notes what the instruction raised, and C1.
 * @returns false when an unmasked exception forbids the result: registers, stack and memory stay as they are
 */
export function settle(core: Core): boolean {
  const { arithmetic, r } = core
  const before = arithmetic.raised & ~arithmetic.masks & PRECOMPUTATION
  const raised = before === 0 ? arithmetic.raised : arithmetic.raised & (PRECOMPUTATION | STACK_FAULT)
  const c1 = (raised & PRECISION) !== 0 && arithmetic.roundedUp ? C1 : 0
  r[FPU_STATUS] = (r[FPU_STATUS]! & ~C1) | raised | c1
  if ((raised & ~arithmetic.masks & EXCEPTIONS) !== 0) summarize(core)
  return before === 0
}

/** The stack had no value to take (or, with `overflow`, no room): an invalid operation. @returns as `settle` */
export function stackFault(core: Core, overflow: boolean): boolean {
  core.arithmetic.raised = INVALID | STACK_FAULT
  const goesOn = settle(core)
  if (overflow) core.r[FPU_STATUS] = core.r[FPU_STATUS]! | C1
  return goesOn
}

/** ES and B follow the exceptions and their masks; FERR# follows ES. */
export function summarize(core: Core): void {
  const { r } = core
  const isPending = (r[FPU_STATUS]! & ~r[FPU_CONTROL]! & EXCEPTIONS) !== 0
  if (isPending) r[FPU_STATUS] = r[FPU_STATUS]! | ERROR_SUMMARY | BUSY
  else r[FPU_STATUS] = r[FPU_STATUS]! & ~(ERROR_SUMMARY | BUSY)
  driveFerr(core, isPending && (r[CR0]! & CR0_NE) === 0)
}

/** The interrupt that FERR# asks for is taken as soon as it can be: the hypervisor is called then. */
function driveFerr(core: Core, asserted: boolean): void {
  if (core.ferr === undefined) return
  core.ferr(asserted)
  if (!asserted) return
  core.attention |= ATTEND_WINDOW
  core.end = 0
}

/** FNCLEX: exceptions, stack fault, summary and busy. */
export function clearExceptions(core: Core): void {
  core.r[FPU_STATUS] = core.r[FPU_STATUS]! & ~(EXCEPTIONS | STACK_FAULT)
  summarize(core)
}
