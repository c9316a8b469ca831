import { describe, expect, it } from 'vitest'
import { detectConfinement } from './detect.ts'
import { LAYERS } from './layer.ts'

describe('detectConfinement', () => {
  it('finds or misses each layer, never both', () => {
    const { layers, missing } = detectConfinement()
    const lacking = missing.map(({ layer }) => layer)
    expect(layers.filter((layer) => lacking.includes(layer))).toEqual([])
    expect([...LAYERS]).toEqual(expect.arrayContaining([...layers, ...lacking]))
    expect(layers[0]).toBe('process')
  })

  it('says why a layer is missing and how to get it', () => {
    for (const { why, get } of detectConfinement().missing) expect([why, get].join()).not.toMatch(/^,|,$|undefined/)
  })
})
