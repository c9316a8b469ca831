import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnyLaw } from '../../../grader/contract/law.ts'
import type { Connect } from '../../../grader/contract/port.ts'
import { prepareSubmission } from '../../../grader/submission/prepare.ts'
import { benignFiles } from '../../../grader/submission/solution-files.ts'
import type { SharingService } from '../../../reference/index.ts'
import { hiddenLaws } from '../hidden/laws.ts'
import lab from '../lab.ts'
import { publicLaws } from '../public/laws.ts'
import type { Variant } from '../public/variant.ts'
import { benign } from './index.ts'

const VARIANTS: readonly Variant[] = [
  { hashBits: 48, scanOrder: 'sequential', zeroPages: 'host', copies: 'host', countBits: 4 },
  { hashBits: 16, scanOrder: 'interleaved', zeroPages: 'private', copies: 'service', countBits: 6 },
  { hashBits: 32, scanOrder: 'random', zeroPages: 'ordinary', copies: 'host', countBits: 8 },
]
const LAWS: readonly AnyLaw<SharingService, Variant>[] = [...publicLaws, ...hiddenLaws]
const RUNS = 6
const COUNTED = ['hashed', 'compared', 'flushed', 'hashedAgain'] as const

describe.each(benign)('the benign service $id', (service) => {
  it('obeys every law, and costs no more than it may', async () => {
    for (const variant of VARIANTS) {
      const files = benignFiles(lab, variant, service)
      const submission = await prepareSubmission(lab, files, { typeCheck: false, trusted: true })
      const connect = submission.open().load() as Connect<SharingService>
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
