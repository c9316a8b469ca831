/**
 * Content-based page sharing among the VMs of a host: pages of equal contents come to stand for one frame, read-only, until
 * somebody writes (Waldspurger, "Memory Resource Management in VMware ESX Server", OSDI 2002, §4).
 *
 * A hash only says which frames are worth a look; that they are equal, a comparison says, of two frames that nobody
 * can write to meanwhile.
 */
import { FrameTable, OWN_BYTES } from './frame-table.ts'
import type { SharingOperations, SharingService, SharingStats } from './sharing-port.ts'
import { SHARING_VARIANT } from './sharing-variant.ts'

// @solution What you keep of a VM, and of a page.
interface Vm {
  readonly pfns: number[]
  readonly pinned: boolean[]
}

interface Page {
  readonly vm: number
  readonly gfn: number
}

const NO_FRAME = -1
/** What a VM's number and a gfn stay below. */
const VMS = 2 ** 8
const GFNS = 2 ** 24
// @end

class PageSharing implements SharingService {
  readonly #host: SharingOperations
  // @solution The frame table, the VMs' maps, and where the scan goes on.
  #table = new FrameTable(0)
  #zeroFrame = NO_FRAME
  #zeroHash = NO_FRAME
  readonly #vms = new Map<number, Vm>()
  /** How many pages stand for the zero frame. */
  #zeroPages = 0
  /** The keys of all pages in the order of the scan; undefined: they have changed. */
  #order: Float64Array | undefined
  /** The scan goes on at the page of this key, or at the first one behind it. */
  #next = 0
  // @end

  constructor(host: SharingOperations) {
    this.#host = host
  }

  open(frames: number, zeroFrame: number): void {
    // @solution Make your table; what is the hash of a page of zeros?
    this.#table = new FrameTable(frames)
    this.#begin(zeroFrame)
    // @end
  }

  vmStarted(vm: number, pfns: readonly number[]): void {
    // @solution Remember its map. A number may have belonged to another VM before.
    this.#vms.set(vm, { pfns: [...pfns], pinned: pfns.map(() => false) })
    this.#order = undefined
    // @end
  }

  vmExited(vm: number): void {
    // @solution Every page loses its frame; which frames are free then?
    const { pfns } = this.#vm(vm)
    const gfns = [...pfns.keys()].filter((gfn) => pfns[gfn] !== NO_FRAME)
    this.#host.unmap(vm, gfns)
    this.#host.flush(vm)
    this.#host.free(gfns.map((gfn) => pfns[gfn]!).filter((pfn) => this.#letGo(pfn)))
    this.#vms.delete(vm)
    this.#order = undefined
    // @end
  }

