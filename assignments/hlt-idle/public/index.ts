/** The lab's public part: what a starter carries besides the machine. */

import { laws } from './laws.ts'
import { idlePort } from './port.ts'
import { variantSchema } from './variant.ts'

export const publicPart = {
  id: 'hlt-idle',
  title: 'HLT idle accounting',
  port: idlePort,
  variant: variantSchema,
  laws,
}
