/**
 * FPU control: control and status word, environment, the whole state (Intel SDM vol. 1 §8.1.10–8.1.11, §8.3.12).
 */
import { FPU_CONTROL, FPU_STATUS } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { ENVIRONMENT_WORDS, environmentWords, loadEnvironment, setControl } from '../fpu/environment.ts'
import { begin, beginControl, clearExceptions, summarize } from '../fpu/exceptions.ts'
import { readableAt, readExtended, writableAt, writeExtended } from '../fpu/memory.ts'
import { initialize, physical, readStack, writePhysical } from '../fpu/stack.ts'
import { load16, store16 } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'
import { load, setReg16, store } from '../operands.ts'

const ALL_MASKED = 0x3f
const REGISTER_BYTES = 10
const REGISTERS_BYTES = 8 * REGISTER_BYTES
const AX = 0

function environmentBytes(op: Op): number {
  return ENVIRONMENT_WORDS * (op.operandSize >> 3)
}

const loadControl: Handler = (core, op) => {
  begin(core)
  setControl(core, load16(core, readableAt(core, op, 2, 2)))
  summarize(core)
}

const storeControl: Handler = (core, op) => {
  beginControl(core)
  store16(core, writableAt(core, op, 2, 2), core.r[FPU_CONTROL]!)
}

const storeStatus: Handler = (core, op) => {
  beginControl(core)
  store16(core, writableAt(core, op, 2, 2), core.r[FPU_STATUS]!)
}

const statusToAx: Handler = (core) => {
  beginControl(core)
  setReg16(core, AX, core.r[FPU_STATUS]!)
}

const clear: Handler = (core) => {
  beginControl(core)
  clearExceptions(core)
}

function reset(core: Core): void {
  initialize(core.r)
  summarize(core)
}

const init: Handler = (core) => {
  beginControl(core)
  reset(core)
}

function writeEnvironment(core: Core, op: Op, at: number): void {
  for (const [i, word] of environmentWords(core, op.operandSize).entries()) {
    store(core, (at + i * (op.operandSize >> 3)) | 0, op.operandSize, word)
  }
}

function readEnvironment(core: Core, op: Op, at: number): number[] {
  return Array.from({ length: ENVIRONMENT_WORDS }, (_, i) =>
    load(core, (at + i * (op.operandSize >> 3)) | 0, op.operandSize),
  )
}

/** All exceptions are masked behind it. */
const storeEnvironment: Handler = (core, op) => {
  beginControl(core)
  const at = writableAt(core, op, environmentBytes(op), op.operandSize >> 3)
  writeEnvironment(core, op, at)
  core.r[FPU_CONTROL] = core.r[FPU_CONTROL]! | ALL_MASKED
  summarize(core)
}

const loadEnvironmentWords: Handler = (core, op) => {
  begin(core)
  const at = readableAt(core, op, environmentBytes(op), op.operandSize >> 3)
  loadEnvironment(core, op.operandSize, readEnvironment(core, op, at))
}

/** The FPU is as after FNINIT behind it. */
const save: Handler = (core, op) => {
  beginControl(core)
  const size = environmentBytes(op)
  const at = writableAt(core, op, size + REGISTERS_BYTES, op.operandSize >> 3)
  writeEnvironment(core, op, at)
  for (let i = 0; i < 8; i++) writeExtended(core, (at + size + i * REGISTER_BYTES) | 0, readStack(core.r, i))
  reset(core)
}

/** What is read may be at fault; only then anything changes. */
const restore: Handler = (core, op) => {
  begin(core)
  const size = environmentBytes(op)
  const at = readableAt(core, op, size + REGISTERS_BYTES, op.operandSize >> 3)
  const words = readEnvironment(core, op, at)
  const registers = Array.from({ length: 8 }, (_, i) => readExtended(core, (at + size + i * REGISTER_BYTES) | 0))
  loadEnvironment(core, op.operandSize, words)
  for (const [i, x] of registers.entries()) writePhysical(core.r, physical(core.r, i), x)
}

/** FNENI, FNDISI, FNSETPM: of the 8087 and 80287; later ones do nothing. */
const nothing: Handler = (core) => beginControl(core)

/** By mnemonic and operand. */
export const CONTROL: Readonly<Record<string, Handler>> = {
  'fldcw Mw': loadControl,
  'fnstcw Mw': storeControl,
  'fnstsw Mw': storeStatus,
  'fnstsw AX': statusToAx,
  'fldenv M': loadEnvironmentWords,
  'fnstenv M': storeEnvironment,
  'frstor M': restore,
  'fnsave M': save,
  fnclex: clear,
  fninit: init,
  fneni: nothing,
  fndisi: nothing,
  fnsetpm: nothing,
}
