/**
 * A VM's physical memory: a map from gfn to pfn over machine memory. Frames need not be contiguous, may be missing
 * (ballooned, swapped) or stand in several maps (shared).
 *
 * A shared frame is mapped read-only, and a write breaks copy-on-write before it lands, whoever makes it: a processor
 * (`policy.ts`), its page walk, a device or the hypervisor (Waldspurger, OSDI 2002, §4).
 */
import type { BootMemory } from '../boot/rom.ts'
import { FRAME_BYTES, FRAME_SHIFT } from './layout.ts'
import type { MachineMemory } from './machine-memory.ts'

const OFFSET_MASK = FRAME_BYTES - 1
const NO_FRAME = -1

/** States of a gfn, as bits. */
const READ_ONLY = 1
const PINNED = 2

/** Makes a page writable that was mapped read-only; afterwards it is, at whatever frame. */
export type WriteFaultHandler = (gfn: number) => void

export class GuestMemory implements BootMemory {
  readonly machine: MachineMemory
  /** Guest physical memory goes from 0 to `sizeBytes` − 1. */
  readonly sizeBytes: number
  /** Who breaks copy-on-write; without it, the memory does so itself. */
  onWriteFault: WriteFaultHandler | undefined
  readonly #pfns: Int32Array
  readonly #states: Uint8Array

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
    this.#states = new Uint8Array(this.#pfns.length)
    for (let gfn = 0; gfn < this.#pfns.length; gfn++) this.#pfns[gfn] = machine.allocateFrame()
  }

  /** The frame behind a guest frame number, or −1: no memory there. */
  pfnOf(gfn: number): number {
    return this.#pfns[gfn] ?? NO_FRAME
  }

  /** Puts frame `pfn` at `gfn`, writable unless told; what stood there is only forgotten, not freed. */
  map(gfn: number, pfn: number, readOnly = false): void {
    this.#checkGfn(gfn)
    this.#pfns[gfn] = pfn
    this.#states[gfn] = (this.#states[gfn]! & ~READ_ONLY) | (readOnly ? READ_ONLY : 0)
    this.machine.noteRemap()
  }

  /** Leaves `gfn` without memory and gives the frame that stood there (−1: none). It is not freed. */
  unmap(gfn: number): number {
    const pfn = this.pfnOf(gfn)
    this.map(gfn, NO_FRAME)
    return pfn
  }

  /** A write to `gfn` has to break copy-on-write first. */
  isReadOnly(gfn: number): boolean {
    return (this.#states[gfn]! & READ_ONLY) !== 0
  }

  /** `gfn` must keep its frame, writable: it has an alias, or a device writes there. */
  isPinned(gfn: number): boolean {
    return (this.#states[gfn]! & PINNED) !== 0
  }

  /** Pins a page, which gets a frame of its own first, or lets it go. */
  pin(gfn: number, on: boolean): void {
    this.#checkGfn(gfn)
    if (on) this.frameForWriting(gfn)
    this.#states[gfn] = (this.#states[gfn]! & ~PINNED) | (on ? PINNED : 0)
  }

  /** Gives up the frame of `gfn` and maps it read-only to `pfn`, which gets one more reference. */
  share(gfn: number, pfn: number): void {
    if (this.isPinned(gfn)) throw new RangeError(`Guest frame ${gfn} is pinned and cannot be shared.`)
    this.machine.shareFrame(pfn)
    const before = this.pfnOf(gfn)
    this.map(gfn, pfn, true)
    if (before >= 0) this.machine.freeFrame(before)
  }

  /** The frame behind `gfn` for somebody who writes to it (−1: no memory there); copy-on-write has been broken. */
  frameForWriting(gfn: number): number {
    if (this.isReadOnly(gfn)) {
      if (this.onWriteFault === undefined) this.#breakSharing(gfn)
      else this.onWriteFault(gfn)
      if (this.isReadOnly(gfn)) throw new Error(`Guest frame ${gfn} is read-only still after its write fault.`)
    }
    return this.pfnOf(gfn)
  }

  /** The end of the VM: every frame loses its mapping here, and is free if that was its last. */
  release(): void {
    for (let gfn = 0; gfn < this.#pfns.length; gfn++) {
      const pfn = this.#pfns[gfn]!
      this.#pfns[gfn] = NO_FRAME
      this.#states[gfn] = 0
      if (pfn >= 0) this.machine.freeFrame(pfn)
    }
    this.machine.noteRemap()
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
      const offset = this.#offset(gpa + done, true)
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
    const offset = this.#offset(gpa, true)
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

  /** The last sharer keeps the frame; any other gets a copy. */
  #breakSharing(gfn: number): void {
    const { machine } = this
    const shared = this.pfnOf(gfn)
    if (machine.references(shared) === 1) {
      this.map(gfn, shared)
      return
    }
    const own = machine.allocateFrame()
    machine.bytes.copyWithin(own << FRAME_SHIFT, shared << FRAME_SHIFT, (shared + 1) << FRAME_SHIFT)
    this.map(gfn, own)
    machine.freeFrame(shared)
  }

  #offset(gpa: number, write = false): number {
    const gfn = Math.floor(gpa / FRAME_BYTES)
    const pfn = write ? this.frameForWriting(gfn) : this.pfnOf(gfn)
    if (pfn < 0) throw new RangeError(`There is no memory at guest physical address 0x${gpa.toString(16)}.`)
    return (pfn << FRAME_SHIFT) | (gpa & OFFSET_MASK)
  }

  #checkGfn(gfn: number): void {
    if (!Number.isInteger(gfn) || gfn < 0 || gfn >= this.#pfns.length) {
      throw new RangeError(`Guest frame ${gfn} is outside the memory of ${this.#pfns.length} frames.`)
    }
  }
}
