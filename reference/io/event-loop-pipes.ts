/**
 * Named pipes of this computer in Node's event loop: descriptors are watched by `epoll` through Node's streams, so that
 * a pipe on which nothing happens costs no wake-up, and a full one is waited for without asking again and again.
 */
import { Socket } from 'node:net'
import type { Access, HostFiles, Notice, OpenError } from './fifo-port.ts'

/** POSIX's PIPE_BUF on Linux: a write of that size happens whole or not at all. */
const PIPE_BUF = 4096
/** How long until it is tried again whether somebody reads; only while bytes wait. */
const ALARM_MS = 50

interface OpenPipe {
  /** The descriptor of the system. */
  readonly systemFd: number
  /** It owns that descriptor. */
  readonly socket: Socket
  readable: boolean
  writable: boolean
  /** What has come and is not read yet. */
  chunk: Uint8Array
  ended: boolean
  /** The event loop holds a piece that it writes as soon as there is room. */
  sending: boolean
  /** Bytes at the beginning of the next write that the event loop has written already. */
  sent: number
  broken: boolean
}

export interface PipeEvents {
  notice(notice: Notice): void
  alarmed(): void
}

/** Descriptors here are numbers of its own: the system gives one that a stream has closed to the next that asks. */
export class EventLoopPipes implements HostFiles {
  readonly #files: HostFiles
  readonly #events: PipeEvents
  readonly #pipes = new Map<number, OpenPipe>()
  #alarm: NodeJS.Timeout | undefined
  #writes = 0
  #nextFd = 0

  constructor(files: HostFiles, events: PipeEvents) {
    this.#files = files
    this.#events = events
  }

  /** How often the host was asked to write. */
  get writes(): number {
    return this.#writes
  }

  open(path: string, access: Access, nonblock: boolean): number | OpenError {
    const systemFd = this.#files.open(path, access, nonblock)
    if (typeof systemFd !== 'number') return systemFd
    const fd = this.#nextFd++
    const ways = { readable: access === 'read', writable: access === 'write', allowHalfOpen: true }
    const socket = new Socket({ fd: systemFd, ...ways })
    const chunk = new Uint8Array()
    const state = { readable: false, writable: false, ended: false, sending: false, sent: 0, broken: false }
    const pipe: OpenPipe = { systemFd, socket, chunk, ...state }
    this.#pipes.set(fd, pipe)
    socket.on('error', () => {
      pipe.broken = true
      this.#notice(fd, pipe)
    })
    if (access === 'read') this.#listen(fd, pipe)
    return fd
  }

  read(fd: number, count: number): Uint8Array | 'EAGAIN' {
    const pipe = this.#pipe(fd)
    if (pipe.chunk.length === 0) return pipe.ended ? new Uint8Array() : 'EAGAIN'
    const bytes = pipe.chunk.subarray(0, count)
    pipe.chunk = pipe.chunk.subarray(bytes.length)
    if (pipe.chunk.length === 0 && pipe.readable) pipe.socket.resume()
    return bytes
  }

  write(fd: number, bytes: Uint8Array): number | 'EAGAIN' | 'EINTR' | 'EPIPE' {
    const pipe = this.#pipe(fd)
    if (pipe.broken) return 'EPIPE'
    if (pipe.sending) return 'EAGAIN'
    const done = Math.min(pipe.sent, bytes.length)
    pipe.sent -= done
    if (done === bytes.length) return done
    this.#writes++
    const answer = this.#files.write(pipe.systemFd, bytes.subarray(done))
    if (answer === 'EINTR' || answer === 'EPIPE') return done > 0 ? done : answer
    const written = done + (answer === 'EAGAIN' ? 0 : answer)
    if (written < bytes.length) this.#send(fd, pipe, bytes.slice(written, written + PIPE_BUF))
    return written > 0 ? written : 'EAGAIN'
  }

  close(fd: number): void {
    this.#pipe(fd).socket.destroy()
    this.#pipes.delete(fd)
  }

  watch(fd: number, readable: boolean, writable: boolean): void {
    const pipe = this.#pipe(fd)
    pipe.readable = readable
    pipe.writable = writable
    if (!readable) pipe.socket.pause()
    else if (pipe.chunk.length === 0 && !pipe.ended) pipe.socket.resume()
    if (isReadable(pipe) || isWritable(pipe)) setImmediate(() => this.#notice(fd, pipe))
  }

  alarm(): void {
    this.#alarm ??= setTimeout(() => {
      this.#alarm = undefined
      this.#events.alarmed()
    }, ALARM_MS)
  }

  /** No alarm comes any more. */
  stop(): void {
    clearTimeout(this.#alarm)
  }

  #pipe(fd: number): OpenPipe {
    const pipe = this.#pipes.get(fd)
    if (pipe === undefined) throw new Error(`The descriptor ${fd} is not open.`)
    return pipe
  }

  #listen(fd: number, pipe: OpenPipe): void {
    pipe.socket.pause()
    pipe.socket.on('data', (chunk) => {
      pipe.chunk = pipe.chunk.length === 0 ? chunk : Buffer.concat([pipe.chunk, chunk])
      pipe.socket.pause()
      this.#notice(fd, pipe)
    })
    pipe.socket.on('end', () => {
      pipe.ended = true
      this.#notice(fd, pipe)
    })
  }

  /**
   * The event loop writes a piece that goes whole or not at all. To the back end it is not written yet: it offers the
   * piece again, and learns that it has gone, or that nobody reads and it still has it.
   */
  #send(fd: number, pipe: OpenPipe, piece: Uint8Array): void {
    pipe.sending = true
    this.#writes++
    pipe.socket.write(piece, (error) => {
      pipe.sending = false
      if (error == null) pipe.sent = piece.length
      else pipe.broken = true
      this.#notice(fd, pipe)
    })
  }

  #notice(fd: number, pipe: OpenPipe): void {
    if (this.#pipes.get(fd) !== pipe) return
    const readable = isReadable(pipe)
    const writable = isWritable(pipe)
    const hangup = pipe.broken && (pipe.readable || pipe.writable)
    if (readable || writable || hangup) this.#events.notice({ fd, readable, writable, hangup })
  }
}

function isReadable({ readable, chunk, ended }: OpenPipe): boolean {
  return readable && (chunk.length > 0 || ended)
}

function isWritable({ writable, sending, broken }: OpenPipe): boolean {
  return writable && !sending && !broken
}
