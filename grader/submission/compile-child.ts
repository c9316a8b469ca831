/**
 * The compiler as a process of its own: takes one request after the other, answers each, and ends with its parent, or when
 * a request takes too long. A thread looks after both, since the compiler may be too busy to notice.
 */
import { Worker } from 'node:worker_threads'
import { compile } from './compile.ts'
import type { Compiled, CompileOptions } from './compiled.ts'
import type { LabSources } from './layout.ts'

export interface CompileRequest extends CompileOptions {
  readonly lab: LabSources
  readonly files: readonly (readonly [path: string, text: string])[]
  /** The processor time that it may take; after that, the process ends by the signal SIGXCPU. */
  readonly cpuMs: number
}

export type CompileAnswer =
  /** It has started; what goes wrong from now on is the request's doing. */
  { readonly kind: 'ready' } | Compiled | { readonly kind: 'failed'; readonly message: string }

const GUARD = `
  import { parentPort } from 'node:worker_threads'
  const parent = process.ppid
  const usedMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000
  let endMs = Infinity
  parentPort.on('message', (cpuMs) => { endMs = usedMs() + cpuMs })
  setInterval(() => {
    if (process.ppid !== parent) process.kill(-process.pid, 'SIGKILL')
    if (usedMs() > endMs) process.kill(process.pid, 'SIGXCPU')
  }, 100)
  parentPort.postMessage('watching')
`

function answer(message: CompileAnswer): void {
  process.send!(message)
}

const guard = new Worker(GUARD, { eval: true, execArgv: ['--input-type=module'] })
guard.once('message', () => answer({ kind: 'ready' }))
guard.unref()
process.on('disconnect', () => process.exit())
process.on('message', async ({ lab, files, typeCheck, cpuMs }: CompileRequest) => {
  guard.postMessage(cpuMs)
  try {
    answer(await compile(lab, new Map(files), { typeCheck }))
  } catch (error) {
    answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
  guard.postMessage(Infinity)
})
