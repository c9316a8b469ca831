/**
 * Finds the node of an address at run time: a table in machine memory without collisions, so that one look is enough.
 */
import type { Local, WasmCode } from './wasm-code.ts'

/** Words of an entry: the address, its page's addend as the TLB has it, the node's number. */
const ENTRY_BYTES = 16
const ADDEND = 4
const ENTRY = 8
const MULTIPLIERS = [0x9e37_79b1, 0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f, 0x1656_67b1]
const LARGEST_BITS = 14

export interface JumpTarget {
  readonly eip: number
  readonly addend: number
  readonly entry: number
}

export class JumpTable {
  /** In bytes. */
  readonly sizeBytes: number
  readonly #start: number
  readonly #multiplier: number
  readonly #shift: number
  readonly #targets: readonly JumpTarget[]

  private constructor(targets: readonly JumpTarget[], start: number, multiplier: number, bits: number) {
    this.#targets = targets
    this.#start = start
    this.#multiplier = multiplier
    this.#shift = 32 - bits
    this.sizeBytes = ENTRY_BYTES << bits
  }

  /** @param allocate gives the offset of so many bytes in machine memory, or undefined when there are none left */
  static make(targets: readonly JumpTarget[], allocate: (bytes: number) => number | undefined): JumpTable | undefined {
    const fewest = Math.max(1, Math.ceil(Math.log2(targets.length)))
    for (let bits = fewest; bits <= LARGEST_BITS; bits++) {
      for (const multiplier of MULTIPLIERS) {
        const slots = new Set(targets.map(({ eip }) => Math.imul(eip, multiplier) >>> (32 - bits)))
        if (slots.size < targets.length) continue
        const start = allocate(ENTRY_BYTES << bits)
        return start === undefined ? undefined : new JumpTable(targets, start, multiplier, bits)
      }
    }
    return undefined
  }

  /** Writes its entries into machine memory. */
  install(words: Int32Array): void {
    const first = this.#start >> 2
    // An empty entry holds an address that hashes to another slot.
    for (let slot = 0; slot < this.sizeBytes / ENTRY_BYTES; slot++) {
      words[first + slot * 4] = this.#slotOf(0) === slot ? 1 : 0
      if (words[first + slot * 4] === 1 && this.#slotOf(1) === slot) words[first + slot * 4] = -1
    }
    for (const { eip, addend, entry } of this.#targets) {
      const at = first + this.#slotOf(eip) * 4
      words[at] = eip
      words[at + 1] = addend
      words[at + 2] = entry
    }
  }

  /** Sets `entry` to the place of the address in `target`, and pushes 1 when it is there. */
  lookUp(code: WasmCode, target: Local, entry: Local): void {
    code.get(target).const(this.#multiplier).op('i32_mul').const(this.#shift).op('i32_shr_u')
    code.const(4).op('i32_shl').tee(entry).memory('i32_load', this.#start)
    code.get(target).op('i32_eq')
  }

  pushAddend(code: WasmCode, entry: Local): void {
    code.get(entry).memory('i32_load', this.#start + ADDEND)
  }

  pushEntry(code: WasmCode, entry: Local): void {
    code.get(entry).memory('i32_load', this.#start + ENTRY)
  }

  #slotOf(eip: number): number {
    return Math.imul(eip, this.#multiplier) >>> this.#shift
  }
}
