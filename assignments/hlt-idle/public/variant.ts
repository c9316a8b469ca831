/** The lab's variants: what an instructor may choose, and a seed draws. */
import { z } from 'zod'

export const variantSchema = z.strictObject({
  unit: z.enum(['cycles', 'nanoseconds', 'microseconds']),
  scope: z.enum(['vcpu', 'vm']),
  place: z.enum(['cpuid', 'hypercall']),
  number: z.int().min(1).max(0x4000_ffff),
  halves: z.enum(['edx:eax', 'ecx:ebx']),
  pollCycles: z.int().min(0).max(100_000),
})
export type Variant = z.infer<typeof variantSchema>

/** Cycles in a second on the machine of this lab. */
export const CYCLE_HZ = 3_800_000_000n

const UNITS_PER_SECOND = { cycles: CYCLE_HZ, nanoseconds: 1_000_000_000n, microseconds: 1_000_000n }

/** Cycles in the variant's unit, rounded down. */
export function toUnit(cycles: bigint, unit: Variant['unit']): bigint {
  return (cycles * UNITS_PER_SECOND[unit]) / CYCLE_HZ
}
