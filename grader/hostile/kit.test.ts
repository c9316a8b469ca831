import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { drawVariant } from '../variant.ts'
import { makeKit } from './kit.ts'
import { sampleText } from './sample.ts'
import type { Bait } from './surroundings.ts'

const BAIT: Bait = {
  mark: 'bait',
  secretFile: '/tmp/secret.ts',
  tokenName: 'TOKEN',
  folders: [],
  project: '/tmp',
  tcpPort: 1,
  udpPort: 2,
}
const kit = makeKit(counterLab, drawVariant(counterLab, 'abc'), BAIT)

const schemas = fc.letrec<{ schema: z.ZodType }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.integer({ min: -5, max: 5 }).map((least) => z.int().min(least)),
    fc.bigInt({ min: -5n, max: 5n }).map((least) => z.bigint().min(least)),
    fc.constantFrom(z.number(), z.string(), z.boolean(), z.enum(['b', 'a']), z.literal('x')),
    tie('schema').map((inner) => z.array(inner)),
    fc.tuple(tie('schema'), tie('schema')).map((both) => z.union(both)),
    fc
      .dictionary(fc.string(), tie('schema'), { maxKeys: 3, noNullPrototype: true })
      .map((shape) => z.strictObject(shape)),
  ),
}))

describe('sampleText', () => {
  it('gives a value that the schema allows', () => {
    fc.assert(
      fc.property(schemas.schema, (schema) => {
        const value: unknown = new Function(`return ${sampleText(schema)}`)()
        expect(schema.safeParse(value).error).toBeUndefined()
      }),
      { seed: 3, numRuns: 200 },
    )
  })
})

describe('the kit', () => {
  it('has right code that stands alone, with the variant’s constants in it', () => {
    const text = kit.right.get(kit.entry)
    expect([...kit.right.keys()]).toEqual(['src/counter.ts'])
    expect(text).toContain('const LIMIT: number = 146')
    expect(text).not.toContain('counter-variant')
  })

  it('has wrong code with each method of the port', () => {
    expect(kit.wrong.get(kit.entry)).toContain('    add() { return undefined },\n    total() { return 0 },')
  })

  it('weaves an attack into either, with one create', () => {
    for (const files of [kit.rightWith({ call: 'attack()' }), kit.wrongWith({ call: 'attack()' })]) {
      const text = files.get(kit.entry) ?? ''
      expect(text.match(/^export function create\(/gm)).toHaveLength(1)
      expect(text).toContain(';attack()')
      expect(text).toContain('function createHonestly(')
    }
  })
})
