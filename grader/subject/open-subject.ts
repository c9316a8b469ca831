/**
 * Where a submission's code runs while it is graded: confined in a process of its own, which is how marks are made, or
 * in a realm of this process, for code that is trusted. Both speak the same texts through the same bridge.
 */
import type { ConfinementReport } from '../confine/layer.ts'
import { planLaunch } from '../confine/plan-launch.ts'
import type { Grants } from '../contract/lab.ts'
import type { Connect, Port } from '../contract/port.ts'
import type { RunningSubmission } from '../grade/prepared-submission.ts'
import { connectThrough, type Locate, type Transport } from '../port/client.ts'
import type { Operate } from '../port/instances.ts'
import type { SubjectKit } from './kit.ts'
import { LIMITS, type Limits } from './limits.ts'
import { type Request, readAsked, readOutcome, writeReply, writeRequest } from './messages.ts'
import { shareOneCore } from './one-core.ts'
import { openRealm } from './realm.ts'
import { type Code, SubjectProcess } from './subject-process.ts'

/** A submission's code, and what it may have. */
export interface SubjectCode {
  readonly port: Port<object, object>
  /** CommonJS text. */
  readonly code: string
  readonly locate: Locate
  readonly grants: Grants | undefined
}

/** Code that answers nothing: every law must fail for it. */
const CANARY = 'exports.create = () => ({})'

/** How much more than V8's heap a subject's buffers and Wasm memories may take, in MB. */
const BUFFERS_MB = 256
const OPEN_FILES = 64
/** Seconds after which the kernel ends a subject whose warden did not. */
const BACKSTOP_FACTOR = 2

/** Runs the code in a process of its own, under the layers that `confinement` found. */
export function openProcess(
  kit: SubjectKit,
  subject: SubjectCode,
  confinement: ConfinementReport,
  limits: Limits = LIMITS,
): RunningSubmission {
  const subjectLimits = {
    cpuSeconds: Math.ceil((limits.gradingCpuMs * BACKSTOP_FACTOR) / 1_000),
    heapMegabytes: limits.heapMb,
    dataMegabytes: limits.heapMb + BUFFERS_MB,
    openFiles: OPEN_FILES,
  }
  const leaveCore = shareOneCore()
  const process = new SubjectProcess(
    kit,
    (script, folder, granted) => planLaunch(confinement, { script, folder, granted, limits: subjectLimits }),
    limits,
    subject.grants?.directory === true,
  )
  return {
    ...connections(subject, (code) => process.open(code), process.granted),
    confinement: { layers: confinement.layers, missing: confinement.missing },
    cpuMs: () => process.cpuMs,
    close: () => {
      process.close()
      leaveCore()
    },
  }
}

/** Runs the code in this process: only for code that is trusted. */
export function openHere(kit: SubjectKit, subject: SubjectCode): RunningSubmission {
  return {
    ...connections(subject, (code) => realmTransport(kit, code)),
    cpuMs: () => 0,
    close: () => {},
  }
}

function connections(
  { port, code, locate, grants }: SubjectCode,
  open: (code: Code) => Transport,
  directory?: string,
): { load(): Connect<object>; canary(): Connect<object> } {
  const operations = Object.keys(port.operations)
  const modules = grants?.modules ?? []
  const connect = (text: string) => {
    const connection = connectThrough(port, open({ code: text, operations, modules }), locate)
    return directory === undefined ? connection : Object.assign(connection, { directory })
  }
  return { load: () => connect(code), canary: () => connect(CANARY) }
}

function realmTransport({ bridge }: SubjectKit, code: Code): Transport {
  const operates = new Map<number, Operate>()
  const respond = openRealm({ bridge, ...code }, (text) => {
    const { id, name, args } = readAsked(text)
    return writeReply(operates.get(id)!(name, args))
  })
  const exchange = (request: Request) => readOutcome(respond(writeRequest(request)) as string)
  return {
    make(id, operate) {
      operates.set(id, operate)
      return exchange({ kind: 'make', id })
    },
    call: (id, method, args, wantsAnswer) => exchange({ kind: 'call', id, method, args, wantsAnswer }),
  }
}
