/** What a rubric's shape cannot say: that its points add up, and that it counts every law of the lab exactly once. */
import type { AnyLab } from '../contract/lab.ts'
import type { Rubric, RubricItem } from './rubric-schema.ts'

/** A place in a rubric, from its root. */
export type RubricPath = readonly (string | number)[]

export interface Mistake {
  readonly path: RubricPath
  readonly sentence: string
}

/** The mistakes of a rubric, in the order in which a reader should repair them. */
export function checkSums(lab: AnyLab, rubric: Rubric): Mistake[] {
  const mistakes: Mistake[] = []
  const say = (path: RubricPath, sentence: string) => mistakes.push({ path, sentence })
  if (rubric.lab !== lab.id) say(['lab'], `this is the rubric of "${rubric.lab}", not of "${lab.id}"`)
  const ids = new Set<string>()
  for (const [index, item] of rubric.items.entries()) {
    if (ids.has(item.id)) say(['items', index, 'id'], `the item "${item.id}" stands twice: give each its own id`)
    ids.add(item.id)
  }
  checkLaws(lab, rubric, say)
  for (const [index, item] of rubric.items.entries()) checkItem(rubric, item, ['items', index], say)
  const total = sum(rubric.items.map((item) => item.points))
  if (total !== rubric.points) {
    say(['points'], `the rubric wants ${rubric.points} points, but its items add up to ${total}: make them equal`)
  }
  return mistakes
}

type Say = (path: RubricPath, sentence: string) => void

function checkLaws(lab: AnyLab, rubric: Rubric, say: Say): void {
  const laws = new Set([...lab.suites.public, ...lab.suites.hidden].map(({ id }) => id))
  const counted = new Map<string, string>()
  for (const [index, item] of rubric.items.entries()) {
    for (const law of Object.keys(item.laws ?? {})) {
      const path = ['items', index, 'laws', law]
      const other = counted.get(law)
      if (!laws.has(law)) {
        say(path, `the lab "${lab.id}" has no law "${law}"; its laws are ${[...laws].join(', ')}`)
      } else if (other !== undefined) {
        say(path, `the law "${law}" is counted by the items "${other}" and "${item.id}": leave it in one of them`)
      }
      counted.set(law, item.id)
    }
  }
  for (const law of laws) {
    if (!counted.has(law)) say(['items'], `no item counts the law "${law}": add it to one`)
  }
}

function checkItem(rubric: Rubric, item: RubricItem, path: RubricPath, say: Say): void {
  const lawPoints = sum(Object.values(item.laws ?? {}))
  const counterPoints = sum((item.counters ?? []).map((counter) => counter.points))
  const found = lawPoints + counterPoints
  if (found !== item.points) {
    const parts =
      item.counters === undefined
        ? 'its laws add'
        : item.laws === undefined
          ? 'its counters add'
          : 'its laws and counters add'
    say(
      [...path, 'points'],
      `item "${item.id}" wants ${item.points} points, but ${parts} up to ${found}: make them equal`,
    )
  }
  for (const [index, required] of (item.requires ?? []).entries()) {
    const known = rubric.items.find(({ id }) => id === required)
    const at = [...path, 'requires', index]
    if (known === undefined) say(at, `item "${item.id}" requires "${required}", but there is no such item`)
    else if (rubric.items.indexOf(known) >= rubric.items.indexOf(item)) {
      say(at, `item "${item.id}" requires "${required}", which must stand before it`)
    }
  }
  for (const [index, counter] of (item.counters ?? []).entries()) {
    const at = [...path, 'counters', index]
    if (counter.zero < counter.full || (counter.curve === 'linear' && counter.zero === counter.full)) {
      say(
        [...at, 'zero'],
        `counter "${counter.counter}" gives all points up to ${counter.full} and none from ${counter.zero}: the second must be larger`,
      )
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
