/**
 * A VM's physical memory: a map from gfn to pfn over machine memory. Frames need not be contiguous, may be missing
 * (ballooned, swapped) or stand in several maps (shared).
 */
import type { BootMemory } from '../boot/rom.ts'
import { FRAME_BYTES, FRAME_SHIFT } from './layout.ts'
import type { MachineMemory } from './machine-memory.ts'

const OFFSET_MASK = FRAME_BYTES - 1
const NO_FRAME = -1

export class GuestMemory implements BootMemory {
  readonly machine: MachineMemory
  /** Guest physical memory goes from 0 to `sizeBytes` − 1. */
  readonly sizeBytes: number
  readonly #pfns: Int32Array

  /**
   * All of it is mapped to newly allocated frames.
   * @param sizeBytes a multiple of 4096
   */
  constructor(machine: MachineMemory, sizeBytes: number) {
    if (sizeBytes <= 0 || (sizeBytes & OFFSET_MASK) !== 0) {
      throw new RangeError(`A guest's memory is a whole number of pages; ${sizeBytes} bytes are not.`)
    }
    this.machine = machine
    this.sizeBytes = sizeBytes
    this.#pfns = new Int32Array(sizeBytes / FRAME_BYTES)
    for (let gfn = 0; gfn < this.#pfns.length; gfn++) this.#pfns[gfn] = machine.allocateFrame()
  }

  /** The frame behind a guest frame number, or −1: no memory there. */
  pfnOf(gfn: number): number {
    return this.#pfns[gfn] ?? NO_FRAME
  }

  /** Puts frame `pfn` at `gfn`; what stood there is only forgotten, not freed. */
  map(gfn: number, pfn: number): void {
    this.#checkGfn(gfn)
    this.#pfns[gfn] = pfn
    this.machine.noteRemap()
  }

  /** Leaves `gfn` without memory and gives the frame that stood there (−1: none). It is not freed. */
  unmap(gfn: number): number {
    this.#checkGfn(gfn)
    const pfn = this.pfnOf(gfn)
    this.#pfns[gfn] = NO_FRAME
    this.machine.noteRemap()
    return pfn
  }

  /** A copy of `length` bytes from `gpa` on. @throws RangeError where there is no memory. */
  readBytes(gpa: number, length: number): Uint8Array {
    const result = new Uint8Array(length)
    let done = 0
    while (done < length) {
      const offset = this.#offset(gpa + done)
      const chunk = Math.min(length - done, FRAME_BYTES - (offset & OFFSET_MASK))
      result.set(this.machine.bytes.subarray(offset, offset + chunk), done)
      done += chunk
    }
    return result
  }

  /** Writes `bytes` at `gpa`; decoded code there goes out of date. @throws RangeError where there is no memory. */
  writeBytes(gpa: number, bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length) {
      const offset = this.#offset(gpa + done)
      const chunk = Math.min(bytes.length - done, FRAME_BYTES - (offset & OFFSET_MASK))
      this.machine.noteWrite(offset, chunk)
      this.machine.bytes.set(bytes.subarray(done, done + chunk), offset)
      this.machine.noteStored(offset, chunk)
      done += chunk
    }
  }

  readUint8(gpa: number): number {
    return this.machine.view.getUint8(this.#offset(gpa))
  }

  readUint16(gpa: number): number {
    return this.readUint8(gpa) | (this.readUint8(gpa + 1) << 8)
  }

  readUint32(gpa: number): number {
    return (this.readUint16(gpa) | (this.readUint16(gpa + 2) << 16)) >>> 0
  }

  writeUint8(gpa: number, value: number): void {
    const offset = this.#offset(gpa)
    this.machine.noteWrite(offset, 1)
    this.machine.view.setUint8(offset, value)
    this.machine.noteStored(offset, 1)
  }

  writeUint16(gpa: number, value: number): void {
    this.writeUint8(gpa, value & 0xff)
    this.writeUint8(gpa + 1, (value >>> 8) & 0xff)
  }

  writeUint32(gpa: number, value: number): void {
    this.writeUint16(gpa, value & 0xffff)
    this.writeUint16(gpa + 2, value >>> 16)
  }

  #offset(gpa: number): number {
    const pfn = this.pfnOf(Math.floor(gpa / FRAME_BYTES))
    if (pfn < 0) throw new RangeError(`There is no memory at guest physical address 0x${gpa.toString(16)}.`)
    return (pfn << FRAME_SHIFT) | (gpa & OFFSET_MASK)
  }

  #checkGfn(gfn: number): void {
    if (!Number.isInteger(gfn) || gfn < 0 || gfn >= this.#pfns.length) {
      throw new RangeError(`Guest frame ${gfn} is outside the memory of ${this.#pfns.length} frames.`)
    }
  }
}
