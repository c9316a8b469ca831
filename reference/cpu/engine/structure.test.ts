import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Level, type Structure, structure } from './structure.ts'

const LARGEST = 12
const graph = fc.integer({ min: 1, max: LARGEST }).chain((count) =>
  fc.record({
    edges: fc.array(fc.array(fc.nat({ max: count - 1 }), { maxLength: 3 }), { minLength: count, maxLength: count }),
    entries: fc.array(fc.nat({ max: count - 1 }), { maxLength: 3 }).map((more) => new Set([0, ...more])),
  }),
)

/** Every edge that neither goes forward in an enclosing level, nor to the head of an enclosing loop, and is not dispatched. */
function lostEdges({ top, dispatched }: Structure, edges: readonly (readonly number[])[]): string[] {
  const lost: string[] = []
  const visit = (level: Level, later: ReadonlySet<number>, heads: ReadonlySet<number>) => {
    for (const [i, item] of level.entries()) {
      const ahead = new Set([...later, ...level.slice(i + 1).map(({ node }) => node)])
      if (item.kind === 'loop') {
        visit(item.body, ahead, new Set([...heads, item.node]))
        continue
      }
      for (const to of edges[item.node]!) {
        if (!ahead.has(to) && !heads.has(to) && !dispatched.has(to)) lost.push(`${item.node} → ${to}`)
      }
    }
  }
  visit(top, new Set(), new Set())
  return lost
}

function nodesOf(level: Level): number[] {
  return level.flatMap((item) => (item.kind === 'loop' ? nodesOf(item.body) : [item.node]))
}

describe('whatever the graph is', () => {
  test('each node stands in it once, and each edge can be taken', () => {
    fc.assert(
      fc.property(graph, ({ edges, entries }) => {
        const made = structure(edges.length, edges, entries)
        expect(nodesOf(made.top).sort((a, b) => a - b)).toEqual(edges.map((_, n) => n))
        expect(lostEdges(made, edges)).toEqual([])
      }),
      { seed: 31, numRuns: 500 },
    )
  })

  test('what is dispatched stands at the top, where the dispatcher reaches it, and the entries are among it', () => {
    fc.assert(
      fc.property(graph, ({ edges, entries }) => {
        const { top, dispatched } = structure(edges.length, edges, entries)
        const reachable = top.map(({ node }) => node)
        for (const node of dispatched) expect(reachable).toContain(node)
        for (const node of entries) expect(dispatched.has(node)).toBe(true)
      }),
      { seed: 32, numRuns: 500 },
    )
  })
})

test('a loop in a loop is nested, and needs no dispatcher', () => {
  const edges = [[1], [2], [2, 3], [1, 4], []]
  expect(structure(5, edges, new Set([0]))).toEqual({
    top: [
      { kind: 'node', node: 0 },
      {
        kind: 'loop',
        node: 1,
        body: [
          { kind: 'node', node: 1 },
          { kind: 'loop', node: 2, body: [{ kind: 'node', node: 2 }] },
          { kind: 'node', node: 3 },
        ],
      },
      { kind: 'node', node: 4 },
    ],
    dispatched: new Set([0]),
  })
})

test('a loop with two entries is dispatched at both', () => {
  expect(structure(3, [[1, 2], [2], [1]], new Set([0])).dispatched).toEqual(new Set([0, 1, 2]))
})
