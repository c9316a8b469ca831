/** A right sharing service that write-protects all that it looks at before it has anything hashed, so that no hash is ever old. */
import type { SharingOperations, SharingService, SharingStats } from '../../../reference/mmu/sharing-port.ts'
import { SHARING_VARIANT } from '../../../reference/mmu/sharing-variant.ts'

interface Page {
  readonly vm: number
  readonly gfn: number
  pfn: number
  pinned: boolean
}

interface Shared {
  readonly hash: number
  readonly pages: Set<Page>
}

class ProtectsFirst implements SharingService {
  readonly #host: SharingOperations
  readonly #vms = new Map<number, Page[]>()
  readonly #shared = new Map<number, Shared>()
  /** Pages by the hash that they had when they were looked at. */
  readonly #hints = new Map<number, Set<Page>>()
  readonly #hintOf = new Map<Page, number>()
  readonly #zeros = new Set<Page>()
  /** Pages that stay read-only until the tick is over. */
  #batch = new Set<Page>()
  #frames = 0
  #zeroFrame = -1
  #zeroHash = -1
  /** The page that was looked at last, as the scan counts. */
  #last: readonly [number, number] = [-1, -1]

  constructor(host: SharingOperations) {
    this.#host = host
  }

  open(frames: number, zeroFrame: number): void {
    this.#frames = frames
    this.#zeroFrame = zeroFrame
    this.#zeroHash = this.#host.hash([zeroFrame])[0]!
  }

