/**
 * The border between a host with many VMs and the service that shares pages of equal contents among them: what the service
 * is told, and what it may ask for. Plain data only (words: Waldspurger, OSDI 2002, §4; KVM's MMU documentation).
 *
 * A page is a gfn of a VM; a frame is what it stands for, by its pfn. A frame that stands behind two pages is mapped
 * read-only at both.
 */

/** What a VM's pages stand for, in the order of their gfns. */
export interface VmPages {
  /** −1: the page has no frame. */
  readonly pfns: readonly number[]
  readonly pinned: readonly boolean[]
}

/**
 * What the service may ask of the host. Guests run on between any two operations, and write to whatever they can.
 * An operation that breaks a rule is refused, and your call ends there.
 */
export interface SharingOperations {
  /** A hash of each frame's contents, a whole number of as many bits as your variant says. Equal contents hash alike. */
  hash(pfns: readonly number[]): number[]
  /** Whether two frames hold the same bytes at this moment. All 4096 bytes of each count as compared. */
  compare(one: number, other: number): boolean
  /**
   * From now on page `gfn` stands for frame `pfn`. Processors of the VM may go on to use what stood there before, as
   * their TLBs have it, until `flush`; only going from read-only to writable, with the same frame, needs none.
   */
  map(vm: number, gfn: number, pfn: number, writable: boolean): void
  /** From now on these pages stand for nothing. TLBs as with `map`. */
  unmap(vm: number, gfns: readonly number[]): void
  /** The TLBs of all processors of a VM are emptied. */
  flush(vm: number): void
  /** A free frame, with whatever somebody left in it; −1: there is none. */
  allocate(): number
  /** Gives frames back, which nobody maps and no TLB holds any more. */
  free(pfns: readonly number[]): void
  /** Copies a frame into one that nobody maps; only where your variant lets the host copy. */
  copy(from: number, to: number): void
  /** The 4096 bytes of a frame; only where your variant lets the service copy. */
  read(pfn: number): Uint8Array
  /** Fills a frame that nobody maps with these 4096 bytes; only where your variant lets the service copy. */
  write(pfn: number, bytes: Uint8Array): void
  /** Fills a frame that nobody maps with zeros. */
  clear(pfn: number): void
  /** So many whole numbers, each from 0 to `below` − 1. */
  random(count: number, below: number): number[]
  /** What the pages of a VM stand for. */
  pages(vm: number): VmPages
}

export interface SharingStats {
  /** Pages whose frame stands behind another page too, or is the zero frame. */
  readonly shared: number
  /** Frames that all pages with a frame would take beyond those that they take now, without the zero frame. */
  readonly reclaimed: number
}

/** The service: what this lab asks for. */
export interface SharingService {
  /**
   * Begins. All pfns are below `frames`; frame `zeroFrame` is the host's own, all zeros: it may be mapped
   * read-only at any page, and is never freed or written to.
   */
  open(frames: number, zeroFrame: number): void
  /** A VM begins. Its pages stand for frames of their own, writable: page i for `pfns[i]`. */
  vmStarted(vm: number, pfns: readonly number[]): void
  /** A VM has ended. Its pages lose their frames, and those that nobody else has are given back. */
  vmExited(vm: number): void
  /** The host has time: look at up to `budget` pages, in the order of your variant, and share what can be shared. */
  tick(budget: number): void
  /**
   * Somebody writes to a page that is mapped read-only: a processor, a device or the host itself. When you have
   * answered true, it is mapped writable, with its contents; false: there is no free frame, and nothing has changed.
   */
  writeFault(vm: number, gfn: number): boolean
  /** The host is about to write this page to disk. Share it now if you can; true: it shares a frame, or the zero frame. */
  pageOut(vm: number, gfn: number): boolean
  /** The guest's balloon driver gives up this page: it loses its frame, which is given back if nobody else has it. */
  released(vm: number, gfn: number): void
  /** Somebody uses a page that has no frame: it gets one, all zeros. False: there is no free frame. */
  pageMissing(vm: number, gfn: number): boolean
  /**
   * A device is about to write to a page's frame by itself (`on`), or has finished. While it is pinned, the page must have a
   * writable frame of its own. False: there is no free frame for it, and it is not pinned.
   */
  pin(vm: number, gfn: number, on: boolean): boolean
  stats(): SharingStats
  /** The frame table as your variant lays it out; the service is about to be replaced, and is asked nothing more. */
  save(): Uint8Array
  /** Instead of `open`, in a fresh service: goes on from `table`. The VMs are running; see {@link SharingOperations.pages}. */
  restore(frames: number, zeroFrame: number, vms: readonly number[], table: Uint8Array): void
}
