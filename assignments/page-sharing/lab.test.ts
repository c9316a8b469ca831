import * as fc from 'fast-check'
import { describe, it } from 'vitest'
import type { AnyLaw } from '../../grader/contract/law.ts'
import { connectInProcess } from '../../grader/port/in-process.ts'
import type { SharingOperations, SharingService } from '../../reference/index.ts'
import { create } from '../../reference/mmu/sharing.ts'
import { SHARING_VARIANT } from '../../reference/mmu/sharing-variant.ts'
import { hiddenLaws } from './hidden/laws.ts'
import { publicLaws } from './public/laws.ts'
import { sharingPort } from './public/port.ts'
import type { Variant } from './public/variant.ts'

const connect = connectInProcess(sharingPort, (host) => create(host as unknown as SharingOperations))

/** Every order with every way to treat zeros, with different numbers. */
const VARIANTS: readonly Variant[] = (['sequential', 'interleaved', 'random'] as const).flatMap((scanOrder, s) =>
  (['host', 'ordinary', 'private'] as const).map((zeroPages, z) => ({
    scanOrder,
    zeroPages,
    copies: (s + z) % 2 === 0 ? ('host' as const) : ('service' as const),
    hashBits: ([16, 32, 48] as const)[(s + 2 * z) % 3]!,
    countBits: ([4, 6, 8, 16] as const)[(2 * s + z) % 4]!,
  })),
)

const LAWS: readonly AnyLaw<SharingService, Variant>[] = [...publicLaws, ...hiddenLaws]

/** The reference service as this variant asks for it. */
function contextFor(variant: Variant) {
  Object.assign(SHARING_VARIANT, variant)
  return { variant, connect, count: () => {}, directory: () => '' }
}

describe('the reference service obeys every law, in every kind of variant', () => {
  it.each(LAWS.map((law) => [law.sentence, law] as const))('%s', (_, law) => {
    for (const [seed, variant] of VARIANTS.entries()) {
      const context = contextFor(variant)
      fc.assert(
        fc.property(law.cases(variant), (testCase) => law.check(testCase, context)),
        { seed, numRuns: law.runs.public === 0 ? 3 : 8 },
      )
    }
  })
})
