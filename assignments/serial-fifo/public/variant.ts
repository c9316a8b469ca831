/** The lab's variants: what an instructor may choose, and a seed draws. */
import { z } from 'zod'

export const variantSchema = z.strictObject({
  wiring: z.enum(['pair', 'duplex']),
  capacity: z.int().min(32).max(192),
  unplugged: z.enum(['keep', 'discard']),
  resumeAt: z.union([z.literal(1), z.literal(4), z.literal(8), z.literal(14)]),
  framing: z.enum(['raw', 'escaped', 'packets']),
  escapeByte: z.int().min(1).max(255),
})
export type Variant = z.infer<typeof variantSchema>