  vmStarted(vm: number, pfns: readonly number[]): void {
    this.#vms.set(
      vm,
      pfns.map((pfn, gfn) => ({ vm, gfn, pfn, pinned: false })),
    )
  }

  vmExited(vm: number): void {
    for (const page of this.#vms.get(vm)!) this.#drop(page)
    this.#vms.delete(vm)
  }

  tick(budget: number): void {
    const pages = [...new Set(this.#next(budget))].filter((page) => this.#isPrivate(page))
    this.#batch = new Set(pages)
    this.#freeze(pages)
    const hashes = this.#host.hash(pages.map(({ pfn }) => pfn))
    for (const [i, page] of pages.entries()) if (this.#isPrivate(page)) this.#look(page, hashes[i]!)
    this.#batch.clear()
    this.#thaw(pages.filter((page) => this.#isPrivate(page)))
  }

  writeFault(vm: number, gfn: number): boolean {
    return this.#unshare(this.#page(vm, gfn))
  }

  pageOut(vm: number, gfn: number): boolean {
    const page = this.#page(vm, gfn)
    if (this.#isPrivate(page)) {
      this.#freeze([page])
      this.#look(page, this.#host.hash([page.pfn])[0]!)
      if (this.#isPrivate(page)) this.#thaw([page])
    }
    return this.#zeros.has(page) || (this.#shared.get(page.pfn)?.pages.size ?? 0) > 1
  }

  released(vm: number, gfn: number): void {
    this.#drop(this.#page(vm, gfn))
  }

  pageMissing(vm: number, gfn: number): boolean {
    const pfn = this.#host.allocate()
    if (pfn < 0) return false
    this.#host.clear(pfn)
    this.#put(this.#page(vm, gfn), pfn, true)
    return true
  }

  pin(vm: number, gfn: number, on: boolean): boolean {
    const page = this.#page(vm, gfn)
    if (on) {
      if (!this.#unshare(page)) return false
      this.#forgetHint(page)
    }
    page.pinned = on
    return true
  }

  stats(): SharingStats {
    const groups = [...this.#shared.values()].map(({ pages }) => pages.size)
    return {
      shared: this.#zeros.size + groups.filter((size) => size > 1).reduce((sum, size) => sum + size, 0),
      reclaimed: this.#zeros.size + groups.reduce((sum, size) => sum + size - 1, 0),
    }
  }

  save(): Uint8Array {
    const largest = 2 ** SHARING_VARIANT.countBits - 1
    const over = [...this.#shared].filter(([, { pages }]) => pages.size > largest)
    const bytes = new Uint8Array(16 + 16 * this.#frames + 8 * over.length)
    const view = new DataView(bytes.buffer)
    view.setInt16(0, this.#last[0])
    view.setInt32(4, this.#last[1])
    for (const [pfn, { hash, pages }] of this.#shared) {
      view.setUint16(16 + 16 * pfn, Math.min(pages.size, largest), true)
      view.setFloat64(16 + 16 * pfn + 8, hash)
      bytes[16 + 16 * pfn + 2] = 1
    }
    for (const [i, [pfn, { pages }]] of over.entries()) {
      view.setUint32(16 + 16 * this.#frames + 8 * i, pfn, true)
      view.setUint32(20 + 16 * this.#frames + 8 * i, pages.size - largest, true)
    }
    return bytes
  }

  restore(frames: number, zeroFrame: number, vms: readonly number[], table: Uint8Array): void {
    this.open(frames, zeroFrame)
    const view = new DataView(table.buffer, table.byteOffset)
    this.#last = [view.getInt16(0), view.getInt32(4)]
    for (let pfn = 0; pfn < frames; pfn++) {
      if (table[16 + 16 * pfn + 2] === 1) {
        this.#shared.set(pfn, { hash: view.getFloat64(16 + 16 * pfn + 8), pages: new Set() })
      }
    }
    for (const vm of vms) {
      const { pfns, pinned } = this.#host.pages(vm)
      const pages = pfns.map((pfn, gfn) => ({ vm, gfn, pfn, pinned: pinned[gfn]! }))
      this.#vms.set(vm, pages)
      for (const page of pages) {
        if (page.pfn === zeroFrame) this.#zeros.add(page)
        this.#shared.get(page.pfn)?.pages.add(page)
      }
    }
  }

  #page(vm: number, gfn: number): Page {
    return this.#vms.get(vm)![gfn]!
  }

  #isPrivate(page: Page): boolean {
    return page.pfn >= 0 && page.pfn !== this.#zeroFrame && !page.pinned && !this.#shared.has(page.pfn)
  }

  #next(budget: number): Page[] {
    const { scanOrder } = SHARING_VARIANT
    const place = ({ vm, gfn }: Page) => (scanOrder === 'interleaved' ? [gfn, vm] : [vm, gfn]) as [number, number]
    const before = (a: readonly [number, number], b: readonly [number, number]) => a[0] - b[0] || a[1] - b[1]
    const all = [...this.#vms.values()].flat().sort((a, b) => before(place(a), place(b)))
    if (all.length === 0) return []
    if (scanOrder === 'random') return this.#host.random(budget, all.length).map((n) => all[n]!)
    const behind = all.filter((page) => before(place(page), this.#last) > 0)
    const chosen = [...behind, ...all.filter((page) => !behind.includes(page))].slice(0, budget)
    if (chosen.length > 0) this.#last = place(chosen.at(-1)!)
    return chosen
  }

  /** Looks for partners of a page that is read-only while this lasts. */
  #look(page: Page, hash: number): void {
    this.#forgetHint(page)
    if (hash === this.#zeroHash && SHARING_VARIANT.zeroPages !== 'ordinary') {
      if (this.#host.compare(page.pfn, this.#zeroFrame)) {
        if (SHARING_VARIANT.zeroPages === 'private') return
        const own = page.pfn
        this.#put(page, this.#zeroFrame, false)
        this.#host.flush(page.vm)
        this.#host.free([own])
        this.#zeros.add(page)
        return
      }
    }
    for (const [pfn, shared] of this.#shared) {
      if (shared.hash !== hash || !this.#host.compare(page.pfn, pfn)) continue
      this.#join(page, pfn)
      return
    }
    for (const other of [...(this.#hints.get(hash) ?? [])]) {
      this.#forgetHint(other)
      this.#freeze([other])
      if (this.#host.compare(page.pfn, other.pfn)) {
        this.#shared.set(other.pfn, { hash, pages: new Set([other]) })
        this.#join(page, other.pfn)
        return
      }
      if (!this.#batch.has(other)) this.#thaw([other])
    }
    this.#hintOf.set(page, hash)
    this.#hints.set(hash, (this.#hints.get(hash) ?? new Set()).add(page))
  }

  #forgetHint(page: Page): void {
    const hash = this.#hintOf.get(page)
    if (hash === undefined) return
    this.#hintOf.delete(page)
    this.#hints.get(hash)!.delete(page)
  }

  #freeze(pages: readonly Page[]): void {
    for (const page of pages) this.#host.map(page.vm, page.gfn, page.pfn, false)
    for (const vm of new Set(pages.map((page) => page.vm))) this.#host.flush(vm)
  }

  #thaw(pages: readonly Page[]): void {
    for (const page of pages) this.#host.map(page.vm, page.gfn, page.pfn, true)
  }

  #join(page: Page, pfn: number): void {
    const own = page.pfn
    this.#put(page, pfn, false)
    this.#host.flush(page.vm)
    this.#host.free([own])
    this.#shared.get(pfn)!.pages.add(page)
  }

  #put(page: Page, pfn: number, writable: boolean): void {
    this.#host.map(page.vm, page.gfn, pfn, writable)
    page.pfn = pfn
  }

  /** The page gets a frame that it may write to. */
  #unshare(page: Page): boolean {
    const { pfn } = page
    const group = this.#shared.get(pfn)
    if (pfn !== this.#zeroFrame && (group === undefined || group.pages.size === 1)) {
      this.#shared.delete(pfn)
      this.#put(page, pfn, true)
      return true
    }
    const own = this.#host.allocate()
    if (own < 0) return false
    if (pfn === this.#zeroFrame) this.#host.clear(own)
    else if (SHARING_VARIANT.copies === 'host') this.#host.copy(pfn, own)
    else this.#host.write(own, this.#host.read(pfn))
    this.#put(page, own, true)
    this.#host.flush(page.vm)
    this.#zeros.delete(page)
    group?.pages.delete(page)
    return true
  }

  /** The page loses its frame. */
  #drop(page: Page): void {
    if (page.pfn < 0) return
    const { pfn } = page
    const group = this.#shared.get(pfn)
    this.#host.unmap(page.vm, [page.gfn])
    this.#host.flush(page.vm)
    this.#forgetHint(page)
    this.#zeros.delete(page)
    group?.pages.delete(page)
    page.pfn = -1
    page.pinned = false
    if (group?.pages.size === 0) this.#shared.delete(pfn)
    if (pfn !== this.#zeroFrame && (group === undefined || group.pages.size === 0)) this.#host.free([pfn])
  }
}

export function create(host: SharingOperations): SharingService {
  return new ProtectsFirst(host)
}
