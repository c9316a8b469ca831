/**
 * Model-specific registers (Intel SDM vol. 4): those that kernels for these processors touch. Every other one is #GP(0).
 */
import type { Core } from './core.ts'
import { familyOf } from './cpuid.ts'

const TSC = 0x10
/** Family 5: machine checks, which never happen here. */
const P5_MC_ADDR = 0
const P5_MC_TYPE = 1
/** Family 6: no platform bits, no microcode update. */
const PLATFORM_ID = 0x17
const BIOS_SIGN_ID = 0x8b
const P5 = 5
/** The local APIC: where it is, and that it is on; bit 8 is the processor's that boots. It cannot be moved. */
const APIC_BASE = 0x1b
const APIC_BASE_VALUE = 0xfee0_0800n
const BOOTSTRAP = 0x100n

function apicBase(core: Core): bigint | undefined {
  if (core.apicId === undefined || familyOf(core.model) === P5) return undefined
  return APIC_BASE_VALUE | (core.apicId === 0 ? BOOTSTRAP : 0n)
}

function isZero(core: Core, index: number): boolean {
  return familyOf(core.model) === P5
    ? index === P5_MC_ADDR || index === P5_MC_TYPE
    : index === PLATFORM_ID || index === BIOS_SIGN_ID
}

/** Undefined: there is no such register. @param position of the instruction in its block */
export function readMsr(core: Core, index: number, position: number): bigint | undefined {
  if (index === TSC) return core.tscAt(position)
  if (index === APIC_BASE) return apicBase(core)
  return isZero(core, index) ? 0n : undefined
}

/** @returns false when there is no such register, or it cannot be written */
export function writeMsr(core: Core, index: number, value: bigint, position: number): boolean {
  if (index === TSC) {
    core.setTsc(value, position)
    return true
  }
  if (index === APIC_BASE) return value === apicBase(core)
  return index === BIOS_SIGN_ID && isZero(core, index)
}
