import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Measurement } from './measure.ts'
import { agrees, mips, ratio, type SectionResult, table } from './report.ts'
import { geometricMean, median } from './statistics.ts'

const SECTION = { name: 'fib', family: 'calls', work: 100 } as const
const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true })

function measurement(cpuSeconds: number, share = 1, checksum = '0badf00d'): Measurement {
  return {
    cpuSeconds,
    wallSeconds: cpuSeconds,
    share,
    instructions: 1e6 * share,
    checksums: { [200 * share]: checksum },
  }
}

describe('averages', () => {
  it('a geometric mean of ratios turned round is the mean turned round', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 20 }), (ratios) => {
        expect(geometricMean(ratios.map((each) => 1 / each)) * geometricMean(ratios)).toBeCloseTo(1, 9)
      }),
      { numRuns: 50 },
    )
  })

  it('half of all numbers are no less than their median, and half are no more', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 20 }), (values) => {
        const middle = median(values)
        expect(values.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(values.length / 2)
        expect(values.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(values.length / 2)
      }),
      { numRuns: 50 },
    )
  })

  it('there is no average of nothing, nor a ratio of zero', () => {
    expect(() => median([])).toThrow(RangeError)
    expect(() => geometricMean([])).toThrow(RangeError)
    expect(() => geometricMean([1, 0])).toThrow(RangeError)
  })
})

describe('a comparison', () => {
  const result: SectionResult = {
    section: SECTION,
    measurements: { trapframe: measurement(0.01), v86: measurement(0.04), interpreter: measurement(0.02, 1 / 10) },
  }

  it('takes a share of the work for what it is', () => {
    expect(mips(result, 'trapframe')).toBeCloseTo(100, 9)
    expect(mips(result, 'v86')).toBeCloseTo(25, 9)
    expect(mips(result, 'interpreter')).toBeCloseTo(5, 9)
    expect(ratio(result, 'v86')).toBeCloseTo(4, 9)
    expect(ratio(result, 'interpreter')).toBeCloseTo(20, 9)
  })

  it('knows no figure of a contestant that was not there', () => {
    expect(mips(result, 'qemu')).toBeUndefined()
    expect(ratio(result, 'qemu')).toBeUndefined()
    expect(table([result], ['trapframe', 'qemu'])).toMatch(/geometric mean \| +\| +\| +– \|/)
  })

  it('says where checksums of the same work differ', () => {
    expect(agrees(result)).toBe(true)
    const wrong = { section: SECTION, measurements: { ...result.measurements, v86: measurement(1, 1, '0badf00e') } }
    expect(agrees(wrong)).toBe(false)
    expect(table([wrong], ['trapframe', 'v86'])).toContain('CHECKSUMS DIFFER')
  })
})
