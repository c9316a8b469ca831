import fc from 'fast-check'
import { describe, test } from 'vitest'
import { computingProgram, expectSame, prepare, program, run } from '../fixtures/random-programs.ts'

const slices = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 6 })
const hot = fc.integer({ min: 1, max: 3 })

describe('interpreter and translated code come to the same state, however the run is sliced,', () => {
  test('for programs of all kinds of instructions', () => {
    fc.assert(
      fc.property(program, slices, hot, (p, budgets, heat) => {
        expectSame(run(prepare(p), []), run(prepare(p, { engine: 'wasm', hot: heat }), budgets))
      }),
      { seed: 21, numRuns: 300 },
    )
  })

  test('for programs that compute', () => {
    fc.assert(
      fc.property(computingProgram, slices, hot, (p, budgets, heat) => {
        expectSame(run(prepare(p), []), run(prepare(p, { engine: 'wasm', hot: heat }), budgets))
      }),
      { seed: 22, numRuns: 500 },
    )
  })
})
