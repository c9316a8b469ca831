/**
 * Compiles what strangers wrote, in a process that is ended when it takes too long or too much memory. A text of a few
 * bytes can do that to TypeScript, by types, and to esbuild, by nesting. The process is kept for the next submission,
 * because most of a compilation is reading what all submissions share.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { bundlePrograms } from '../bundle-program.ts'
import { GraderFailure } from '../failures.ts'
import { projectRoot } from '../project-root.ts'
import type { CompileAnswer, CompileRequest } from './compile-child.ts'
import { type Compiled, type CompileOptions, cannotCompile } from './compiled.ts'
import type { LabSources } from './layout.ts'
import { SUBMISSION_LIMITS } from './limits.ts'
import type { SourceFiles } from './source-files.ts'

/** Milliseconds for the process to start, on a machine that does much else. */
const START_MS = 60_000

let running: ChildProcess | undefined
let last: Promise<unknown> = Promise.resolve()

/**
 * Like `compile`; one at a time.
 *
 * @param cpuMs how much processor time it may take
 * @throws GraderFailure when the platform is at fault, or the compiler does not start
 */
export function compileApart(
  lab: LabSources,
  files: SourceFiles,
  options: CompileOptions,
  cpuMs: number = SUBMISSION_LIMITS.compileCpuMs,
): Promise<Compiled> {
  const { id, entry, solution, variantModule, platform, grants } = lab
  const plain = { id, entry, solution, variantModule, platform, ...(grants === undefined ? {} : { grants }) }
  const request = { lab: plain, files: [...files], ...options, cpuMs }
  const next = last.then(() => ask(request))
  last = next.catch(() => {})
  return next
}

async function ask(request: CompileRequest): Promise<Compiled> {
  // A process that somebody ended is first taken for an accident: another may have wanted its memory.
  for (let isLast = false; ; isLast = true) {
    const child = running ?? (await start())
    hold(child)
    child.send(request)
    const answer = await answerOf(child, SUBMISSION_LIMITS.compileMs)
    letGo(child)
    if (typeof answer === 'string') end(child)
    if (answer === 'late') return cannotCompile(request.lab, 'it takes the compiler too long')
    if (answer === 'full') return cannotCompile(request.lab, 'the compiler runs out of memory over it')
    if (answer !== 'gone') return checked(answer)
    if (isLast) throw new GraderFailure('The compiler was ended twice from outside, so there is no mark: grade again.')
  }
}

function checked(answer: CompileAnswer): Compiled {
  if (answer.kind === 'failed') throw new GraderFailure(answer.message)
  if (answer.kind === 'ready') throw new GraderFailure('The compiler answers what nobody asked.')
  return answer
}

/** Starts the process, as a group of its own that esbuild's process belongs to, and waits until it can compile. */
async function start(): Promise<ChildProcess> {
  // The compilers themselves stay packages.
  const [code] = await bundlePrograms(['compile-child'], import.meta.url, { format: 'esm', packages: 'external' })
  const heap = `--max-old-space-size=${SUBMISSION_LIMITS.compileHeapMebibytes}`
  const child = spawn(process.execPath, [heap, '--input-type=module', '-'], {
    cwd: projectRoot(),
    env: {},
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
    detached: true,
  })
  child.on('exit', () => end(child)).on('error', () => end(child))
  child.stdin!.on('error', () => {})
  child.stdin!.end(code)
  const answer = await answerOf(child, START_MS)
  if (typeof answer === 'object' && answer.kind === 'ready') {
    running = child
    return child
  }
  throw new GraderFailure('The compiler does not start.')
}

/**
 * What became of a process that does not answer: it used all its processor time, its heap is full, or something ended it
 * that says nothing of the text, as a machine that is too busy.
 */
type Silence = 'late' | 'full' | 'gone'

/** How V8 ends a process whose heap is full, which differs by its version. */
const FULL: ReadonlySet<unknown> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL'])

function silenceOf(signal: unknown): Silence {
  return signal === 'SIGXCPU' ? 'late' : FULL.has(signal) ? 'full' : 'gone'
}

/** What the process answers next, or why it does not. */
function answerOf(child: ChildProcess, limitMs: number): Promise<CompileAnswer | Silence> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(child), limitMs)
    const onMessage = (message: unknown) => settle(message as CompileAnswer)
    const onGone = (_code: unknown, signal?: unknown) => settle(silenceOf(signal))
    const settle = (answer: CompileAnswer | Silence) => {
      clearTimeout(timer)
      child.off('message', onMessage).off('exit', onGone).off('error', onGone)
      resolve(answer)
    }
    child.on('message', onMessage).on('exit', onGone).on('error', onGone)
  })
}

function end(child: ChildProcess): void {
  if (running === child) running = undefined
  letGo(child)
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** While a request is under way, the process keeps this one alive; else it does not. */
function hold(child: ChildProcess): void {
  child.ref()
  child.channel?.ref()
}

function letGo(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
}
