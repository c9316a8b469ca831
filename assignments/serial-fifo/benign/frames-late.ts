/** A right back end that frames bytes only when it writes, and writes whenever sixteen wait. */
import { BREAK, Decoder, encode, encodeBreak } from '../../../reference/io/fifo-framing.ts'
import type { FifoBackend, HostFiles, Notice, SerialMachine } from '../../../reference/io/fifo-port.ts'
import { FIFO_VARIANT } from '../../../reference/io/fifo-variant.ts'
import { realFiles } from '../../../reference/io/host-files.ts'

/** Bytes of the pipe, and where in them each byte of the guest is complete. */
interface Framed {
  bytes: number[]
  ends: number[]
}

const ENOUGH = 16

class LateFraming implements FifoBackend {
  #machine: SerialMachine
  #files: HostFiles
  #name = ''
  #reader = -1
  #writer = -1
  #items: number[] = []
  #framed: Framed = { bytes: [], ends: [] }
  #inbox: number[] = []
  #decoder = new Decoder()
  #full = false
  #owesResume = false
  #readerWatch = ''
  #writerWatched = false

  constructor(machine: SerialMachine) {
    this.#machine = machine
    this.#files = machine
  }

  open(path: string, real: boolean): void {
    if (real) this.#files = realFiles()
    this.#name = path
    this.#listen()
  }

