/**
 * How a PC wires the FPU's errors (Intel SDM vol. 1 appendix D.2): FERR# ends at IRQ 13, and a write to port F0h takes the
 * request back and asserts IGNNE# until FERR# falls, so that the handler can use the FPU.
 */
import type { Line, PortDevice, PortRange, Savable } from './device.ts'

const CLEAR_PORT = 0xf0

export interface CoprocessorState {
  readonly ferr: boolean
  readonly ignoring: boolean
}

export interface CoprocessorOptions {
  /** IRQ 13. */
  readonly line: Line
  /** The processor's IGNNE# pin. */
  readonly ignne: Line
}

export class Coprocessor implements PortDevice, Savable<CoprocessorState> {
  readonly ports: readonly PortRange[] = [{ first: CLEAR_PORT, count: 1 }]
  readonly #line: Line
  readonly #ignne: Line
  #ferr = false
  #ignoring = false

  constructor(options: CoprocessorOptions) {
    this.#line = options.line
    this.#ignne = options.ignne
  }

  /** The processor's FERR# pin. */
  setFerr(asserted: boolean): void {
    this.#ferr = asserted
    if (!asserted) this.#ignore(false)
    this.#line(asserted && !this.#ignoring)
  }

  readPort(): number {
    return 0xff
  }

  writePort(): void {
    if (!this.#ferr) return
    this.#ignore(true)
    this.#line(false)
  }

  save(): CoprocessorState {
    return { ferr: this.#ferr, ignoring: this.#ignoring }
  }

  restore(state: CoprocessorState): void {
    this.#ferr = state.ferr
    this.#ignoring = state.ignoring
  }

  #ignore(asserted: boolean): void {
    if (asserted === this.#ignoring) return
    this.#ignoring = asserted
    this.#ignne(asserted)
  }
}
