/**
 * Two-dimensional page walks (Bhargava et al., ASPLOS 2008, §2; Intel SDM vol. 3C §28.3): every table of the guest stands at a
 * guest physical address, which the host's tables translate first. A walk of n guest levels over m host levels reads
 * n·m + n + m entries; the levels are parameters, so that 24 of them is a run and no formula.
 */

/** An entry that a walk has read. `level` counts down to 1; `index` is the entry's place in its table. */
export interface Reference {
  readonly space: 'guest' | 'host'
  readonly level: number
  readonly index: number
}

/** The host's tables: a tree of `levels` levels from guest frames to frames. */
export class NestedTables {
  readonly levels: number
  readonly #indexBits: number
  #root: HostTable = new Map()

  constructor(levels: number, indexBits: number) {
    this.levels = levels
    this.#indexBits = indexBits
  }

  /** Maps a guest frame, or with `level` > 1 all of those that an entry of that level covers. */
  map(gfn: number, pfn: number, level = 1): void {
    let table = this.#root
    for (let at = this.levels; at > level; at--) {
      const next = table.get(this.#indexAt(gfn, at))
      if (next !== undefined && 'table' in next) table = next.table
      else {
        const made: HostTable = new Map()
        table.set(this.#indexAt(gfn, at), { table: made })
        table = made
      }
    }
    table.set(this.#indexAt(gfn, level), { pfn })
  }

  clear(): void {
    this.#root = new Map()
  }

  /** The frame behind a guest frame; undefined: a nested violation. @param read is told of each entry */
  walk(gfn: number, read: (reference: Reference) => void): number | undefined {
    let table = this.#root
    for (let level = this.levels; level > 0; level--) {
      const index = this.#indexAt(gfn, level)
      read({ space: 'host', level, index })
      const entry = table.get(index)
      if (entry === undefined) return undefined
      if ('pfn' in entry) return entry.pfn + this.#offsetAt(gfn, level)
      table = entry.table
    }
    return undefined
  }

  #indexAt(gfn: number, level: number): number {
    return Math.floor(gfn / 2 ** (this.#indexBits * (level - 1))) % 2 ** this.#indexBits
  }

  #offsetAt(gfn: number, level: number): number {
    return gfn % 2 ** (this.#indexBits * (level - 1))
  }
}

type HostTable = Map<number, { readonly table: HostTable } | { readonly pfn: number }>

/** The guest's side of a walk. */
export interface GuestTables {
  readonly levels: number
  /** The guest frame of the first table. */
  readonly root: number
  /** Entry `index` of the table at a host frame: where it leads, or undefined. A large one ends the walk above level 1. */
  entry(pfn: number, level: number, index: number): { readonly gfn: number; readonly large?: boolean } | undefined
}

/** `guestFault`: an entry of the guest is absent. `violation`: a guest frame has no host frame; a table's, or the page's own. */
export type NestedResult =
  | { readonly kind: 'frame'; readonly pfn: number }
  | { readonly kind: 'guestFault'; readonly level: number }
  | { readonly kind: 'violation'; readonly gfn: number; readonly duringGuestWalk: boolean }

/**
 * Walks both dimensions.
 *
 * @param indices of the guest's tables, the first level's first
 * @param offset in the page, in frames: 0, but behind a large entry of the guest
 * @returns what it came to, and every entry read in its order
 */
export function walkTwoDimensions(
  guest: GuestTables,
  nested: NestedTables,
  indices: readonly number[],
  offset = 0,
): { readonly result: NestedResult; readonly references: readonly Reference[] } {
  const references: Reference[] = []
  const read = (reference: Reference) => references.push(reference)
  const end = (result: NestedResult) => ({ result, references })
  let gfn = guest.root
  for (const [i, index] of indices.entries()) {
    const level = guest.levels - i
    const table = nested.walk(gfn, read)
    if (table === undefined) return end({ kind: 'violation', gfn, duringGuestWalk: true })
    read({ space: 'guest', level, index })
    const entry = guest.entry(table, level, index)
    if (entry === undefined) return end({ kind: 'guestFault', level })
    gfn = entry.gfn
    if (entry.large === true) break
  }
  const pfn = nested.walk(gfn + offset, read)
  if (pfn === undefined) return end({ kind: 'violation', gfn: gfn + offset, duringGuestWalk: false })
  return end({ kind: 'frame', pfn })
}
