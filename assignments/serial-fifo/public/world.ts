/**
 * What a machine is around a back end, as the suites play it: the guest's port, the watches and the alarm, and a log of all
 * that was asked. `HostWorld` adds the model of the host's pipes, `RealWorld` pipes of this computer.
 */
import { type Difference, Violation } from '../../../grader/contract/law.ts'
import type { Notice } from '../../../reference/index.ts'
import type { Guest } from './guest.ts'
import { Stream, type StreamFault } from './stream.ts'
import type { Variant } from './variant.ts'
import { BREAK_ITEM, type Item, itemText, WireReader } from './wire.ts'

/** What a law can find wrong. */
export type Rule = 'stream' | 'input' | 'blocks' | 'pressure' | 'edge' | 'bounded' | 'late' | 'spins' | 'leak'

export interface Problem extends Difference {
  readonly rule: Rule
  /** How many lines of the log lead to it. */
  readonly at: number
}

/** No right back end asks so often within one call; it would be a loop. */
const MAX_CALLS = 400

/** How much of the log a card shows. */
export const TRACE_LINES = 40

export abstract class World {
  readonly path: string
  readonly variant: Variant
  readonly guest: Guest
  /** From the guest to the pipe, and from the pipe to the guest. */
  readonly out = new Stream()
  readonly in = new Stream()
  readonly outReader: WireReader
  readonly inReader: WireReader
  readonly log: string[] = []
  readonly problems: Problem[] = []
  readonly watched = new Map<number, { readable: boolean; writable: boolean }>()
  alarmSet = false
  /** Nobody reads, what nobody reads is thrown away, and the back end has had the time to find out. */
  discardsFreely = false
  /** The back end has asked for the transmitter to be resumed. */
  resumes = false
  hostWrites = 0
  /** Calls of the host that a signal interrupted, or that could do nothing. */
  vainCalls = 0
  /** Calls of the host in which something happened. */
  progress = 0
  #calls = 0

  constructor(path: string, variant: Variant, guest: Guest) {
    this.path = path
    this.variant = variant
    this.guest = guest
    this.outReader = new WireReader(variant)
    this.inReader = new WireReader(variant)
  }

  /** The operations that the back end is given. */
  abstract operations(): object
  abstract get readerThere(): boolean
  abstract plugReader(on: boolean): void
  abstract plugWriter(on: boolean): void
  /** The far side reads at most so many bytes; how many it got. */
  abstract drain(count: number): number
  /** The far side writes items, as many as the pipe takes. */
  abstract feed(items: readonly Item[]): void
  /** What `poll` would tell of the watched descriptors. */
  abstract notices(): Notice[]
  /** The process behind the back end ends: the system closes its descriptors. */
  abstract die(): void
  /** There is room in the pipe for whatever waits. */
  abstract get roomy(): boolean
  /** It is known at each moment what the pipe has taken. */
  abstract get exact(): boolean
  /** Bytes for the guest that are in the pipe still. */
  abstract get unread(): number
  abstract get openCount(): number
  /** A descriptor for the reader of a log, who must find the same in every grading. */
  abstract fdText(fd: number): string

  /** What the machine does for a back end, whatever its files are. */
  protected machineOperations() {
    return {
      watch: (fd: number, readable: boolean, writable: boolean) => this.#watch(fd, readable, writable),
      alarm: () => {
        if (!this.alarmSet) this.say('  you ask for an alarm')
        this.alarmSet = true
      },
      receive: (bytes: Uint8Array) => this.#receive(bytes),
      receiveBreak: () => this.#receiveBreak(),
      resume: () => this.#resume(),
    }
  }

  say(line: string): void {
    this.log.push(line)
  }

  problem(rule: Rule, what: string, expected: string, actual: string): void {
    this.problems.push({ rule, what, expected, actual, at: this.log.length })
  }

  /** A call that would stand still stops the guest: there is nothing more to judge. */
  blocked(what: string): never {
    this.say(`▶ ${what}`)
    throw new Violation(
      { what: 'the guest, while your code is called', expected: 'goes on at once', actual: what },
      this.log.slice(-TRACE_LINES),
    )
  }

