/** The lab's public part: what a starter carries besides the machine. */
import { someBits } from './every-bit.ts'
import { largeLaws } from './large-laws.ts'
import { coreLaws } from './laws.ts'
import { shadowPort } from './port.ts'
import { variantSchema } from './variant.ts'

export const publicPart = {
  id: 'shadow-mmu',
  title: 'Shadow page tables',
  port: shadowPort,
  variant: variantSchema,
  laws: [...coreLaws, someBits, ...largeLaws],
}
