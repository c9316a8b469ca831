/**
 * What stands at either end of a PS/2 cable (IBM PS/2 Hardware Interface Technical Reference, "Keyboard/Auxiliary Device
 * Controller"): a device that takes command bytes and has bytes to send. The cable takes no time.
 */

/** How many bytes a keyboard or mouse keeps while the controller does not take them. */
const QUEUE_BYTES = 16

const ACKNOWLEDGE = 0xfa
const RESEND = 0xfe

/** The device's end, as the controller sees it. */
export interface Ps2Device {
  /** The next byte to send, which is then sent. Undefined: there is none. */
  take(): number | undefined
  /** True when there is a byte to send. */
  readonly ready: boolean
  /** A byte from the host. */
  receive(byte: number): void
}

export interface Ps2QueueState {
  readonly bytes: readonly number[]
  /** The command that waits for its parameter, or 0. */
  readonly command: number
}

/** The half of a device that all devices share: its queue, and commands with a parameter. */
export class Ps2Queue {
  #bytes: number[] = []
  /** The command that waits for its parameter, or 0. */
  command = 0

  get ready(): boolean {
    return this.#bytes.length > 0
  }

  take(): number | undefined {
    return this.#bytes.shift()
  }

  /** Drops what was not sent, as a device does when a command arrives. */
  clear(): void {
    this.#bytes = []
  }

  acknowledge(...bytes: readonly number[]): void {
    this.#bytes.push(ACKNOWLEDGE, ...bytes)
  }

  /** The command is not known. */
  refuse(): void {
    this.#bytes.push(RESEND)
  }

  /** Sends bytes that belong together, or none of them. False: no room. */
  send(bytes: readonly number[]): boolean {
    if (this.#bytes.length + bytes.length > QUEUE_BYTES) return false
    this.#bytes.push(...bytes)
    return true
  }

  save(): Ps2QueueState {
    return { bytes: [...this.#bytes], command: this.command }
  }

  restore(state: Ps2QueueState): void {
    this.#bytes = [...state.bytes]
    this.command = state.command
  }
}
