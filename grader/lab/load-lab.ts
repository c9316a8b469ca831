/** Finds and loads labs: a folder of `assignments/` with a `lab.ts` whose default export is the lab. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { AnyLab } from '../contract/lab.ts'
import { GraderFailure, WrongUse } from '../failures.ts'
import { labMistakes } from './lab-schema.ts'

/** Labs lie beside the grader, as sources or compiled. */
const ASSIGNMENTS = fileURLToPath(new URL('../../assignments/', import.meta.url))
const LAB_FILE = import.meta.url.endsWith('.ts') ? 'lab.ts' : 'lab.js'

/** The ids of all labs, in order. */
export function listLabs(folder = ASSIGNMENTS): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, LAB_FILE)))
    .map((entry) => entry.name)
    .sort()
}

/**
 * The lab with this id.
 *
 * @throws WrongUse with a sentence that lists the labs there are, when there is none; GraderFailure when its
 * declaration is not what a lab must be
 */
export async function loadLab(id: string, folder = ASSIGNMENTS): Promise<AnyLab> {
  const known = listLabs(folder)
  if (!known.includes(id)) {
    throw new WrongUse(`There is no lab "${id}"; the labs are ${known.join(', ') || 'none'}.`)
  }
  const module = (await import(pathToFileURL(join(folder, id, LAB_FILE)).href)) as { default?: unknown }
  const mistakes = labMistakes(module.default, id)
  if (mistakes.length > 0) throw new GraderFailure(`assignments/${id}/lab.ts is not a lab: ${mistakes.join('; ')}.`)
  return module.default as AnyLab
}
