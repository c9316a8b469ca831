/**
 * A multiboot 1 loader (Multiboot Specification 0.6.96): kernels as 32-bit ELF or with the header's address fields,
 * modules, command line, memory size and memory map. It never knows the vcpu: see {@link multibootEntryState}.
 *
 * The kernel image is read by `multiboot-image.ts`. Modules stand page by page above it; the information structure
 * stands at the top of low memory.
 */
import { hex, MultibootError, readMultibootImage, type Segment } from './multiboot-image.ts'
import type { BootMemory } from './rom.ts'

/** What EAX holds when a kernel is entered. */
export const MULTIBOOT_BOOTLOADER_MAGIC = 0x2bad_b002

const PAGE_BYTES = 4096
const LOW_MEMORY_END = 0xa_0000
const HIGH_MEMORY_START = 0x10_0000

const INFO_MEMORY = 1 << 0
const INFO_COMMAND_LINE = 1 << 2
const INFO_MODULES = 1 << 3
const INFO_MEMORY_MAP = 1 << 6
const INFO_BOOT_LOADER_NAME = 1 << 9

/** Offsets in the information structure (specification §3.3). */
const INFO_BYTES = 116
const FLAGS = 0
const MEM_LOWER = 4
const MEM_UPPER = 8
const CMDLINE = 16
const MODS_COUNT = 20
const MODS_ADDR = 24
const MMAP_LENGTH = 44
const MMAP_ADDR = 48
const BOOT_LOADER_NAME = 64
const MODULE_ENTRY_BYTES = 16
/** The size that an entry of the memory map tells of itself; the field that tells it is not counted. */
const MMAP_ENTRY_SIZE = 20
const MMAP_AVAILABLE = 1

export interface MultibootModule {
  /** The module's string, usually its file name and arguments. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface MultibootOptions {
  /** What errors call the kernel, usually its file name. Default `kernel`. */
  readonly kernelName?: string
  readonly commandLine: string
  readonly modules: readonly MultibootModule[]
  readonly bootLoaderName: string
}

/** How to enter the kernel that was loaded. */
export interface MultibootEntry {
  /** Where to begin: guest physical. */
  readonly entry: number
  readonly eax: typeof MULTIBOOT_BOOTLOADER_MAGIC
  /** The guest physical address of the information structure. */
  readonly ebx: number
}

/** A segment register: flat, 32 bits, with the descriptor's access byte and flags nibble. */
export interface FlatSegment {
  readonly selector: number
  readonly base: number
  readonly limit: number
  readonly access: number
  readonly flags: number
}

/** The machine state that the specification §3.2 asks for. What is not named is undefined for the kernel. */
export interface MultibootEntryState {
  readonly eax: number
  readonly ebx: number
  readonly eip: number
  /** IF and VM clear. */
  readonly eflags: number
  /** PE set, PG clear. */
  readonly cr0: number
  readonly cs: FlatSegment
  /** DS, ES, FS, GS and SS. */
  readonly data: FlatSegment
  readonly a20: boolean
}

/** The registers for entering a loaded kernel, as plain data for the owner of the vcpu to apply. */
export function multibootEntryState({ entry, eax, ebx }: MultibootEntry): MultibootEntryState {
  const flat = { base: 0, limit: 0xffff_ffff, flags: 0xc }
  return {
    eax,
    ebx,
    eip: entry,
    eflags: 0x0000_0002,
    cr0: 0x0000_0011,
    cs: { selector: 0x08, access: 0x9b, ...flat },
    data: { selector: 0x10, access: 0x93, ...flat },
    a20: true,
  }
}

/**
 * Loads a kernel, its modules and the information structure into memory.
 *
 * Header flags: 0 (align modules) always holds, 1 (memory information) always is given, 2 (video) is ignored as the
 * machine has no screen, 16 (address fields) wins over ELF. Symbols and drives are not told.
 * @throws MultibootError, one sentence that names the kernel or module, when it is no kernel or does not fit.
 */
export function loadMultiboot(image: Uint8Array, memory: BootMemory, options: MultibootOptions): MultibootEntry {
  const name = options.kernelName ?? 'kernel'
  const { entry, segments } = readMultibootImage(image, name)
  for (const segment of segments) checkSegment(segment, memory.sizeBytes, name)

  const kernelEnd = Math.max(HIGH_MEMORY_START, ...segments.map((segment) => segment.gpa + segment.sizeBytes))
  const modules = placeModules(options.modules, pageUp(kernelEnd), memory.sizeBytes)
  const sizeBytes = infoSizeBytes(options)
  const ebx = placeInfo(sizeBytes, segments, memory.sizeBytes, name)

  for (const { gpa, bytes, sizeBytes } of segments) {
    memory.writeBytes(gpa, bytes)
    if (sizeBytes > bytes.length) memory.writeBytes(gpa + bytes.length, new Uint8Array(sizeBytes - bytes.length))
  }
  for (const { gpa, bytes } of modules) memory.writeBytes(gpa, bytes)
  memory.writeBytes(ebx, buildInfo(ebx, sizeBytes, memory.sizeBytes, modules, options))
  return { entry, eax: MULTIBOOT_BOOTLOADER_MAGIC, ebx }
}

