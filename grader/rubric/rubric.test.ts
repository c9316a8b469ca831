import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { WrongUse } from '../failures.ts'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { loadRubric, parseRubric } from './rubric.ts'

const text = readFileSync(new URL('../grade/fixtures/counter.yaml', import.meta.url), 'utf8')
const parse = (from: string, to: string) => parseRubric(counterLab, text.replace(from, to), 'rubrics/counter.yaml')

describe('parseRubric', () => {
  it('reads a rubric', () => {
    const rubric = parseRubric(counterLab, text, 'x')
    expect(rubric.points).toBe(100)
    expect(rubric.items.map(({ id }) => id)).toEqual(['sums', 'limits', 'efficiency'])
  })

  it.each([
    ['points: 50', 'points: 60', '6: item "sums" wants 60 points, but its laws add up to 50: make them equal.'],
    ['limit: 20', 'limit: 30', '10: item "limits" wants 30 points, but its laws add up to 40: make them equal.'],
    ['points: 100', 'points: 90', '2: the rubric wants 90 points, but its items add up to 100: make them equal.'],
    ['{ sum: 50 }', '{ summ: 50 }', '7: the lab "counter" has no law "summ"; its laws are sum, limit, independence.'],
    ['limit: 20, ', '', '3: no item counts the law "limit": add it to one.'],
    ['limit: 20', 'sum: 20', '11: the law "sum" is counted by the items "sums" and "limits": leave it in one of them.'],
    ['id: limits', 'id: sums', '8: the item "sums" stands twice: give each its own id.'],
    ['lab: counter', 'lab: other', '1: this is the rubric of "other", not of "counter".'],
    ['[sums, limits]', '[sums, nope]', '15: item "efficiency" requires "nope", but there is no such item.'],
    ['[sums, limits]', '[efficiency]', '15: item "efficiency" requires "efficiency", which must stand before it.'],
    ['zero: 2', 'zero: 1', '22: counter "reads" gives all points up to 1 and none from 1: the second must be larger.'],
    ['curve: linear', 'curve: steep', '23: items.2.counters.0.curve: Invalid option: expected one of "linear"|"step".'],
    ['points: 30', 'points: many', '10: items.1.points: Invalid input: expected number, received string.'],
    ['title: Few reads', 'tittle: Few reads', '12: items.2.title: Invalid input: expected string, received undefined.'],
    ['items:', 'items: [', '4: '],
  ])('says of %j turned into %j what is wrong, and on which line', (from, to, sentence) => {
    let said = ''
    try {
      parse(from, to)
    } catch (error) {
      if (!(error instanceof WrongUse)) throw error
      said = error.message
    }
    expect(said.startsWith(`rubrics/counter.yaml:${sentence}`) ? '' : said).toBe('')
    expect(said).not.toContain('\n')
  })

  it('reads nothing but a rubric', () => {
    for (const other of ['', '- 1', 'text', 'lab: counter\nlab: counter\n']) {
      expect(() => parseRubric(counterLab, other, 'r.yaml')).toThrow(/^r\.yaml:\d+: .+\.$/)
    }
    expect(() => loadRubric(counterLab, '/nowhere.yaml')).toThrow(
      new WrongUse('Cannot read the rubric /nowhere.yaml: there is no such file or folder.'),
    )
  })
})
