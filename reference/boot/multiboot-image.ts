/**
 * Reads a multiboot kernel image (Multiboot Specification 0.6.96 §3.1): finds the header and gives the segments to
 * load, from the header's address fields or from the program headers of a 32-bit ELF (System V gABI, chapter 5).
 */

const HEADER_MAGIC = 0x1bad_b002
const HEADER_SEARCH_BYTES = 8192
const HEADER_BYTES = 12
const ADDRESS_FIELD_BYTES = 20
const FLAG_ADDRESS_FIELDS = 1 << 16
/** Flags 0–15 are demands; the loader knows 0 (page alignment), 1 (memory information) and 2 (video, ignored). */
const FLAGS_DEMANDED = 0xffff
const FLAGS_KNOWN = 0x0007

const ELF_MAGIC = 0x464c_457f
const ELF_HEADER_BYTES = 52
const EI_CLASS = 4
const EI_DATA = 5
const E_TYPE = 16
const E_MACHINE = 18
const E_ENTRY = 24
const E_PHOFF = 28
const E_PHENTSIZE = 42
const E_PHNUM = 44
const ELFCLASS32 = 1
const ELFDATA2LSB = 1
const ET_EXEC = 2
const EM_386 = 3
const PH_BYTES = 32
const P_TYPE = 0
const P_OFFSET = 4
const P_VADDR = 8
const P_PADDR = 12
const P_FILESZ = 16
const P_MEMSZ = 20
const PT_LOAD = 1

/** What the loader could not do: one sentence for the person who chose the files. */
export class MultibootError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MultibootError'
  }
}

/** A piece of a kernel: `bytes` at guest physical `gpa`, then zeros up to `sizeBytes`. */
export interface Segment {
  readonly gpa: number
  readonly bytes: Uint8Array
  readonly sizeBytes: number
  /** What errors call it: `segment 2`. */
  readonly what: string
}

export interface MultibootImage {
  /** Guest physical address of the first instruction. */
  readonly entry: number
  readonly segments: readonly Segment[]
}

/** @throws MultibootError when `image` (called `name`) is no multiboot kernel or contradicts itself. */
export function readMultibootImage(image: Uint8Array, name: string): MultibootImage {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const header = findHeader(view, name)
  const flags = view.getUint32(header + 4, true)
  const unknown = flags & FLAGS_DEMANDED & ~FLAGS_KNOWN
  if (unknown !== 0) {
    throw new MultibootError(
      `"${name}" asks for multiboot features that this loader does not have: flags ${hex(unknown)}.`,
    )
  }
  if ((flags & FLAG_ADDRESS_FIELDS) !== 0) return readAddressFields(view, header, name)
  return readElf(view, name)
}

function findHeader(view: DataView, name: string): number {
  const end = Math.min(view.byteLength, HEADER_SEARCH_BYTES) - HEADER_BYTES
  let badChecksumAt = -1
  for (let offset = 0; offset <= end; offset += 4) {
    if (view.getUint32(offset, true) !== HEADER_MAGIC) continue
    const sum = HEADER_MAGIC + view.getUint32(offset + 4, true) + view.getUint32(offset + 8, true)
    if (sum % 0x1_0000_0000 === 0) return offset
    badChecksumAt = offset
  }
  throw new MultibootError(
    badChecksumAt < 0
      ? `"${name}" is no multiboot kernel: no header with magic 0x1BADB002 in its first ${HEADER_SEARCH_BYTES} bytes.`
      : `"${name}" is no multiboot kernel: the header at byte ${badChecksumAt} has a wrong checksum.`,
  )
}

