/** Bytes of which some wait for the values of symbols, and the check that a value fits its field. */
import { AssemblyError } from './assembly-error.ts'
import { Expression, type Value } from './operands.ts'

/** A little-endian field to be filled in when all symbols are known. */
export interface Patch {
  /** From the first byte. */
  readonly offset: number
  readonly sizeBytes: 1 | 2 | 4
  readonly value: Expression
  /** Relative to the end of these bytes, as branches are. */
  readonly isRelative: boolean
}

/** A piece of the program: an instruction in one of its encodings, or data. */
export interface Encoding {
  readonly bytes: readonly number[]
  readonly patches: readonly Patch[]
}

/** Collects an {@link Encoding}. */
export class EncodingBuilder {
  readonly bytes: number[] = []
  readonly patches: Patch[] = []

  /** A value of so many bytes: at once when it is a number, as a patch when it has symbols. */
  put(value: Value, sizeBytes: 1 | 2 | 4, isRelative = false): void {
    const expression = Expression.of(value)
    const offset = this.bytes.length
    if (expression.terms.length === 0 && !isRelative) this.bytes.push(...littleEndian(expression.constant, sizeBytes))
    else {
      this.patches.push({ offset, sizeBytes, value: expression, isRelative })
      this.bytes.push(...littleEndian(0, sizeBytes))
    }
  }
}

/** True when the value is a signed or an unsigned number of so many bits. */
export function fitsBits(value: number, bits: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** (bits - 1)) && value < 2 ** bits
}

/** @throws AssemblyError when the value does not fit */
export function littleEndian(value: number, sizeBytes: 1 | 2 | 4): number[] {
  if (!fitsBits(value, 8 * sizeBytes)) {
    throw new AssemblyError(`The value ${hexValue(value)} does not fit into ${8 * sizeBytes} bits.`)
  }
  return Array.from({ length: sizeBytes }, (_, i) => (value >> (8 * i)) & 0xff)
}

export function hexValue(value: number): string {
  return Number.isInteger(value) ? `${value < 0 ? '-' : ''}0x${Math.abs(value).toString(16)}` : String(value)
}
