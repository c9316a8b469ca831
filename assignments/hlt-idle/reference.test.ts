import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { create } from '../../reference/cpu/idle.ts'
import { IDLE_VARIANT } from '../../reference/cpu/idle-variant.ts'
import lab from './lab.ts'
import { hiddenLaws } from './hidden/laws.ts'
import { laws } from './public/laws.ts'

describe('the reference monitor obeys every law', () => {
  it.each([...laws, ...hiddenLaws].map((law) => [law.sentence, law] as const))('%s', (_, law) => {
    const context = { variant: IDLE_VARIANT, connect: create, count: () => {} }
    fc.assert(
      fc.property(law.cases(IDLE_VARIANT), (testCase) => law.check(testCase, context)),
      { seed: 1, numRuns: 25 },
    )
  })
})