  /** A call that no system would allow: there is nothing more to judge. */
  misused(call: string, actual: string): never {
    throw new Violation(
      { what: call, expected: 'a descriptor that is open for it', actual },
      this.log.slice(-TRACE_LINES),
    )
  }

  /** Before each event: a call that asks for ever is found. */
  beginCall(): void {
    this.#calls = 0
  }

  countCall(): void {
    if (++this.#calls > MAX_CALLS) this.blocked(`your code asks the host more than ${MAX_CALLS} times within one call`)
  }

  /** Bytes have got into the pipe, or to its reader. */
  arrived(bytes: Uint8Array): void {
    for (const byte of bytes) {
      for (const item of this.outReader.read(byte)) {
        const fault = this.out.receive(item)
        if (fault !== undefined) this.#streamFault('stream', 'the pipe', fault)
      }
    }
  }

  /** The back end has read bytes of the pipe. */
  consumed(bytes: Uint8Array): void {
    if (bytes.length === 0) {
      this.inReader.reset()
      return
    }
    for (const byte of bytes) this.in.send(this.inReader.read(byte), false)
    if (this.in.held <= this.variant.capacity) return
    const what = 'bytes that you have read and the guest has not got'
    this.problem('bounded', what, `at most ${this.variant.capacity}`, `${this.in.held}`)
  }

  /** While nobody reads, this variant throws away what the guest sends. */
  get discards(): boolean {
    return this.variant.unplugged === 'discard' && !this.readerThere
  }

  /** The transmitter offers: what is taken may get into the pipe within the same call. */
  offered(items: readonly Item[]): void {
    this.out.send(items, this.discards)
  }

  /** So many of the last offer were not taken. */
  refusedLast(count: number): void {
    this.out.retract(count)
    if (!this.exact || this.out.owed <= this.variant.capacity) return
    const what = 'bytes that you have taken and the host has not'
    this.problem('bounded', what, `at most ${this.variant.capacity}`, `${this.out.owed}`)
  }

  #watch(fd: number, readable: boolean, writable: boolean): void {
    this.countCall()
    const wants = [readable ? 'readable' : '', writable ? 'writable' : ''].filter((word) => word !== '')
    this.say(`  you watch ${this.fdText(fd)} for ${wants.length > 0 ? wants.join(' and ') : 'nothing'}`)
    if (wants.length === 0) this.watched.delete(fd)
    else this.watched.set(fd, { readable, writable })
  }

  #receive(bytes: Uint8Array): number {
    this.countCall()
    const taken = this.guest.take([...bytes])
    this.say(`  you hand the guest ${itemText([...bytes])}; it takes ${taken}`)
    if (taken > 0) this.progress++
    for (const byte of bytes.subarray(0, taken)) this.#delivered(byte)
    return taken
  }

  #receiveBreak(): boolean {
    this.countCall()
    const taken = this.guest.takeBreak()
    this.say(`  you hand the guest a break; it ${taken ? 'takes it' : 'has no room'}`)
    if (taken) {
      this.progress++
      this.#delivered(BREAK_ITEM)
    }
    return taken
  }

  #delivered(item: Item): void {
    const fault = this.in.receive(item)
    if (fault !== undefined) this.#streamFault('input', 'the guest', fault)
  }

  #streamFault(rule: 'stream' | 'input', where: string, { kind, expected, actual }: StreamFault): void {
    this.say(`▶ ${kind}: ${where} gets ${actual}; expected ${expected}`)
    this.problem(rule, `what ${where} gets next`, expected, `${actual} (${kind})`)
  }

  #resume(): void {
    this.countCall()
    this.say('  you resume the transmitter')
    this.resumes = true
    const room = this.variant.capacity - this.out.held
    const judged = this.exact && this.guest.refused && this.variant.unplugged === 'keep'
    if (!judged || room >= this.variant.resumeAt) return
    const what = 'room when you resume the transmitter'
    this.problem('edge', what, `at least ${this.variant.resumeAt}`, `${room}`)
  }
}
