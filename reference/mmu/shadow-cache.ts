// @solution-file
/**
 * The shadow pages of one guest: found again by what they shadow, linked, traced, and recycled when there may be no more
 * (Linux, Documentation/virt/kvm/x86/mmu.rst: "Shadow pages", "Reverse map", "Synchronized and unsynchronized pages").
 *
 * Every spte is written through `put`, which knows at all times what the TLB may still hold of it.
 */
import type { EntryWrite, ShadowMachine } from './shadow-port.ts'
import { SHADOW_VARIANT } from './shadow-variant.ts'

/** Bits of an entry, the guest's and ours. */
export const PRESENT = 1
export const WRITABLE = 2
export const USER = 4
export const ACCESSED = 0x20
export const DIRTY = 0x40
export const LARGE = 0x80
export const GLOBAL = 0x100

const ENTRIES = 1024
const FRAME_SHIFT = 12
/** Bits of a guest's entry that only the processor sets: when they appear nothing has to be done. */
const SET_BY_WALK = ACCESSED | DIRTY
/** More pages than this are flushed by flushing all. */
const MANY_PAGES = 8

/** One shadow page. */
export interface Shadow {
  readonly page: number
  readonly key: string
  readonly level: 1 | 2
  /** The guest frame of the table that it shadows; of a direct one, the first frame of the 4 MiB page that it maps. */
  readonly gfn: number
  /** It shadows no table, but a 4 MiB page that cannot be mapped by one entry. */
  readonly direct: boolean
  /** The sptes that are present, by index, and the guest's entries that they were made from. */
  readonly sptes: Map<number, number>
  readonly from: Map<number, number>
  /** Which entries lead to it. */
  readonly parents: { readonly shadow: Shadow; readonly index: number }[]
  /** The guest may write to its table unseen; it is compared at the next flush. */
  unsync: boolean
  /** Writes to its table since it was last walked. */
  writes: number
  /** When it was last of use. */
  used: number
}

/** The role of a shadow page: two of the same frame that differ here are different pages. */
export interface Role {
  readonly gfn: number
  readonly level: 1 | 2
  readonly direct: boolean
  /** What the entries above allow: U/S and R/W; of a direct one, dirty and global besides. */
  readonly access: number
  /** CR0.WP. */
  readonly writeProtect: boolean
}

export class ShadowCache {
  root: Shadow | undefined
  readonly #operations: ShadowMachine
  readonly #byKey = new Map<string, Shadow>()
  readonly #byPage = new Map<number, Shadow>()
  /** Shadows of the tables at a guest frame. */
  readonly #ofTable = new Map<number, Set<Shadow>>()
  /** The reverse map: every spte of a guest frame, as page × 1024 + index. */
  readonly #rmap = new Map<number, Set<number>>()
  /** The guest frame that a spte maps; a spte that leads to another page has none. */
  readonly #gfnOf = new Map<number, number>()
  /** Sptes of 4 MiB, with the first guest frame that each maps. */
  readonly #large = new Map<number, number>()
  #writes: EntryWrite[] = []
  /** The TLB may hold a right to write that no spte gives any more: of local pages, of global ones. */
  #staleLocal = false
  #staleGlobal = false
  #clock = 0

  constructor(operations: ShadowMachine) {
    this.#operations = operations
  }

  get all(): IterableIterator<Shadow> {
    return this.#byPage.values()
  }

