/**
 * Real files of this computer, as non-blocking system calls: Node's calls throw where the system sets `errno`; here the
 * back end finds an answer instead (Node.js `fs`; `open(2)`, `read(2)`, `write(2)`, `fifo(7)`).
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import type { Access, HostFiles, OpenError } from './fifo-port.ts'

// @solution What do you remember of a descriptor? One that stands for both directions is two descriptors of the system.
const FLAGS = { read: constants.O_RDONLY, write: constants.O_WRONLY, readWrite: constants.O_RDWR }
const EXPECTED = new Set(['EAGAIN', 'EINTR', 'EPIPE', 'ENXIO', 'ENOENT', 'EACCES'])

/** A duplex pipe on a system whose FIFOs carry one direction. */
interface Duplex {
  readonly path: string
  /** Nobody reads yet while it is missing. */
  writer?: number
}
// @end

class RealFiles implements HostFiles {
  // @solution
  readonly #duplex = new Map<number, Duplex>()
  // @end

  open(path: string, access: Access, nonblock: boolean): number | OpenError {
    // @solution `O_NONBLOCK` is what keeps `open` from waiting. A duplex pipe is PATH.in for reading and PATH.out for writing.
    if (access === 'readWrite') {
      const reader = this.open(`${path}.in`, 'read', nonblock)
      if (typeof reader === 'number') this.#duplex.set(reader, { path })
      return reader
    }
    const flags = FLAGS[access] | (nonblock ? constants.O_NONBLOCK : 0)
    return answerOf(() => openSync(path, flags)) as number | OpenError
    // @end
  }

  read(fd: number, count: number): Uint8Array | 'EAGAIN' | 'EINTR' {
    // @solution Give back what was read, and no more.
    const bytes = new Uint8Array(count)
    const read = answerOf(() => readSync(fd, bytes, 0, count, null))
    return typeof read === 'number' ? bytes.subarray(0, read) : (read as 'EAGAIN' | 'EINTR')
    // @end
  }

  write(fd: number, bytes: Uint8Array): number | 'EAGAIN' | 'EINTR' | 'EPIPE' {
    // @solution A duplex pipe that nobody reads answers EPIPE, whether somebody did once or not.
    const duplex = this.#duplex.get(fd)
    if (duplex === undefined) return answerOf(() => writeSync(fd, bytes)) as number | 'EAGAIN' | 'EINTR' | 'EPIPE'
    if (duplex.writer === undefined) {
      const writer = this.open(`${duplex.path}.out`, 'write', true)
      if (typeof writer !== 'number') return writer === 'EINTR' ? 'EINTR' : 'EPIPE'
      duplex.writer = writer
    }
    return this.write(duplex.writer, bytes)
    // @end
  }

  close(fd: number): void {
    // @solution Both of them.
    const writer = this.#duplex.get(fd)?.writer
    this.#duplex.delete(fd)
    closeSync(fd)
    if (writer !== undefined) closeSync(writer)
    // @end
  }
}

// @solution
/** What a call gives, or the code of an error that a caller must expect; throws any other. */
function answerOf(call: () => number): number | string {
  try {
    return call()
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== undefined && EXPECTED.has(code)) return code
    throw error
  }
}
// @end

/** The files of this computer. */
export function realFiles(): HostFiles {
  return new RealFiles()
}
