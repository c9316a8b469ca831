/**
 * Puts judge and subject on one core. Only one of them ever runs, as each waits for the other's answer; on two cores
 * every call would pay for waking the other core, several times what the call costs (bench/README.md).
 */
import { execFileSync } from 'node:child_process'
import { isMainThread } from 'node:worker_threads'
import { findTool } from '../confine/machine-tools.ts'
import { processStatus } from './process-status.ts'

/**
 * Binds this thread, and all that it starts from now on, to the core that it runs on, where the system can do so
 * (taskset(1)). Elsewhere it does nothing.
 *
 * @returns undoes it for this thread
 */
export function shareOneCore(): () => void {
  const taskset = isMainThread ? findTool('taskset') : undefined
  const core = processStatus('self')?.core
  if (taskset === undefined || core === undefined) return () => {}
  try {
    const before = execFileSync(taskset, ['-cp', String(process.pid)], { encoding: 'utf8' })
    const cores = /: ([\d,-]+)\s*$/.exec(before)![1]!
    bind(taskset, core)
    return () => bind(taskset, cores)
  } catch {
    return () => {}
  }
}

function bind(taskset: string, cores: string): void {
  execFileSync(taskset, ['-cp', cores, String(process.pid)], { stdio: 'ignore' })
}
