/**
 * The FPU's environment in memory, in its four formats (Intel SDM vol. 1 §8.1.10, figures 8-9 to 8-12), and the pointers
 * to the last instruction and its operand (§8.1.8).
 */
import { FPU_CONTROL, FPU_CS, FPU_DP, FPU_DS, FPU_IP, FPU_OPCODE, FPU_STATUS, SELECTOR } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { CS } from '../instruction.ts'
import type { Op } from '../op.ts'
import { summarize } from './exceptions.ts'
import { setTagWord, tagWord } from './stack.ts'

const CONTROL_KNOWN = 0x1f3f
/** Reads as 1. */
const CONTROL_ALWAYS_ONE = 0x40
const OPCODE_MASK = 0x7ff
const UPPER_ONES = 0xffff_0000

/** Words of an environment. */
export const ENVIRONMENT_WORDS = 7

/** An instruction with these fields is the last one that was no control instruction. */
export function noteInstruction(core: Core, op: Op): void {
  const { r } = core
  r[FPU_IP] = core.blockEip + op.start
  r[FPU_CS] = r[SELECTOR + CS]!
  r[FPU_OPCODE] = ((op.opcode & 7) << 8) | ((op.isRegister ? 0xc0 : op.mod << 6) | (op.reg << 3) | op.rm)
}

/** And this is its operand in memory. */
export function noteOperand(core: Core, op: Op, offset: number): void {
  core.r[FPU_DP] = offset
  core.r[FPU_DS] = core.r[SELECTOR + op.segment]!
}

/** Real-address and virtual-8086 mode keep linear addresses instead of far pointers. */
function isRealFormat(core: Core): boolean {
  return !core.usesDescriptors
}

/** The seven words as FNSTENV writes them, each 16 or 32 bits. */
export function environmentWords(core: Core, width: number): number[] {
  const { r } = core
  const opcode = r[FPU_OPCODE]! & OPCODE_MASK
  const high = width === 32 ? UPPER_ONES : 0
  const head = [r[FPU_CONTROL]! | high, r[FPU_STATUS]! | high, tagWord(r) | high]
  if (!isRealFormat(core)) {
    if (width === 16) return [...head, r[FPU_IP]!, r[FPU_CS]!, r[FPU_DP]!, r[FPU_DS]!]
    return [...head, r[FPU_IP]!, r[FPU_CS]! | (opcode << 16), r[FPU_DP]!, r[FPU_DS]! | high]
  }
  const ip = (r[FPU_IP]! + (r[FPU_CS]! << 4)) | 0
  const dp = (r[FPU_DP]! + (r[FPU_DS]! << 4)) | 0
  if (width === 16) return [...head, ip, ((ip >>> 4) & 0xf000) | opcode, dp, (dp >>> 4) & 0xf000]
  return [
    ...head,
    (ip & 0xffff) | high,
    ((ip >>> 4) & 0x0fff_f000) | opcode,
    (dp & 0xffff) | high,
    (dp >>> 4) & 0x0fff_f000,
  ]
}

/** FLDENV. A linear address of the real format comes back as an offset of segment 0. */
export function loadEnvironment(core: Core, width: number, words: readonly number[]): void {
  const { r } = core
  const [control, status, tags, ip, cs, dp, ds] = words as [number, number, number, number, number, number, number]
  setControl(core, control)
  r[FPU_STATUS] = status & 0xffff
  setTagWord(r, tags)
  if (!isRealFormat(core)) {
    const mask = width === 32 ? -1 : 0xffff
    r[FPU_IP] = ip & mask
    r[FPU_CS] = cs & 0xffff
    r[FPU_DP] = dp & mask
    r[FPU_DS] = ds & 0xffff
    if (width === 32) r[FPU_OPCODE] = (cs >>> 16) & OPCODE_MASK
  } else {
    const upper = width === 32 ? 0x0fff_f000 : 0xf000
    r[FPU_IP] = (ip & 0xffff) | ((cs & upper) << 4)
    r[FPU_CS] = 0
    r[FPU_DP] = (dp & 0xffff) | ((ds & upper) << 4)
    r[FPU_DS] = 0
    r[FPU_OPCODE] = cs & OPCODE_MASK
  }
  summarize(core)
}

/** The control word; bits that are not known stay 0. */
export function setControl(core: Core, word: number): void {
  core.r[FPU_CONTROL] = (word & CONTROL_KNOWN) | CONTROL_ALWAYS_ONE
}
