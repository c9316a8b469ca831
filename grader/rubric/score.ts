/** From what held and what was counted to points: the rubric applied. */
import type { CounterResult, ItemResult, LawResult } from '../result/result.ts'
import type { Rubric, RubricCounter, RubricItem } from './rubric-schema.ts'

/** What the laws counted in each suite that ran. */
export type SuiteCounters = readonly ReadonlyMap<string, number>[]

export interface Score {
  readonly points: number
  readonly items: ItemResult[]
  readonly counters: CounterResult[]
}

/**
 * The points of a grading. An item's laws give theirs all or nothing, its counters by their curves; items that it
 * requires gate it.
 *
 * With one suite only, a law that is not in that suite gives no points and takes none: it is left out of the maximum.
 */
export function score(rubric: Rubric, laws: readonly LawResult[], suiteCounters: SuiteCounters): Score {
  const items: ItemResult[] = []
  const counters: CounterResult[] = []
  for (const item of rubric.items) {
    const gate = (item.requires ?? []).find((id) => isIncomplete(items.find((other) => other.id === id)))
    const itemCounters = (item.counters ?? []).map((counter) => scoreCounter(item, counter, suiteCounters, gate))
    counters.push(...itemCounters)
    items.push(scoreItem(item, laws, itemCounters, gate))
  }
  return { points: sum(items.map((item) => item.points)), items, counters }
}

/** The most points that the laws that were run, and the counters, could give. */
export function maximum(items: readonly ItemResult[]): number {
  return sum(items.map((item) => item.maxPoints))
}

function isIncomplete(item: ItemResult | undefined): boolean {
  return item === undefined || item.points < item.maxPoints
}

function scoreItem(
  item: RubricItem,
  laws: readonly LawResult[],
  counters: readonly CounterResult[],
  gate: string | undefined,
): ItemResult {
  let points = sum(counters.map((counter) => counter.points))
  let maxPoints = sum(counters.map((counter) => counter.maxPoints))
  const broken: LawResult[] = []
  for (const [id, lawPoints] of Object.entries(item.laws ?? {})) {
    const results = laws.filter((law) => law.id === id)
    if (results.length === 0) continue
    maxPoints += lawPoints
    const failed = results.find((law) => law.verdict !== 'held')
    if (failed !== undefined) broken.push(failed)
    else if (gate === undefined) points += lawPoints
  }
  return { id: item.id, title: item.title, points, maxPoints, reason: reason(item, laws, broken, counters, gate) }
}

function reason(
  item: RubricItem,
  laws: readonly LawResult[],
  broken: readonly LawResult[],
  counters: readonly CounterResult[],
  gate: string | undefined,
): string {
  const lawIds = Object.keys(item.laws ?? {}).filter((id) => laws.some((law) => law.id === id))
  if (broken.some((law) => law.verdict === 'notRun')) return 'Nothing was run.'
  if (broken.length > 0) {
    const names = broken.map((law) => law.id).join(', ')
    if (broken.every((law) => law.verdict === 'notWritten')) return `Not written yet: ${names}.`
    const held = lawIds.length - broken.length
    const rest = held > 0 ? `; ${held} of ${lawIds.length} laws hold` : ''
    return `${broken.length === 1 ? 'This law does' : 'These laws do'} not hold: ${names}${rest}.`
  }
  if (gate !== undefined) return `No points before all points of the item "${gate}".`
  const short = counters.find((counter) => counter.points < counter.maxPoints)
  if (short !== undefined) {
    const title = capital(short.title)
    return short.value <= short.full
      ? `${title}: nothing was counted, so there is nothing to give points for.`
      : `${title}: ${formatNumber(short.value)} ${short.unit}; all points are at ${formatNumber(short.full)}.`
  }
  if (lawIds.length === 0 && counters.length === 0) return 'Only the hidden suite gives points here.'
  if (lawIds.length === 0) return 'Every bound is kept.'
  return lawIds.length === 1
    ? 'Its law holds in every case tried.'
    : `All ${lawIds.length} laws hold in every case tried.`
}

function scoreCounter(
  item: RubricItem,
  counter: RubricCounter,
  suites: SuiteCounters,
  gate: string | undefined,
): CounterResult {
  const values = suites.map((counts) => measure(counter, counts)).filter((value) => value !== undefined)
  const value = values.length === 0 ? 0 : Math.max(...values)
  const earns = gate === undefined && values.length > 0
  return {
    id: counter.per === undefined ? counter.counter : `${counter.counter}/${counter.per}`,
    title: counter.title,
    value,
    full: counter.full,
    zero: counter.zero,
    unit: counter.unit,
    item: item.id,
    points: earns ? curve(counter, value) : 0,
    maxPoints: counter.points,
    ...(gate === undefined ? {} : { gatedBy: gate }),
  }
}

/** The counter's value in one suite; the worst suite decides. Undefined where the machine counted nothing to judge by. */
function measure({ counter, per }: RubricCounter, counts: ReadonlyMap<string, number>): number | undefined {
  const count = counts.get(counter)
  if (per === undefined) return count
  const divisor = counts.get(per) ?? 0
  return divisor === 0 ? undefined : (count ?? 0) / divisor
}

/** Whole points: a part of one is not given. */
function curve({ full, zero, curve, points }: RubricCounter, value: number): number {
  if (value <= full) return points
  if (curve === 'step' || value >= zero) return 0
  return Math.floor((points * (zero - value)) / (zero - full))
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
