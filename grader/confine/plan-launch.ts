/** The command that starts a subject under the layers that this machine has. It starts nothing itself. */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from '../files.ts'
import { SANDBOX_SCRIPT, sandboxCommand } from './bubblewrap.ts'
import { filterBytes, hasFilter } from './filter.ts'
import { becomeNobody, DIE_WITH_PARENT, giveToNobody, keepPrivileges, openToNobody } from './identity.ts'
import { FIRST_FREE_DESCRIPTOR, type Launch, type SubjectPlace } from './launch.ts'
import type { ConfinementReport } from './layer.ts'
import { limitCommand } from './limits.ts'
import { findTool } from './machine-tools.ts'
import { nodeArguments, SUBJECT_ENVIRONMENT } from './node-command.ts'

/**
 * Plans the start of one subject; the plan holds as long as `place.folder` does. Files that the subject must reach are
 * made readable for it, and what it may write is given to it, when it runs as another user than the grader.
 *
 * @param report the layers to use, as `detectConfinement` found them
 * @throws Error when the report names a layer whose tool is gone
 */
export function planLaunch(report: Pick<ConfinementReport, 'layers' | 'sandbox'>, place: SubjectPlace): Launch {
  const { granted, limits } = place
  const has = new Set(report.layers)
  const sandboxed = has.has('bubblewrap')
  const descriptors = sandboxed && has.has('seccomp') ? [writeFilter(place, report.sandbox === 'inside')] : []
  if (has.has('uid')) shareWithNobody(place)
  const words = [
    ...(has.has('prlimit') ? limitCommand(tool('prlimit'), limits, granted !== undefined) : []),
    ...(sandboxed
      ? sandboxCommand({
          bwrap: tool('bwrap'),
          setpriv: has.has('uid') ? tool('setpriv') : undefined,
          policy: report.sandbox ?? 'user-namespace',
          script: place.script,
          granted,
          filterDescriptor: descriptors.length === 0 ? undefined : FIRST_FREE_DESCRIPTOR,
        })
      : [...withoutSandbox(has.has('uid')), realpathSync(process.execPath)]),
    ...nodeArguments({
      script: sandboxed ? SANDBOX_SCRIPT : realpathSync(place.script),
      granted,
      limits,
      permission: has.has('permission'),
    }),
  ]
  const [file, ...args] = words
  return { file: file!, args, descriptors, env: SUBJECT_ENVIRONMENT }
}

/** Where there is no sandbox, `setpriv` stands alone. */
function withoutSandbox(becomesNobody: boolean): string[] {
  if (becomesNobody) return [...becomeNobody(tool('setpriv')), ...DIE_WITH_PARENT]
  const setpriv = findTool('setpriv')
  return setpriv === undefined ? [] : [...keepPrivileges(setpriv), ...DIE_WITH_PARENT]
}

function shareWithNobody({ script, folder, granted }: SubjectPlace): void {
  openToNobody(folder, script)
  if (granted !== undefined) giveToNobody(granted)
}

function writeFilter({ folder, granted }: SubjectPlace, dropsRoot: boolean): string {
  const { arch } = process
  if (!hasFilter(arch)) throw new Error(`There is no seccomp filter for ${arch}: run trapframe doctor.`)
  const file = join(folder, 'seccomp.bpf')
  writeFileAtomically(file, filterBytes({ architecture: arch, mayWrite: granted !== undefined, dropsRoot }))
  return file
}

function tool(name: string): string {
  const file = findTool(name)
  if (file === undefined) throw new Error(`${name} is no longer where it was found: run trapframe doctor.`)
  return file
}
