/** What `trapframe run --serial` means: the character back ends by their names, and what can be wrong with them. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import type { CharBackend, CharFrontend } from '../../reference/io/char-backend.ts'
import { FileBackend } from '../../reference/io/file-backend.ts'
import { RingBackend } from '../../reference/io/ring-backend.ts'
import { SocketBackend } from '../../reference/io/socket-backend.ts'
import { createFifoLine } from '../../reference/machine.ts'
import { WrongUse } from '../failures.ts'
import { errorCode, reasonOf, requireWritable } from '../files.ts'
import { type PersonEvents, TerminalBackend } from './terminal-serial.ts'

/** What the help says of `--serial`. */
export const SERIAL_HELP = 'stdio, file:PATH, fifo:PATH, fifo-peer:PATH, unix:PATH or none'

/** How much of what a guest prints is kept for `--json`. */
const CAPTURED_BYTES = 1 << 20

export interface SerialRequest {
  readonly serial: string
  /** Makes the pipes, or the socket, that are missing. */
  readonly create?: boolean
  /** What is printed to `stdio` is kept, not shown. */
  readonly json?: boolean
}

/** Where a serial port ends. */
export interface SerialPlace {
  /** A person or another machine may be at the other end, so an idle guest's timers run in real time. */
  readonly realTime: boolean
  /** Makes the back end; a person's Ctrl-A x and what else there is besides bytes goes to `person`. */
  connect(frontend: CharFrontend, person: PersonEvents): CharBackend | Promise<CharBackend>
  /** What was printed, where it is kept. */
  captured?(): string
  /** Who the last bytes wait for, to end the sentence "… bytes wait for …". */
  readonly reader?: string
}

/**
 * Reads `--serial`, and finds out what is wrong with a path before anything runs.
 *
 * @throws WrongUse with one sentence that says what to do
 */
export function serialPlace(request: SerialRequest): SerialPlace {
  const { serial } = request
  const [, kind = serial, path = ''] = /^([a-z-]+):(.+)$/s.exec(serial) ?? []
  if (path === '' && kind === 'none') return { realTime: false, connect: () => new RingBackend(1) }
  if (path === '' && kind === 'stdio') return stdioPlace(request.json === true)
  if (path !== '' && kind === 'file') {
    requireWritable(path)
    return { realTime: false, connect: () => new FileBackend(path) }
  }
  if (path !== '' && (kind === 'fifo' || kind === 'fifo-peer')) {
    const peer = kind === 'fifo-peer'
    preparePipes(path, peer, request.create === true)
    return {
      realTime: true,
      reader: `a reader of ${path}${peer ? '.in' : '.out'}`,
      connect: (frontend) => createFifoLine(frontend, { path, peer }),
    }
  }
  if (path !== '' && kind === 'unix') {
    return { realTime: true, reader: `a peer at ${path}`, connect: (frontend) => socketAt(frontend, path, request) }
  }
  throw new WrongUse(`--serial takes ${SERIAL_HELP}, not "${serial}".`)
}

function stdioPlace(captures: boolean): SerialPlace {
  const realTime = process.stdin.isTTY === true
  if (!captures) {
    return { realTime, connect: (frontend, person) => new TerminalBackend(frontend, person) }
  }
  const ring = new RingBackend(CAPTURED_BYTES)
  const output = { write: (bytes: Uint8Array) => ring.transmit(bytes) >= 0, on: () => {}, off: () => {} }
  return {
    realTime,
    connect: (frontend, person) => new TerminalBackend(frontend, person, output),
    captured: () => Buffer.from(ring.bytes()).toString('latin1'),
  }
}

async function socketAt(frontend: CharFrontend, path: string, { create }: SerialRequest): Promise<CharBackend> {
  try {
    return create === true ? await SocketBackend.listen(frontend, path) : await SocketBackend.connect(frontend, path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EADDRINUSE') {
      throw new WrongUse(`There is something at ${path} already; without --create it is joined, else remove it first.`)
    }
    if (code === 'ECONNREFUSED' || code === 'ENOENT') {
      throw new WrongUse(`Nobody listens at ${path}; --create makes the socket and waits for a peer.`)
    }
    throw new WrongUse(`Cannot use the socket ${path}: ${reasonOf(error)}.`)
  }
}

/** Makes sure that both pipes are there, are pipes, and may be used. */
function preparePipes(path: string, peer: boolean, create: boolean): void {
  const [input, output] = peer ? [`${path}.out`, `${path}.in`] : [`${path}.in`, `${path}.out`]
  const missing = [`${path}.in`, `${path}.out`].filter((name) => !isFifo(name))
  if (missing.length > 0 && create) makePipes(missing)
  else if (missing.length > 0) {
    throw new WrongUse(`There is no named pipe ${missing[0]}; --create makes it, or: mkfifo ${missing.join(' ')}`)
  }
  for (const [name, mode, deed] of [
    [input, constants.R_OK, 'read'],
    [output, constants.W_OK, 'written'],
  ] as const) {
    try {
      accessSync(name, mode)
    } catch (error) {
      throw new WrongUse(`The named pipe ${name} cannot be ${deed}: ${reasonOf(error)}.`)
    }
  }
}

/** False when there is nothing. @throws WrongUse when there is something else */
function isFifo(name: string): boolean {
  try {
    const found = statSync(name)
    if (found.isFIFO()) return true
    throw new WrongUse(
      `${name} is no named pipe but ${found.isDirectory() ? 'a folder' : 'a file'}; name another path.`,
    )
  } catch (error) {
    if (error instanceof WrongUse) throw error
    if (errorCode(error) === 'ENOENT') return false
    throw new WrongUse(`Cannot look at ${name}: ${reasonOf(error)}.`)
  }
}

function makePipes(names: readonly string[]): void {
  try {
    execFileSync('mkfifo', ['-m', '600', '--', ...names], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n')[0] : ''
    throw new WrongUse(`Cannot make the named pipe ${names[0]}: ${said === '' ? reasonOf(error) : said}.`)
  }
}
