/**
 * The wire between a UART and a back end: it gathers what the guest sends, sixteen bytes to a call, and hands on what
 * arrives as the receiver has room.
 *
 * What the wire holds counts as sent; when it is full and the back end takes nothing, the UART is refused, and so keeps
 * its bytes with THRE = TEMT = 0.
 */
import type { CharBackend, CharFrontend } from './char-backend.ts'
import { FIFO_BYTES } from './uart-receiver.ts'

/** The guest's end of the wire: a UART and whoever must hear of its interrupts. */
export interface SerialPort {
  readonly canReceive: boolean
  /** False when the byte was not taken. */
  receive(byte: number): boolean
  receiveBreak(): boolean
  /** {@link SerialLine.send} takes bytes again. */
  resume(): void
}

export class SerialLine implements CharFrontend {
  readonly #port: SerialPort
  #backend: CharBackend | undefined
  readonly #held = new Uint8Array(FIFO_BYTES)
  #count = 0
  #portWaits = false
  #receiverFull = false

  constructor(port: SerialPort) {
    this.#port = port
  }

  /** Joins the other end, which was made with this wire as its front end. */
  attach(backend: CharBackend): void {
    this.#backend = backend
  }

  get backend(): CharBackend {
    if (this.#backend === undefined) throw new Error('The wire ends nowhere yet.')
    return this.#backend
  }

  /** Bytes that the guest has sent and the host has not got yet. */
  get waiting(): number {
    return this.#count + this.backend.waiting
  }

  /** The UART's sink. A hot path: one call for each byte. */
  send(byte: number): boolean {
    if (this.#count === FIFO_BYTES && !this.#pass()) {
      this.#portWaits = true
      return false
    }
    this.#held[this.#count++] = byte
    return true
  }

  /** The machine pauses: everything goes on its way, in both directions. */
  flush(): void {
    if (this.#count > 0) this.#pass()
    this.backend.flush()
    this.#resumePort()
    if (this.#receiverFull && this.#port.canReceive) {
      this.#receiverFull = false
      this.backend.receiverReady()
    }
  }

  receive(bytes: Uint8Array): number {
    let taken = 0
    while (taken < bytes.length && this.#port.canReceive && this.#port.receive(bytes[taken]!)) taken++
    if (taken < bytes.length) this.#receiverFull = true
    return taken
  }

  receiveBreak(): boolean {
    const taken = this.#port.canReceive && this.#port.receiveBreak()
    if (!taken) this.#receiverFull = true
    return taken
  }

  resume(): void {
    if (this.#count > 0) this.#pass()
    this.#resumePort()
  }

  close(): void {
    this.backend.close()
  }

  #resumePort(): void {
    if (!this.#portWaits || this.#count === FIFO_BYTES) return
    this.#portWaits = false
    this.#port.resume()
  }

  /** Hands on what is held; true when there is room again. */
  #pass(): boolean {
    const taken = this.backend.transmit(this.#held.subarray(0, this.#count))
    if (taken > 0) this.#held.copyWithin(0, taken, this.#count)
    this.#count -= taken
    return this.#count < FIFO_BYTES
  }
}
