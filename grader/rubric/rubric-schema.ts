/** The shape of a rubric: items, what their laws and counters are worth, and where the points of a counter end. */
import { z } from 'zod'

const points = z.int().min(0).max(10_000)
const name = z.string().min(1).max(200)

const counterSchema = z.strictObject({
  /** A counter of the laws. */
  counter: name,
  /** The counter that divides it; without it the count itself is the value. */
  per: name.optional(),
  title: name,
  unit: name,
  /** At or below this: all points. */
  full: z.number(),
  /** At or above this: none. A step falls right above `full`. */
  zero: z.number(),
  curve: z.enum(['linear', 'step']),
  points,
})
export type RubricCounter = z.infer<typeof counterSchema>

const itemSchema = z.strictObject({
  id: name,
  title: name,
  points,
  /** Items that must have all their points before this one gives any. */
  requires: z.array(name).optional(),
  /** Points of each law, all or nothing; a law of both suites must hold in both. */
  laws: z.record(name, points).optional(),
  counters: z.array(counterSchema).optional(),
})
export type RubricItem = z.infer<typeof itemSchema>

export const rubricSchema = z.strictObject({
  lab: name,
  points: points.min(1),
  items: z.array(itemSchema).min(1),
})
export type Rubric = z.infer<typeof rubricSchema>
