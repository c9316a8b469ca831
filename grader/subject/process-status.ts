/** What Linux tells of a process in `/proc` (proc(5)); on other systems nothing, and the caller does without. */
import { readFileSync, readlinkSync } from 'node:fs'

export interface ProcessStatus {
  /** Processor time in user and kernel mode, in ms, to 10 ms. */
  readonly cpuMs: number
  /** It sleeps, waiting for something that may never come. */
  readonly sleeps: boolean
  readonly residentBytes: number
  /** The number of the core that it last ran on. */
  readonly core: string
}

/** USER_HZ and the page size of every Linux that Node runs on by default. */
const MS_PER_TICK = 10
const PAGE_BYTES = 4096

/**
 * The status of a process, or of a thread as {@link thisThread} names it; undefined when there is none, or no `/proc`.
 */
export function processStatus(pid: number | string): ProcessStatus | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state = 'Z'] = fields
  if (state === 'Z' || state === 'X') return undefined
  const ticks = Number(fields[11]) + Number(fields[12])
  return {
    cpuMs: ticks * MS_PER_TICK,
    sleeps: state === 'S',
    residentBytes: Number(fields[21]) * PAGE_BYTES,
    core: fields[36]!,
  }
}

/** The calling thread, by its name in `/proc`. */
export function thisThread(): string | undefined {
  try {
    return readlinkSync('/proc/thread-self')
  } catch {
    return undefined
  }
}

/** The process at the end of a chain of only children: the program that wrappers started. */
export function innermost(pid: number): number {
  for (let at = pid; ; ) {
    const [child, second] = (read(`/proc/${at}/task/${at}/children`) ?? '').trim().split(' ')
    if (child === undefined || child === '' || second !== undefined) return at
    at = Number(child)
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
