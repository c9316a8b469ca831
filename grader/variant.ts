/**
 * Draws a lab's variant from a seed. The choices come from SHA-256 (FIPS 180-4) in counter mode over lab and seed, so
 * the same seed gives the same variant on every machine and with every version of every library.
 */
import { createHash } from 'node:crypto'
import type { GradedLab, VariantRandom } from './contract/lab.ts'
import { GraderFailure, WrongUse } from './failures.ts'

/** The parameters of one variant, as plain data. */
export type Variant = Record<string, unknown>

/** What a seed may be: it stands in file names, commands and reports. */
const SEED = /^[\w.@-]{1,64}$/

const WORD_BYTES = 4
const WORD_COUNT = 2 ** 32

/**
 * The variant of `lab` that `seed` names.
 *
 * @param seed 1 to 64 letters, digits or `_ . @ -`
 * @throws WrongUse for a seed of another form
 */
export function drawVariant(lab: Pick<GradedLab, 'id' | 'draw' | 'variant'>, seed: string): Variant {
  if (!SEED.test(seed)) {
    throw new WrongUse(
      `A seed is 1 to 64 letters, digits, dots, hyphens, underscores or @, not ${JSON.stringify(seed)}.`,
    )
  }
  const drawn: unknown = lab.draw(new HashRandom(`trapframe:variant:${lab.id}:${seed}`))
  const checked = lab.variant.safeParse(drawn)
  if (!checked.success) {
    throw new GraderFailure(`The lab ${lab.id} draws a variant from seed ${seed} that its own schema refuses.`)
  }
  return checked.data as Variant
}

/** Choices that are a pure function of a text. */
export class HashRandom implements VariantRandom {
  readonly #key: string
  #block = 0
  #words: Uint8Array = new Uint8Array()
  #next = 0

  constructor(key: string) {
    this.#key = key
  }

  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError('There is nothing to pick from.')
    return choices[this.integer(0, choices.length - 1)]!
  }

  integer(min: number, max: number): number {
    const span = max - min + 1
    if (!Number.isInteger(min) || !Number.isInteger(max) || span < 1 || span > WORD_COUNT) {
      throw new RangeError(`No whole number lies from ${min} to ${max}, or more than 2^32 do.`)
    }
    const limit = WORD_COUNT - (WORD_COUNT % span)
    let word = this.#word()
    while (word >= limit) word = this.#word()
    return min + (word % span)
  }

  /** An unsigned 32-bit number. */
  #word(): number {
    if (this.#next >= this.#words.length) {
      this.#words = createHash('sha256').update(`${this.#key}:${this.#block}`).digest()
      this.#block++
      this.#next = 0
    }
    const at = this.#next
    this.#next += WORD_BYTES
    return new DataView(this.#words.buffer, this.#words.byteOffset).getUint32(at, true)
  }
}
