import * as fc from 'fast-check'
import { describe, it } from 'vitest'
import { emptyDirectory } from '../../grader/contract/empty-directory.ts'
import { connectInProcess } from '../../grader/port/in-process.ts'
import type { SerialMachine } from '../../reference/index.ts'
import { create } from '../../reference/io/fifo-backend.ts'
import { FIFO_VARIANT } from '../../reference/io/fifo-variant.ts'
import { modelLaws } from './public/laws.ts'
import { fifoPort } from './public/port.ts'
import { realLaws } from './public/real-laws.ts'
import type { Variant } from './public/variant.ts'

const connect = connectInProcess(fifoPort, (machine) => create(machine as unknown as SerialMachine))

/** Every wiring with every policy and every framing, with different numbers. */
const VARIANTS: readonly Variant[] = (['pair', 'duplex'] as const).flatMap((wiring, w) =>
  (['keep', 'discard'] as const).flatMap((unplugged, u) =>
    (['raw', 'escaped', 'packets'] as const).map((framing, f) => ({
      wiring,
      unplugged,
      framing,
      capacity: [32, 64, 100, 192][(w + u + f) % 4]!,
      resumeAt: ([1, 4, 8, 14] as const)[(2 * w + u + f) % 4]!,
      escapeByte: [0xff, 0x10, 0x1d][f]!,
    })),
  ),
)

/** The reference back end as this variant asks for it. */
function contextFor(variant: Variant) {
  Object.assign(FIFO_VARIANT, variant)
  return { variant, connect, count: () => {}, directory: () => emptyDirectory(undefined) }
}

describe('the reference back end obeys every law, in every kind of variant', () => {
  it.each([...modelLaws, ...realLaws].map((law) => [law.sentence, law] as const))('%s', (_, law) => {
    for (const [seed, variant] of VARIANTS.entries()) {
      const context = contextFor(variant)
      const numRuns = Math.min(law.runs.hidden, 12)
      fc.assert(
        fc.property(law.cases(variant), (testCase) => law.check(testCase, context)),
        { seed, numRuns },
      )
    }
  })
})
