/**
 * What translated code takes for granted about the processor, besides that its code segment is flat and 32 bits wide.
 * A region is entered only in the mode that it was translated for.
 */

import { FLAT } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'

const SEGMENTS = 6

export interface EngineMode {
  /** As one number: `Core.mode`. */
  readonly key: number
  /** `FLAT_…` bits of each segment register. */
  readonly flat: readonly number[]
  /** The current privilege level. */
  readonly cpl: number
  /** ESP is used, not SP. */
  readonly bigStack: boolean
}

export function modeOf(core: Core): EngineMode {
  return {
    key: core.mode,
    flat: Array.from({ length: SEGMENTS }, (_, s) => core.r[FLAT + s]!),
    cpl: core.cpl,
    bigStack: core.stackMask === -1,
  }
}
