import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connectInProcess } from '../../../grader/port/in-process.ts'
import type { FifoBackend, SerialMachine } from '../../../reference/index.ts'
import { FIFO_VARIANT } from '../../../reference/io/fifo-variant.ts'
import { hiddenLaws } from '../hidden/laws.ts'
import { modelLaws } from '../public/laws.ts'
import { fifoPort } from '../public/port.ts'
import type { Variant } from '../public/variant.ts'
import { create as framesLate } from './frames-late.ts'
import { benign } from './index.ts'
import { create as oneRing } from './one-ring.ts'
import { create as ownWriter } from './own-writer.ts'
import { create as pollDriven } from './poll-driven.ts'

const VARIANTS: readonly Variant[] = [
  { wiring: 'pair', unplugged: 'keep', framing: 'raw', capacity: 32, resumeAt: 14, escapeByte: 0xff },
  { wiring: 'pair', unplugged: 'discard', framing: 'packets', capacity: 100, resumeAt: 1, escapeByte: 0xff },
  { wiring: 'duplex', unplugged: 'keep', framing: 'escaped', capacity: 48, resumeAt: 4, escapeByte: 0x1d },
  { wiring: 'duplex', unplugged: 'discard', framing: 'raw', capacity: 192, resumeAt: 8, escapeByte: 0x10 },
]

const RUNS = 2
const MAKERS: Readonly<Record<string, (machine: SerialMachine) => FifoBackend>> = {
  'frames-late': framesLate,
  'one-ring': oneRing,
  'own-writer': ownWriter,
  'poll-driven': pollDriven,
}

describe.each(benign)('the benign back end $id', ({ id }) => {
  it('obeys every law over modelled pipes', () => {
    const connect = connectInProcess(fifoPort, (machine) => MAKERS[id]!(machine as unknown as SerialMachine))
    for (const variant of VARIANTS) {
      Object.assign(FIFO_VARIANT, variant)
      for (const law of [...modelLaws, ...hiddenLaws]) {
        const counters = new Map<string, number>()
        const count = (name: string, amount: number) => counters.set(name, (counters.get(name) ?? 0) + amount)
        const context = { variant, connect, count, directory: () => '' }
        fc.assert(
          fc.property(law.cases(variant), (testCase) => law.check(testCase, context)),
          { seed: 9, numRuns: RUNS },
        )
        if (law.id === 'gathers') {
          expect(counters.get('hostWrites')!).toBeLessThanOrEqual(counters.get('hostWritesAllowed')!)
          expect(counters.get('vainRounds')! / counters.get('wakeUps')!).toBeLessThan(0.05)
        }
      }
    }
  })
})
