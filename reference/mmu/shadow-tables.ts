/**
 * The shadow tables as the processor walks them, with the rules of the machine: an operation that breaks one is refused with
 * a sentence that names both, and changes nothing.
 */
import type { EntryWrite } from './shadow-port.ts'

export const SPTE_PRESENT = 1
export const SPTE_WRITABLE = 2
export const SPTE_USER = 4
const SPTE_LARGE = 0x80
export const SPTE_GLOBAL = 0x100
/** Accessed and dirty, which the processor ignores here. */
const SPTE_IGNORED = 0x60
const KNOWN_BITS = SPTE_PRESENT | SPTE_WRITABLE | SPTE_USER | SPTE_LARGE | SPTE_GLOBAL | SPTE_IGNORED
const FRAME_SHIFT = 12
const FLAGS = 0xfff
const LARGE_OFFSET = 0x3ff

/** The processor lets the access through: what a walk gave is present, and has the right that is needed. */
export function spteAllows(spte: number, write: boolean, user: boolean): boolean {
  if ((spte & SPTE_PRESENT) === 0) return false
  return (!user || (spte & SPTE_USER) !== 0) && (!write || (spte & SPTE_WRITABLE) !== 0)
}

/** An operation that the machine does not do. */
export class RefusedOperation extends Error {
  readonly operation: string
  readonly rule: string

  constructor(operation: string, rule: string) {
    super(`${operation} is refused: ${rule}`)
    this.name = 'RefusedOperation'
    this.operation = operation
    this.rule = rule
  }
}

export interface ShadowTablesOptions {
  readonly maxPages: number
  readonly largeEntries: boolean
  readonly globalEntries: boolean
  /** Frames from here on are shadow pages. */
  readonly firstFrame: number
  /** A frame of this guest's memory. */
  isGuestFrame(pfn: number): boolean
  /** The first of 1024 frames of this guest's memory that a 4 MiB entry may map. */
  isLargeFrame(pfn: number): boolean
}

/** A shadow page that is allocated. */
export interface ShadowTable {
  readonly level: 1 | 2
  /** The entries that are present, by index. */
  readonly entries: Map<number, number>
  /** How many entries of level 2 point to it. */
  parents: number
}

export class ShadowTables {
  readonly pages = new Map<number, ShadowTable>()
  /** The page that the processor walks from; −1: none yet. */
  root = -1
  allocated = 0
  written = 0
  readonly #options: ShadowTablesOptions
  readonly #freed: number[] = []
  #next: number

  constructor(options: ShadowTablesOptions) {
    this.#options = options
    this.#next = options.firstFrame
  }

  /** @throws RefusedOperation as all operations do */
  allocate(level: 1 | 2): number {
    const { maxPages } = this.#options
    if (this.pages.size >= maxPages) {
      throw new RefusedOperation('allocate', `there may be ${maxPages} shadow pages, and so many there are`)
    }
    const page = this.#freed.pop() ?? this.#next++
    this.pages.set(page, { level, entries: new Map(), parents: 0 })
    this.allocated++
    return page
  }

  free(page: number): void {
    const table = this.#table('free', page)
    if (page === this.root) throw new RefusedOperation('free', `shadow page ${page} is the root`)
    if (table.parents > 0) throw new RefusedOperation('free', `an entry still points to shadow page ${page}`)
    for (const index of table.entries.keys()) this.#unlink(table, index)
    this.pages.delete(page)
    this.#freed.push(page)
  }

  setEntries(writes: readonly EntryWrite[]): void {
    for (const { page, index, value } of writes) {
      const table = this.#table('setEntries', page)
      if ((value & SPTE_PRESENT) !== 0) this.#check(table, value)
      else if (value !== 0) throw new RefusedOperation('setEntries', 'an entry that is not present is 0')
      this.#unlink(table, index)
      this.written++
      if (value === 0) continue
      table.entries.set(index, value)
      if (isLink(table, value)) this.pages.get(value >>> FRAME_SHIFT)!.parents++
    }
  }

  setRoot(page: number): void {
    const { level } = this.#table('setRoot', page)
    if (level !== 2) throw new RefusedOperation('setRoot', `shadow page ${page} is of level 1`)
    this.root = page
  }

  /** The entry that maps `gva`, with the rights of both levels and the frame of the 4 KiB page; 0: none. A large one keeps bit 7. */
  walk(gva: number): number {
    const root = this.pages.get(this.root)
    const upper = root?.entries.get(gva >>> 22) ?? 0
    if (upper === 0) return 0
    const index = (gva >>> FRAME_SHIFT) & LARGE_OFFSET
    if ((upper & SPTE_LARGE) !== 0) return upper | (index << FRAME_SHIFT)
    const lower = this.pages.get(upper >>> FRAME_SHIFT)!.entries.get(index) ?? 0
    return lower & (upper | ~(SPTE_WRITABLE | SPTE_USER))
  }

  #table(operation: string, page: number): ShadowTable {
    const table = this.pages.get(page)
    if (table === undefined) throw new RefusedOperation(operation, `shadow page ${page} is not allocated`)
    return table
  }

  #check({ level }: ShadowTable, value: number): void {
    const refuse = (rule: string) => new RefusedOperation('setEntries', rule)
    const frame = value >>> FRAME_SHIFT
    const flags = value & FLAGS
    const { largeEntries, globalEntries } = this.#options
    if ((flags & ~KNOWN_BITS) !== 0) throw refuse(`bits ${hex(flags & ~KNOWN_BITS)} of an entry are reserved`)
    const isLarge = (flags & SPTE_LARGE) !== 0
    if ((flags & SPTE_GLOBAL) !== 0 && !globalEntries) throw refuse('this processor’s entries have no G bit')
    if (level === 1) {
      if (isLarge) throw refuse('bit 7 is reserved in an entry of level 1')
      if (!this.#options.isGuestFrame(frame)) throw refuse(`frame ${hex(frame)} does not belong to the guest`)
    } else if (isLarge) {
      if (!largeEntries) throw refuse('this processor’s tables have no entries of 4 MiB')
      if (!this.#options.isLargeFrame(frame)) throw refuse(`no 1024 frames of the guest begin at ${hex(frame)}`)
    } else {
      if ((flags & SPTE_GLOBAL) !== 0) throw refuse('an entry that leads to another page has no G bit')
      const child = this.pages.get(frame)
      if (child === undefined) throw refuse(`an entry of level 2 leads to ${hex(frame)}, which is no shadow page`)
      if (child.level !== 1) throw refuse(`an entry of level 2 leads to shadow page ${frame}, which is of level 2, too`)
    }
  }

  /** What an entry held holds no longer. */
  #unlink(table: ShadowTable, index: number): void {
    const value = table.entries.get(index)
    if (value === undefined) return
    table.entries.delete(index)
    if (isLink(table, value)) this.pages.get(value >>> FRAME_SHIFT)!.parents--
  }
}

function isLink({ level }: ShadowTable, value: number): boolean {
  return level === 2 && (value & SPTE_LARGE) === 0
}

function hex(value: number): string {
  return `${value.toString(16).toUpperCase()}h`
}
