/**
 * The judge's end of the border: starts the subject, carries calls to it, and names what became of it.
 *
 * All of it is synchronous: the judge's thread waits in `readSync` while the student's code runs, and the warden's
 * thread ends a subject that does not come back.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Launch } from '../confine/launch.ts'
import { type SubjectDeath, SubjectError } from '../contract/port.ts'
import { GraderFailure } from '../failures.ts'
import type { Transport } from '../port/client.ts'
import type { Operate } from '../port/instances.ts'
import type { Outcome } from '../port/outcome.ts'
import { type Frame, type FrameKind, FramePipe, FrameTooLong, PipeEnded } from './frames.ts'
import type { SubjectKit } from './kit.ts'
import type { Limits } from './limits.ts'
import { type Request, readAsked, readOutcome, writeReply, writeRequest } from './messages.ts'
import { thisThread } from './process-status.ts'
import type { RealmParts } from './realm.ts'
import { CLOSE, deathCode, deathOf, PHASE, SLOT, sharedState } from './shared-state.ts'
import type { StartOrder, WardenData } from './warden.ts'

/** What a realm is made of, but for the bridge, which all have alike. */
export type Code = Omit<RealmParts, 'bridge'>

/** Plans the start of the subject's program `script`, which lies in `folder`; `granted` is the code's to use. */
export type PlanLaunch = (script: string, folder: string, granted: string | undefined) => Launch

/** How long starting or ending a process may take before the grader gives up, in ms. */
const PATIENCE_MS = 20_000

/** The subject is no more. */
class SubjectDead extends Error {
  readonly death: SubjectDeath

  constructor(death: SubjectDeath) {
    super(death)
    this.death = death
  }
}

export class SubjectProcess {
  readonly #kit: SubjectKit
  readonly #plan: PlanLaunch
  readonly #limits: Limits
  readonly #folder: string
  readonly #script: string
  readonly #shared = sharedState()
  readonly #worker: Worker
  /** The directory that the student's code may use, when the lab grants one. */
  readonly granted: string | undefined
  #pipe: FramePipe | undefined
  #descriptors: number[] = []

