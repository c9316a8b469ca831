/** The suites' machine over modelled pipes: deterministic, with as little room and as many signals as a case wants. */
import { type Access, type FifoEnd, HostFifo, type Notice, type OpenError } from '../../../reference/index.ts'
import type { Guest } from './guest.ts'
import type { Variant } from './variant.ts'
import { type Item, itemText, wireBytes } from './wire.ts'
import { World } from './world.ts'

export interface PipeSize {
  /** Capacity of each direction in bytes; at least `pipeBuf`. */
  readonly bytes: number
  /** What is written whole or not at all. */
  readonly pipeBuf: number
}

interface Handle {
  readonly name: string
  readonly nonblock: boolean
  readonly reader?: FifoEnd
  writer?: FifoEnd
}

const FIRST_FD = 3

export class HostWorld extends World {
  readonly #toHost: HostFifo
  readonly #toGuest: HostFifo
  readonly #handles = new Map<number, Handle>()
  #nextFd = FIRST_FD
  #farReader: FifoEnd | undefined
  #farWriter: FifoEnd | undefined
  /** So many calls of the host will be interrupted by a signal. */
  interrupts = 0

  constructor(path: string, variant: Variant, guest: Guest, { bytes, pipeBuf }: PipeSize) {
    super(path, variant, guest)
    const options = { slots: bytes, pageBytes: 1, pipeBuf }
    this.#toHost = new HostFifo(options)
    this.#toGuest = new HostFifo(options)
  }

  operations(): object {
    return {
      ...this.machineOperations(),
      open: (path: string, access: Access, nonblock: boolean) => this.#asked(this.#open(path, access, nonblock)),
      read: (fd: number, count: number) => this.#asked(this.#read(fd, count)),
      write: (fd: number, bytes: Uint8Array) => this.#asked(this.#write(fd, bytes)),
      close: (fd: number) => this.#close(fd),
    }
  }

  get readerThere(): boolean {
    return this.#farReader !== undefined
  }

  get roomy(): boolean {
    return this.#toHost.roomy
  }

  get exact(): boolean {
    return true
  }

  get unread(): number {
    return this.#toGuest.queued
  }

  get openCount(): number {
    return this.#handles.size
  }

  plugReader(on: boolean): void {
    if (on === this.readerThere) return
    this.discardsFreely = false
    if (on) this.#farReader = this.#toHost.open('read') as FifoEnd
    else {
      this.#farReader?.close()
      this.#farReader = undefined
      this.out.unplug()
    }
    if (this.variant.wiring === 'duplex') this.#plugFarWriter(on)
  }

  plugWriter(on: boolean): void {
    if (this.variant.wiring === 'duplex') this.plugReader(on)
    else this.#plugFarWriter(on)
  }

  drain(count: number): number {
    const bytes = this.#farReader?.read(count)
    if (bytes === undefined || bytes === 'EAGAIN') return 0
    if (bytes.length > 0) this.say(`the far side reads ${itemText([...bytes])}; ${this.#pipeText()}`)
    return bytes.length
  }

  feed(items: readonly Item[]): void {
    const writer = this.#farWriter
    if (writer === undefined) return
    const bytes = Uint8Array.from(wireBytes(items, this.variant))
    const written = writer.write(bytes)
    if (typeof written === 'number') this.say(`the far side writes ${itemText([...bytes.subarray(0, written)])}`)
  }

  notices(): Notice[] {
    return [...this.watched].flatMap(([fd, wants]) => {
      const state = this.#poll(fd)
      const readable = wants.readable && state.readable
      const writable = wants.writable && state.writable
      return readable || writable || state.hangup ? [{ fd, readable, writable, hangup: state.hangup }] : []
    })
  }

  die(): void {
    for (const fd of [...this.#handles.keys()]) this.#release(fd)
    this.watched.clear()
    this.alarmSet = false
  }

  fdText(fd: number): string {
    return `${fd}`
  }

  #pipeText(): string {
    const readers = this.#toHost.readers > 0 ? '' : ', nobody reads'
    return `pipe holds ${this.#toHost.queued}${readers}`
  }

  #plugFarWriter(on: boolean): void {
    if (on === (this.#farWriter !== undefined)) return
    if (!on) {
      this.#farWriter?.close()
      this.#farWriter = undefined
      return
    }
    const opened = this.#toGuest.open('write')
    if (opened !== 'ENXIO') this.#farWriter = opened
    else this.problem('input', 'whoever wants to write to the guest', 'finds the pipe open for reading', 'ENXIO')
  }

  /** Every call of the host is counted, with whether it did anything. */
  #asked<T>(answer: T): T {
    this.countCall()
    if (typeof answer === 'string') this.vainCalls++
    return answer
  }

  #interrupted(call: string): boolean {
    if (this.interrupts === 0) return false
    this.interrupts--
    this.progress++
    this.say(`  ${call} → EINTR`)
    return true
  }

