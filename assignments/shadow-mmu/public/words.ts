/** How the model's addresses and entries are told to a person. */
import { HOLE_GFN } from './memory.ts'
import { A, D, G, P, PS, U, W } from './oracle.ts'

/** Guest frames of the model by what the guest uses them for at its start. */
export const DIRECTORIES = [1, 2, 3]
export const TABLES = [4, 5, 6, 7, 8, 9]
export const KERNEL_TABLE = 10
export const FIRST_DATA = 11
/** Where the guest's kernel has all of low memory. */
export const KERNEL_BASE = 0xc000_0000

export function hex(value: number): string {
  return value.toString(16).toUpperCase()
}

/** `400000h`. */
export function gvaText(gva: number): string {
  return `${hex(gva)}h`
}

/** A guest physical address: `table 2 entry 5`, `page 17h`. */
export function placeText(gpa: number): string {
  const gfn = gpa >>> 12
  const entry = (gpa & 0xfff) === 0 ? '' : ` entry ${(gpa & 0xfff) >>> 2}`
  if (DIRECTORIES.includes(gfn)) return `directory ${gfn - DIRECTORIES[0]! + 1}${entry}`
  if (TABLES.includes(gfn)) return `table ${gfn - TABLES[0]! + 1}${entry}`
  if (gfn === KERNEL_TABLE) return `the kernel’s table${entry}`
  if (gfn === HOLE_GFN) return 'a place without memory'
  return `frame ${hex(gfn)}h${entry}`
}

const BITS = [
  [P, 'P'],
  [W, 'W'],
  [U, 'U'],
  [A, 'A'],
  [D, 'D'],
  [PS, 'PS'],
  [G, 'G'],
] as const
const ALL_BITS = BITS.reduce((all, [bit]) => all | bit, 0)
const bitTexts = new Map<number, string>()

/** The bits of an entry by their names. */
export function bitsText(value: number): string {
  const bits = value & ALL_BITS
  const known = bitTexts.get(bits)
  if (known !== undefined) return known
  const names = BITS.flatMap(([bit, name]) => ((value & bit) !== 0 ? [name] : []))
  const text = names.length === 0 ? 'absent' : names.join('+')
  bitTexts.set(bits, text)
  return text
}
