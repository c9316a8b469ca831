/** A right back end with one fixed ring of the pipe's bytes, each marked when it completes a byte of the guest. */
import { BREAK, Decoder, encode, encodeBreak, type Unit } from '../../../reference/io/fifo-framing.ts'
import type { FifoBackend, HostFiles, Notice, SerialMachine } from '../../../reference/io/fifo-port.ts'
import { FIFO_VARIANT } from '../../../reference/io/fifo-variant.ts'
import { realFiles } from '../../../reference/io/host-files.ts'

/** No framing makes more than three bytes of one. */
const CELLS_PER_BYTE = 4
const COMPLETES = 0x100
const EAGER = 24

/** Where the way out is: nobody has been asked yet or nobody reads; open; open and full. */
type Way = 'closed' | 'open' | 'full'

class Ring {
  readonly cells: Uint16Array
  start = 0
  count = 0
  guest = 0

  constructor(size: number) {
    this.cells = new Uint16Array(size)
  }

  put({ guestBytes, bytes }: Unit): void {
    bytes.forEach((byte, at) => {
      const completes = at >= bytes.length - guestBytes
      this.cells[(this.start + this.count++) % this.cells.length] = byte | (completes ? COMPLETES : 0)
    })
    this.guest += guestBytes
  }

  bytes(): Uint8Array {
    return Uint8Array.from({ length: this.count }, (_, at) => this.cells[(this.start + at) % this.cells.length]! & 0xff)
  }

  drop(count: number): void {
    for (let left = count; left > 0; left--) {
      if (this.cells[this.start]! >= COMPLETES) this.guest--
      this.start = (this.start + 1) % this.cells.length
      this.count--
    }
  }
}

class OneRing implements FifoBackend {
  readonly #machine: SerialMachine
  #host: HostFiles
  #path = ''
  #way: Way = 'closed'
  #outFd: number | undefined
  #inFd: number | undefined
  readonly #capacity = FIFO_VARIANT.capacity
  readonly #ring = new Ring(CELLS_PER_BYTE * FIFO_VARIANT.capacity)
  #guestItems: number[] = []
  readonly #decoder = new Decoder()
  #mustResume = false

  constructor(machine: SerialMachine) {
    this.#machine = machine
    this.#host = machine
  }

