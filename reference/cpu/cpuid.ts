/**
 * What CPUID says of the processor (Intel SDM vol. 2A, CPUID). Plain data: a hypervisor shows the guest what it likes.
 */

/** The four registers that CPUID writes, unsigned. */
export interface CpuidResult {
  readonly eax: number
  readonly ebx: number
  readonly ecx: number
  readonly edx: number
}

export interface CpuModel {
  readonly name: string
  /** Twelve ASCII characters. */
  readonly vendor: string
  /** Family, model and stepping, as in EAX of leaf 1; also EDX after RESET. */
  readonly signature: number
  /** EDX of leaf 1. */
  readonly features: number
  /** ECX of leaf 1; bit 31 tells a guest that it runs on a hypervisor. */
  readonly moreFeatures: number
}

const FEATURE_FPU = 1
export const FEATURE_DE = 1 << 2
export const FEATURE_PSE = 1 << 3
const FEATURE_TSC = 1 << 4
const FEATURE_MSR = 1 << 5
export const FEATURE_MCE = 1 << 7
const FEATURE_CX8 = 1 << 8
const FEATURE_APIC = 1 << 9
export const FEATURE_PGE = 1 << 13
export const FEATURE_CMOV = 1 << 15
/** Of EBX. */
const APIC_ID_SHIFT = 24
const HYPERVISOR_PRESENT = 0x8000_0000
const PENTIUM_FEATURES = FEATURE_FPU | FEATURE_DE | FEATURE_PSE | FEATURE_TSC | FEATURE_MSR | FEATURE_MCE | FEATURE_CX8

/** A processor of the P6 family, in a virtual machine. */
export const DEFAULT_CPU_MODEL: CpuModel = {
  name: 'trapframe',
  vendor: 'GenuineIntel',
  signature: 0x0611,
  features:
    FEATURE_FPU | FEATURE_DE | FEATURE_PSE | FEATURE_TSC | FEATURE_MSR | FEATURE_CX8 | FEATURE_PGE | FEATURE_CMOV,
  moreFeatures: HYPERVISOR_PRESENT,
}

/** A Pentium of 75–200 MHz (P54C), without what this machine has not: virtual-8086 mode extensions. */
const PENTIUM: CpuModel = {
  name: 'pentium',
  vendor: 'GenuineIntel',
  signature: 0x052c,
  features: PENTIUM_FEATURES,
  moreFeatures: 0,
}

/** All models by name. */
export const CPU_MODELS: Readonly<Record<string, CpuModel>> = {
  [DEFAULT_CPU_MODEL.name]: DEFAULT_CPU_MODEL,
  [PENTIUM.name]: PENTIUM,
  'pentium+cmov': { ...PENTIUM, name: 'pentium+cmov', features: PENTIUM_FEATURES | FEATURE_CMOV },
}

export function familyOf(model: CpuModel): number {
  return (model.signature >> 8) & 15
}

/** The leaves that belong to the hypervisor: executing CPUID with one of them is an exit. */
export const HYPERVISOR_LEAF_FIRST = 0x4000_0000
export const HYPERVISOR_LEAF_LAST = 0x4000_ffff

/**
 * What CPUID answers for `leaf`; a leaf beyond the last gives the last one, as hardware does.
 * @param apicId of the processor's local APIC, when it has one
 */
export function cpuid(model: CpuModel, leaf: number, apicId: number | undefined): CpuidResult {
  if (leaf === 0) {
    return {
      eax: 1,
      ebx: fourCharacters(model.vendor, 0),
      edx: fourCharacters(model.vendor, 4),
      ecx: fourCharacters(model.vendor, 8),
    }
  }
  const features = apicId === undefined ? model.features : model.features | FEATURE_APIC
  return {
    eax: model.signature,
    ebx: ((apicId ?? 0) << APIC_ID_SHIFT) >>> 0,
    ecx: model.moreFeatures >>> 0,
    edx: features >>> 0,
  }
}

function fourCharacters(text: string, from: number): number {
  let word = 0
  for (let i = 3; i >= 0; i--) word = (word << 8) | text.charCodeAt(from + i)
  return word >>> 0
}
