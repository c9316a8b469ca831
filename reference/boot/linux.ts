/**
 * A Linux loader by the 32-bit boot protocol (Linux, Documentation/arch/x86/boot.rst): setup header, zero page, e820 map,
 * initial RAM disk and command line. It never knows the vcpu: see {@link LinuxEntry}.
 *
 * Zero page, GDT and command line stand in low memory; the RAM disk at the top of memory.
 */
import type { BootMemory } from './rom.ts'

const SECTOR_BYTES = 512
/** What the code's size is counted in; the last one may be cut. */
const PARAGRAPH_BYTES = 16
const PAGE_BYTES = 4096
const LOW_MEMORY_END = 0x9_fc00
const HIGH_MEMORY_START = 0x10_0000
const PROTECTED_MODE_START = HIGH_MEMORY_START

/** Where the loader puts what the kernel reads. */
const ZERO_PAGE = 0x9_0000
const GDT = 0x9_1000
const COMMAND_LINE = 0x9_2000

/** Offsets in the setup header, and in the zero page that takes a copy of it. */
const SETUP_SECTS = 0x1f1
const SYSSIZE = 0x1f4
const JUMP_LENGTH = 0x201
const HEADER_MAGIC = 0x202
const HEADER_END_BASE = 0x202
const PROTOCOL_VERSION = 0x206
const TYPE_OF_LOADER = 0x210
const LOADFLAGS = 0x211
const RAMDISK_IMAGE = 0x218
const RAMDISK_SIZE = 0x21c
const CMD_LINE_PTR = 0x228
const INITRD_ADDR_MAX = 0x22c
const CMDLINE_SIZE = 0x238
const PREF_ADDRESS = 0x258
const INIT_SIZE = 0x260

/** Offsets in the zero page alone. */
const SCREEN_MODE = 0x06
const SCREEN_COLUMNS = 0x07
const SCREEN_LINES = 0x0e
const SCREEN_IS_VGA = 0x0f
const SCREEN_POINTS = 0x10
const EXT_MEM_K = 0x02
const ALT_MEM_K = 0x1e0
const E820_ENTRIES = 0x1e8
const E820_TABLE = 0x2d0
const E820_ENTRY_BYTES = 20
const E820_RAM = 1
const E820_RESERVED = 2

const HDRS = 0x5372_6448
const DEFAULT_SETUP_SECTS = 4
/** Version 2.10: the first whose header tells how much memory the kernel needs to begin. */
const OLDEST_PROTOCOL = 0x020a
const LOADED_HIGH = 1
const UNDEFINED_LOADER = 0xff
const VGA_TEXT_MODE = 3

/** `__BOOT_CS` and `__BOOT_DS` of the protocol: flat, 4 GiB. */
export const LINUX_CODE_SELECTOR = 0x10
export const LINUX_DATA_SELECTOR = 0x18
const DESCRIPTOR_FLAT_CODE = [0x0000_ffff, 0x00cf_9b00]
const DESCRIPTOR_FLAT_DATA = [0x0000_ffff, 0x00cf_9300]

/** The file is no such kernel, or does not fit: one sentence for the person who named it. */
export class LinuxError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'LinuxError'
  }
}

export interface LinuxOptions {
  /** What errors call the kernel, usually its file name. */
  readonly kernelName: string
  readonly commandLine: string
  readonly initrd?: { readonly name: string; readonly bytes: Uint8Array }
}

/** How to enter the kernel: flat protected mode, interrupts off, EBP, EDI and EBX 0. */
export interface LinuxEntry {
  readonly entry: number
  /** The guest physical address of the zero page. */
  readonly esi: number
  readonly gdt: { readonly base: number; readonly limit: number }
}

/** True when the file has the setup header of a Linux kernel. */
export function isLinuxKernel(image: Uint8Array): boolean {
  return image.length >= INIT_SIZE + 4 && viewOf(image).getUint32(HEADER_MAGIC, true) === HDRS
}

/**
 * Loads kernel, RAM disk and everything that the kernel wants to know.
 * @throws LinuxError when it is no bzImage of protocol 2.10 or later, is cut short, or does not fit
 */
