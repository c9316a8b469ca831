/**
 * The debug-exit port: a guest ends its own run by writing its result there (QEMU `hw/misc/debugexit.c`,
 * `-device isa-debug-exit,iobase=0xf4,iosize=0x04`). Not a chip: no data sheet, no state beyond the first status.
 */
import type { Cycles } from '../sched/virtual-time.ts'
import type { WidePortDevice } from './bus.ts'
import type { AccessSize, PortRange, Savable } from './device.ts'

/** The first of the four ports. */
const DEBUG_EXIT_PORT = 0xf4
const DEBUG_EXIT_PORT_COUNT = 4

export interface DebugExitOptions {
  /** Told at every write: the exit status `(value << 1) | 1`, unsigned 32-bit, never 0. A process keeps its low byte. */
  readonly onExit: (status: number) => void
}

export interface DebugExitState {
  /** The status of the latest write, or −1 while there was none. */
  readonly status: number
}

/** Ports F4h–F7h. A read gives 0, as in QEMU. */
export class DebugExit implements WidePortDevice, Savable<DebugExitState> {
  readonly ports: readonly PortRange[] = [{ first: DEBUG_EXIT_PORT, count: DEBUG_EXIT_PORT_COUNT }]
  readonly widestAccess = 4
  readonly #onExit: (status: number) => void
  #status = -1

  constructor(options: DebugExitOptions) {
    this.#onExit = options.onExit
  }

  /** The exit status of the latest write, or undefined while the guest has not asked to end. */
  get status(): number | undefined {
    return this.#status < 0 ? undefined : this.#status
  }

  readPort(_port: number, _size: AccessSize, _now: Cycles): number {
    return 0
  }

  writePort(_port: number, _size: AccessSize, value: number, _now: Cycles): void {
    this.#status = ((value << 1) | 1) >>> 0
    this.#onExit(this.#status)
  }

  save(): DebugExitState {
    return { status: this.#status }
  }

  restore(state: DebugExitState): void {
    this.#status = state.status
  }
}