  #open(path: string, access: Access, nonblock: boolean): number | OpenError {
    const call = `open(${path}, ${access}${nonblock ? ', nonblock' : ''})`
    if (this.#interrupted(call)) return 'EINTR'
    const answer = this.#openEnds(path, access, nonblock)
    if (typeof answer === 'string') {
      this.say(`  ${call} → ${answer}`)
      return answer
    }
    const fd = this.#nextFd++
    this.progress++
    this.#handles.set(fd, answer)
    this.say(`  ${call} → ${fd}`)
    return fd
  }

  #openEnds(path: string, access: Access, nonblock: boolean): Handle | OpenError {
    if (this.variant.wiring === 'duplex') {
      if (path !== this.path) return 'ENOENT'
      if (access !== 'readWrite') return 'EACCES'
      if (!nonblock && this.#toHost.readers === 0) this.blocked(`open(${path}) waits until somebody has the other end`)
      return { name: path, nonblock, reader: this.#toGuest.open('read') as FifoEnd }
    }
    const fifo = path === `${this.path}.in` ? this.#toGuest : path === `${this.path}.out` ? this.#toHost : undefined
    if (fifo === undefined) return 'ENOENT'
    const alone = access === 'read' ? fifo.writers === 0 : access === 'write' && fifo.readers === 0
    if (!nonblock && alone) this.blocked(`open(${path}) waits until somebody has the other end`)
    const end = fifo.open(access)
    if (end === 'ENXIO') return end
    return { name: path, nonblock, ...(end.reads ? { reader: end } : {}), ...(end.writes ? { writer: end } : {}) }
  }

  #read(fd: number, count: number): Uint8Array | 'EAGAIN' | 'EINTR' {
    const { name, reader, nonblock } = this.#handle(fd)
    const call = `read(${fd}, ${count})`
    if (reader === undefined) this.misused(call, `${name} is not open for reading`)
    if (this.#interrupted(call)) return 'EINTR'
    const bytes = reader.read(count)
    if (bytes === 'EAGAIN') {
      if (!nonblock) this.blocked(`${call} waits for a byte`)
      this.say(`  ${call} → EAGAIN`)
      return bytes
    }
    this.say(`  ${call} → ${bytes.length === 0 ? 'end of file' : itemText([...bytes])}`)
    if (bytes.length > 0) this.progress++
    this.consumed(bytes)
    return bytes
  }

  #write(fd: number, bytes: Uint8Array): number | 'EAGAIN' | 'EINTR' | 'EPIPE' {
    const handle = this.#handle(fd)
    const call = `write(${fd}, ${itemText([...bytes])})`
    this.hostWrites++
    if (this.#interrupted(call)) return 'EINTR'
    const answer = this.#put(handle, bytes)
    if (answer === 'EAGAIN' && !handle.nonblock) this.blocked(`${call} waits for room in the pipe`)
    if (answer === 'EPIPE' && this.variant.unplugged === 'discard') this.outReader.reset()
    if (typeof answer === 'number') {
      if (answer > 0) this.progress++
      this.arrived(bytes.subarray(0, answer))
    }
    this.say(`  ${call} → ${answer === bytes.length ? 'all' : answer}; ${this.#pipeText()}`)
    return answer
  }

  #put(handle: Handle, bytes: Uint8Array): number | 'EAGAIN' | 'EPIPE' {
    if (this.variant.wiring === 'pair') {
      if (handle.writer === undefined) this.misused('write', `${handle.name} is not open for writing`)
      return handle.writer.write(bytes)
    }
    if (this.#toHost.readers === 0) return 'EPIPE'
    handle.writer ??= this.#toHost.open('write') as FifoEnd
    return handle.writer.write(bytes)
  }

  #close(fd: number): void {
    this.countCall()
    this.progress++
    this.#handle(fd)
    this.say(`  close(${fd})`)
    this.#release(fd)
  }

  #release(fd: number): void {
    const handle = this.#handles.get(fd)
    if (handle?.reader !== handle?.writer) handle?.writer?.close()
    handle?.reader?.close()
    this.#handles.delete(fd)
    this.watched.delete(fd)
  }

  #poll(fd: number): { readable: boolean; writable: boolean; hangup: boolean } {
    const { reader, writer } = this.#handle(fd)
    const read = reader?.poll()
    const wrote = writer?.poll()
    const connected = this.variant.wiring === 'duplex' && this.readerThere && this.#toHost.roomy
    return {
      readable: read?.readable === true,
      writable: connected || (this.variant.wiring === 'pair' && wrote?.writable === true),
      hangup: read?.hangup === true || wrote?.hangup === true,
    }
  }

  #handle(fd: number): Handle {
    const handle = this.#handles.get(fd)
    if (handle === undefined) this.misused('a call of the host', `descriptor ${fd} is not open`)
    return handle
  }
}
