/**
 * System control port A at 92h (IBM PS/2 Hardware Interface Technical Reference, "System Control Port A"): bit 1 opens
 * A20, a rise of bit 0 resets the processor. The other bits are kept and do nothing.
 */
import type { AccessSize, Line, PortDevice, PortRange, Savable } from './device.ts'

const SYSTEM_CONTROL_A = 0x92
const ALTERNATE_RESET = 0x01
const ALTERNATE_A20 = 0x02

export interface Port92Options {
  /** This port's vote for A20. Another one that also says yes keeps the line open. */
  readonly a20: Line
  readonly reset: () => void
}

export interface Port92State {
  readonly value: number
}

export class Port92 implements PortDevice, Savable<Port92State> {
  readonly ports: readonly PortRange[] = [{ first: SYSTEM_CONTROL_A, count: 1 }]
  readonly #a20: Line
  readonly #reset: () => void
  #value = 0

  constructor(options: Port92Options) {
    this.#a20 = options.a20
    this.#reset = options.reset
  }

  readPort(): number {
    return this.#value
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    const rises = (value & ~this.#value & ALTERNATE_RESET) !== 0
    this.#value = value
    this.#a20((value & ALTERNATE_A20) !== 0)
    if (rises) this.#reset()
  }

  save(): Port92State {
    return { value: this.#value }
  }

  restore(state: Port92State): void {
    this.#value = state.value
  }
}