interface PlacedModule extends MultibootModule {
  readonly gpa: number
}

function checkSegment({ gpa, sizeBytes, what }: Segment, memoryBytes: number, name: string): void {
  const end = gpa + sizeBytes
  if (end > memoryBytes) {
    throw new MultibootError(
      `"${name}" does not fit: ${what} ends at ${hex(end)}, and memory ends at ${hex(memoryBytes)}.`,
    )
  }
  if (gpa < HIGH_MEMORY_START && end > LOW_MEMORY_END) {
    throw new MultibootError(
      `"${name}" cannot be loaded: ${what} at ${hex(gpa)} reaches into 0xA0000–0xFFFFF, which is not memory.`,
    )
  }
}

function placeModules(modules: readonly MultibootModule[], first: number, memoryBytes: number): PlacedModule[] {
  let gpa = first
  return modules.map(({ name, bytes }) => {
    const placed = { name, bytes, gpa }
    gpa = pageUp(gpa + bytes.length)
    if (placed.gpa + bytes.length > memoryBytes) {
      const range = `${hex(placed.gpa)} to ${hex(placed.gpa + bytes.length)}`
      throw new MultibootError(
        `Module "${name}" does not fit: it would go from ${range}, and memory ends at ${hex(memoryBytes)}.`,
      )
    }
    return placed
  })
}

/** The highest pages of low memory that no segment touches. */
function placeInfo(sizeBytes: number, segments: readonly Segment[], memoryBytes: number, name: string): number {
  let gpa = Math.floor((Math.min(LOW_MEMORY_END, memoryBytes) - sizeBytes) / PAGE_BYTES) * PAGE_BYTES
  while (gpa >= PAGE_BYTES) {
    const hit = segments.find((segment) => segment.gpa < gpa + sizeBytes && gpa < segment.gpa + segment.sizeBytes)
    if (hit === undefined) return gpa
    gpa = Math.floor((hit.gpa - sizeBytes) / PAGE_BYTES) * PAGE_BYTES
  }
  throw new MultibootError(
    `"${name}" leaves no room below 0xA0000 for the ${sizeBytes} bytes of multiboot information (command line and names included).`,
  )
}

/** The first page border at or above `gpa`. */
function pageUp(gpa: number): number {
  return Math.ceil(gpa / PAGE_BYTES) * PAGE_BYTES
}

/** Available memory as `[base, length]`. */
function memoryRanges(memoryBytes: number): readonly (readonly [number, number])[] {
  const low: readonly [number, number] = [0, Math.min(memoryBytes, LOW_MEMORY_END)]
  return memoryBytes > HIGH_MEMORY_START ? [low, [HIGH_MEMORY_START, memoryBytes - HIGH_MEMORY_START]] : [low]
}

function asString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`)
}

function infoSizeBytes({ commandLine, modules, bootLoaderName }: MultibootOptions): number {
  const strings = [commandLine, bootLoaderName, ...modules.map((module) => module.name)]
  const stringBytes = strings.reduce((sum, text) => sum + asString(text).length, 0)
  return INFO_BYTES + modules.length * MODULE_ENTRY_BYTES + 2 * (MMAP_ENTRY_SIZE + 4) + stringBytes
}

/** The information structure, then the module list, the memory map and the strings, for guest physical `gpa`. */
function buildInfo(
  gpa: number,
  sizeBytes: number,
  memoryBytes: number,
  modules: readonly PlacedModule[],
  { commandLine, bootLoaderName }: MultibootOptions,
): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  const view = new DataView(bytes.buffer)
  const put = (offset: number, value: number) => view.setUint32(offset, value, true)
  const ranges = memoryRanges(memoryBytes)
  const moduleList = INFO_BYTES
  const map = moduleList + modules.length * MODULE_ENTRY_BYTES
  const mapBytes = ranges.length * (MMAP_ENTRY_SIZE + 4)
  let free = map + mapBytes
  const putString = (text: string): number => {
    const encoded = asString(text)
    const at = free
    bytes.set(encoded, at)
    free += encoded.length
    return gpa + at
  }

  put(FLAGS, INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_BOOT_LOADER_NAME)
  put(MEM_LOWER, Math.floor(Math.min(memoryBytes, LOW_MEMORY_END) / 1024))
  put(MEM_UPPER, Math.floor(Math.max(0, memoryBytes - HIGH_MEMORY_START) / 1024))
  put(CMDLINE, putString(commandLine))
  put(MODS_COUNT, modules.length)
  put(MODS_ADDR, gpa + moduleList)
  put(MMAP_LENGTH, mapBytes)
  put(MMAP_ADDR, gpa + map)
  put(BOOT_LOADER_NAME, putString(bootLoaderName))
  modules.forEach((module, i) => {
    const at = moduleList + i * MODULE_ENTRY_BYTES
    put(at, module.gpa)
    put(at + 4, module.gpa + module.bytes.length)
    put(at + 8, putString(module.name))
  })
  ranges.forEach(([base, length], i) => {
    const at = map + i * (MMAP_ENTRY_SIZE + 4)
    put(at, MMAP_ENTRY_SIZE)
    put(at + 4, base)
    put(at + 12, length)
    put(at + 20, MMAP_AVAILABLE)
  })
  return bytes
}
