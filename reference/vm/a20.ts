/**
 * The A20 gate (IBM PC/AT Technical Reference): while it is closed every odd megabyte is the even one below it.
 * It is open while any of its voters says so, and at the start, as a BIOS leaves it.
 */
import type { GuestMemory } from '../mmu/guest-memory.ts'
import { FRAME_BYTES } from '../mmu/layout.ts'

/** Bit 20 of an address, in a gfn. */
const A20_OF_GFN = 0x10_0000 / FRAME_BYTES

export class A20Gate {
  readonly #memory: GuestMemory
  readonly #votes: boolean[]
  /** The frames of odd megabytes by gfn, while they cannot be reached. */
  readonly #hidden = new Map<number, number>()

  /** @param votes what each voter says at the start */
  constructor(memory: GuestMemory, votes: readonly boolean[]) {
    this.#memory = memory
    this.#votes = [...votes]
  }

  get isOpen(): boolean {
    return this.#votes.some((vote) => vote)
  }

  vote(voter: number, open: boolean): void {
    this.#votes[voter] = open
    if (this.isOpen && this.#hidden.size > 0) this.#open()
    else if (!this.isOpen && this.#hidden.size === 0) this.#close()
  }

  /** The frame that belongs to `gfn`, whether the gate is open or not. */
  frameOf(gfn: number): number {
    return this.#hidden.get(gfn) ?? this.#memory.pfnOf(gfn)
  }

  save(): readonly boolean[] {
    return [...this.#votes]
  }

  #open(): void {
    for (const [gfn, pfn] of this.#hidden) {
      this.#memory.map(gfn, pfn)
      for (const each of [gfn, gfn & ~A20_OF_GFN]) this.#memory.pin(each, false)
    }
    this.#hidden.clear()
  }

  #close(): void {
    const memory = this.#memory
    for (let gfn = A20_OF_GFN; gfn < memory.sizeBytes / FRAME_BYTES; gfn++) {
      if ((gfn & A20_OF_GFN) === 0) continue
      for (const each of [gfn, gfn & ~A20_OF_GFN]) memory.pin(each, true)
      this.#hidden.set(gfn, memory.pfnOf(gfn))
      memory.map(gfn, memory.pfnOf(gfn & ~A20_OF_GFN))
    }
  }
}