function readAddressFields(view: DataView, header: number, name: string): MultibootImage {
  if (header + HEADER_BYTES + ADDRESS_FIELD_BYTES > view.byteLength) {
    throw new MultibootError(`"${name}" is cut off: it ends inside the address fields of its multiboot header.`)
  }
  const field = (index: number) => view.getUint32(header + HEADER_BYTES + 4 * index, true)
  const [headerAddr, loadAddr, loadEndAddr, bssEndAddr, entry] = [field(0), field(1), field(2), field(3), field(4)]
  const start = header - (headerAddr - loadAddr)
  if (headerAddr < loadAddr || start < 0) {
    throw new MultibootError(
      `"${name}" contradicts itself: header_addr ${hex(headerAddr)} and load_addr ${hex(loadAddr)} put its text outside the file.`,
    )
  }
  const end = loadEndAddr === 0 ? view.byteLength : start + loadEndAddr - loadAddr
  if (end < start || end > view.byteLength) {
    throw new MultibootError(
      `"${name}" is cut off: load_end_addr ${hex(loadEndAddr)} needs ${end} bytes of file, and it has ${view.byteLength}.`,
    )
  }
  if (bssEndAddr !== 0 && bssEndAddr < loadAddr + end - start) {
    throw new MultibootError(
      `"${name}" contradicts itself: bss_end_addr ${hex(bssEndAddr)} lies before the end of its data.`,
    )
  }
  const sizeBytes = bssEndAddr === 0 ? end - start : bssEndAddr - loadAddr
  return { entry, segments: [{ gpa: loadAddr, bytes: slice(view, start, end), sizeBytes, what: 'its image' }] }
}

function readElf(view: DataView, name: string): MultibootImage {
  if (view.byteLength < ELF_HEADER_BYTES || view.getUint32(0, true) !== ELF_MAGIC) {
    throw new MultibootError(
      `"${name}" cannot be loaded: it is no ELF file and its multiboot header has no address fields.`,
    )
  }
  if (view.getUint8(EI_CLASS) !== ELFCLASS32 || view.getUint8(EI_DATA) !== ELFDATA2LSB) {
    throw new MultibootError(`"${name}" cannot be loaded: it is not a 32-bit little-endian ELF file.`)
  }
  if (view.getUint16(E_TYPE, true) !== ET_EXEC || view.getUint16(E_MACHINE, true) !== EM_386) {
    throw new MultibootError(`"${name}" cannot be loaded: it is not an executable ELF file for the 80386.`)
  }
  const table = view.getUint32(E_PHOFF, true)
  const entryBytes = view.getUint16(E_PHENTSIZE, true)
  const count = view.getUint16(E_PHNUM, true)
  if (entryBytes < PH_BYTES || table + count * entryBytes > view.byteLength) {
    throw new MultibootError(
      `"${name}" is cut off: its table of ${count} program headers at ${hex(table)} is not all in the file.`,
    )
  }
  const segments: Segment[] = []
  const virtualEntry = view.getUint32(E_ENTRY, true)
  let entry = virtualEntry
  for (let i = 0; i < count; i++) {
    const field = (offset: number) => view.getUint32(table + i * entryBytes + offset, true)
    if (field(P_TYPE) !== PT_LOAD || field(P_MEMSZ) === 0) continue
    const [offset, fileBytes, sizeBytes] = [field(P_OFFSET), field(P_FILESZ), field(P_MEMSZ)]
    const [gva, gpa] = [field(P_VADDR), field(P_PADDR)]
    if (fileBytes > sizeBytes || offset + fileBytes > view.byteLength) {
      throw new MultibootError(
        `"${name}" is cut off: segment ${i} wants ${fileBytes} of ${sizeBytes} bytes from ${hex(offset)}, and the file has ${view.byteLength}.`,
      )
    }
    segments.push({ gpa, bytes: slice(view, offset, offset + fileBytes), sizeBytes, what: `segment ${i}` })
    if (virtualEntry >= gva && virtualEntry < gva + sizeBytes) entry = virtualEntry - gva + gpa
  }
  if (segments.length === 0)
    throw new MultibootError(`"${name}" cannot be loaded: it has no segment to load (PT_LOAD).`)
  return { entry, segments }
}

function slice(view: DataView, start: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, end - start)
}

/** How the loader's errors write an address: `0x10F000`. */
export function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase()}`
}