  transmit(bytes: Uint8Array): number {
    if (bytes.length > this.#free() && !this.#full) this.#push()
    const mine = bytes.subarray(0, this.#free())
    this.#items.push(...mine)
    if (mine.length < bytes.length) this.#owesResume = true
    if (this.#items.length >= ENOUGH && !this.#full) this.#push()
    return mine.length
  }

  transmitBreak(): boolean {
    if (encodeBreak() === undefined) return true
    if (this.#free() < 1 && !this.#full) this.#push()
    if (this.#free() < 1) {
      this.#owesResume = true
      return false
    }
    this.#items.push(BREAK)
    return true
  }

  flush(): void {
    if (!this.#full) this.#push()
    this.#maybeResume()
  }

  notice(notices: readonly Notice[]): void {
    for (const notice of notices) {
      const out = notice.fd === this.#writer && this.#full
      if (out && (notice.writable || notice.hangup)) {
        this.#full = false
        this.#push()
      }
      if (notice.fd === this.#reader && (notice.readable || notice.hangup)) this.#pull()
    }
    this.#maybeResume()
  }

  alarmed(): void {
    this.#full = false
    this.#push()
    this.#maybeResume()
  }

  receiverReady(): void {
    this.#give()
    this.#setWatches()
  }

  save(): string {
    const { bytes, ends } = this.#framed
    return [this.#items, bytes, ends, this.#inbox, this.#decoder.pending, [this.#owesResume ? 1 : 0]].join(';')
  }

  restore(state: string): void {
    const lists = state.split(';').map((list) => (list === '' ? [] : list.split(',').map(Number)))
    this.#items = lists[0] ?? []
    this.#framed = { bytes: lists[1] ?? [], ends: lists[2] ?? [] }
    this.#inbox = lists[3] ?? []
    this.#decoder.pending = lists[4] ?? []
    this.#owesResume = lists[5]?.[0] === 1
  }

  close(): void {
    for (const fd of new Set([this.#reader, this.#writer])) if (fd >= 0) this.#files.close(fd)
  }

  #free(): number {
    return FIFO_VARIANT.capacity - this.#items.length - this.#framed.ends.length
  }

  /** Everything that waits, as it stands in the pipe; what has begun to go stays as it is. */
  #frame(): void {
    let run: number[] = []
    const place = (units: ReturnType<typeof encode>) => {
      for (const { guestBytes, bytes } of units) {
        this.#framed.bytes.push(...bytes)
        for (let left = guestBytes; left > 0; left--) this.#framed.ends.push(this.#framed.bytes.length - left + 1)
      }
    }
    const endRun = () => {
      if (run.length > 0) place(encode(Uint8Array.from(run)))
      run = []
    }
    for (const item of this.#items) {
      if (item === BREAK) {
        endRun()
        place([encodeBreak()!])
      } else run.push(item)
      if (run.length === ENOUGH) endRun()
    }
    endRun()
    this.#items = []
  }

  #push(): void {
    this.#frame()
    while (this.#framed.bytes.length > 0 && !this.#full) {
      if (this.#writer < 0 && !this.#connect()) break
      const bytes = Uint8Array.from(this.#framed.bytes.slice(0, 60_000))
      const went = this.#files.write(this.#writer, bytes)
      if (went === 'EINTR') continue
      if (went === 'EPIPE') {
        this.#gone()
        break
      }
      const count = went === 'EAGAIN' ? 0 : went
      this.#framed.bytes.splice(0, count)
      this.#framed.ends = this.#framed.ends.map((end) => end - count).filter((end) => end > 0)
      this.#full = count < bytes.length
    }
    this.#setWatches()
  }

  /** False: nobody reads. */
  #connect(): boolean {
    let fd = this.#files.open(`${this.#name}.out`, 'write', true)
    while (fd === 'EINTR') fd = this.#files.open(`${this.#name}.out`, 'write', true)
    if (typeof fd === 'number') {
      this.#writer = fd
      return true
    }
    this.#unplugged()
    return false
  }

  #gone(): void {
    if (this.#reader === this.#writer) {
      this.#listen()
      this.#full = true
    } else {
      this.#unwatch(this.#writer)
      this.#files.close(this.#writer)
      this.#writer = -1
    }
    this.#unplugged()
  }

  #unplugged(): void {
    if (FIFO_VARIANT.unplugged === 'discard') {
      this.#framed = { bytes: [], ends: [] }
      this.#full = false
      return
    }
    if (FIFO_VARIANT.wiring === 'duplex') return
    this.#full = true
    this.#machine.alarm()
  }

  #listen(): void {
    const old = this.#reader
    const isDuplex = FIFO_VARIANT.wiring === 'duplex'
    const path = isDuplex ? this.#name : `${this.#name}.in`
    let fd = this.#files.open(path, isDuplex ? 'readWrite' : 'read', true)
    while (fd === 'EINTR') fd = this.#files.open(path, isDuplex ? 'readWrite' : 'read', true)
    this.#reader = typeof fd === 'number' ? fd : -1
    if (isDuplex) {
      this.#writer = this.#reader
      this.#full = FIFO_VARIANT.unplugged === 'keep' && this.#framed.bytes.length + this.#items.length > 0
    }
    if (old >= 0) {
      this.#unwatch(old)
      this.#files.close(old)
    }
    this.#readerWatch = ''
    this.#setWatches()
  }

  #maybeResume(): void {
    if (!this.#owesResume || this.#free() < FIFO_VARIANT.resumeAt) return
    this.#owesResume = false
    this.#machine.resume()
  }

  #unwatch(fd: number): void {
    this.#machine.watch(fd, false, false)
    if (fd === this.#writer) this.#writerWatched = false
  }

  #setWatches(): void {
    const isDuplex = this.#reader === this.#writer
    const hungry = this.#inbox.length === 0
    const want = `${this.#reader} ${hungry} ${isDuplex && this.#full}`
    if (this.#reader >= 0 && want !== this.#readerWatch) {
      this.#machine.watch(this.#reader, hungry, isDuplex && this.#full)
      this.#readerWatch = want
    }
    if (isDuplex || this.#writer < 0 || this.#writerWatched === this.#full) return
    this.#machine.watch(this.#writer, false, this.#full)
    this.#writerWatched = this.#full
  }

  #pull(): void {
    while (this.#inbox.length === 0) {
      const bytes = this.#files.read(this.#reader, FIFO_VARIANT.capacity)
      if (bytes === 'EINTR') continue
      if (bytes === 'EAGAIN') break
      if (bytes.length === 0) {
        this.#decoder.pending = []
        this.#listen()
        return
      }
      this.#inbox = this.#decoder.decode(bytes)
      this.#give()
    }
    this.#setWatches()
  }

  #give(): void {
    while (this.#inbox.length > 0) {
      const run = this.#inbox.indexOf(BREAK) < 0 ? this.#inbox : this.#inbox.slice(0, this.#inbox.indexOf(BREAK))
      const done = run.length === 0 ? Number(this.#machine.receiveBreak()) : this.#machine.receive(Uint8Array.from(run))
      this.#inbox = this.#inbox.slice(done)
      if (done < Math.max(1, run.length)) return
    }
  }
}

export const create = (machine: SerialMachine): FifoBackend => new LateFraming(machine)
