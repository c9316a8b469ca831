/** A program run once, with the CPU time that it and its threads took. */
import { spawnSync } from 'node:child_process'

/** The shell's own `time`: wall, user and system seconds on the last line of standard error. */
const SCRIPT = 'TIMEFORMAT="%3R %3U %3S"; time timeout --kill-after=2 "$@"'
const OUTPUT_BYTES = 64 << 20
const STATUS_TIMED_OUT = 124

export interface Run {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly output: string
  readonly status: number
}

/** @throws Error when it does not end within the limit, or when the shell has no `time` */
export function runChild(command: readonly string[], limitSeconds: number): Run {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', SCRIPT, 'bash', String(limitSeconds), ...command], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status === STATUS_TIMED_OUT) throw new Error(`${command[0]} did not end within ${limitSeconds} seconds`)
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
