/**
 * Modem control of the 16550A: MCR's outputs, MSR's inputs and deltas, and the loopback between them
 * (PC16550D data sheet §8.7 and §8.8).
 */

const MCR_DTR = 0x01
const MCR_RTS = 0x02
const MCR_OUT_1 = 0x04
const MCR_OUT_2 = 0x08
const MCR_LOOP = 0x10
const MCR_MASK = 0x1f

const MSR_DCTS = 0x01
const MSR_DDSR = 0x02
const MSR_TERI = 0x04
const MSR_DDCD = 0x08
const MSR_CTS = 0x10
const MSR_DSR = 0x20
const MSR_RI = 0x40
const MSR_DCD = 0x80

/** The levels of the four modem inputs. */
export interface ModemInputs {
  readonly cts: boolean
  readonly dsr: boolean
  readonly ri: boolean
  readonly dcd: boolean
}

export interface UartModemState {
  readonly mcr: number
  /** The four input bits of MSR, outside loopback. */
  readonly inputs: number
  /** The four delta bits of MSR. */
  readonly deltas: number
}

/** Starts with CTS, DSR and DCD on, as with a peer connected. */
export class UartModem {
  #mcr = 0
  #inputs = MSR_CTS | MSR_DSR | MSR_DCD
  #deltas = 0

  get mcr(): number {
    return this.#mcr
  }

  get loopback(): boolean {
    return (this.#mcr & MCR_LOOP) !== 0
  }

  /** An input changed since MSR was last read. */
  get changed(): boolean {
    return this.#deltas !== 0
  }

  /** The OUT 2 output: off in loopback. */
  get out2(): boolean {
    return (this.#mcr & (MCR_OUT_2 | MCR_LOOP)) === MCR_OUT_2
  }

  writeMcr(value: number): void {
    const before = this.#levels()
    this.#mcr = value & MCR_MASK
    this.#noteChange(before)
  }

  setInputs({ cts, dsr, ri, dcd }: ModemInputs): void {
    const before = this.#levels()
    this.#inputs = (cts ? MSR_CTS : 0) | (dsr ? MSR_DSR : 0) | (ri ? MSR_RI : 0) | (dcd ? MSR_DCD : 0)
    this.#noteChange(before)
  }

  /** MSR, whose deltas are cleared by it. */
  readMsr(): number {
    const msr = this.#levels() | this.#deltas
    this.#deltas = 0
    return msr
  }

  save(): UartModemState {
    return { mcr: this.#mcr, inputs: this.#inputs, deltas: this.#deltas }
  }

  restore(state: UartModemState): void {
    this.#mcr = state.mcr
    this.#inputs = state.inputs
    this.#deltas = state.deltas
  }

  /** The input bits of MSR; in loopback the four outputs of MCR stand in their place. */
  #levels(): number {
    if (!this.loopback) return this.#inputs
    return (
      ((this.#mcr & MCR_RTS) !== 0 ? MSR_CTS : 0) |
      ((this.#mcr & MCR_DTR) !== 0 ? MSR_DSR : 0) |
      ((this.#mcr & MCR_OUT_1) !== 0 ? MSR_RI : 0) |
      ((this.#mcr & MCR_OUT_2) !== 0 ? MSR_DCD : 0)
    )
  }

  #noteChange(before: number): void {
    const after = this.#levels()
    const changed = before ^ after
    if ((changed & MSR_CTS) !== 0) this.#deltas |= MSR_DCTS
    if ((changed & MSR_DSR) !== 0) this.#deltas |= MSR_DDSR
    if ((before & ~after & MSR_RI) !== 0) this.#deltas |= MSR_TERI
    if ((changed & MSR_DCD) !== 0) this.#deltas |= MSR_DDCD
  }
}
