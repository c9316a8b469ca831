/** The shadow MMU lab: all that the tools know of it. */
import { defineLab } from '../../grader/contract/index.ts'
import type { ShadowMmu } from '../../reference/index.ts'
import { benign } from './benign/index.ts'
import { hiddenLaws } from './hidden/laws.ts'
import { mutants } from './mutants/index.ts'
import { publicPart } from './public/index.ts'
import type { Variant } from './public/variant.ts'

export default defineLab<ShadowMmu, Variant>({
  id: publicPart.id,
  title: publicPart.title,
  syllabus: '2.2 Memory virtualization',
  solution: ['reference/mmu/shadow.ts', 'reference/mmu/shadow-cache.ts'],
  variantModule: 'reference/mmu/shadow-variant.ts',
  entry: 'shadow.ts',
  port: publicPart.port,
  variant: publicPart.variant,
  draw: (random) => ({
    maxShadowPages: random.pick([6, 8, 10, 12]),
    flush: random.pick(['eager', 'lazy'] as const),
    largeEntries: random.pick([false, true]),
    globalEntries: random.pick([false, true]),
    prefetch: random.pick([4, 8, 16] as const),
  }),
  variantSource: (variant) => `/** The parameters of this variant. */
export interface ShadowVariant {
  readonly maxShadowPages: number
  readonly flush: 'eager' | 'lazy'
  readonly largeEntries: boolean
  readonly globalEntries: boolean
  readonly prefetch: number
}

export const SHADOW_VARIANT: ShadowVariant = ${JSON.stringify(variant)}
`,
  suites: { public: publicPart.laws, hidden: [...publicPart.laws, ...hiddenLaws] },
  mutants,
  benign,
  platform: ['reference', 'assignments/shadow-mmu/public', 'grader/contract'],
  baseline: 0,
  handout: (variant) => ({
    eager: variant.flush === 'eager',
  }),
})
