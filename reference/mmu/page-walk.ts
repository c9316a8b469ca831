/**
 * Two-level IA-32 page walk (Intel SDM vol. 3A §4.3, §4.6–4.8), as the hardware does it.
 *
 * The walker reads page-table entries through `memory`, sets accessed and dirty bits when the access is allowed, and
 * answers with the translation or with the error code of the fault that the guest must see. It never caches.
 */
import type { GuestMemory } from './guest-memory.ts'
import { FRAME_SHIFT } from './layout.ts'

/** Bits of a page-table entry. */
const PTE_PRESENT = 1
const PTE_WRITABLE = 2
const PTE_USER = 4
const PTE_ACCESSED = 0x20
const PTE_DIRTY = 0x40
/** In a page-directory entry, with CR4.PSE: a 4 MiB page. */
const PDE_LARGE = 0x80
const PTE_GLOBAL = 0x100

/** Bits of a page fault's error code. */
const PF_PRESENT = 1
const PF_WRITE = 2
const PF_USER = 4
const PF_RESERVED = 8

/** Without PSE-36 and PAT, bits 12–21 of a 4 MiB page's entry are reserved; so is bit 7 of a page-table entry with CR4.PSE. */
const PDE_LARGE_RESERVED = 0x3f_f000
const PTE_RESERVED = 0x80

const DIRECTORY_SHIFT = 22
const ENTRY_INDEX_MASK = 0x3ff
const PAGE_MASK = -4096
const LARGE_OFFSET_MASK = 0x3f_f000
const OFFSET_MASK = 0xfff
const WALKED = -1

/** The control registers that paging depends on. */
export interface PagingMode {
  /** CR0.PG */
  readonly paging: boolean
  readonly cr3: number
  /** CR0.WP */
  readonly writeProtect: boolean
  /** CR4.PSE */
  readonly pageSizeExtensions: boolean
  /** CR4.PGE */
  readonly globalPages: boolean
}

/** The memory that tables are read from. */
export type TableMemory = Pick<GuestMemory, 'machine' | 'pfnOf' | 'frameForWriting'>

/** Where a walk leaves its result. */
export interface Walk {
  /** Guest physical address of the 4 KiB page, signed 32-bit. */
  gpa: number
  /** Writes are allowed for this privilege and the page is dirty. */
  writable: boolean
  global: boolean
  large: boolean
  /** Entries read: 1 or 2. */
  reads: number
}

export function newWalk(): Walk {
  return { gpa: 0, writable: false, global: false, large: false, reads: 0 }
}

/**
 * @param gva the linear address, signed or unsigned
 * @param user the access is made at CPL 3
 * @returns −1 with `walk` filled in, or the page fault's error code (then only `walk.reads` is meant)
 */
export function walkPageTables(
  memory: TableMemory,
  gva: number,
  write: boolean,
  user: boolean,
  mode: PagingMode,
  walk: Walk,
): number {
  const error = (write ? PF_WRITE : 0) | (user ? PF_USER : 0)
  const directoryAt = entryOffset(memory, mode.cr3, gva >>> DIRECTORY_SHIFT)
  walk.reads = 1
  const directoryEntry = directoryAt < 0 ? 0 : memory.machine.view.getInt32(directoryAt, true)
  if ((directoryEntry & PTE_PRESENT) === 0) return error
  const large = mode.pageSizeExtensions && (directoryEntry & PDE_LARGE) !== 0
  if (large) {
    if ((directoryEntry & PDE_LARGE_RESERVED) !== 0) return error | PF_PRESENT | PF_RESERVED
    const allowed = isAllowed(directoryEntry, write, user, mode)
    if (!allowed) return error | PF_PRESENT
    const dirty = touch(memory, mode.cr3, gva >>> DIRECTORY_SHIFT, directoryEntry, write)
    walk.gpa = (directoryEntry & ~PDE_LARGE_RESERVED & PAGE_MASK) | (gva & LARGE_OFFSET_MASK)
    walk.writable = dirty && isAllowed(directoryEntry, true, user, mode)
    walk.global = mode.globalPages && (directoryEntry & PTE_GLOBAL) !== 0
    walk.large = true
    return WALKED
  }
  const tableAt = entryOffset(memory, directoryEntry, (gva >>> FRAME_SHIFT) & ENTRY_INDEX_MASK)
  walk.reads = 2
  const entry = tableAt < 0 ? 0 : memory.machine.view.getInt32(tableAt, true)
  if ((entry & PTE_PRESENT) === 0) return error
  if (mode.pageSizeExtensions && (entry & PTE_RESERVED) !== 0) return error | PF_PRESENT | PF_RESERVED
  const rights = directoryEntry & entry
  if (!isAllowed(rights, write, user, mode)) return error | PF_PRESENT
  touch(memory, mode.cr3, gva >>> DIRECTORY_SHIFT, directoryEntry, false)
  const dirty = touch(memory, directoryEntry, (gva >>> FRAME_SHIFT) & ENTRY_INDEX_MASK, entry, write)
  walk.gpa = entry & PAGE_MASK
  walk.writable = dirty && isAllowed(rights, true, user, mode)
  walk.global = mode.globalPages && (entry & PTE_GLOBAL) !== 0
  walk.large = false
  return WALKED
}

/** `rights`: the U/S and R/W bits of both levels, combined by AND (SDM vol. 3A §4.6.1). */
function isAllowed(rights: number, write: boolean, user: boolean, mode: PagingMode): boolean {
  if (user) return (rights & PTE_USER) !== 0 && (!write || (rights & PTE_WRITABLE) !== 0)
  return !write || !mode.writeProtect || (rights & PTE_WRITABLE) !== 0
}

/** Sets the accessed bit, and the dirty bit for a write; tells whether the entry is dirty now. A shared table gets a frame of its own first. */
function touch(memory: TableMemory, table: number, index: number, entry: number, write: boolean): boolean {
  const wanted = entry | PTE_ACCESSED | (write ? PTE_DIRTY : 0)
  if (wanted !== entry) {
    memory.frameForWriting(table >>> FRAME_SHIFT)
    const offset = entryOffset(memory, table, index)
    memory.machine.noteWrite(offset, 4)
    memory.machine.view.setInt32(offset, wanted, true)
    memory.machine.noteStored(offset, 4)
  }
  return (wanted & PTE_DIRTY) !== 0
}

/** Byte offset in machine memory of entry `index` of the table at `table` (low bits ignored), or −1: no memory there. */
function entryOffset(memory: TableMemory, table: number, index: number): number {
  const pfn = memory.pfnOf(table >>> FRAME_SHIFT)
  return pfn < 0 ? -1 : (pfn << FRAME_SHIFT) | ((index << 2) & OFFSET_MASK)
}
