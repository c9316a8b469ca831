/**
 * A lab as one typed declaration: all that the tools know of it. `assignments/<id>/lab.ts` exports one as default.
 */
import type { z } from 'zod'
import type { Drawing } from './drawing.ts'
import type { AnyLaw, LawContext } from './law.ts'
import type { Port } from './port.ts'

/** A seeded source of choices for drawing a variant; the same seed always gives the same choices. */
export interface VariantRandom {
  pick<T>(choices: readonly T[]): T
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number
}

/** A known-wrong solution: small edits of the solution that the suite must catch in the rubric item named. */
export interface Mutant {
  readonly id: string
  /** What the author of such code believed, in one sentence. */
  readonly story: string
  /** The rubric item that must lose points. */
  readonly item: string
  /** Each `find` must stand exactly once in the solution file. */
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[]
  /** Only variants for which this is wrong; without it, all. */
  readonly appliesTo?: (variant: never) => boolean
}

/** Makes mutants that edit `solutionFile`, or the file that they name. */
export function mutantsOf<Variant>(solutionFile: string) {
  return (
    id: string,
    item: string,
    story: string,
    edits: readonly Edit[],
    appliesTo?: (variant: Variant) => boolean,
    file = solutionFile,
  ): Mutant => ({
    id,
    item,
    story,
    edits: edits.map(([find, replace]) => ({ file, find, replace })),
    ...(appliesTo === undefined ? {} : { appliesTo }),
  })
}

/** An unusual right solution, which the suites must accept: another entry file, or the same one with edits. */
export interface BenignVariant {
  readonly id: string
  /** What is unusual about it, in one sentence. */
  readonly story: string
  /** A whole entry file below the lab's `benign/`; without it, the solution's own. */
  readonly file?: string
  /** Each `find` must stand exactly once in that file. */
  readonly edits?: readonly Edit[]
}

/** A text, and what stands in its place. */
export type Edit = readonly [find: string, replace: string]

/** The suites: what the student has, and what only the grader has. */
export interface Suites<Subject, Variant> {
  readonly public: readonly AnyLaw<Subject, Variant>[]
  readonly hidden: readonly AnyLaw<Subject, Variant>[]
}

export interface Lab<Subject extends object, Variant extends Record<string, unknown>> {
  /** Lower-case words joined by hyphens; the folder's name. */
  readonly id: string
  readonly title: string
  /** The section of the syllabus that asks for this lab. */
  readonly syllabus: string
  /** Solution files from the project's root; each becomes `src/<name>` in the starter and is what a student may change. */
  readonly solution: readonly string[]
  /** The module (project path) that holds the variant's constants for the solution; rewritten for each variant. */
  readonly variantModule: string
  /** The file of `src/` whose `create` export makes the student's side of the port. */
  readonly entry: string
  readonly port: Port<Subject, object>
  readonly variant: z.ZodType<Variant>
  draw(random: VariantRandom): Variant
  /** The text of the variant module for this variant. */
  variantSource(variant: Variant): string
  readonly suites: Suites<Subject, Variant>
  readonly mutants: readonly Mutant[]
  readonly benign: readonly BenignVariant[]
  /** What student code may have of the host; without it, nothing. */
  readonly grants?: Grants
  /** Project files and folders that the starter's `platform/` needs, without any solution. */
  readonly platform: readonly string[]
  /** What the untouched starter scores. */
  readonly baseline: number
  /** Lets a student's code run for a picture of what it does: for `trapframe explain`, and for the HTML report. It decides nothing. */
  explain?(context: LawContext<Subject, Variant>): readonly Drawing[]
  /** Values for the handout's template beside the variant's own. */
  handout(variant: Variant): Record<string, unknown>
}

/** What a lab lets student code have of the host, beyond the port. */
export interface Grants {
  /** Modules that `src/` may import, as `node:fs`. */
  readonly modules: readonly string[]
  /** One empty directory, which the code may fill and whose path the lab's port tells it. */
  readonly directory?: boolean
}

/** A lab of any subject and variant, as the tools handle it. */
// biome-ignore lint/suspicious/noExplicitAny: the tools treat all labs alike; each lab checks its own types
export type AnyLab = Lab<any, any>

/** What grading needs of a lab: a starter has no more of it. */
export type GradedLab = Pick<AnyLab, 'id' | 'title' | 'port' | 'variant' | 'draw' | 'suites' | 'explain'>

/** Names a lab's type parameters once and gives the lab back; `loadLab` checks it against the shape at run time. */
export function defineLab<Subject extends object, Variant extends Record<string, unknown>>(
  lab: Lab<Subject, Variant>,
): Lab<Subject, Variant> {
  return lab
}
