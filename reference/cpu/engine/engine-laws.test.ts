import fc from 'fast-check'
import { describe, test } from 'vitest'
import { expectSame, prepare, program, run } from '../fixtures/random-programs.ts'

describe('for every program', () => {
  test('interpreter and translated code come to the same state, however the run is sliced', () => {
    const slices = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 6 })
    fc.assert(
      fc.property(program, slices, fc.integer({ min: 1, max: 3 }), (p, budgets, hot) => {
        expectSame(run(prepare(p), []), run(prepare(p, { engine: 'wasm', hot }), budgets))
      }),
      { seed: 21, numRuns: 1000 },
    )
  })
})
