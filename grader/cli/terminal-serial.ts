/**
 * Joins a terminal to a guest's serial port: keys go to the guest byte by byte, the guest's bytes go to the screen. It is
 * the character back end `stdio`.
 *
 * Ctrl-A is the escape key, as in QEMU and screen: Ctrl-A x quits, Ctrl-A s saves, Ctrl-A Ctrl-A sends one Ctrl-A, and any
 * other key after Ctrl-A goes to the guest alone. Without a terminal (a pipe, a file) every byte goes to the guest as it is.
 */

import type { CharBackend, CharFrontend } from '../../reference/io/char-backend.ts'

const CTRL_A = 0x01
/** After these the terminal is restored and the signal does what it would have done. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What is needed of stdin. */
export interface TerminalInput {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  off(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  resume(): unknown
  pause(): unknown
}

/** What is needed of stdout. */
export interface TerminalOutput {
  write(bytes: Uint8Array): boolean
  on(event: 'drain', listener: () => void): unknown
  off(event: 'drain', listener: () => void): unknown
}

/** What is needed of the process, so that the terminal is restored however the run ends. */
export interface TerminalProcess {
  readonly pid: number
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
  kill(pid: number, signal: string): unknown
}

/** What a person does besides typing at the guest. */
export interface PersonEvents {
  /** The user pressed Ctrl-A x. The terminal is already restored. */
  onQuit(): void
  /** The user pressed Ctrl-A s. Without it that key is the guest's. */
  onSave?(): void
  /** Something was typed, or nothing will be any more. */
  onInput(): void
}

export interface TerminalOptions extends Pick<PersonEvents, 'onQuit' | 'onSave'> {
  /** A byte for the guest. `false` says that it cannot be taken now: it is kept, and offered again after `resume`. */
  readonly onByte: (byte: number) => unknown
  /** `write` refused a byte before and accepts again: the moment to resume the transmitter. */
  readonly onDrain?: () => void
  /** Whether Ctrl-A x is looked for. Default: exactly when the input is a terminal. */
  readonly escape?: boolean
  /** Default: the process's own stdin, stdout and signals. */
  readonly input?: TerminalInput
  readonly output?: TerminalOutput
  readonly process?: TerminalProcess
}

export interface AttachedTerminal {
  /** Shows bytes of the guest, all of them. False: none of them now, but after `onDrain`. */
  write(bytes: Uint8Array): boolean
  /** The guest takes bytes again after `onByte` said false. */
  resume(): void
  /** Restores the terminal and lets go of the streams. Calling it again does nothing. */
  detach(): void
}

/** Puts a terminal into raw mode and begins. The end of piped input is not the end of the run. */
export function attachTerminal(options: TerminalOptions): AttachedTerminal {
  const input: TerminalInput = options.input ?? process.stdin
  const output: TerminalOutput = options.output ?? process.stdout
  const owner: TerminalProcess = options.process ?? process
  const isTerminal = input.isTTY === true
  const looksForEscape = options.escape ?? isTerminal
  const waiting: number[] = []
  let escaped = false
  let full = false
  let attached = true

  const onData = (chunk: Uint8Array) => {
    waiting.push(...filterEscapes(chunk))
    offer()
  }
  const onDrain = () => {
    full = false
    options.onDrain?.()
  }
  const signalListeners = SIGNALS.map((signal) => ({
    signal,
    listener: () => {
      detach()
      owner.kill(owner.pid, signal)
    },
  }))

  /** The guest's bytes of a chunk; at Ctrl-A x it quits and drops the rest. */
  function filterEscapes(chunk: Uint8Array): number[] {
    if (!looksForEscape) return [...chunk]
    const bytes: number[] = []
    for (const byte of chunk) {
      if (!escaped && byte === CTRL_A) escaped = true
      else if (escaped && byte === 'x'.charCodeAt(0)) {
        detach()
        options.onQuit()
        return []
      } else if (escaped && byte === 's'.charCodeAt(0) && options.onSave !== undefined) {
        escaped = false
        options.onSave()
      } else {
        escaped = false
        bytes.push(byte)
      }
    }
    return bytes
  }

  /** Offers the guest what waits; while something waits, a pipe is paused, and a terminal read on for its escape key. */
  function offer(): void {
    let taken = 0
    while (attached && taken < waiting.length && options.onByte(waiting[taken]!) !== false) taken++
    waiting.splice(0, taken)
    if (!attached || looksForEscape) return
    if (waiting.length > 0) input.pause()
    else input.resume()
  }

  function detach(): void {
    if (!attached) return
    attached = false
    if (isTerminal) input.setRawMode?.(false)
    input.off('data', onData)
    input.pause()
    output.off('drain', onDrain)
    owner.off('exit', detach)
    for (const { signal, listener } of signalListeners) owner.off(signal, listener)
  }

  owner.on('exit', detach)
  for (const { signal, listener } of signalListeners) owner.on(signal, listener)
  if (isTerminal) input.setRawMode?.(true)
  output.on('drain', onDrain)
  input.on('data', onData)
  input.resume()

  return {
    write(bytes) {
      if (full) return false
      full = !output.write(bytes.slice())
      return true
    },
    resume: offer,
    detach,
  }
}

/** The terminal, or whatever stdin and stdout are, behind a serial port. */
export class TerminalBackend implements CharBackend {
  readonly waiting = 0
  mayReceive = true
  readonly #terminal: AttachedTerminal

  /**
   * @param output what shows the guest's bytes, when it is not stdout
   */
  constructor(frontend: CharFrontend, person: PersonEvents, output?: TerminalOutput) {
    this.#terminal = attachTerminal({
      ...person,
      onByte: (byte) => frontend.receive(Uint8Array.of(byte)) === 1,
      onDrain: () => frontend.resume(),
      ...(output === undefined ? {} : { output }),
    })
    process.stdin.once('end', () => {
      this.mayReceive = false
      person.onInput()
    })
  }

  transmit(bytes: Uint8Array): number {
    return this.#terminal.write(bytes) ? bytes.length : 0
  }

  flush(): void {}

  receiverReady(): void {
    this.#terminal.resume()
  }

  close(): void {
    this.#terminal.detach()
  }
}
