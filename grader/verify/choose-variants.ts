/** Chooses variants so that every value of every parameter occurs, with few gradings. */
import type { AnyLab } from '../contract/lab.ts'
import { drawVariant, type Variant } from '../variant.ts'

export interface ChosenVariant {
  readonly seed: string
  readonly parameters: Variant
}

/** How many seeds are looked at; a parameter with more than a few values among them counts as a number, not a choice. */
const CANDIDATES = 200
const MAX_CHOICES = 8

/** The seeds that verification draws from: the same ones on every machine. */
function candidates(lab: AnyLab): ChosenVariant[] {
  return Array.from({ length: CANDIDATES }, (_, n) => {
    const seed = `verify-${n}`
    return { seed, parameters: drawVariant(lab, seed) }
  })
}

/** At least `atLeast` variants, and as many more as it takes to have seen every value. */
export function chooseVariants(lab: AnyLab, atLeast: number): ChosenVariant[] {
  const all = candidates(lab)
  const choices = choicesOf(all)
  const unseen = new Set(all.flatMap((variant) => valuesOf(variant, choices)))
  const chosen: ChosenVariant[] = []
  const take = (variant: ChosenVariant) => {
    chosen.push(variant)
    for (const value of valuesOf(variant, choices)) unseen.delete(value)
  }
  while (unseen.size > 0) {
    const gains = all.map((variant) => valuesOf(variant, choices).filter((value) => unseen.has(value)).length)
    take(all[gains.indexOf(Math.max(...gains))]!)
  }
  for (const variant of all) {
    if (chosen.length >= atLeast) break
    if (!chosen.includes(variant)) take(variant)
  }
  return chosen
}

/** The first variants for which `applies` holds: of the chosen ones, or else any. */
export function applicable(
  lab: AnyLab,
  chosen: readonly ChosenVariant[],
  applies: (parameters: Variant) => boolean,
): ChosenVariant[] {
  const among = chosen.filter(({ parameters }) => applies(parameters))
  return among.length > 0
    ? among
    : candidates(lab)
        .filter(({ parameters }) => applies(parameters))
        .slice(0, 1)
}

/** The parameters that are choices among few values. */
function choicesOf(all: readonly ChosenVariant[]): string[] {
  const names = Object.keys(all[0]?.parameters ?? {})
  return names.filter(
    (name) => new Set(all.map(({ parameters }) => JSON.stringify(parameters[name]))).size <= MAX_CHOICES,
  )
}

function valuesOf({ parameters }: ChosenVariant, choices: readonly string[]): string[] {
  return choices.map((name) => `${name}=${JSON.stringify(parameters[name])}`)
}
