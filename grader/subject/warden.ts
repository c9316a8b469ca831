/**
 * The warden: a thread of the judge that starts the subject, watches what it uses, and ends it. The judge's own thread
 * waits for the subject's answers and could do none of this.
 *
 * Judge and warden speak through shared memory (`shared-state.ts`); only the order to start one is a message.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { Launch } from '../confine/launch.ts'
import type { SubjectDeath } from '../contract/port.ts'
import type { Limits } from './limits.ts'
import { innermost, processStatus } from './process-status.ts'
import { CLOSE, deathCode, deathOf, PHASE, SLOT, sharedState, TEXT_BYTES } from './shared-state.ts'

export interface WardenData {
  readonly memory: SharedArrayBuffer
  readonly limits: Limits
  /** The judge's thread, as `12/task/34` in `/proc`; undefined where there is none. */
  readonly judge: string | undefined
}

/** The order to start a subject; `input` and `output` are the judge's descriptors that become 3 and 4 of the subject. */
export interface StartOrder extends Launch {
  readonly input: number
  readonly output: number
}

const TICK_MS = 20
/** How long to wait for what an ended subject printed, in ms. */
const LAST_WORDS_MS = 100
const HEAP_WORDS = /heap out of memory|Reached heap limit|process OOM|Allocation failed/

const { memory, limits, judge } = workerData as WardenData
const { slots, text } = sharedState(memory)

/** What the subjects before this one used, in ms. */
let cpuBefore = 0

parentPort!.on('message', (order: StartOrder) => {
  const files = order.descriptors.map((path) => openSync(path, 'r'))
  const child = spawn(order.file, order.args, {
    env: order.env,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', order.input, order.output, ...files],
  })
  for (const file of files) closeSync(file)
  watch(child)
})

function watch(child: ChildProcess): void {
  let subject = child.pid ?? 0
  let death: SubjectDeath | undefined
  let printed = ''
  let printedBytes = 0
  let isGone = false
  let usedMs = 0
  let turn = { number: 0, startMs: 0, startedAt: performance.now() }
  let tickedAt = performance.now()
  let law = { number: Atomics.load(slots, SLOT.law), startMs: 0, asleepMs: 0 }

  const end = (reason: SubjectDeath | undefined): void => {
    death ??= reason
    kill(child)
    if (subject !== child.pid) killOne(subject)
  }

  /** True when the call under way, its law or the grading has used more than it may. */
  const isLate = (): boolean =>
    usedMs - turn.startMs > limits.callCpuMs ||
    usedMs - law.startMs > limits.lawCpuMs ||
    cpuBefore + usedMs > limits.gradingCpuMs ||
    law.asleepMs > limits.lawAsleepMs

  const tick = (): void => {
    const wish = Atomics.load(slots, SLOT.wish)
    if (wish !== 0) {
      end(deathOf(wish))
      return
    }
    const now = performance.now()
    const number = Atomics.load(slots, SLOT.turn)
    const isNewTurn = number !== turn.number
    if (subject === child.pid) subject = innermost(subject)
    const status = processStatus(subject)
    if (status === undefined) {
      if (isNewTurn) turn = { number, startMs: 0, startedAt: now }
      if (number % 2 === 1 && now - turn.startedAt > limits.callWallMs) end('timedOut')
      return
    }
    if (isNewTurn) turn = { number, startMs: status.cpuMs, startedAt: now }
    usedMs = status.cpuMs
    Atomics.store(slots, SLOT.cpuMs, cpuBefore + usedMs)
    const lawNumber = Atomics.load(slots, SLOT.law)
    if (lawNumber !== law.number) law = { number: lawNumber, startMs: usedMs, asleepMs: 0 }
    if (number % 2 === 1 && status.sleeps && judgeSleeps()) law.asleepMs += Math.min(now - tickedAt, 2 * TICK_MS)
    tickedAt = now
    if (status.residentBytes > limits.residentMb << 20) end('outOfMemory')
    else if (number % 2 === 1 && isLate()) end('timedOut')
  }

  const timer = setInterval(tick, TICK_MS)
  const finish = (why: string): void => {
    clearInterval(timer)
    cpuBefore += usedMs
    const bytes = new TextEncoder().encode(why.slice(-TEXT_BYTES / 4))
    text.set(bytes)
    Atomics.store(slots, SLOT.textBytes, bytes.length)
    Atomics.store(slots, SLOT.death, death === undefined ? 0 : deathCode(death))
    Atomics.store(slots, SLOT.phase, PHASE.dead)
    Atomics.notify(slots, SLOT.phase)
  }

  child.on('spawn', () => {
    Atomics.store(slots, SLOT.phase, PHASE.running)
    Atomics.notify(slots, SLOT.phase)
  })
  child.on('error', ({ message }) => {
    death = 'crashed'
    finish(message)
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    printedBytes += chunk.length
    printed = (printed + chunk.toString('latin1')).slice(-TEXT_BYTES)
    if (printedBytes > limits.printedBytes) end('flooded')
  })
  const gone = (): void => {
    if (isGone) return
    isGone = true
    if (Atomics.load(slots, SLOT.wish) !== CLOSE) death ??= HEAP_WORDS.test(printed) ? 'outOfMemory' : 'crashed'
    whenGone(subject, () => finish(printed))
  }
  child.on('close', gone)
  child.on('exit', () => {
    end(undefined)
    setTimeout(gone, LAST_WORDS_MS)
  })
}

/**
 * True when the judge's thread waits, too. An answer on its way would have woken it, so that a busy machine is not
 * taken for a subject that sleeps.
 */
function judgeSleeps(): boolean {
  return judge === undefined || processStatus(judge)?.sleeps === true
}

/** Ends a child with its process group. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return
  if (!killOne(-child.pid)) child.kill('SIGKILL')
}

function killOne(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

/** Calls back when a process has left the table of processes. */
function whenGone(pid: number, then: () => void): void {
  if (processStatus(pid) === undefined) then()
  else setTimeout(() => whenGone(pid, then), 1)
}
