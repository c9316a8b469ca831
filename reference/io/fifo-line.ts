/** A serial port's back end over the named pipes PATH.in and PATH.out of this computer. Neither end waits for anybody. */
import type { CharBackend, CharFrontend } from './char-backend.ts'
import { EventLoopPipes } from './event-loop-pipes.ts'
import type { Access, FifoBackend, HostFiles, SerialMachine } from './fifo-port.ts'

const INPUT_END = '.in'
const OUTPUT_END = '.out'

export interface FifoLineOptions {
  /** PATH.in is read and PATH.out is written; both exist. */
  readonly path: string
  /** The other end of the same pipes: PATH.out is read and PATH.in is written. */
  readonly peer: boolean
  readonly files: HostFiles
  /** Makes the back end, one that puts bytes into the pipe as they are. */
  readonly create: (machine: SerialMachine) => FifoBackend
}

export class FifoLine implements CharBackend {
  readonly mayReceive = true
  readonly #frontend: CharFrontend
  readonly #pipes: EventLoopPipes
  readonly #backend: FifoBackend
  #resumes = false
  #taken = 0
  #written = 0

  constructor(frontend: CharFrontend, { path, peer, files, create }: FifoLineOptions) {
    this.#frontend = frontend
    const pipes = new EventLoopPipes(files, {
      notice: (notice) => this.#tell(() => this.#backend.notice([notice])),
      alarmed: () => this.#tell(() => this.#backend.alarmed()),
    })
    this.#pipes = pipes
    this.#backend = create({
      open: (name, access: Access, nonblock) => pipes.open(peer ? crossed(name) : name, access, nonblock),
      read: (fd, count) => pipes.read(fd, count),
      write: (fd, bytes) => this.#count(pipes.write(fd, bytes)),
      close: (fd) => pipes.close(fd),
      watch: (fd, readable, writable) => pipes.watch(fd, readable, writable),
      alarm: () => pipes.alarm(),
      receive: (bytes) => frontend.receive(bytes),
      receiveBreak: () => frontend.receiveBreak(),
      resume: () => {
        this.#resumes = true
      },
    })
    this.#backend.open(path, false)
  }

  get waiting(): number {
    return this.#taken - this.#written
  }

  /** How often the host was asked to write. */
  get hostWrites(): number {
    return this.#pipes.writes
  }

  transmit(bytes: Uint8Array): number {
    const taken = this.#tell(() => this.#backend.transmit(bytes))
    this.#taken += taken
    return taken
  }

  flush(): void {
    this.#tell(() => this.#backend.flush())
  }

  receiverReady(): void {
    this.#tell(() => this.#backend.receiverReady())
  }

  close(): void {
    this.#pipes.stop()
    this.#backend.close()
  }

  #count<T>(answer: T): T {
    if (typeof answer === 'number') this.#written += answer
    return answer
  }

  /** Calls the back end, and resumes the transmitter afterwards if it was asked to. */
  #tell<T>(call: () => T): T {
    const answer = call()
    if (this.#resumes) {
      this.#resumes = false
      this.#frontend.resume()
    }
    return answer
  }
}

function crossed(path: string): string {
  if (path.endsWith(INPUT_END)) return `${path.slice(0, -INPUT_END.length)}${OUTPUT_END}`
  return `${path.slice(0, -OUTPUT_END.length)}${INPUT_END}`
}
