/** The command that starts a subject under the layers that this machine has. It starts nothing itself. */
import { realpathSync } from 'node:fs'
import type { Launch, SubjectPlace } from './launch.ts'
import type { ConfinementReport } from './layer.ts'
import { limitCommand } from './limits.ts'
import { findTool } from './machine-tools.ts'
import { nodeArguments, SUBJECT_ENVIRONMENT } from './node-command.ts'

/**
 * Plans the start of one subject.
 *
 * @param report the layers to use, as `detectConfinement` found them
 * @throws Error when the report names a layer whose tool is gone
 */
export function planLaunch(report: Pick<ConfinementReport, 'layers'>, place: SubjectPlace): Launch {
  const { granted, limits } = place
  const has = new Set(report.layers)
  const words: string[] = []
  if (has.has('prlimit')) words.push(...limitCommand(tool('prlimit'), limits, granted !== undefined))
  words.push(realpathSync(process.execPath))
  words.push(
    ...nodeArguments({ script: realpathSync(place.script), granted, limits, permission: has.has('permission') }),
  )
  const [file, ...args] = words
  return { file: file!, args, descriptors: [], env: SUBJECT_ENVIRONMENT }
}

function tool(name: string): string {
  const file = findTool(name)
  if (file === undefined) throw new Error(`${name} is no longer where it was found: run trapframe doctor.`)
  return file
}