export function loadLinux(image: Uint8Array, memory: BootMemory, options: LinuxOptions): LinuxEntry {
  const { kernelName: name } = options
  if (!isLinuxKernel(image)) throw new LinuxError(`"${name}" is no Linux kernel: it has no setup header.`)
  const view = viewOf(image)
  const version = view.getUint16(PROTOCOL_VERSION, true)
  if (version < OLDEST_PROTOCOL || (view.getUint8(LOADFLAGS) & LOADED_HIGH) === 0) {
    throw new LinuxError(`"${name}" is too old: a bzImage with boot protocol 2.10 or later is needed.`)
  }
  const setupBytes = ((view.getUint8(SETUP_SECTS) || DEFAULT_SETUP_SECTS) + 1) * SECTOR_BYTES
  const codeEnd = setupBytes + view.getUint32(SYSSIZE, true) * PARAGRAPH_BYTES
  if (image.length <= codeEnd - PARAGRAPH_BYTES) {
    throw new LinuxError(`"${name}" is cut short: it has ${image.length} bytes and says that it has ${codeEnd}.`)
  }
  const needed = Number(view.getBigUint64(PREF_ADDRESS, true)) + view.getUint32(INIT_SIZE, true)
  if (needed > memory.sizeBytes) {
    throw new LinuxError(
      `"${name}" is too large: it needs ${mib(needed)} of memory, and the machine has ${mib(memory.sizeBytes)}.`,
    )
  }
  const commandLine = new TextEncoder().encode(`${options.commandLine}\0`)
  const longest = view.getUint32(CMDLINE_SIZE, true)
  if (commandLine.length - 1 > longest) {
    throw new LinuxError(`The command line has ${commandLine.length - 1} bytes, and "${name}" takes ${longest}.`)
  }

  const zeroPage = new Uint8Array(PAGE_BYTES)
  const headerEnd = HEADER_END_BASE + view.getUint8(JUMP_LENGTH)
  zeroPage.set(image.subarray(SETUP_SECTS, headerEnd), SETUP_SECTS)
  const page = viewOf(zeroPage)
  page.setUint8(TYPE_OF_LOADER, UNDEFINED_LOADER)
  page.setUint32(CMD_LINE_PTR, COMMAND_LINE, true)
  if (options.initrd !== undefined) {
    const gpa = placeInitrd(options.initrd, needed, view.getUint32(INITRD_ADDR_MAX, true), memory.sizeBytes)
    page.setUint32(RAMDISK_IMAGE, gpa, true)
    page.setUint32(RAMDISK_SIZE, options.initrd.bytes.length, true)
    memory.writeBytes(gpa, options.initrd.bytes)
  }
  describeMemory(page, memory.sizeBytes)
  describeScreen(page)

  memory.writeBytes(PROTECTED_MODE_START, image.subarray(setupBytes))
  memory.writeBytes(ZERO_PAGE, zeroPage)
  memory.writeBytes(COMMAND_LINE, commandLine)
  const gdt = new Uint32Array([0, 0, 0, 0, ...DESCRIPTOR_FLAT_CODE, ...DESCRIPTOR_FLAT_DATA])
  memory.writeBytes(GDT, new Uint8Array(gdt.buffer))
  return { entry: PROTECTED_MODE_START, esi: ZERO_PAGE, gdt: { base: GDT, limit: gdt.byteLength - 1 } }
}

/** As high as kernel and memory allow, behind what the kernel unpacks itself into. */
function placeInitrd(
  { name, bytes }: NonNullable<LinuxOptions['initrd']>,
  kernelEnd: number,
  highest: number,
  memoryBytes: number,
): number {
  const end = Math.min(memoryBytes, highest + 1)
  const gpa = Math.floor((end - bytes.length) / PAGE_BYTES) * PAGE_BYTES
  if (gpa < kernelEnd) {
    throw new LinuxError(
      `"${name}" does not fit: it has ${mib(bytes.length)}, and the kernel leaves ${mib(Math.max(0, end - kernelEnd))}.`,
    )
  }
  return gpa
}

/** The e820 map, and the two older fields that say how much memory lies above 1 MiB. */
function describeMemory(page: DataView, memoryBytes: number): void {
  const ranges = [
    [0, LOW_MEMORY_END, E820_RAM],
    [LOW_MEMORY_END, 0xa_0000, E820_RESERVED],
    [0xf_0000, HIGH_MEMORY_START, E820_RESERVED],
    [HIGH_MEMORY_START, memoryBytes, E820_RAM],
  ] as const
  for (const [i, [start, end, type]] of ranges.entries()) {
    const at = E820_TABLE + i * E820_ENTRY_BYTES
    page.setBigUint64(at, BigInt(start), true)
    page.setBigUint64(at + 8, BigInt(end - start), true)
    page.setUint32(at + 16, type, true)
  }
  page.setUint8(E820_ENTRIES, ranges.length)
  const highKib = (memoryBytes - HIGH_MEMORY_START) / 1024
  page.setUint32(ALT_MEM_K, highKib, true)
  page.setUint16(EXT_MEM_K, Math.min(highKib, 0xffff), true)
}

/** `screen_info`: 80 × 25 text on a VGA. */
function describeScreen(page: DataView): void {
  page.setUint8(SCREEN_MODE, VGA_TEXT_MODE)
  page.setUint8(SCREEN_COLUMNS, 80)
  page.setUint8(SCREEN_LINES, 25)
  page.setUint8(SCREEN_IS_VGA, 1)
  page.setUint16(SCREEN_POINTS, 16, true)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function mib(bytes: number): string {
  return `${Math.ceil((bytes / (1 << 20)) * 10) / 10} MiB`
}
