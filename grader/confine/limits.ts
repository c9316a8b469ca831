/** The kernel's limits on one subject, put on by `prlimit` before anything else runs (prlimit(1), getrlimit(2)). */
import type { SubjectLimits } from './launch.ts'
import { codeRangeMegabytes } from './machine-tools.ts'

/** What an idle Node holds of what `RLIMIT_DATA` counts, without V8's range for machine code. Measured: 24 to 49. */
const IDLE_NODE_MEGABYTES = 64

/** The words that stand before the command. A subject that may write files is held by its directory's file system. */
export function limitCommand(prlimit: string, limits: SubjectLimits, mayWrite: boolean): string[] {
  const dataMegabytes = IDLE_NODE_MEGABYTES + codeRangeMegabytes() + limits.dataMegabytes
  return [
    prlimit,
    `--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 1}`,
    `--data=${dataMegabytes * 2 ** 20}`,
    `--nofile=${limits.openFiles}`,
    '--core=0',
    '--memlock=0',
    '--msgqueue=0',
    ...(mayWrite ? [] : ['--fsize=0']),
  ]
}
