/** A serial port over named pipes: all that the tools know of the lab. */
import { defineLab } from '../../grader/contract/index.ts'
import type { FifoBackend } from '../../reference/index.ts'
import { benign } from './benign/index.ts'
import { hiddenLaws } from './hidden/laws.ts'
import { mutants } from './mutants/index.ts'
import { publicPart } from './public/index.ts'
import type { Variant } from './public/variant.ts'

export default defineLab<FifoBackend, Variant>({
  id: publicPart.id,
  title: publicPart.title,
  syllabus: '2.3 I/O virtualization',
  solution: ['reference/io/fifo-backend.ts', 'reference/io/fifo-framing.ts', 'reference/io/host-files.ts'],
  variantModule: 'reference/io/fifo-variant.ts',
  entry: 'fifo-backend.ts',
  port: publicPart.port,
  variant: publicPart.variant,
  draw: (random) => ({
    wiring: random.pick(['pair', 'duplex'] as const),
    capacity: random.pick([32, 48, 80, 100, 160, 192]),
    unplugged: random.pick(['keep', 'discard'] as const),
    resumeAt: random.pick([1, 4, 8, 14] as const),
    framing: random.pick(['raw', 'escaped', 'packets'] as const),
    escapeByte: random.pick([0x10, 0x1d, 0x7d, 0xff]),
  }),
  variantSource: (variant) => `/** The parameters of this variant. */
export interface FifoVariant {
  readonly wiring: 'pair' | 'duplex'
  readonly capacity: number
  readonly unplugged: 'keep' | 'discard'
  readonly resumeAt: 1 | 4 | 8 | 14
  readonly framing: 'raw' | 'escaped' | 'packets'
  readonly escapeByte: number
}

export const FIFO_VARIANT: FifoVariant = ${JSON.stringify(variant)}
`,
  suites: { public: publicPart.laws, hidden: [...publicPart.laws, ...hiddenLaws] },
  mutants,
  benign,
  grants: { modules: ['node:fs'], directory: true },
  platform: ['reference', 'assignments/serial-fifo/public', 'grader/contract'],
  baseline: 0,
  handout: (variant) => ({
    pair: variant.wiring === 'pair',
    keep: variant.unplugged === 'keep',
    bytes: variant.resumeAt === 1 ? 'byte' : 'bytes',
    raw: variant.framing === 'raw',
    escaped: variant.framing === 'escaped',
    packets: variant.framing === 'packets',
    escapeHex: `${variant.escapeByte.toString(16).toUpperCase().padStart(2, '0')}h`,
  }),
})
