/** Snapshots while the machine runs: at a key, and at a moment of virtual time. */
import { type Machine, PC_COSTS } from '../../reference/machine.ts'
import type { Cycles } from '../../reference/sched/virtual-time.ts'
import { saveMachine } from '../../reference/snapshot.ts'
import { writeFileAtomically } from '../files.ts'

interface SavingOptions {
  /** The file; without it nobody asks. */
  readonly save?: string
  /** Seconds of virtual time. */
  readonly saveAt?: number
}

export class Saving {
  readonly #file: string | undefined
  readonly #onAsk: () => void
  #at: Cycles
  #asked = false

  constructor({ save, saveAt }: SavingOptions, onAsk: () => void) {
    this.#file = save
    this.#onAsk = onAsk
    this.#at = saveAt === undefined ? Number.POSITIVE_INFINITY : Math.round(saveAt * PC_COSTS.hz)
  }

  /** A person wants one now. */
  ask(): void {
    this.#asked = true
    this.#onAsk()
  }

  /** How far the machine may run: not beyond the moment. */
  before(now: Cycles, until: Cycles): Cycles {
    return this.#at > now ? Math.min(until, this.#at) : until
  }

  /** The run ended before the moment came. */
  get missed(): boolean {
    return this.#at !== Number.POSITIVE_INFINITY
  }

  /** Saves the machine if it is time. */
  look(machine: Machine): void {
    const { now } = machine.host
    if (!this.#asked && now < this.#at) return
    if (now >= this.#at) this.#at = Number.POSITIVE_INFINITY
    this.#asked = false
    writeFileAtomically(this.#file!, saveMachine(machine))
  }
}
