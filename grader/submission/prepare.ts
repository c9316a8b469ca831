/** Prepares a submission for grading: identity, compiler messages, and the student's code ready to be run. */
import { detectConfinement } from '../confine/detect.ts'
import type { ConfinementReport } from '../confine/layer.ts'
import type { AnyLab } from '../contract/lab.ts'
import { GraderFailure } from '../failures.ts'
import type { PreparedSubmission } from '../grade/prepared-submission.ts'
import type { Diagnostic, Result } from '../result/result.ts'
import { subjectKit } from '../subject/kit.ts'
import { openHere, openProcess } from '../subject/open-subject.ts'
import { compileApart } from './compile-apart.ts'
import { identify } from './identify.ts'
import { locateWith } from './locate.ts'
import type { SourceFiles } from './source-files.ts'

export interface PrepareOptions {
  /** False leaves the type check out: for code that is known to compile, such as mutants. Default true. */
  readonly typeCheck?: boolean
  /** True compiles and runs the code in this process: for code of the project itself. Default false: confined in its own. */
  readonly trusted?: boolean
  /** The layers to confine it with; default: all that this machine has. */
  readonly confinement?: ConfinementReport
}

/** Prepares the files of a submission, as `src/idle.ts`. */
export async function prepareSubmission(
  lab: AnyLab,
  files: SourceFiles,
  { typeCheck = true, trusted = false, confinement }: PrepareOptions = {},
): Promise<PreparedSubmission> {
  const identity = identify(files)
  // Loaded only where it is used, since it stands on a whole compiler.
  const compile = trusted ? (await import('./compile.ts')).compile : compileApart
  const compiled = await compile(lab, files, { typeCheck })
  if (compiled.kind === 'refused') return broken(identity, compiled.outcome, compiled.diagnostics)
  const kit = await subjectKit()
  const subject = {
    port: lab.port,
    code: compiled.bundle.code,
    locate: locateWith(compiled.bundle.map),
    grants: lab.grants,
  }
  const open = trusted
    ? () => openHere(kit, subject)
    : () => openProcess(kit, subject, confinement ?? detectConfinement())
  return { identity, outcome: 'graded', diagnostics: [], open }
}

/** A submission that could not be read, and why. */
export function refusedSubmission(reason: Diagnostic): PreparedSubmission {
  return broken(identify(new Map()), 'notReadable', [reason])
}

function broken(
  identity: Result['submission'],
  outcome: Result['outcome'],
  diagnostics: readonly Diagnostic[],
): PreparedSubmission {
  const open = () => {
    throw new GraderFailure('A submission that cannot be run was to be run.')
  }
  return { identity, outcome, diagnostics, open }
}
