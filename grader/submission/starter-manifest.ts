/** `trapframe.json` at the root of a starter: which lab it is, and which variant. */
import { join } from 'node:path'
import { z } from 'zod'
import { WrongUse } from '../failures.ts'
import { readPlainFile } from './plain-file.ts'

/** The file's name. */
export const MANIFEST = 'trapframe.json'

export const manifestSchema = z.looseObject({
  lab: z.string(),
  seed: z.string(),
  /** The version of the kit that made the starter. */
  version: z.string().optional(),
})
export type Manifest = z.infer<typeof manifestSchema>

/** The manifest in a directory; undefined when there is none. @throws WrongUse when it is not one */
export function readManifest(directory: string): Manifest | undefined {
  const path = join(directory, MANIFEST)
  const text = readPlainFile(path)
  if (text === undefined) return undefined
  const refuse = (why: string) => new WrongUse(`${path} is not the one that the starter came with: ${why}.`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw refuse('it is no JSON')
  }
  const parsed = manifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const { path: key, message } = parsed.error.issues[0]!
  throw refuse(`${key.map(String).join('.')}: ${message}`)
}