  tick(budget: number): void {
    // @solution Choose the pages, have all of them hashed at once, and try to share each.
    const chosen = this.#choose(budget).filter((page) => this.#isCandidate(page))
    const hashes = this.#host.hash(chosen.map(({ vm, gfn }) => this.#vm(vm).pfns[gfn]!))
    for (const [i, page] of chosen.entries()) {
      if (this.#isCandidate(page)) this.#tryToShare(page, hashes[i]!)
    }
    // @end
  }

  writeFault(vm: number, gfn: number): boolean {
    // @solution Does anybody else have the frame? Then this page needs a copy of its own.
    return this.#makeOwn({ vm, gfn })
    // @end
  }

  pageOut(vm: number, gfn: number): boolean {
    // @solution Look at this page now, whatever the scan is about.
    const page = { vm, gfn }
    if (this.#isCandidate(page)) this.#tryToShare(page, this.#host.hash([this.#vm(vm).pfns[gfn]!])[0]!)
    const pfn = this.#vm(vm).pfns[gfn]!
    return pfn === this.#zeroFrame || (pfn !== NO_FRAME && this.#table.count(pfn) > 1)
    // @end
  }

  released(vm: number, gfn: number): void {
    // @solution As at the end of a VM, for one page.
    const { pfns } = this.#vm(vm)
    const pfn = pfns[gfn]!
    if (pfn === NO_FRAME) return
    this.#host.unmap(vm, [gfn])
    this.#host.flush(vm)
    pfns[gfn] = NO_FRAME
    if (this.#letGo(pfn)) this.#host.free([pfn])
    // @end
  }

  pageMissing(vm: number, gfn: number): boolean {
    // @solution What is in a frame that you are given?
    const pfn = this.#host.allocate()
    if (pfn === NO_FRAME) return false
    this.#host.clear(pfn)
    this.#map({ vm, gfn }, pfn, true)
    return true
    // @end
  }

  pin(vm: number, gfn: number, on: boolean): boolean {
    // @solution A device does not fault. What may no longer happen to this page?
    if (on && !this.#makeOwn({ vm, gfn })) return false
    this.#vm(vm).pinned[gfn] = on
    if (on) this.#table.remove(this.#vm(vm).pfns[gfn]!)
    return true
    // @end
  }

  stats(): SharingStats {
    // @solution A frame that one page has left over is no longer shared.
    const { pages, frames, alone } = this.#table.totals
    return { shared: pages - alone + this.#zeroPages, reclaimed: pages - frames + this.#zeroPages }
    // @end
  }

  save(): Uint8Array {
    // @solution Where the scan goes on must survive, too.
    const own = new Uint8Array(OWN_BYTES)
    new DataView(own.buffer).setFloat64(0, this.#next)
    return this.#table.save(own)
    // @end
  }

  restore(frames: number, zeroFrame: number, vms: readonly number[], table: Uint8Array): void {
    // @solution The host knows what the pages stand for.
    this.#table = new FrameTable(frames)
    const own = this.#table.restore(table)
    this.#next = new DataView(own.buffer).getFloat64(0)
    this.#begin(zeroFrame)
    for (const vm of vms) {
      const { pfns, pinned } = this.#host.pages(vm)
      this.#vms.set(vm, { pfns: [...pfns], pinned: [...pinned] })
      this.#zeroPages += pfns.filter((pfn) => pfn === zeroFrame).length
    }
    // @end
  }

  // @solution
  #begin(zeroFrame: number): void {
    this.#zeroFrame = zeroFrame
    this.#zeroHash = this.#host.hash([zeroFrame])[0]!
  }

  #vm(vm: number): Vm {
    return this.#vms.get(vm) ?? { pfns: [], pinned: [] }
  }

  /** The page has a frame of its own that may be shared. */
  #isCandidate({ vm, gfn }: Page): boolean {
    const { pfns, pinned } = this.#vm(vm)
    const pfn = pfns[gfn] ?? NO_FRAME
    return pfn !== NO_FRAME && pfn !== this.#zeroFrame && !pinned[gfn] && this.#table.kind(pfn) !== 'shared'
  }

  /** The pages that are next: each once at most, unless they are drawn. */
  #choose(budget: number): Page[] {
    this.#order ??= this.#allPages()
    const order = this.#order
    if (order.length === 0) return []
    if (SHARING_VARIANT.scanOrder === 'random') {
      return this.#host.random(budget, order.length).map((n) => pageOf(order[n]!))
    }
    const found = order.findIndex((key) => key >= this.#next)
    const start = Math.max(found, 0)
    const looked = Math.min(budget, order.length)
    this.#next = order[(start + looked) % order.length]!
    return Array.from({ length: looked }, (_, i) => pageOf(order[(start + i) % order.length]!))
  }

  #allPages(): Float64Array {
    const keys = new Float64Array([...this.#vms.values()].reduce((sum, { pfns }) => sum + pfns.length, 0))
    let at = 0
    for (const [vm, { pfns }] of this.#vms) {
      for (let gfn = 0; gfn < pfns.length; gfn++) keys[at++] = keyOf({ vm, gfn })
    }
    return keys.sort()
  }

  #tryToShare(page: Page, hash: number): void {
    const pfn = this.#vm(page.vm).pfns[page.gfn]!
    this.#table.remove(pfn)
    if (hash === this.#zeroHash && SHARING_VARIANT.zeroPages !== 'ordinary') {
      const isZero = this.#guard([page], () => this.#host.compare(pfn, this.#zeroFrame))
      if (isZero && SHARING_VARIANT.zeroPages === 'private') {
        this.#map(page, pfn, true)
        return
      }
      if (isZero) {
        this.#join(page, this.#zeroFrame)
        return
      }
    }
    for (const other of this.#table.find(hash)) {
      if (this.#table.kind(other) === 'shared') {
        if (!this.#guard([page], () => this.#host.compare(pfn, other))) continue
        this.#join(page, other)
        return
      }
      const partner = this.#table.pageOf(other)
      this.#table.remove(other)
      const isShared = this.#guard(
        [page, partner],
        () => this.#host.compare(pfn, other) && this.#host.hash([other])[0] === hash,
      )
      if (!isShared) continue
      this.#table.putShared(other, hash)
      this.#table.setCount(other, 1)
      this.#join(page, other)
      return
    }
    this.#table.putHint(pfn, hash, page.vm, page.gfn)
  }

  /** Asks a question about pages while nobody can write to them. They stay read-only if its answer is yes. */
  #guard(pages: readonly Page[], question: () => boolean): boolean {
    for (const page of pages) this.#map(page, this.#vm(page.vm).pfns[page.gfn]!, false)
    for (const vm of new Set(pages.map(({ vm }) => vm))) this.#host.flush(vm)
    const answer = question()
    if (!answer) for (const page of pages) this.#map(page, this.#vm(page.vm).pfns[page.gfn]!, true)
    return answer
  }

  /** A page takes a shared frame instead of its own, which held the same. */
  #join(page: Page, frame: number): void {
    const own = this.#vm(page.vm).pfns[page.gfn]!
    this.#map(page, frame, false)
    this.#host.flush(page.vm)
    this.#host.free([own])
    if (frame === this.#zeroFrame) this.#zeroPages++
    else this.#table.setCount(frame, this.#table.count(frame) + 1)
  }

  /** The page gets a writable frame with its contents; false: there is no free one. */
  #makeOwn(page: Page): boolean {
    const pfn = this.#vm(page.vm).pfns[page.gfn] ?? NO_FRAME
    if (pfn === NO_FRAME) return this.pageMissing(page.vm, page.gfn)
    const isZero = pfn === this.#zeroFrame
    if (!isZero && this.#table.count(pfn) <= 1) {
      if (this.#table.kind(pfn) === 'shared') this.#table.remove(pfn)
      this.#map(page, pfn, true)
      return true
    }
    const own = this.#host.allocate()
    if (own === NO_FRAME) return false
    if (isZero) this.#host.clear(own)
    else this.#copy(pfn, own)
    this.#map(page, own, true)
    this.#host.flush(page.vm)
    this.#letGo(pfn)
    return true
  }

  #copy(from: number, to: number): void {
    if (SHARING_VARIANT.copies === 'host') this.#host.copy(from, to)
    else this.#host.write(to, this.#host.read(from))
  }

  #map(page: Page, pfn: number, writable: boolean): void {
    this.#host.map(page.vm, page.gfn, pfn, writable)
    this.#vm(page.vm).pfns[page.gfn] = pfn
  }

  /** One page less stands for a frame; true: it was the last one, and the frame is to be given back. */
  #letGo(pfn: number): boolean {
    if (pfn === this.#zeroFrame) {
      this.#zeroPages--
      return false
    }
    const left = this.#table.count(pfn) - 1
    if (left > 0) this.#table.setCount(pfn, left)
    else this.#table.remove(pfn)
    return left <= 0
  }
  // @end
}

// @solution
/** A number for each page, in the order of the scan: VM by VM, or page 0 of each VM, page 1 of each, and so on. */
function keyOf({ vm, gfn }: Page): number {
  return SHARING_VARIANT.scanOrder === 'interleaved' ? gfn * VMS + vm : vm * GFNS + gfn
}

function pageOf(key: number): Page {
  const unit = SHARING_VARIANT.scanOrder === 'interleaved' ? VMS : GFNS
  const [high, low] = [Math.floor(key / unit), key % unit]
  return SHARING_VARIANT.scanOrder === 'interleaved' ? { vm: low, gfn: high } : { vm: high, gfn: low }
}
// @end

/** A fresh service. */
export function create(host: SharingOperations): SharingService {
  return new PageSharing(host)
}
