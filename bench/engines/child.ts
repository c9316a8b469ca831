/** A program run once, with the CPU time that it and its threads took. */
import { spawnSync } from 'node:child_process'

/** The shell's own `time`: wall, user and system seconds on the last line of standard error. */
const SCRIPT = 'ulimit -S -t "$1"; shift; TIMEFORMAT="%3R %3U %3S"; time "$@"'
const OUTPUT_BYTES = 64 << 20
/** 128 and the number of SIGXCPU, or of SIGKILL. */
const OUT_OF_TIME = [152, 137]

export interface Run {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly output: string
  readonly status: number
}

/** @returns undefined when more CPU time is needed than the limit allows. @throws Error when the shell has no `time` */
export function runChild(command: readonly string[], cpuLimitSeconds: number): Run | undefined {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', SCRIPT, 'bash', String(cpuLimitSeconds), ...command], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (OUT_OF_TIME.includes(status ?? 0)) return undefined
  const lines = stderr.trimEnd().split('\n')
  const times = lines.at(-1)?.split(' ').map(Number) ?? []
  const [wall, user, system] = times
  if (wall === undefined || user === undefined || system === undefined || times.some(Number.isNaN)) {
    throw new Error(`bash did not tell times: ${stderr}`)
  }
  return {
    cpuSeconds: user + system,
    wallSeconds: wall,
    output: `${stdout}${lines.slice(0, -1).join('\n')}`,
    status: status ?? 1,
  }
}
