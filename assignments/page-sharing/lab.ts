/** Content-based page sharing: all that the tools know of the lab. */
import { defineLab } from '../../grader/contract/index.ts'
import type { SharingService } from '../../reference/index.ts'
import { benign } from './benign/index.ts'
import { drawCurve } from './explain.ts'
import { hiddenLaws } from './hidden/laws.ts'
import { mutants } from './mutants/index.ts'
import { publicPart } from './public/index.ts'
import type { Variant } from './public/variant.ts'

export default defineLab<SharingService, Variant>({
  id: publicPart.id,
  title: publicPart.title,
  syllabus: '2.2 Memory virtualization',
  solution: ['reference/mmu/sharing.ts', 'reference/mmu/frame-table.ts'],
  variantModule: 'reference/mmu/sharing-variant.ts',
  entry: 'sharing.ts',
  port: publicPart.port,
  variant: publicPart.variant,
  draw: (random) => ({
    hashBits: random.pick([16, 32, 48] as const),
    scanOrder: random.pick(['sequential', 'interleaved', 'random'] as const),
    zeroPages: random.pick(['host', 'ordinary', 'private'] as const),
    copies: random.pick(['host', 'service'] as const),
    countBits: random.pick([4, 6, 8] as const),
  }),
  variantSource: (variant) => `/** The parameters of this variant. */
export interface SharingVariant {
  readonly hashBits: 16 | 32 | 48
  readonly scanOrder: 'sequential' | 'interleaved' | 'random'
  readonly zeroPages: 'host' | 'ordinary' | 'private'
  readonly copies: 'host' | 'service'
  readonly countBits: 4 | 6 | 8 | 16
}

export const SHARING_VARIANT: SharingVariant = ${JSON.stringify(variant)}
`,
  suites: { public: publicPart.laws, hidden: [...publicPart.laws, ...hiddenLaws] },
  mutants,
  benign,
  platform: ['reference', 'assignments/page-sharing/public', 'grader/contract'],
  baseline: 0,
  explain: drawCurve,
  handout: (variant) => ({
    bytesOfHash: variant.hashBits / 8,
    largestCount: 2 ** variant.countBits - 1,
    sequential: variant.scanOrder === 'sequential',
    interleaved: variant.scanOrder === 'interleaved',
    random: variant.scanOrder === 'random',
    zeroHost: variant.zeroPages === 'host',
    zeroOrdinary: variant.zeroPages === 'ordinary',
    zeroPrivate: variant.zeroPages === 'private',
    hostCopies: variant.copies === 'host',
  }),
})