  /** @param grantsDirectory makes a directory that the student's code may use */
  constructor(kit: SubjectKit, plan: PlanLaunch, limits: Limits, grantsDirectory: boolean) {
    this.#kit = kit
    this.#plan = plan
    this.#limits = limits
    this.#folder = mkdtempSync(join(tmpdir(), 'trapframe-subject-'))
    this.#script = join(this.#folder, 'subject.cjs')
    writeFileSync(this.#script, kit.main, { mode: 0o644 })
    if (grantsDirectory) {
      this.granted = join(this.#folder, 'granted')
      mkdirSync(this.granted)
      chmodSync(this.granted, 0o777)
    }
    const workerData: WardenData = { memory: this.#shared.memory, limits, judge: thisThread() }
    this.#worker = new Worker(kit.warden, { eval: true, workerData })
    this.#worker.unref()
  }

  /** Processor time of all subjects so far, in ms. */
  get cpuMs(): number {
    return Atomics.load(this.#shared.slots, SLOT.cpuMs)
  }

  /** A new law begins: it has its own limits, and its own realm. The code is evaluated at the first `make`. */
  open(code: Code): Transport {
    Atomics.add(this.#shared.slots, SLOT.law, 1)
    const operates = new Map<number, Operate>()
    let isLoaded = false
    const exchange = (method: string, request: Request): Outcome => {
      try {
        if (!isLoaded || this.#pipe === undefined) this.#load(code)
        isLoaded = true
        return this.#unplaced(this.#exchange(request, operates))
      } catch (error) {
        if (error instanceof SubjectDead)
          throw new SubjectError(error.death, method, sentence(error.death, this.#limits))
        throw error
      }
    }
    return {
      make: (id, operate) => {
        operates.set(id, operate)
        return exchange('create', { kind: 'make', id })
      },
      call: (id, method, args, wantsAnswer) => exchange(method, { kind: 'call', id, method, args, wantsAnswer }),
    }
  }

  /** Ends the subject; comes back when all its processes are gone. */
  close(): void {
    this.#end(CLOSE)
    void this.#worker.terminate()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** An outcome without the name of the granted directory, which is another in every grading. */
  #unplaced(outcome: Outcome): Outcome {
    if (this.granted === undefined || outcome.kind !== 'threw') return outcome
    return { ...outcome, message: outcome.message.replaceAll(this.granted, '') }
  }

  /** Starts a subject unless one lives, and gives it the code. */
  #load(code: Code): void {
    if (this.cpuMs > this.#limits.gradingCpuMs) throw new SubjectDead('timedOut')
    if (this.#pipe === undefined) this.#start()
    if (this.#sendCode(code).kind !== 'L') throw this.#violation()
  }

  #sendCode(code: Code): Frame {
    const parts: RealmParts = { bridge: this.#kit.bridge, ...code }
    return this.#send('L', JSON.stringify(parts))
  }

  #exchange(request: Request, operates: ReadonlyMap<number, Operate>): Outcome {
    let frame = this.#send('C', writeRequest(request))
    for (let asked = 0; frame.kind === 'O'; asked++) {
      if (asked >= this.#limits.callOperations) throw this.#end(deathCode('flooded'))
      const operation = this.#understand(readAsked, frame)
      const operate = operates.get(operation.id)
      if (operate === undefined) throw this.#violation()
      frame = this.#send('O', writeReply(operate(operation.name, operation.args)))
    }
    if (frame.kind !== 'C') throw this.#violation()
    return this.#understand(readOutcome, frame)
  }

  /** Sends a frame and waits for the next of the subject. @throws SubjectDead */
  #send(kind: FrameKind, text: string): Frame {
    const { slots } = this.#shared
    const pipe = this.#pipe!
    const turn = Atomics.add(slots, SLOT.turn, 1) >>> 1
    try {
      pipe.write(kind, turn, text)
      const frame = pipe.read()
      if (frame.turn !== turn) throw this.#violation()
      return frame
    } catch (error) {
      if (error instanceof FrameTooLong) throw this.#end(deathCode('flooded'))
      if (error instanceof PipeEnded) throw this.#end(0)
      throw error
    } finally {
      Atomics.add(slots, SLOT.turn, 1)
    }
  }

  #understand<T>(read: (text: string) => T, { text }: Frame): T {
    try {
      return read(text)
    } catch {
      throw this.#violation()
    }
  }

  #violation(): SubjectDead {
    return this.#end(deathCode('protocolViolation'))
  }

  #start(): void {
    const { slots } = this.#shared
    const [toSubject, fromSubject] = ['in', 'out'].map((name) => join(this.#folder, name)) as [string, string]
    execFileSync('mkfifo', ['-m', '600', toSubject, fromSubject])
    const opened = [openSync(toSubject, 'r+'), openSync(fromSubject, 'r+')]
    const mine = { output: openSync(toSubject, 'w'), input: openSync(fromSubject, 'r') }
    const theirs = { input: openSync(toSubject, 'r'), output: openSync(fromSubject, 'w') }
    for (const path of [toSubject, fromSubject]) rmSync(path)
    for (const descriptor of opened) closeSync(descriptor)
    const order: StartOrder = { ...this.#plan(this.#script, this.#folder, this.granted), ...theirs }
    Atomics.store(slots, SLOT.wish, 0)
    Atomics.store(slots, SLOT.phase, PHASE.starting)
    this.#worker.postMessage(order)
    this.#waitWhile(PHASE.starting)
    closeSync(theirs.input)
    closeSync(theirs.output)
    this.#descriptors = [mine.input, mine.output]
    this.#pipe = new FramePipe(mine.input, mine.output, this.#limits.frameBytes)
    try {
      this.#sendCode({ code: '', operations: [], modules: [] })
    } catch (error) {
      if (!(error instanceof SubjectDead)) throw error
      throw new GraderFailure(
        `The subject could not be started with ${order.file}: ${this.#lastWords() || error.death}`,
      )
    }
  }

  /**
   * Waits until the subject's processes are gone, and says why they went.
   *
   * @param wish 0 to wait for an end under way, {@link CLOSE}, or the death that the judge decides on
   */
  #end(wish: number): SubjectDead {
    const { slots } = this.#shared
    if (this.#pipe !== undefined) {
      Atomics.store(slots, SLOT.wish, wish)
      this.#waitWhile(PHASE.running, wish === 0)
      for (const descriptor of this.#descriptors) closeSync(descriptor)
      this.#pipe = undefined
      this.#descriptors = []
    }
    return new SubjectDead(deathOf(Atomics.load(slots, SLOT.death)) ?? 'crashed')
  }

  /** @param impatient a subject that closed its pipe and lives on is ended */
  #waitWhile(phase: number, impatient = false): void {
    const { slots } = this.#shared
    if (impatient && Atomics.wait(slots, SLOT.phase, phase, 1_000) === 'timed-out') {
      Atomics.store(slots, SLOT.wish, deathCode('protocolViolation'))
    }
    if (Atomics.wait(slots, SLOT.phase, phase, PATIENCE_MS) === 'timed-out') {
      throw new GraderFailure('The warden of the subject does not answer.')
    }
  }

  #lastWords(): string {
    const { slots, text } = this.#shared
    return Buffer.from(text.slice(0, Atomics.load(slots, SLOT.textBytes)))
      .toString('utf8')
      .trim()
  }
}

/** What the student reads of a death. */
function sentence(death: SubjectDeath, limits: Limits): string {
  switch (death) {
    case 'timedOut':
      return `it did not come back within ${limits.callCpuMs} ms of processor time, so it was ended`
    case 'outOfMemory':
      return `it used more than the ${limits.heapMb} MB of memory that it may use`
    case 'crashed':
      return 'the process that ran it ended in the middle of the call'
    case 'flooded':
      return 'it wrote, asked or answered more than it may, so it was ended'
    case 'protocolViolation':
      return 'it wrote into the pipe to the judge what is no answer'
  }
}
