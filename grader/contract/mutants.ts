/** Declaring mutants without saying the same things of each. */
import type { Edit, Mutant } from './lab.ts'

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
