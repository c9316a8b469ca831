import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COSTS, expectSame, HANDLER, prepare, program, run } from './fixtures/random-programs.ts'
import { Vcpu, type VcpuState } from './vcpu.ts'

describe('for every program', () => {
  test('how the run is sliced into budgets changes nothing', () => {
    const slices = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(program, slices, (p, budgets) => expectSame(run(prepare(p), []), run(prepare(p), budgets))),
      { seed: 11, numRuns: 300 },
    )
  })

  test('saving and restoring at any point, even in another vcpu, changes nothing', () => {
    const slices = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(program, slices, (p, budgets) => {
        const m = prepare(p)
        const moved = run(m, budgets, (vcpu) => {
          const state = JSON.parse(JSON.stringify(vcpu.save())) as VcpuState
          const fresh = new Vcpu({ index: 0, machine: m.memory.machine, memory: m.memory, costs: COSTS })
          fresh.restore(state)
          return fresh
        })
        expectSame(run(prepare(p), []), moved)
      }),
      { seed: 12, numRuns: 200 },
    )
  })

  test('decoded code is never out of date: decoding everything anew at each instruction changes nothing', () => {
    fc.assert(
      fc.property(program, (p) => {
        const m = prepare(p)
        const anew = run(m, [1], (vcpu) => {
          for (const page of [0x0000, 0x1000, HANDLER]) m.memory.writeBytes(page, m.memory.readBytes(page, 0x1000))
          return vcpu
        })
        expectSame(run(prepare(p), []), anew)
      }),
      { seed: 15, numRuns: 200 },
    )
  })

  test('the same run twice is the same run', () => {
    fc.assert(
      fc.property(program, (p) => expectSame(run(prepare(p), []), run(prepare(p), []))),
      { seed: 13, numRuns: 50 },
    )
  })

  test('a budget is exceeded by one instruction and its events at most, and never by another instruction', () => {
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 100 }), (p, budget) => {
        const { vcpu } = prepare(p)
        const exit = vcpu.run(budget)
        fc.pre(exit.reason === 'budget')
        expect(vcpu.cycles).toBeGreaterThanOrEqual(budget)
        const one = prepare(p).vcpu
        let before = 0
        while (one.cycles < budget) {
          before = one.cycles
          if (one.run(1).reason !== 'budget') return
        }
        expect(before).toBeLessThan(budget)
        expect(one.cycles).toBe(vcpu.cycles)
      }),
      { seed: 14, numRuns: 100 },
    )
  })
})
