/**
 * The reset control register at CF9h (Intel 82371SB PIIX3 data sheet §2.5.1, RC): a rise of bit 2 resets the machine.
 * Soft and hard reset (bit 1) are one here.
 *
 * It takes the four ports of the PCI configuration address, so that a kernel which looks for a PCI bus with an access of
 * 32 bits does not reset a machine that has none: only a byte at CF9h is for it.
 */
import type { WidePortDevice } from './bus.ts'
import type { AccessSize, PortRange, Savable } from './device.ts'

const FIRST_PORT = 0xcf8
const PORT_COUNT = 4
const RESET_CONTROL = 0xcf9
const ALL_ONES = 0xffff_ffff
const RESET_CPU = 0x04
const SYSTEM_RESET = 0x02

export interface ResetControlState {
  readonly value: number
}

export class ResetControl implements WidePortDevice, Savable<ResetControlState> {
  readonly ports: readonly PortRange[] = [{ first: FIRST_PORT, count: PORT_COUNT }]
  readonly widestAccess = 4
  readonly #reset: () => void
  #value = 0

  constructor(reset: () => void) {
    this.#reset = reset
  }

  readPort(port: number, size: AccessSize): number {
    return port === RESET_CONTROL && size === 1 ? this.#value : ALL_ONES
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port !== RESET_CONTROL || size !== 1) return
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
