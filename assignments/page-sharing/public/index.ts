/** The lab's public part: what a starter carries besides the machine. */
import { publicLaws } from './laws.ts'
import { sharingPort } from './port.ts'
import { variantSchema } from './variant.ts'

export const publicPart = {
  id: 'page-sharing',
  title: 'Content-based page sharing',
  port: sharingPort,
  variant: variantSchema,
  laws: publicLaws,
}
