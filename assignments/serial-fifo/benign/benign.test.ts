import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyDirectory } from '../../../grader/contract/empty-directory.ts'
import { connectInProcess } from '../../../grader/port/in-process.ts'
import type { FifoBackend, SerialMachine } from '../../../reference/index.ts'
import { FIFO_VARIANT } from '../../../reference/io/fifo-variant.ts'
import { hiddenLaws } from '../hidden/laws.ts'
import { modelLaws } from '../public/laws.ts'
import { fifoPort } from '../public/port.ts'
import { realLaws } from '../public/real-laws.ts'
import type { Variant } from '../public/variant.ts'
import { create as framesLate } from './frames-late.ts'
import { benign } from './index.ts'
import { create as oneRing } from './one-ring.ts'
import { create as ownWriter } from './own-writer.ts'
import { create as pollDriven } from './poll-driven.ts'

const VARIANTS: readonly Variant[] = (['pair', 'duplex'] as const).flatMap((wiring, w) =>
  (['keep', 'discard'] as const).flatMap((unplugged, u) =>
    (['raw', 'escaped', 'packets'] as const).map((framing, f) => ({
      wiring,
      unplugged,
      framing,
      capacity: [32, 192, 100, 48][(w + u + f) % 4]!,
      resumeAt: ([14, 1, 4, 8] as const)[(2 * w + u + f) % 4]!,
      escapeByte: [0xff, 0x10, 0x1d][f]!,
    })),
  ),
)

const RUNS = 1
const MAKERS: Readonly<Record<string, (machine: SerialMachine) => FifoBackend>> = {
  'frames-late': framesLate,
  'one-ring': oneRing,
  'own-writer': ownWriter,
  'poll-driven': pollDriven,
}

describe.each(benign)('the benign back end $id', ({ id }) => {
  it('obeys every law in every kind of variant', () => {
    const connect = connectInProcess(fifoPort, (machine) => MAKERS[id]!(machine as unknown as SerialMachine))
    for (const variant of VARIANTS) {
      Object.assign(FIFO_VARIANT, variant)
      for (const law of [...modelLaws, ...realLaws, ...hiddenLaws]) {
        const counters = new Map<string, number>()
        const count = (name: string, amount: number) => counters.set(name, (counters.get(name) ?? 0) + amount)
        const context = { variant, connect, count, directory: () => emptyDirectory(undefined) }
        const numRuns = law.id === 'real-full' ? 1 : RUNS
        fc.assert(
          fc.property(law.cases(variant), (testCase) => law.check(testCase, context)),
          { seed: 9, numRuns },
        )
        if (law.id === 'gathers') {
          expect(counters.get('hostWrites')!).toBeLessThanOrEqual(counters.get('hostWritesAllowed')!)
          expect(counters.get('vainRounds')! / counters.get('wakeUps')!).toBeLessThan(0.05)
        }
      }
    }
  })
})
