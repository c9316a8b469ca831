/**
 * A serial port over named pipes: what the guest sends goes out in order, gathered, without loss and without waiting;
 * what arrives goes in as the guest has room (POSIX.1-2017 `write`, `poll`; PC16550D data sheet §8.4 and §8.6).
 *
 * The host takes bytes when it likes. What it has not taken waits here, up to the capacity; beyond that the bytes wait in
 * the guest's transmitter, whose THRE says so.
 */
import { BREAK, Decoder, encode, encodeBreak, type Unit } from './fifo-framing.ts'
import type { FifoBackend, HostFiles, Notice, SerialMachine } from './fifo-port.ts'
import { FIFO_VARIANT } from './fifo-variant.ts'
import { realFiles } from './host-files.ts'

// @solution How much is worth a call of the host before anybody asks for it?
/** A call of the host costs as much as copying some ten thousand bytes. */
const ENOUGH = 32_768
/** The most that one call of the host gets. */
const MAX_WRITE = 65_536

/** What another machine must know to go on. */
interface Saved {
  readonly outgoing: readonly { guestBytes: number; bytes: number[] }[]
  readonly arrived: readonly number[]
  readonly pending: readonly number[]
  readonly refused: boolean
}

/** The descriptors that are open, and what each is watched for. */
interface Watched {
  readonly fd: number
  readable: boolean
  writable: boolean
}
// @end

class PipeBackend implements FifoBackend {
  readonly #machine: SerialMachine
  // @solution What waits for the host, what waits for the guest, which descriptors are open, and what you wait for.
  readonly #decoder = new Decoder()
  #files: HostFiles
  #path = ''
  #in: Watched | undefined
  /** In a duplex wiring, the same as `#in`. */
  #out: Watched | undefined
  #outgoing: Unit[] = []
  /** Bytes of the guest in `#outgoing`. */
  #waiting = 0
  #arrived: number[] = []
  /** The host takes nothing: it will say when it does. */
  #blocked = false
  /** The transmitter was refused and has not been resumed. */
  #refused = false
  // @end

  constructor(machine: SerialMachine) {
    this.#machine = machine
    // @solution
    this.#files = machine
    // @end
  }

  open(path: string, real: boolean): void {
    // @solution Open what can be opened now, without waiting; nobody may be at the other end yet.
    this.#files = real ? realFiles() : this.#machine
    this.#path = path
    this.#openInput()
    // @end
  }

