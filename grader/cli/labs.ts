/** Where commands get their labs from: the project's, or a test's own. */
import type { AnyLab } from '../contract/lab.ts'
import { WrongUse } from '../failures.ts'
import { listLabs, loadLab } from '../lab/load-lab.ts'
import { loadRubric } from '../rubric/rubric.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { nameOf, type SubmissionSource } from '../submission/source.ts'
import { readManifest } from '../submission/starter-manifest.ts'

export interface LabSource {
  list(): string[]
  /** @throws WrongUse when there is no such lab */
  load(id: string): Promise<AnyLab>
  rubric(lab: AnyLab): Rubric
}

/** The labs of this project. */
export const PROJECT_LABS: LabSource = {
  list: () => listLabs(),
  load: (id) => loadLab(id),
  rubric: (lab) => loadRubric(lab),
}

export interface Chosen {
  readonly lab: AnyLab
  readonly variantSeed: string
}

/** The lab and variant that a person named, or else those of the starter's manifest in the submission. */
export async function chooseLab(
  labs: LabSource,
  source: SubmissionSource,
  named: { readonly lab?: string | undefined; readonly seed?: string | undefined },
): Promise<Chosen> {
  const manifest = named.lab === undefined || named.seed === undefined ? await readManifest(source) : undefined
  const id = named.lab ?? manifest?.lab
  if (id === undefined)
    throw new WrongUse(`${nameOf(source)} has no trapframe.json that says which lab it is: name it with --lab.`)
  const lab = await labs.load(id)
  const variantSeed = named.seed ?? manifest?.seed
  if (variantSeed === undefined) {
    throw new WrongUse(
      `${nameOf(source)} has no trapframe.json that says which variant it is: name its seed with --seed.`,
    )
  }
  return { lab, variantSeed }
}
