import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counterLab } from './grade/fixtures/counter-lab.ts'
import { hiddenSeed, publicSeed } from './seeds.ts'
import { drawVariant, HashRandom } from './variant.ts'

describe('drawVariant', () => {
  it('gives the same variant for the same seed, for ever', () => {
    expect(drawVariant(counterLab, 'abc')).toEqual({ limit: 146 })
    expect(drawVariant(counterLab, 'alice')).toEqual(drawVariant(counterLab, 'alice'))
  })

  it('refuses seeds that would not stand in a file name or a command', () => {
    for (const seed of ['', 'a b', '../x', 'ä', 'x'.repeat(65), "a'b"]) {
      expect(() => drawVariant(counterLab, seed)).toThrow(/^A seed is 1 to 64 letters/)
    }
  })

  it('blames the lab for a variant that its schema refuses', () => {
    const lab = { ...counterLab, draw: () => ({ limit: 1 }) }
    expect(() => drawVariant(lab, 'a')).toThrow(
      'The lab counter draws a variant from seed a that its own schema refuses.',
    )
  })
})

describe('HashRandom', () => {
  it('stays within bounds, whatever they are', () => {
    const bounds = fc.tuple(fc.integer(), fc.integer({ min: 0, max: 2 ** 31 }))
    fc.assert(
      fc.property(fc.string(), bounds, (key, [min, span]) => {
        const random = new HashRandom(key)
        for (let i = 0; i < 20; i++) {
          const drawn = random.integer(min, min + span)
          expect(Number.isInteger(drawn) && drawn >= min && drawn <= min + span).toBe(true)
        }
      }),
      { seed: 2, numRuns: 50 },
    )
  })

  it('reaches every choice, about equally often', () => {
    const counts = [0, 0, 0]
    const random = new HashRandom('x')
    for (let i = 0; i < 3000; i++) counts[random.pick([0, 1, 2])]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(130)
    expect(() => random.pick([])).toThrow(RangeError)
    expect(() => random.integer(1, 0)).toThrow(RangeError)
  })
})

describe('seeds', () => {
  it('are decided by lab, student and key', () => {
    const seeds = [
      publicSeed('a'),
      publicSeed('b'),
      hiddenSeed('key', 'a', 'x'),
      hiddenSeed('key', 'a', 'y'),
      hiddenSeed('other', 'a', 'x'),
    ]
    expect(new Set(seeds).size).toBe(seeds.length)
    expect(publicSeed('a') >= 0 && publicSeed('a') < 2 ** 31).toBe(true)
    expect(hiddenSeed('key', 'a', 'x')).toMatch(/^[0-9a-f]{64}$/)
    expect(hiddenSeed(Buffer.from('key'), 'a', 'x')).toBe(hiddenSeed('key', 'a', 'x'))
  })
})
