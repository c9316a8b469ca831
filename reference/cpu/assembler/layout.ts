/** Where everything lies: gives each item its address, and lets branches grow from short to near until all reach. */
import { AssemblyError } from './assembly-error.ts'
import { type Encoding, fitsBits, littleEndian, type Patch } from './encoding.ts'
import type { Expression } from './operands.ts'

export type Item =
  | { readonly kind: 'label'; readonly name: string }
  | {
      readonly kind: 'code'
      /** What errors call it. */
      readonly name: string
      readonly codeSize: 16 | 32
      /** From the shortest to the longest. */
      readonly encodings: readonly Encoding[]
    }
  | { readonly kind: 'data'; readonly encoding: Encoding }
  | { readonly kind: 'align'; readonly boundary: number; readonly fill: number }
  | { readonly kind: 'org'; readonly address: number }

/** An item with its place and its final bytes. */
export interface PlacedItem {
  readonly item: Item
  readonly address: number
  readonly bytes: Uint8Array
}

/**
 * @throws AssemblyError for an undefined or doubled symbol, a target out of reach, an ORG that goes back
 */
export function layOut(items: readonly Item[], origin: number): { placed: PlacedItem[]; symbols: Map<string, number> } {
  const choices = items.map(() => 0)
  for (;;) {
    const addresses = placeAll(items, choices, origin)
    const symbols = collectSymbols(items, addresses)
    const grown = items.filter((item, i) => {
      const grows = item.kind === 'code' && !reaches(item.encodings, choices[i]!, addresses[i]!, symbols)
      if (grows) choices[i]!++
      return grows
    })
    if (grown.length > 0) continue
    const placed = items.map((item, i) => {
      const address = addresses[i]!
      return { item, address, bytes: bytesOf(item, choices[i]!, address, symbols) }
    })
    return { placed, symbols }
  }
}

function placeAll(items: readonly Item[], choices: readonly number[], origin: number): number[] {
  let address = origin
  return items.map((item, i) => {
    const at = address
    address += sizeOf(item, choices[i]!, at)
    return at
  })
}

function sizeOf(item: Item, choice: number, address: number): number {
  switch (item.kind) {
    case 'label':
      return 0
    case 'code':
      return item.encodings[choice]!.bytes.length
    case 'data':
      return item.encoding.bytes.length
    case 'align':
      return (item.boundary - (address % item.boundary)) % item.boundary
    case 'org':
      if (item.address < address) {
        throw new AssemblyError(`org ${hex(item.address)} goes back: the program is already at ${hex(address)}.`)
      }
      return item.address - address
  }
}

function collectSymbols(items: readonly Item[], addresses: readonly number[]): Map<string, number> {
  const symbols = new Map<string, number>()
  items.forEach((item, i) => {
    if (item.kind !== 'label') return
    if (symbols.has(item.name)) throw new AssemblyError(`The label "${item.name}" is defined twice.`)
    symbols.set(item.name, addresses[i]!)
  })
  return symbols
}

/** False when a longer encoding has to take over. */
function reaches(
  encodings: readonly Encoding[],
  choice: number,
  address: number,
  symbols: ReadonlyMap<string, number>,
): boolean {
  if (choice === encodings.length - 1) return true
  const encoding = encodings[choice]!
  return encoding.patches.every(
    (patch) => !patch.isRelative || distanceFits(distance(patch, encoding, address, symbols), 1),
  )
}

function bytesOf(item: Item, choice: number, address: number, symbols: ReadonlyMap<string, number>): Uint8Array {
  switch (item.kind) {
    case 'label':
      return new Uint8Array(0)
    case 'code':
      return patched(item.encodings[choice]!, address, symbols, `${item.name}: `)
    case 'data':
      return patched(item.encoding, address, symbols, '')
    case 'align':
      return new Uint8Array(sizeOf(item, choice, address)).fill(item.fill)
    case 'org':
      return new Uint8Array(sizeOf(item, choice, address))
  }
}

function patched(encoding: Encoding, address: number, symbols: ReadonlyMap<string, number>, name: string): Uint8Array {
  const bytes = Uint8Array.from(encoding.bytes)
  for (const patch of encoding.patches) {
    const { offset, sizeBytes, isRelative } = patch
    let value = isRelative ? distance(patch, encoding, address, symbols) : evaluate(patch.value, symbols)
    if (isRelative && !distanceFits(value, sizeBytes)) {
      const reach = sizeBytes === 1 ? '-128 to 127' : '-65536 to 65535'
      throw new AssemblyError(`${name}the target is ${value} bytes away, and the jump reaches ${reach}.`)
    }
    // A 16-bit EIP wraps, and so does a 32-bit one.
    if (isRelative && sizeBytes === 2) value = (value << 16) >> 16
    if (isRelative && sizeBytes === 4) value |= 0
    if (!fitsBits(value, 8 * sizeBytes)) {
      throw new AssemblyError(`${name}the value ${hex(value)} does not fit into ${8 * sizeBytes} bits.`)
    }
    bytes.set(littleEndian(value, sizeBytes), offset)
  }
  return bytes
}

function distance({ value }: Patch, encoding: Encoding, address: number, symbols: ReadonlyMap<string, number>): number {
  return evaluate(value, symbols) - (address + encoding.bytes.length)
}

function distanceFits(value: number, sizeBytes: 1 | 2 | 4): boolean {
  if (sizeBytes === 1) return value >= -128 && value <= 127
  return sizeBytes === 4 || Math.abs(value) <= 0xffff
}

function evaluate({ terms, constant }: Expression, symbols: ReadonlyMap<string, number>): number {
  return terms.reduce((sum, { symbol, sign }) => {
    const value = symbols.get(symbol)
    if (value === undefined) throw new AssemblyError(`The label "${symbol}" is used but not defined.`)
    return sum + sign * value
  }, constant)
}

function hex(value: number): string {
  return `${value < 0 ? '-' : ''}0x${Math.abs(value).toString(16)}`
}