  shadowsOf(gfn: number): readonly Shadow[] {
    return [...(this.#ofTable.get(gfn) ?? [])]
  }

  at(page: number): Shadow | undefined {
    return this.#byPage.get(page)
  }

  /** Writes to this guest frame must be seen. */
  isTraced(gfn: number): boolean {
    for (const shadow of this.#ofTable.get(gfn) ?? []) if (!shadow.unsync) return true
    return false
  }

  /** One of 1024 guest frames is traced. */
  tracesAny(first: number): boolean {
    for (const gfn of this.#ofTable.keys()) if (gfn >= first && gfn < first + ENTRIES && this.isTraced(gfn)) return true
    return false
  }

  /** The shadow page of this role; a new one when there is none. */
  obtain(role: Role): Shadow {
    const { gfn, level, direct, access, writeProtect } = role
    const key = `${gfn}:${level}:${direct}:${access}:${writeProtect}`
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      this.touch(known)
      return known
    }
    if (this.#byPage.size >= SHADOW_VARIANT.maxShadowPages) this.#recycle()
    this.#commit()
    const made: Shadow = {
      page: this.#operations.allocate(level),
      key,
      level,
      gfn,
      direct,
      sptes: new Map(),
      from: new Map(),
      parents: [],
      unsync: false,
      writes: 0,
      used: ++this.#clock,
    }
    this.#byKey.set(key, made)
    this.#byPage.set(made.page, made)
    if (direct) return made
    const wasTraced = this.isTraced(gfn)
    const others = this.#ofTable.get(gfn)
    if (others === undefined) this.#ofTable.set(gfn, new Set([made]))
    else others.add(made)
    if (wasTraced) return made
    for (const other of others ?? []) {
      other.unsync = false
      this.compare(other)
    }
    this.#trace(gfn, false)
    return made
  }

  touch(shadow: Shadow): void {
    shadow.used = ++this.#clock
    shadow.writes = 0
  }

  /** Entry `index` leads to another shadow page. */
  link(shadow: Shadow, index: number, child: Shadow, from: number): void {
    const spte = (child.page << FRAME_SHIFT) | PRESENT | WRITABLE | USER
    if (shadow.sptes.get(index) === spte && shadow.from.get(index) === from) return
    if (shadow.sptes.get(index) !== spte) {
      this.drop(shadow, index)
      child.parents.push({ shadow, index })
    }
    this.#put(shadow, index, spte, from)
  }

  /** Entry `index` maps a guest frame. */
  map(shadow: Shadow, index: number, gfn: number, spte: number, from: number): void {
    const before = shadow.sptes.get(index) ?? 0
    if (before === spte && shadow.from.get(index) === from) return
    const isElsewhere = (before ^ spte) >>> FRAME_SHIFT !== 0 || ((before ^ spte) & LARGE) !== 0
    if (before !== 0 && isElsewhere) this.drop(shadow, index)
    else if ((before & ~spte & WRITABLE) !== 0) this.#lose(before)
    const id = shadow.page * ENTRIES + index
    if ((spte & LARGE) !== 0) this.#large.set(id, gfn)
    else {
      const known = this.#rmap.get(gfn)
      if (known === undefined) this.#rmap.set(gfn, new Set([id]))
      else known.add(id)
    }
    this.#gfnOf.set(id, gfn)
    this.#put(shadow, index, spte, from)
  }

  /** Entry `index` becomes absent. */
  drop(shadow: Shadow, index: number): void {
    const spte = shadow.sptes.get(index)
    if (spte === undefined) return
    const id = shadow.page * ENTRIES + index
    const gfn = this.#gfnOf.get(id)
    if (gfn !== undefined) {
      this.#gfnOf.delete(id)
      this.#large.delete(id)
      this.#rmap.get(gfn)?.delete(id)
      this.#lose(spte)
    } else {
      const child = this.#byPage.get(spte >>> FRAME_SHIFT)!
      const at = child.parents.findIndex((parent) => parent.shadow === shadow && parent.index === index)
      child.parents.splice(at, 1)
      this.#noteStale(child)
    }
    this.#put(shadow, index, 0, 0)
  }

  /** The shadow page goes, with everything that leads to it. It may not be the root. */
  zap(shadow: Shadow): void {
    for (const index of [...shadow.sptes.keys()]) this.drop(shadow, index)
    for (const { shadow: parent, index } of [...shadow.parents]) this.drop(parent, index)
    this.#commit()
    const wasTraced = this.isTraced(shadow.gfn)
    this.#byKey.delete(shadow.key)
    this.#byPage.delete(shadow.page)
    const others = this.#ofTable.get(shadow.gfn)
    if (!shadow.direct && others !== undefined) {
      others.delete(shadow)
      if (others.size === 0) this.#ofTable.delete(shadow.gfn)
      if (wasTraced && !this.isTraced(shadow.gfn)) this.#operations.trace(shadow.gfn, false)
    }
    this.#operations.free(shadow.page)
  }

  /** All but the root goes, and the root is empty. */
  zapAll(): void {
    for (const shadow of [...this.#byPage.values()]) if (shadow !== this.root) this.zap(shadow)
    if (this.root !== undefined) for (const index of [...this.root.sptes.keys()]) this.drop(this.root, index)
  }

  /** The guest may write to the table at `gfn` without being seen, until the next flush. False: not to this one. */
  unsync(gfn: number): boolean {
    const shadows = this.#ofTable.get(gfn)
    if (shadows === undefined) return true
    for (const { level } of shadows) if (level === 2) return false
    for (const shadow of shadows) shadow.unsync = true
    this.#operations.trace(gfn, false)
    return true
  }

  /** All tables that the guest wrote to unseen are compared, and traced again. A flush of all local pages follows. */
  syncAll(): void {
    for (const [gfn, shadows] of this.#ofTable) {
      let wasUnsync = false
      for (const shadow of shadows) wasUnsync ||= shadow.unsync
      if (!wasUnsync) continue
      for (const shadow of shadows) {
        shadow.unsync = false
        this.compare(shadow)
      }
      this.#trace(gfn, true)
    }
  }

  /** Sptes whose entry of the guest has changed are dropped. */
  compare(shadow: Shadow): void {
    if (shadow.sptes.size === 0) return
    const { buffer, byteOffset } = this.#operations.readTable(shadow.gfn)
    const now = new DataView(buffer, byteOffset)
    for (const index of [...shadow.sptes.keys()]) this.follow(shadow, index, now.getUint32(4 * index, true))
  }

  /** The guest's entry `index` is `now`: its spte is dropped unless it is still right. True when it was dropped. */
  follow(shadow: Shadow, index: number, now: number): boolean {
    if (!shadow.sptes.has(index) || isSame(shadow.from.get(index)!, now)) return false
    this.drop(shadow, index)
    return true
  }

  setRoot(root: Shadow): void {
    this.#commit()
    this.root = root
    this.#operations.setRoot(root.page)
    this.#staleLocal = false
    this.touch(root)
    for (const spte of root.sptes.values()) {
      const child = (spte & LARGE) === 0 ? this.#byPage.get(spte >>> FRAME_SHIFT) : undefined
      if (child !== undefined) child.used = ++this.#clock
    }
  }

  flushPage(gva: number): void {
    this.#commit()
    this.#operations.flushPage(gva)
  }

  flushAll(): void {
    this.#commit()
    this.#operations.flushAll()
    this.#staleLocal = false
    this.#staleGlobal = false
  }

  /** The end of an event: what was decided is written. */
  done(): void {
    this.#commit()
  }

  /**
   * Writes to `gfn` must be seen from now on: no spte and no entry of the TLB may give the right to them.
   * @param localGo the TLB's entries of local pages will be flushed anyway
   */
  #trace(gfn: number, localGo: boolean): void {
    this.#operations.trace(gfn, true)
    const pages: number[] = []
    for (const id of this.#rmap.get(gfn) ?? []) {
      const shadow = this.#byPage.get(Math.floor(id / ENTRIES))!
      const index = id % ENTRIES
      const spte = shadow.sptes.get(index)!
      if ((spte & WRITABLE) === 0) continue
      pages.push(...this.#addressesOf(shadow, index, localGo))
      this.#write(shadow, index, spte & ~WRITABLE)
    }
    for (const [id, first] of [...this.#large]) {
      if (gfn < first || gfn >= first + ENTRIES) continue
      const shadow = this.#byPage.get(Math.floor(id / ENTRIES))!
      pages.push(...this.#addressesOf(shadow, id % ENTRIES, localGo))
      this.drop(shadow, id % ENTRIES)
    }
    if ((this.#staleLocal && !localGo) || this.#staleGlobal || pages.length > MANY_PAGES) this.flushAll()
    else for (const gva of pages) this.flushPage(gva)
  }

  /** Where the processor may have seen this spte since the TLB was last flushed. */
  #addressesOf(shadow: Shadow, index: number, onlyGlobal: boolean): number[] {
    const isGlobal = (shadow.sptes.get(index)! & GLOBAL) !== 0
    if (onlyGlobal && !isGlobal) return []
    if (shadow.level === 2) return shadow === this.root || isGlobal ? [(index << 22) >>> 0] : []
    return shadow.parents
      .filter((parent) => parent.shadow === this.root || isGlobal)
      .map((parent) => ((parent.index << 22) | (index << FRAME_SHIFT)) >>> 0)
  }

  /** The page that was of no use for longest goes. */
  #recycle(): void {
    let victim: Shadow | undefined
    for (const shadow of this.#byPage.values()) {
      if (shadow === this.root) continue
      if (victim === undefined || shadow.used < victim.used) victim = shadow
    }
    if (victim !== undefined) this.zap(victim)
  }

  /** Sptes below are reached no longer; the TLB may know them. */
  #noteStale(child: Shadow): void {
    for (const spte of child.sptes.values()) this.#lose(spte)
  }

  #lose(spte: number): void {
    if ((spte & WRITABLE) === 0) return
    this.#staleLocal = true
    if ((spte & GLOBAL) !== 0) this.#staleGlobal = true
  }

  #put(shadow: Shadow, index: number, spte: number, from: number): void {
    const before = shadow.sptes.get(index) ?? 0
    shadow.from.set(index, from)
    if (before === spte) return
    this.#write(shadow, index, spte)
  }

  #write(shadow: Shadow, index: number, spte: number): void {
    if (spte === 0) {
      shadow.sptes.delete(index)
      shadow.from.delete(index)
    } else shadow.sptes.set(index, spte)
    this.#writes.push({ page: shadow.page, index, value: spte >>> 0 })
  }

  #commit(): void {
    if (this.#writes.length === 0) return
    const writes = this.#writes
    this.#writes = []
    this.#operations.setEntries(writes)
  }
}

/** An spte that was made from `before` is right for `now`. */
function isSame(before: number, now: number): boolean {
  return ((before ^ now) & ~SET_BY_WALK) === 0 && (before & ~now & SET_BY_WALK) === 0
}
