/** `trapframe.json` at the root of a starter: which lab it is, and which variant. */
import { z } from 'zod'
import { WrongUse } from '../failures.ts'
import { decodeText } from './plain-file.ts'
import { Refused } from './refused.ts'
import { nameOf, readFrom, type SubmissionSource } from './source.ts'

/** The file's name. */
export const MANIFEST = 'trapframe.json'

export const manifestSchema = z.looseObject({
  lab: z.string(),
  seed: z.string(),
  /** The version of the kit that made the starter. */
  version: z.string().optional(),
})
export type Manifest = z.infer<typeof manifestSchema>

/** The manifest of a submission; undefined when there is none. @throws WrongUse when it is not one */
export async function readManifest(source: SubmissionSource): Promise<Manifest | undefined> {
  const text = await readText(source)
  if (text === undefined) return undefined
  const refuse = (why: string) =>
    new WrongUse(`${MANIFEST} of ${nameOf(source)} is not the one that the starter came with: ${why}.`)
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

async function readText(source: SubmissionSource): Promise<string | undefined> {
  try {
    const bytes = (await readFrom(source, [MANIFEST])).get(MANIFEST)
    return bytes && decodeText(bytes, MANIFEST)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    throw new WrongUse(`${nameOf(source)} does not say which lab and variant it is: ${error.message}`)
  }
}
