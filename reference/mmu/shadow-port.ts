/**
 * The border between a machine and a shadow MMU: what the machine tells of its guest's paging, and what the MMU may ask for.
 * Plain data only; every number is unsigned (words: the Linux kernel's Documentation/virt/kvm/x86/mmu.rst).
 *
 * The processor never walks the guest's tables. It walks **shadow tables** of two levels, whose entries (sptes) have the
 * bits of IA-32 and the frames of the host; CR0.WP is always 1 to it. What the guest believes, the MMU makes true.
 */

/** What the guest's control registers say about paging, besides CR3. */
export interface GuestPaging {
  /** CR0.WP: the kernel, too, may not write where R/W is 0. */
  readonly writeProtect: boolean
  /** CR4.PSE: bit 7 of a directory entry makes it a 4 MiB page. */
  readonly pageSizeExtensions: boolean
  /** CR4.PGE: translations of pages with bit 8 survive a load of CR3. */
  readonly globalPages: boolean
}

/** One entry of a shadow page. */
export interface EntryWrite {
  /** The shadow page, as `allocate` named it. */
  readonly page: number
  /** 0 to 1023. */
  readonly index: number
  /** 0: absent. Else the frame in bits 12–31, and P (1), R/W (2), U/S (4), PS (80h), G (100h). */
  readonly value: number
}

/** Bits to set in an entry of the guest's tables: accessed (20h), dirty (40h). */
export interface BitsSet {
  /** Where the entry is; a multiple of 4. */
  readonly gpa: number
  readonly bits: number
}

/** What a shadow MMU may ask of the machine. */
export interface ShadowMachine {
  /**
   * A shadow page with 1024 absent entries. Its number stands for its frame in entries of level 2.
   * @param level 2: its entries lead to pages of level 1, or are of 4 MiB. 1: they map pages of 4 KiB
   */
  allocate(level: 1 | 2): number
  /** Gives a shadow page back. No entry may point to it any more, and it may not be the root. */
  free(page: number): void
  /** Writes entries, in this order. The TLB notices nothing. */
  setEntries(writes: readonly EntryWrite[]): void
  /** The processor walks from this page of level 2 on, and its TLB forgets all but global pages. */
  setRoot(page: number): void
  /** The TLB forgets the page of `gva`; if its entry is of 4 MiB, all of them. */
  flushPage(gva: number): void
  /** The TLB forgets everything. */
  flushAll(): void
  /** `count` words of the guest's memory from `gpa` on, at most 16, inside one page. Where there is no memory they are 0. */
  readGuest(gpa: number, count: number): number[]
  /** The 4096 bytes of a guest frame; without memory they are 0. */
  readTable(gfn: number): Uint8Array
  /** Sets bits in the guest's tables, as the processor would on a walk. You are not told of these writes. */
  setBits(changes: readonly BitsSet[]): void
  /** The host's frames behind guest frames, −1 where there is no memory. */
  frames(gfns: readonly number[]): number[]
  /** The first of the 1024 frames behind the guest frames from `gfn` on, when a 4 MiB entry can map them; else −1. */
  largeFrame(gfn: number): number
  /**
   * From now on, or no longer, `guestWrote` tells of writes to this guest frame by devices, by the rest of the hypervisor, and by
   * those instructions that you let it emulate. Of a write through an spte with R/W nobody hears.
   */
  trace(gfn: number, on: boolean): void
}

/** What becomes of a page fault of the processor. */
export type FaultAnswer =
  /** The shadow tables allow the access now: the instruction is tried again. */
  | { readonly do: 'retry' }
  /** The guest must see a page fault, with this error code. CR2 is the address that faulted. */
  | { readonly do: 'inject'; readonly error: number }
  /** The write, which the guest may make, is done for it, to this address; then you are told as of any other write. */
  | { readonly do: 'emulate'; readonly gpa: number }
  /** There is no memory at this address that the guest may access: a device answers. */
  | { readonly do: 'mmio'; readonly gpa: number }

/** The shadow MMU of one processor: what this lab asks for. */
export interface ShadowMmu {
  /** The guest changed what `paging` says; first of all this is how it begins. No translation may be kept, global or not. */
  setMode(paging: GuestPaging): void
  /** The guest loaded CR3. Translations may not be kept, but those of global pages with CR4.PGE. */
  loadCr3(cr3: number): void
  /** The guest executed INVLPG. The translation of that page may not be kept. */
  invlpg(gva: number): void
  /**
   * The shadow tables do not allow an access.
   * @param error of the processor: P (1) the shadow entry is present, W/R (2) a write, U/S (4) at CPL 3
   */
  pageFault(gva: number, error: number): FaultAnswer
  /**
   * Somebody wrote to a guest frame that you trace. The write is done.
   * @param gpa a multiple of 4
   * @param words what the words from `gpa` on hold now; they lie in one page
   */
  guestWrote(gpa: number, words: readonly number[]): void
}
