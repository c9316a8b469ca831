/**
 * A FIFO of the host, as a deterministic model of what Linux does with one that is opened with O_NONBLOCK
 * (POSIX.1-2017 `read`, `write`, `open`, `poll`; Linux `pipe(7)`, `fifo(7)`).
 *
 * Linux keeps a pipe's bytes in slots of a page: a small write goes wholly into the room behind the last one, or into a
 * slot of its own. With pages of one byte the model is POSIX's FIFO, whose capacity is counted in bytes.
 */

export interface HostFifoOptions {
  /** Linux: 16, unless the pipe is made larger. */
  readonly slots: number
  /** Linux: 4096. */
  readonly pageBytes: number
  /** A write of at most so many bytes is made whole or not at all; not more than fit into the empty FIFO. */
  readonly pipeBuf: number
}

export const LINUX_FIFO: HostFifoOptions = { slots: 16, pageBytes: 4096, pipeBuf: 4096 }

interface Slot {
  readonly bytes: Uint8Array
  start: number
  end: number
}

/** What `poll` tells of one end. */
export interface PollEvents {
  readonly readable: boolean
  readonly writable: boolean
  /** POLLHUP at a reader that has seen a writer leave; POLLERR at a writer without readers. */
  readonly hangup: boolean
}

/** One open end, or both ends in one (Linux allows O_RDWR). */
export class FifoEnd {
  readonly reads: boolean
  readonly writes: boolean
  readonly #fifo: HostFifo
  /** How many writers had come when this end was opened: an end that never saw one is told of no hang-up. */
  readonly #writersSeen: number
  #open = true

  constructor(fifo: HostFifo, reads: boolean, writes: boolean, writersSeen: number) {
    this.#fifo = fifo
    this.reads = reads
    this.writes = writes
    this.#writersSeen = writersSeen
  }

  /** At most `count` bytes; none at the end of file. */
  read(count: number): Uint8Array | 'EAGAIN' {
    return this.#fifo.take(count)
  }

  write(bytes: Uint8Array): number | 'EAGAIN' | 'EPIPE' {
    return this.#fifo.put(bytes)
  }

  poll(): PollEvents {
    const { queued, roomy, readers, writers, writersEver } = this.#fifo
    const lostWriter = this.reads && writers === 0 && writersEver !== this.#writersSeen
    return {
      readable: this.reads && queued > 0,
      writable: this.writes && roomy,
      hangup: lostWriter || (this.writes && readers === 0),
    }
  }

  /** Closing again does nothing. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#fifo.leave(this)
  }
}

export class HostFifo {
  readonly #options: HostFifoOptions
  #slots: Slot[] = []
  #readers = 0
  #writers = 0
  #writersEver = 0

  constructor(options: HostFifoOptions = LINUX_FIFO) {
    this.#options = options
  }

  get readers(): number {
    return this.#readers
  }

  get writers(): number {
    return this.#writers
  }

  /** How often the FIFO was opened for writing. */
  get writersEver(): number {
    return this.#writersEver
  }

  /** Bytes in the FIFO. */
  get queued(): number {
    return this.#slots.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /** There is room for any write that is made whole: what `poll` calls writable. */
  get roomy(): boolean {
    const { slots, pageBytes, pipeBuf } = this.#options
    return (slots - this.#slots.length) * pageBytes >= pipeBuf
  }

  /** Opens without waiting. ENXIO: for writing alone, while nobody has it open for reading. */
  open(access: 'read' | 'write' | 'readWrite'): FifoEnd | 'ENXIO' {
    const reads = access !== 'write'
    const writes = access !== 'read'
    if (!reads && this.#readers === 0) return 'ENXIO'
    if (reads) this.#readers++
    if (writes) {
      this.#writers++
      this.#writersEver++
    }
    return new FifoEnd(this, reads, writes, this.#writersEver)
  }

  /** For {@link FifoEnd} alone: what nobody has open any more holds no bytes. */
  leave({ reads, writes }: FifoEnd): void {
    if (reads) this.#readers--
    if (writes) this.#writers--
    if (this.#readers + this.#writers === 0) this.#slots = []
  }

  take(count: number): Uint8Array | 'EAGAIN' {
    if (this.#slots.length === 0 && count > 0 && this.#writers > 0) return 'EAGAIN'
    const bytes = new Uint8Array(Math.min(count, this.queued))
    for (let at = 0; at < bytes.length; ) {
      const slot = this.#slots[0]!
      const piece = slot.bytes.subarray(slot.start, Math.min(slot.end, slot.start + bytes.length - at))
      bytes.set(piece, at)
      at += piece.length
      slot.start += piece.length
      if (slot.start === slot.end) this.#slots.shift()
    }
    return bytes
  }

  put(bytes: Uint8Array): number | 'EAGAIN' | 'EPIPE' {
    if (bytes.length === 0) return 0
    if (this.#readers === 0) return 'EPIPE'
    const { slots, pageBytes, pipeBuf } = this.#options
    const merged = this.#merge(bytes)
    const pages = Math.ceil((bytes.length - merged) / pageBytes)
    const free = slots - this.#slots.length
    if (pages > free && (bytes.length <= pipeBuf || free === 0) && merged === 0) return 'EAGAIN'
    let at = merged
    for (let page = 0; page < Math.min(pages, free); page++) {
      const slot = { bytes: new Uint8Array(pageBytes), start: 0, end: Math.min(pageBytes, bytes.length - at) }
      slot.bytes.set(bytes.subarray(at, at + slot.end))
      this.#slots.push(slot)
      at += slot.end
    }
    return at
  }

  /** Linux puts what a write has beyond whole pages behind the bytes of the last slot, if it fits; how many bytes. */
  #merge(bytes: Uint8Array): number {
    const last = this.#slots.at(-1)
    const beyond = bytes.length % this.#options.pageBytes
    if (last === undefined || beyond === 0 || last.end + beyond > this.#options.pageBytes) return 0
    last.bytes.set(bytes.subarray(0, beyond), last.end)
    last.end += beyond
    return beyond
  }
}
