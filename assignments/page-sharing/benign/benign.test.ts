import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnyLaw } from '../../../grader/contract/law.ts'
import { connectInProcess } from '../../../grader/port/in-process.ts'
import type { SharingOperations, SharingService } from '../../../reference/index.ts'
import { SHARING_VARIANT } from '../../../reference/mmu/sharing-variant.ts'
import { hiddenLaws } from '../hidden/laws.ts'
import { publicLaws } from '../public/laws.ts'
import { sharingPort } from '../public/port.ts'
import type { Variant } from '../public/variant.ts'
import { create as eagerlyPrivate } from './eagerly-private.ts'
import { create as hashesAgain } from './hashes-again.ts'
import { benign } from './index.ts'
import { create as plainMaps } from './plain-maps.ts'
import { create as protectsFirst } from './protects-first.ts'

const VARIANTS: readonly Variant[] = [
  { hashBits: 48, scanOrder: 'sequential', zeroPages: 'host', copies: 'host', countBits: 4 },
  { hashBits: 16, scanOrder: 'interleaved', zeroPages: 'private', copies: 'service', countBits: 6 },
  { hashBits: 32, scanOrder: 'random', zeroPages: 'ordinary', copies: 'host', countBits: 8 },
]
const LAWS: readonly AnyLaw<SharingService, Variant>[] = [...publicLaws, ...hiddenLaws]
const RUNS = 6
const COUNTED = ['hashed', 'compared', 'flushed', 'hashedAgain'] as const
const MAKERS: Readonly<Record<string, (host: SharingOperations) => SharingService>> = {
  'eagerly-private': eagerlyPrivate,
  'hashes-again': hashesAgain,
  'plain-maps': plainMaps,
  'protects-first': protectsFirst,
}

describe.each(benign)('the benign service $id', ({ id }) => {
  it('obeys every law, and costs no more than it may', () => {
    const connect = connectInProcess(sharingPort, (host) => MAKERS[id]!(host as unknown as SharingOperations))
    for (const variant of VARIANTS) {
      Object.assign(SHARING_VARIANT, variant)
      const counters = new Map<string, number>()
      const count = (name: string, amount: number) => counters.set(name, (counters.get(name) ?? 0) + amount)
      const context = { variant, connect, count, directory: () => '' }
      for (const law of LAWS) {
        fc.assert(
          fc.property(law.cases(variant), (testCase) => law.check(testCase, context)),
          { seed: 9, numRuns: law.runs.public === 0 ? 1 : RUNS },
        )
      }
      for (const name of COUNTED) expect(counters.get(name)!).toBeLessThanOrEqual(counters.get(`${name}Allowed`)!)
    }
  })
})
