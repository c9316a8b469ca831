import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printableJson } from './json.ts'

describe('printableJson', () => {
  it('holds no character that a terminal obeys, and reads as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary' }), (value, text) => {
        const json = printableJson({ value, text: `\u009b31m${text}\u202e` })
        expect(json).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u)
        expect(JSON.parse(json)).toEqual({ value, text: `\u009b31m${text}\u202e` })
      }),
      { seed: 3, numRuns: 50 },
    )
  })
})
