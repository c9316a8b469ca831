/** The lab's variants: what an instructor may choose, and a seed draws. */
import { z } from 'zod'

export const variantSchema = z.strictObject({
  hashBits: z.union([z.literal(16), z.literal(32), z.literal(48)]),
  scanOrder: z.enum(['sequential', 'interleaved', 'random']),
  zeroPages: z.enum(['host', 'ordinary', 'private']),
  copies: z.enum(['host', 'service']),
  countBits: z.union([z.literal(4), z.literal(6), z.literal(8), z.literal(16)]),
})
export type Variant = z.infer<typeof variantSchema>
