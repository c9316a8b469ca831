/**
 * The reset control register at CF9h (Intel 82371SB PIIX3 data sheet §2.5.1, RC): a rise of bit 2 resets the machine.
 * Soft and hard reset (bit 1) are one here.
 */
import type { AccessSize, PortDevice, PortRange, Savable } from './device.ts'

const RESET_CONTROL = 0xcf9
const RESET_CPU = 0x04
const SYSTEM_RESET = 0x02

export interface ResetControlState {
  readonly value: number
}

export class ResetControl implements PortDevice, Savable<ResetControlState> {
  readonly ports: readonly PortRange[] = [{ first: RESET_CONTROL, count: 1 }]
  readonly #reset: () => void
  #value = 0

  constructor(reset: () => void) {
    this.#reset = reset
  }

  readPort(): number {
    return this.#value
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    const rises = (value & ~this.#value & RESET_CPU) !== 0
    this.#value = value & (SYSTEM_RESET | RESET_CPU)
    if (rises) this.#reset()
  }

  save(): ResetControlState {
    return { value: this.#value }
  }

  restore(state: ResetControlState): void {
    this.#value = state.value
  }
}
