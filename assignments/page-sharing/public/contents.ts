/** What stands in pages, and the hashes that the suites inject: good ones, and those that make every mistake show. */

export const PAGE_BYTES = 4096
const PAGE_WORDS = PAGE_BYTES / 4
/** Odd, so that a multiple modulo a power of two tells its number. */
const SPREAD = 0x9e37_79b1
/** What somebody left in a frame that is handed out. */
export const LEFT_BEHIND = 0xee

/**
 * `good`: no two contents of a case hash alike. `constant`, `bit`: nearly all do. `head`: of the first eight bytes only.
 * `high`: only the upper bits differ.
 */
export type HashKind = 'good' | 'constant' | 'bit' | 'head' | 'high'

/** The contents of a class: pages of one class are equal, class 0 is all zeros. Classes differ at both ends only. */
export function fillPage(bytes: Uint8Array, contents: number): void {
  bytes.fill(0)
  const view = new DataView(bytes.buffer, bytes.byteOffset, PAGE_BYTES)
  view.setUint32(0, contents)
  view.setUint32(PAGE_BYTES - 4, contents)
}

/** A hash for one case: what it gives depends on what it has been asked before, as a good hash may. */
export function hashOf(kind: HashKind, bits: number): (bytes: Uint8Array) => number {
  const number = numbering()
  switch (kind) {
    case 'constant':
      return () => 0xabc
    case 'bit':
      return (bytes) => number(bytes, PAGE_WORDS) & 1
    case 'head':
      return (bytes) => spread(number(bytes, 2), bits)
    case 'high':
      return (bytes) => number(bytes, PAGE_WORDS) * 2 ** (bits - 16)
    case 'good':
      return (bytes) => spread(number(bytes, PAGE_WORDS), bits)
  }
}

/** A number for each contents, below 2^16: the same for the same ones. */
function numbering(): (bytes: Uint8Array, words: number) => number {
  const numbers = new Map<number, number>()
  return (bytes, words) => {
    const view = new Int32Array(bytes.buffer, bytes.byteOffset, words)
    let low = 0x811c_9dc5 | 0
    let high = 0x2545_f491 | 0
    for (let i = 0; i < words; i++) {
      low = Math.imul(low ^ view[i]!, 0x0100_0193)
      low ^= low >>> 15
      high = Math.imul(high + view[i]! + i, 0x85eb_ca6b)
      high ^= high >>> 13
    }
    const key = (high & 0xf_ffff) * 2 ** 32 + (low >>> 0)
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, numbers.size + 1)
    return numbers.size
  }
}

/** Another number of so many bits for each number below 2^16. */
function spread(number: number, bits: number): number {
  const low = Math.imul(number, SPREAD) >>> 0
  if (bits === 16) return low & 0xffff
  return bits === 32 ? low : (number ^ 0x5a5a) * 2 ** 32 + low
}