  transmit(bytes: Uint8Array): number {
    // @solution Take what there is room for. Is it worth a call of the host yet?
    if (bytes.length > this.#room && !this.#blocked) this.#drain()
    const taken = Math.min(bytes.length, this.#room)
    if (taken > 0) this.#outgoing.push(...encode(bytes.subarray(0, taken)))
    this.#waiting += taken
    if (taken < bytes.length) this.#refused = true
    if (this.#waiting >= ENOUGH && !this.#blocked) this.#drain()
    return taken
    // @end
  }

  transmitBreak(): boolean {
    // @solution A break stands in the stream where the guest sent it, and takes room as a byte does.
    const unit = encodeBreak()
    if (unit === undefined) return true
    if (this.#room === 0 && !this.#blocked) this.#drain()
    if (this.#room === 0) {
      this.#refused = true
      return false
    }
    this.#outgoing.push(unit)
    this.#waiting++
    return true
    // @end
  }

  flush(): void {
    // @solution Everything that waits goes to the host now, if the host takes it.
    if (!this.#blocked) this.#drain()
    this.#resume()
    // @end
  }

  notice(notices: readonly Notice[]): void {
    // @solution Which descriptor is it, and what does it want? A notice may come late: look again.
    for (const { fd, readable, writable, hangup } of notices) {
      if (fd === this.#out?.fd && (writable || hangup)) {
        this.#blocked = false
        this.#drain()
      }
      if (fd === this.#in?.fd && (readable || hangup)) this.#fill()
    }
    this.#resume()
    // @end
  }

  alarmed(): void {
    // @solution Perhaps somebody reads now.
    this.#blocked = false
    this.flush()
    // @end
  }

  receiverReady(): void {
    // @solution What arrived first goes first.
    this.#deliver()
    this.#watch()
    // @end
  }

  save(): string {
    // @solution What would be missing on the other host?
    const saved: Saved = {
      outgoing: this.#outgoing.map(({ guestBytes, bytes }) => ({ guestBytes, bytes: [...bytes] })),
      arrived: this.#arrived,
      pending: this.#decoder.pending,
      refused: this.#refused,
    }
    return JSON.stringify(saved)
    // @end
  }

  restore(state: string): void {
    // @solution Descriptors stay behind: `open` makes new ones.
    const saved = JSON.parse(state) as Saved
    this.#outgoing = saved.outgoing.map(({ guestBytes, bytes }) => ({ guestBytes, bytes: Uint8Array.from(bytes) }))
    this.#waiting = this.#outgoing.reduce((sum, { guestBytes }) => sum + guestBytes, 0)
    this.#arrived = [...saved.arrived]
    this.#decoder.pending = [...saved.pending]
    this.#refused = saved.refused
    // @end
  }

  close(): void {
    // @solution Every descriptor, and each once.
    const [input, output] = [this.#in, this.#out]
    this.#release(input)
    if (output !== input) this.#release(output)
    this.#in = undefined
    this.#out = undefined
    // @end
  }

  // @solution
  get #room(): number {
    return FIFO_VARIANT.capacity - this.#waiting
  }

  #open(path: string, access: 'read' | 'write' | 'readWrite'): Watched | undefined {
    for (;;) {
      const fd = this.#files.open(path, access, true)
      if (typeof fd === 'number') return { fd, readable: false, writable: false }
      if (fd !== 'EINTR') return undefined
    }
  }

  /** Opens what is read; a descriptor that saw the end of file is replaced, since a fresh one is quiet until somebody writes. */
  #openInput(): void {
    const before = this.#in
    if (FIFO_VARIANT.wiring === 'duplex') {
      this.#in = this.#open(this.#path, 'readWrite')
      this.#out = this.#in
      this.#blocked = FIFO_VARIANT.unplugged === 'keep' && this.#outgoing.length > 0
    } else {
      this.#in = this.#open(`${this.#path}.in`, 'read')
    }
    this.#release(before)
    this.#watch()
  }

  /** Gives a descriptor back. */
  #release(watched: Watched | undefined): void {
    if (watched === undefined) return
    if (watched.readable || watched.writable) this.#machine.watch(watched.fd, false, false)
    this.#files.close(watched.fd)
  }

  /** Asks for the notices that there is a use for. */
  #watch(): void {
    const wants = this.#arrived.length === 0
    for (const watched of this.#in === this.#out ? [this.#in] : [this.#in, this.#out]) {
      if (watched === undefined) continue
      const readable = watched === this.#in && wants
      const writable = watched === this.#out && this.#blocked
      if (watched.readable === readable && watched.writable === writable) continue
      watched.readable = readable
      watched.writable = writable
      this.#machine.watch(watched.fd, readable, writable)
    }
  }

  /** Offers the host everything that waits. */
  #drain(): void {
    while (this.#outgoing.length > 0) {
      this.#out ??= this.#open(`${this.#path}.out`, 'write')
      if (this.#out === undefined) {
        this.#nobodyReads()
        break
      }
      const offered = joined(this.#outgoing)
      const written = this.#files.write(this.#out.fd, offered)
      if (written === 'EINTR') continue
      if (written === 'EPIPE') {
        this.#lostReader()
        break
      }
      this.#taken(written === 'EAGAIN' ? 0 : written)
      this.#blocked = written === 'EAGAIN' || written < offered.length
      if (this.#blocked) break
    }
    this.#watch()
  }

  /** The host took so many bytes, the first ones. */
  #taken(count: number): void {
    let left = count
    let whole = 0
    while (whole < this.#outgoing.length && left >= this.#outgoing[whole]!.bytes.length) {
      left -= this.#outgoing[whole]!.bytes.length
      this.#waiting -= this.#outgoing[whole++]!.guestBytes
    }
    this.#outgoing.splice(0, whole)
    const [first] = this.#outgoing
    if (left === 0 || first === undefined) return
    const bytes = first.bytes.subarray(left)
    const guestBytes = Math.min(first.guestBytes, bytes.length)
    this.#waiting -= first.guestBytes - guestBytes
    this.#outgoing[0] = { guestBytes, bytes }
  }

  /** The last reader went away. */
  #lostReader(): void {
    if (FIFO_VARIANT.wiring === 'duplex') {
      this.#openInput()
    } else {
      this.#release(this.#out)
      this.#out = undefined
    }
    this.#nobodyReads()
  }

  #nobodyReads(): void {
    if (FIFO_VARIANT.unplugged === 'discard') {
      this.#outgoing = []
      this.#waiting = 0
      this.#blocked = false
    } else if (FIFO_VARIANT.wiring === 'pair') {
      this.#machine.alarm()
      this.#blocked = true
    }
  }

  #resume(): void {
    if (!this.#refused || this.#room < FIFO_VARIANT.resumeAt) return
    this.#refused = false
    this.#machine.resume()
  }

  /** Reads what there is room for, and hands it on. */
  #fill(): void {
    while (this.#arrived.length === 0 && this.#in !== undefined) {
      const bytes = this.#files.read(this.#in.fd, Math.min(FIFO_VARIANT.capacity, MAX_WRITE))
      if (bytes === 'EINTR') continue
      if (bytes === 'EAGAIN') break
      if (bytes.length === 0) {
        this.#decoder.pending = []
        this.#openInput()
        return
      }
      this.#arrived = this.#decoder.decode(bytes)
      this.#deliver()
    }
    this.#watch()
  }

  #deliver(): void {
    while (this.#arrived.length > 0) {
      if (this.#arrived[0] === BREAK) {
        if (!this.#machine.receiveBreak()) return
        this.#arrived.shift()
        continue
      }
      const stop = this.#arrived.indexOf(BREAK)
      const bytes = Uint8Array.from(stop < 0 ? this.#arrived : this.#arrived.slice(0, stop))
      const taken = this.#machine.receive(bytes)
      this.#arrived.splice(0, taken)
      if (taken < bytes.length) return
    }
  }
  // @end
}

// @solution
/** The units' bytes one behind the other, as much of them as one call gets. */
function joined(units: readonly Unit[]): Uint8Array {
  if (units.length === 1) return units[0]!.bytes
  let length = 0
  let count = 0
  for (; count < units.length && length + units[count]!.bytes.length <= MAX_WRITE; count++) {
    length += units[count]!.bytes.length
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const unit of units.slice(0, count)) {
    bytes.set(unit.bytes, at)
    at += unit.bytes.length
  }
  return bytes
}
// @end

/** Makes a back end that has nothing open yet. */
export function create(machine: SerialMachine): FifoBackend {
  return new PipeBackend(machine)
}