  get #oneFd(): boolean {
    return FIFO_VARIANT.wiring === 'duplex'
  }

  open(path: string, real: boolean): void {
    this.#path = path
    this.#host = real ? realFiles() : this.#machine
    this.#inFd = this.#openNow(this.#oneFd ? path : `${path}.in`, this.#oneFd ? 'readWrite' : 'read')
    if (this.#oneFd) this.#outFd = this.#inFd
    this.#way = this.#oneFd ? 'open' : 'closed'
    this.#ask()
  }

  transmit(bytes: Uint8Array): number {
    if (this.#ring.guest + bytes.length > this.#capacity) this.#send()
    const count = Math.min(this.#capacity - this.#ring.guest, bytes.length)
    if (count > 0) for (const unit of encode(bytes.subarray(0, count))) this.#ring.put(unit)
    this.#mustResume ||= count < bytes.length
    if (this.#ring.guest >= EAGER) this.#send()
    return count
  }

  transmitBreak(): boolean {
    const unit = encodeBreak()
    if (unit === undefined) return true
    if (this.#ring.guest >= this.#capacity) this.#send()
    const fits = this.#ring.guest < this.#capacity
    if (fits) this.#ring.put(unit)
    else this.#mustResume = true
    return fits
  }

  flush(): void {
    this.#send()
    this.#letGo()
  }

  notice(notices: readonly Notice[]): void {
    for (const { fd, readable, writable, hangup } of notices) {
      if (fd === this.#outFd && this.#way === 'full' && (writable || hangup)) {
        this.#way = 'open'
        this.#send()
      }
      if (fd === this.#inFd && (readable || hangup)) this.#receive()
    }
    this.#letGo()
  }

  alarmed(): void {
    this.#send()
    this.#letGo()
  }

  receiverReady(): void {
    this.#handOn()
    this.#ask()
  }

  save(): string {
    const { cells, start, count } = this.#ring
    const out = Array.from({ length: count }, (_, at) => cells[(start + at) % cells.length]!)
    return JSON.stringify([out, this.#guestItems, this.#decoder.pending, this.#mustResume])
  }

  restore(state: string): void {
    const [out, items, pending, must] = JSON.parse(state) as [number[], number[], number[], boolean]
    this.#ring.cells.set(out)
    this.#ring.count = out.length
    this.#ring.guest = out.filter((cell) => cell >= COMPLETES).length
    this.#guestItems = items
    this.#decoder.pending = pending
    this.#mustResume = must
  }

  close(): void {
    if (this.#outFd !== undefined && !this.#oneFd) this.#host.close(this.#outFd)
    if (this.#inFd !== undefined) this.#host.close(this.#inFd)
  }

  #openNow(path: string, access: 'read' | 'write' | 'readWrite'): number | undefined {
    const answer = this.#host.open(path, access, true)
    if (answer === 'EINTR') return this.#openNow(path, access)
    return typeof answer === 'number' ? answer : undefined
  }

  #send(): void {
    if (this.#way === 'full' || this.#ring.count === 0) return
    if (this.#way === 'closed') {
      this.#outFd = this.#openNow(`${this.#path}.out`, 'write')
      if (this.#outFd === undefined) {
        this.#nobody()
        return
      }
      this.#way = 'open'
    }
    const bytes = this.#ring.bytes()
    const answer = this.#host.write(this.#outFd!, bytes)
    if (answer === 'EINTR') this.#send()
    else if (answer === 'EPIPE') this.#hungUp()
    else {
      this.#ring.drop(answer === 'EAGAIN' ? 0 : answer)
      if (this.#ring.count > 0) this.#way = 'full'
      this.#ask()
    }
  }

  #hungUp(): void {
    if (this.#oneFd) this.#reopen()
    else {
      this.#machine.watch(this.#outFd!, false, false)
      this.#host.close(this.#outFd!)
      this.#outFd = undefined
      this.#way = 'closed'
    }
    this.#nobody()
  }

  #nobody(): void {
    if (FIFO_VARIANT.unplugged === 'discard') this.#ring.drop(this.#ring.count)
    else if (this.#oneFd) this.#way = 'full'
    else this.#machine.alarm()
    this.#ask()
  }

  /** A fresh descriptor first, then away with the old one. */
  #reopen(): void {
    const old = this.#inFd
    this.#inFd = this.#openNow(this.#oneFd ? this.#path : `${this.#path}.in`, this.#oneFd ? 'readWrite' : 'read')
    if (this.#oneFd) {
      this.#outFd = this.#inFd
      this.#way = FIFO_VARIANT.unplugged === 'keep' && this.#ring.count > 0 ? 'full' : 'open'
    }
    if (old !== undefined) this.#host.close(old)
    this.#ask()
  }

  #letGo(): void {
    if (!this.#mustResume || this.#capacity - this.#ring.guest < FIFO_VARIANT.resumeAt) return
    this.#mustResume = false
    this.#machine.resume()
  }

  /** Says each time what is wanted of each descriptor. */
  #ask(): void {
    const readable = this.#guestItems.length === 0
    const writable = this.#way === 'full'
    if (this.#inFd !== undefined) this.#machine.watch(this.#inFd, readable, this.#oneFd && writable)
    if (!this.#oneFd && this.#outFd !== undefined) this.#machine.watch(this.#outFd, false, writable)
  }

  #receive(): void {
    if (this.#guestItems.length > 0) return
    const bytes = this.#host.read(this.#inFd!, 16)
    if (bytes === 'EAGAIN') return
    if (bytes === 'EINTR') this.#receive()
    else if (bytes.length === 0) {
      this.#decoder.pending = []
      this.#reopen()
    } else {
      this.#guestItems = this.#decoder.decode(bytes)
      this.#handOn()
      this.#ask()
    }
  }

  #handOn(): void {
    while (this.#guestItems.length > 0) {
      const taken =
        this.#guestItems[0] === BREAK
          ? Number(this.#machine.receiveBreak())
          : this.#machine.receive(Uint8Array.of(this.#guestItems[0]!))
      if (taken === 0) return
      this.#guestItems.shift()
    }
  }
}

export function create(machine: SerialMachine): FifoBackend {
  return new OneRing(machine)
}
