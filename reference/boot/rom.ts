/**
 * A raw ROM that ends at FFFFFh and the processor's state after RESET (Intel SDM vol. 3A §10.1.4, "First
 * Instruction Executed"). The loader writes memory and describes registers; it never knows the vcpu.
 */

/** Where the segment of the reset vector begins (guest physical), and the size in bytes of a ROM that fills just it. */
export const ROM_BASE = 0xf_0000
export const ROM_SIZE_BYTES = 0x1_0000
const ROM_END = ROM_BASE + ROM_SIZE_BYTES
/** A BIOS of twice the size begins at E0000h. */
const LARGE_ROM_SIZE_BYTES = 2 * ROM_SIZE_BYTES

/** The memory that a loader writes to. */
export interface BootMemory {
  /** Guest physical memory goes from 0 to `sizeBytes` − 1. */
  readonly sizeBytes: number
  /** Writes `bytes` at guest physical address `gpa`. */
  writeBytes(gpa: number, bytes: Uint8Array): void
}

/** The registers after RESET that a ROM relies on; all others are 0. */
export interface ResetEntryState {
  readonly eip: number
  readonly eflags: number
  readonly cr0: number
  /** The family, model and stepping that RESET leaves in EDX are the vcpu's. */
  readonly cs: { readonly selector: number; readonly base: number; readonly limit: number }
  /** DS, ES, FS, GS and SS. */
  readonly data: { readonly selector: number; readonly base: number; readonly limit: number }
}

/**
 * The reset vector at F000:FFF0 in real mode. The hardware's CS base is FFFF0000h until the first far jump; this machine
 * has no alias of the ROM there, so the base is F0000h from the start. A first far jump, as ROMs do, sees no difference.
 */
export const resetEntryState: ResetEntryState = {
  eip: 0xfff0,
  eflags: 0x0000_0002,
  cr0: 0x6000_0010,
  cs: { selector: 0xf000, base: ROM_BASE, limit: 0xffff },
  data: { selector: 0, base: 0, limit: 0xffff },
}

/** The file is no ROM, or does not fit: one sentence for the person who named it. */
export class RomError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RomError'
  }
}

/**
 * Copies `image` to where it ends at FFFFFh. It can be written there: a BIOS keeps variables in what it has shadowed.
 * @param name what errors call the image, usually its file name
 * @throws RomError when the image has neither 64 nor 128 KiB, or memory ends below 1 MiB.
 */
export function loadRom(image: Uint8Array, memory: BootMemory, name: string): void {
  if (image.length !== ROM_SIZE_BYTES && image.length !== LARGE_ROM_SIZE_BYTES) {
    throw new RomError(`"${name}" is no ROM: it has ${image.length} bytes, and a ROM has 64 KiB or 128 KiB.`)
  }
  if (memory.sizeBytes < ROM_END) {
    throw new RomError(
      `"${name}" does not fit: a ROM needs memory up to 1 MiB, and the machine has ${memory.sizeBytes} bytes.`,
    )
  }
  memory.writeBytes(ROM_END - image.length, image)
}
