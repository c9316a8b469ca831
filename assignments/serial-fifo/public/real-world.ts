/**
 * The suites' machine over pipes of this computer, made with `mkfifo`: the back end uses them by itself, and the suite has
 * the far ends. What is in a pipe is known only when it is read.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { Notice } from '../../../reference/index.ts'
import type { Guest } from './guest.ts'
import type { Variant } from './variant.ts'
import { type Item, itemText, wireBytes } from './wire.ts'
import { World } from './world.ts'

/** A link must not lead the suite anywhere else. */
const CAUTIOUS = constants.O_NONBLOCK | constants.O_NOFOLLOW
const READ_BYTES = 1 << 16
/** Far more than a pipe holds: nobody keeps a suite reading for ever. */
const MAX_READS = 64

export class RealWorld extends World {
  #reader: number | undefined
  #writer: number | undefined
  #hangups = 0

  /** @param path a name in an empty directory; PATH.in and PATH.out are made */
  constructor(path: string, variant: Variant, guest: Guest) {
    super(path, variant, guest)
    // The back end may run as another user.
    execFileSync('mkfifo', ['-m', '666', `${path}.in`, `${path}.out`])
  }

  operations(): object {
    const none = () => this.misused('a call of the machine’s files', 'these pipes are real: use your own host-files.ts')
    return { ...this.machineOperations(), open: none, read: none, write: none, close: none }
  }

  get readerThere(): boolean {
    return this.#reader !== undefined
  }

  get roomy(): boolean {
    return false
  }

  get exact(): boolean {
    return false
  }

  /** What has been written is followed from there on. */
  get unread(): number {
    return 0
  }

  get openCount(): number {
    return 0
  }

  plugReader(on: boolean): void {
    if (on === this.readerThere) return
    this.discardsFreely = false
    if (on) {
      this.#reader = this.#open('out', constants.O_RDONLY)
      return
    }
    for (let reads = 0; reads < MAX_READS && this.drain(READ_BYTES) > 0; reads++);
    closeSync(this.#reader!)
    this.#reader = undefined
    this.#hangups++
    this.out.unplug()
  }

  plugWriter(on: boolean): void {
    if (on === (this.#writer !== undefined)) return
    if (on) {
      this.#writer = this.#open('in', constants.O_WRONLY)
      if (this.#writer !== undefined) return
      this.problem('input', 'whoever wants to write to the guest', 'finds the pipe open for reading', 'ENXIO')
      return
    }
    closeSync(this.#writer!)
    this.#writer = undefined
    this.#hangups++
  }

  drain(count: number): number {
    if (this.#reader === undefined) return 0
    const bytes = Buffer.alloc(Math.min(count, READ_BYTES))
    const got = this.#attempt(() => readSync(this.#reader!, bytes)) ?? 0
    if (got > 0) this.say(`the far side reads ${itemText([...bytes.subarray(0, got)])}`)
    this.arrived(bytes.subarray(0, got))
    return got
  }

  feed(items: readonly Item[]): void {
    if (this.#writer === undefined) return
    const bytes = Uint8Array.from(wireBytes(items, this.variant))
    const written = this.#attempt(() => writeSync(this.#writer!, bytes)) ?? 0
    this.say(`the far side writes ${itemText([...bytes.subarray(0, written)])}`)
    for (const byte of bytes.subarray(0, written)) this.in.send(this.inReader.read(byte), false)
  }

  /** What may be the case: whoever is told looks again. */
  notices(): Notice[] {
    const hangup = this.#hangups > 0
    this.#hangups = 0
    return [...this.watched].flatMap(([fd, wants]) => {
      const readable = wants.readable && this.in.held > 0
      const writable = wants.writable && this.readerThere
      return readable || writable || hangup ? [{ fd, readable, writable, hangup }] : []
    })
  }

  die(): void {}

  /** The system gives other numbers in each process. */
  fdText(): string {
    return 'a real pipe'
  }

  /** Lets go of the far ends. */
  end(): void {
    for (const fd of [this.#reader, this.#writer]) if (fd !== undefined) closeSync(fd)
    this.#reader = undefined
    this.#writer = undefined
  }

  #open(end: 'in' | 'out', flags: number): number | undefined {
    const path = `${this.path}.${end}`
    const fd = this.#attempt(() => openSync(path, flags | CAUTIOUS))
    if (fd === undefined || fstatSync(fd).isFIFO()) return fd
    closeSync(fd)
    this.misused(`PATH.${end}`, 'it is no longer the pipe that the machine has made')
  }

  /** Undefined for what happens to whoever does not wait. */
  #attempt(call: () => number): number | undefined {
    try {
      return call()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (code === 'EAGAIN' || code === 'ENXIO' || code === 'EPIPE') return undefined
      this.misused('the pipe that the machine has made', code)
    }
  }
}
