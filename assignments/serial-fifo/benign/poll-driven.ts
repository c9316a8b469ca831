/** A right back end that writes only when `poll` has said that there is room, as event loops like it, and item by item keeps count. */
import { BREAK, Decoder, encode, encodeBreak, type Unit } from '../../../reference/io/fifo-framing.ts'
import type { FifoBackend, HostFiles, Notice, SerialMachine } from '../../../reference/io/fifo-port.ts'
import { FIFO_VARIANT } from '../../../reference/io/fifo-variant.ts'
import { realFiles } from '../../../reference/io/host-files.ts'

interface State {
  /** Each piece with the number of items that it completes. */
  pieces: [items: number, ...bytes: number[]][]
  arrived: number[]
  pending: number[]
  stopped: boolean
}

class PollDriven implements FifoBackend {
  readonly #machine: SerialMachine
  readonly #decoder = new Decoder()
  #host: HostFiles
  #path = ''
  #source: number | undefined
  #sink: number | undefined
  #state: State = { pieces: [], arrived: [], pending: [], stopped: false }
  #wanted = new Map<number, string>()

  constructor(machine: SerialMachine) {
    this.#machine = machine
    this.#host = machine
  }

  open(path: string, real: boolean): void {
    this.#path = path
    if (real) this.#host = realFiles()
    this.#openSource()
    this.#want()
  }

  transmit(bytes: Uint8Array): number {
    if (this.#room < bytes.length && this.#discards) this.#tryNow()
    const taken = bytes.subarray(0, this.#room)
    if (taken.length > 0) this.#add(encode(taken))
    this.#state.stopped ||= taken.length < bytes.length
    return taken.length
  }

  transmitBreak(): boolean {
    const unit = encodeBreak()
    if (unit === undefined) return true
    if (this.#room < 1 && this.#discards) this.#tryNow()
    if (this.#room < 1) {
      this.#state.stopped = true
      return false
    }
    this.#add([unit])
    return true
  }

  flush(): void {
    if (this.#state.pieces.length > 0) this.#ready()
    this.#want()
    this.#goOn()
  }

  notice(notices: readonly Notice[]): void {
    for (const { fd, readable, writable, hangup } of notices) {
      if (fd === this.#sink && this.#state.pieces.length > 0 && (writable || hangup)) this.#write()
      if (fd === this.#source && (readable || hangup)) this.#read()
    }
    this.#want()
    this.#goOn()
  }

  alarmed(): void {
    if (this.#state.pieces.length > 0) this.#ready()
    this.#want()
    this.#goOn()
  }

  receiverReady(): void {
    this.#deliver()
    this.#want()
  }

  save(): string {
    return JSON.stringify({ ...this.#state, pending: this.#decoder.pending })
  }

  restore(state: string): void {
    this.#state = JSON.parse(state) as State
    this.#decoder.pending = this.#state.pending
  }

  close(): void {
    for (const fd of new Set([this.#source, this.#sink])) if (fd !== undefined) this.#host.close(fd)
  }

  get #duplex(): boolean {
    return FIFO_VARIANT.wiring === 'duplex'
  }

  get #discards(): boolean {
    return FIFO_VARIANT.unplugged === 'discard'
  }

  get #room(): number {
    return FIFO_VARIANT.capacity - this.#state.pieces.reduce((sum, [items]) => sum + items, 0)
  }

  #add(units: readonly Unit[]): void {
    for (const { guestBytes, bytes } of units) this.#state.pieces.push([guestBytes, ...bytes])
  }

  #openOnce(path: string, access: 'read' | 'write' | 'readWrite'): number | undefined {
    let answer = this.#host.open(path, access, true)
    while (answer === 'EINTR') answer = this.#host.open(path, access, true)
    return typeof answer === 'number' ? answer : undefined
  }

  /** Makes sure that there is a descriptor to wait for. */
  #ready(): void {
    if (this.#duplex) {
      // Nobody may be there, and then room never comes: what is thrown away must be tried.
      if (this.#discards) this.#tryNow()
      return
    }
    this.#sink ??= this.#openOnce(`${this.#path}.out`, 'write')
    if (this.#sink === undefined) this.#nobody()
  }

  #tryNow(): void {
    if (!this.#duplex) this.#sink ??= this.#openOnce(`${this.#path}.out`, 'write')
    if (this.#sink === undefined) this.#nobody()
    else this.#write()
  }

  #nobody(): void {
    if (this.#discards) this.#state.pieces = []
    else if (!this.#duplex) this.#machine.alarm()
  }

  #write(): void {
    const bytes = Uint8Array.from(this.#state.pieces.flatMap(([, ...piece]) => piece).slice(0, 4096))
    const answer = bytes.length === 0 ? 0 : this.#host.write(this.#sink!, bytes)
    if (answer === 'EINTR') this.#write()
    else if (answer === 'EPIPE') {
      if (this.#duplex) this.#openSource()
      else {
        this.#forget(this.#sink)
        this.#sink = undefined
      }
      this.#nobody()
    } else if (answer !== 'EAGAIN') this.#sent(answer)
  }

  #sent(count: number): void {
    let left = count
    for (let first = this.#state.pieces[0]; first !== undefined && left > 0; first = this.#state.pieces[0]) {
      const [items, ...bytes] = first
      this.#state.pieces.shift()
      if (left < bytes.length) {
        const rest = bytes.slice(left)
        this.#state.pieces.unshift([Math.min(items, rest.length), ...rest])
      }
      left -= Math.min(left, bytes.length)
    }
  }

  #openSource(): void {
    const old = this.#source
    this.#source = this.#duplex ? this.#openOnce(this.#path, 'readWrite') : this.#openOnce(`${this.#path}.in`, 'read')
    if (this.#duplex) this.#sink = this.#source
    this.#forget(old)
  }

  #forget(fd: number | undefined): void {
    if (fd === undefined) return
    this.#machine.watch(fd, false, false)
    this.#wanted.delete(fd)
    this.#host.close(fd)
  }

  #want(): void {
    const hungry = this.#state.arrived.length === 0
    const waiting = this.#state.pieces.length > 0
    for (const fd of new Set([this.#source, this.#sink])) {
      if (fd === undefined) continue
      const readable = fd === this.#source && hungry
      const writable = fd === this.#sink && waiting
      if (this.#wanted.get(fd) === `${readable} ${writable}`) continue
      this.#wanted.set(fd, `${readable} ${writable}`)
      this.#machine.watch(fd, readable, writable)
    }
  }

  #goOn(): void {
    if (!this.#state.stopped || this.#room < FIFO_VARIANT.resumeAt) return
    this.#state.stopped = false
    this.#machine.resume()
  }

  #read(): void {
    if (this.#source === undefined || this.#state.arrived.length > 0) return
    const bytes = this.#host.read(this.#source, 24)
    if (bytes === 'EAGAIN') return
    if (bytes === 'EINTR') this.#read()
    else if (bytes.length === 0) {
      this.#decoder.pending = []
      this.#openSource()
    } else {
      this.#state.arrived = this.#decoder.decode(bytes)
      this.#deliver()
    }
  }

  #deliver(): void {
    const { arrived } = this.#state
    while (arrived.length > 0) {
      const end = arrived.indexOf(BREAK)
      const bytes = Uint8Array.from(end < 0 ? arrived : arrived.slice(0, end))
      const done = end === 0 ? Number(this.#machine.receiveBreak()) : this.#machine.receive(bytes)
      arrived.splice(0, done)
      if (done < Math.max(bytes.length, 1)) return
    }
  }
}

export const create = (machine: SerialMachine): FifoBackend => new PollDriven(machine)
