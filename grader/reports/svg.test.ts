import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Drawing } from '../contract/drawing.ts'
import { renderSvg } from './svg.ts'

const tone = fc.constantFrom('ink' as const, 'soft' as const, 'good' as const, 'half' as const, 'bad' as const)
const length = fc.double({ min: -1000, max: 1000, noNaN: true })
const drawings: fc.Arbitrary<Drawing> = fc.record({
  title: fc.string({ unit: 'binary' }),
  width: length,
  height: length,
  shapes: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('line' as const), points: fc.array(length), tone }),
      fc.record({ kind: fc.constant('box' as const), x: length, y: length, width: length, height: length, tone }),
      fc.record({
        kind: fc.constant('text' as const),
        x: length,
        y: length,
        text: fc.string({ unit: 'binary' }),
        tone,
        anchor: fc.constantFrom('start' as const, 'end' as const),
      }),
    ),
  ),
})

describe('a drawing as SVG', () => {
  it('has the elements of its shapes and no others, whatever its texts are', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const kinds = { line: 'polyline', box: 'rect', text: 'text' } as const
        const tags = [...renderSvg(drawing).matchAll(/<([a-z]+)/g)].map(([, name]) => name)
        expect(tags).toEqual(['svg', 'title', ...drawing.shapes.map(({ kind }) => kinds[kind])])
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('escapes what would end a text or an attribute', () => {
    const shapes = [{ kind: 'text', x: 1, y: 2, text: `</text><script>&"'`, tone: 'ink', anchor: 'end' }] as const
    expect(renderSvg({ title: 't', width: 10, height: 10, shapes })).toContain(
      '>&lt;/text&gt;&lt;script&gt;&amp;&quot;&#39;</text>',
    )
  })
})
