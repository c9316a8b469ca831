/** The lab's public part: what a starter carries besides the machine. */
import { modelLaws } from './laws.ts'
import { fifoPort } from './port.ts'
import { realLaws } from './real-laws.ts'
import { variantSchema } from './variant.ts'

export const publicPart = {
  id: 'serial-fifo',
  title: 'A serial port over named pipes',
  port: fifoPort,
  variant: variantSchema,
  laws: [...modelLaws, ...realLaws],
}
