/** The seccomp filter of a subject: a list of what is allowed; all else is refused (seccomp(2), docs/confinement.md). */
import {
  ALLOW,
  ARCHITECTURE_OFFSET,
  answer,
  argumentOffset,
  CALL_NUMBER_OFFSET,
  encode,
  type Instruction,
  KILL_PROCESS,
  load,
  refuse,
  unless,
  when,
} from './filter-program.ts'
import { ALLOWED_CALLS, type CallNumbers, CHECKED_CALLS, DROPPING_CALLS, WRITING_CALLS } from './system-calls.ts'

/** Architectures that there is a filter for, with their `AUDIT_ARCH_…` and their column of the call numbers. */
const ARCHITECTURES = {
  x64: { audit: 0xc000_003e, column: 0 },
  arm64: { audit: 0xc000_00b7, column: 1 },
} as const

export type FilterArchitecture = keyof typeof ARCHITECTURES

export function hasFilter(architecture: string): architecture is FilterArchitecture {
  return Object.hasOwn(ARCHITECTURES, architecture)
}

const EPERM = 1
const ENOSYS = 38

/** From here on the numbers are the same everywhere (Linux 5.1), and libraries know what to do without the call. */
const FIRST_NEW_CALL = 424
/** Calls of the x32 ABI have this bit. */
const X32_BIT = 0x4000_0000

const CLONE_THREAD = 0x0001_0000
/** `TCGETS` (is this a terminal?), `FIONREAD`, `FIONBIO`, `FIONCLEX`, `FIOCLEX`. */
const IOCTL_REQUESTS = [0x5401, 0x541b, 0x5421, 0x5450, 0x5451]
/** `PR_GET_DUMPABLE`, `PR_SET_NAME`, `PR_GET_NAME`, `PR_SET_VMA`. */
const PRCTL_OPTIONS = [3, 15, 16, 0x5356_4d41]
/** `PR_SET_KEEPCAPS`, `PR_CAPBSET_READ`, `PR_GET_SECUREBITS`, `PR_SET_` and `PR_GET_NO_NEW_PRIVS`, `PR_CAP_AMBIENT`. */
const PRCTL_OPTIONS_FOR_DROPPING = [8, 23, 27, 38, 39, 47]

export interface FilterOptions {
  readonly architecture: FilterArchitecture
  /** Whether the lab grants a directory. */
  readonly mayWrite: boolean
  /** Whether `setpriv` has still to give up root under the filter. */
  readonly dropsRoot: boolean
}

/** The filter as `bwrap --seccomp` takes it. */
export function filterBytes(options: FilterOptions): Uint8Array {
  return encode(filterProgram(options))
}

/** The filter as instructions. */
export function filterProgram({ architecture, mayWrite, dropsRoot }: FilterOptions): readonly Instruction[] {
  const { audit, column } = ARCHITECTURES[architecture]
  const numbers = (calls: Readonly<Record<string, CallNumbers>>) =>
    Object.values(calls).flatMap((call) => call[column] ?? [])
  const plain = [ALLOWED_CALLS, mayWrite ? WRITING_CALLS : {}, dropsRoot ? DROPPING_CALLS : {}].flatMap(numbers)
  const prctlOptions = [...PRCTL_OPTIONS, ...(dropsRoot ? PRCTL_OPTIONS_FOR_DROPPING : [])]
  return [
    load(ARCHITECTURE_OFFSET),
    ...unless('equal', audit, KILL_PROCESS),
    load(CALL_NUMBER_OFFSET),
    ...when('atLeast', X32_BIT, [answer(refuse(EPERM))]),
    ...plain.flatMap((number) => when('equal', number, [answer(ALLOW)])),
    ...checked(CHECKED_CALLS.clone, 0, when('anyBit', CLONE_THREAD, [answer(ALLOW)])),
    ...checked(CHECKED_CALLS.ioctl, 1, anyOf(IOCTL_REQUESTS)),
    ...checked(CHECKED_CALLS.prctl, 0, anyOf(prctlOptions)),
    ...when('atLeast', FIRST_NEW_CALL, [answer(refuse(ENOSYS))]),
    answer(refuse(EPERM)),
  ]

  function checked(call: CallNumbers, argument: number, rule: readonly Instruction[]): readonly Instruction[] {
    return when('equal', call[column]!, [load(argumentOffset(argument)), ...rule, answer(refuse(EPERM))])
  }
}

function anyOf(values: readonly number[]): readonly Instruction[] {
  return values.flatMap((value) => when('equal', value, [answer(ALLOW)]))
}
