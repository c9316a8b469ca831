/** The lab's variants: what an instructor may choose, and a seed draws. */
import { z } from 'zod'

export const variantSchema = z.strictObject({
  maxShadowPages: z.int().min(6).max(16),
  flush: z.enum(['eager', 'lazy']),
  largeEntries: z.boolean(),
  globalEntries: z.boolean(),
  prefetch: z.union([z.literal(4), z.literal(8), z.literal(16)]),
})
export type Variant = z.infer<typeof variantSchema>
