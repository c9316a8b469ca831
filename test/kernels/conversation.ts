/** Runs `trapframe run` as a user does, and talks with the guest over its serial port. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/grader/cli/main.js', import.meta.url))

/** Waits for a text, then types something. */
export type Step = readonly [waitFor: string, type: string]

export interface Conversation {
  readonly status: number
  /** All that the guest printed. */
  readonly printed: string
  readonly err: string
  /** The steps that were not come to. */
  readonly left: readonly Step[]
  /** The most memory that the process had, in MiB, and its processor time in seconds; 0 where /proc is missing. */
  readonly memoryMib: number
  readonly cpuSeconds: number
}

/** @param end ends the run as soon as the guest has printed it; without it the run ends by itself */
export function converse(args: readonly string[], steps: readonly Step[] = [], end?: string): Promise<Conversation> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, 'run', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    const left = [...steps]
    let printed = ''
    let searched = 0
    let err = ''
    let memoryMib = 0
    let cpuSeconds = 0
    const look = setInterval(() => {
      const usage = usageOf(child.pid)
      memoryMib = Math.max(memoryMib, usage.memoryMib)
      cpuSeconds = Math.max(cpuSeconds, usage.cpuSeconds)
    }, 500)
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString('latin1')
    })
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString('latin1')
      if (end !== undefined && printed.includes(end)) child.kill()
      for (let step = left[0]; step !== undefined; step = left[0]) {
        const at = printed.indexOf(step[0], searched)
        if (at < 0) return
        searched = at + step[0].length
        child.stdin.write(step[1])
        left.shift()
      }
    })
    child.on('close', (code) => {
      clearInterval(look)
      resolve({ status: code ?? -1, printed, err, left, memoryMib, cpuSeconds })
    })
  })
}

const CLOCK_TICKS = 100
const UTIME = 11

function usageOf(pid: number | undefined): { memoryMib: number; cpuSeconds: number } {
  try {
    const folder = `/proc/${pid}`
    const peakKib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(join(folder, 'status'), 'utf8'))?.[1] ?? 0)
    const fields = readFileSync(join(folder, 'stat'), 'utf8').split(') ')[1]?.split(' ') ?? []
    const ticks = Number(fields[UTIME]) + Number(fields[UTIME + 1])
    return { memoryMib: peakKib / 1024, cpuSeconds: ticks / CLOCK_TICKS }
  } catch {
    return { memoryMib: 0, cpuSeconds: 0 }
  }
}
