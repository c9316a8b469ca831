/**
 * The host's side of page sharing, over the machine's memory and the VMs' maps: it does what the service asks for, and
 * refuses what would take a frame from somebody, or let two VMs write to one.
 */
import type { GuestMemory } from './guest-memory.ts'
import { FRAME_BYTES, FRAME_SHIFT } from './layout.ts'
import type { MachineMemory } from './machine-memory.ts'
import type { SharingOperations, VmPages } from './sharing-port.ts'

/** An operation that breaks a rule: one sentence that names both. */
export class OperationRefused extends Error {
  constructor(operation: string, rule: string) {
    super(`${operation} is refused: ${rule}.`)
    this.name = 'OperationRefused'
  }
}

export interface SharingHostOptions {
  readonly machine: MachineMemory
  /** Of a frame's 4096 bytes. */
  readonly hash: (bytes: Uint8Array) => number
  readonly copies: 'host' | 'service'
  readonly random: (below: number) => number
}

/** At how many pages a frame is mapped, and whether it is writable there: then it is at one. */
interface Mapping {
  readonly count: number
  readonly writable: boolean
}

const NO_FRAME = -1

export class SharingHost implements SharingOperations {
  readonly zeroFrame: number
  readonly #options: SharingHostOptions
  readonly #machine: MachineMemory
  readonly #vms = new Map<number, GuestMemory>()
  readonly #mappings = new Map<number, Mapping>()

  constructor(options: SharingHostOptions) {
    this.#options = options
    this.#machine = options.machine
    this.zeroFrame = options.machine.allocateFrame()
  }

  /** A VM begins, with the frames of its memory. What faults in it, the caller sends to the service. */
  add(vm: number, memory: GuestMemory): number[] {
    this.#vms.set(vm, memory)
    const pfns = this.pfns(vm)
    for (const pfn of pfns) this.#mappings.set(pfn, { count: 1, writable: true })
    return pfns
  }

  /** A VM is gone, and so are its pages. */
  remove(vm: number): void {
    this.#vms.delete(vm)
  }

  pfns(vm: number): number[] {
    const memory = this.memory(`pages(${vm})`, vm)
    return Array.from({ length: memory.sizeBytes / FRAME_BYTES }, (_, gfn) => memory.pfnOf(gfn))
  }

  /** How many pages stand for a frame. */
  mappingsOf(pfn: number): number {
    return this.#mappings.get(pfn)?.count ?? 0
  }

  /** The contents of a frame, not a copy. */
  bytesOf(pfn: number): Uint8Array {
    return this.#machine.bytes.subarray(pfn << FRAME_SHIFT, (pfn + 1) << FRAME_SHIFT)
  }

  hash(pfns: readonly number[]): number[] {
    return pfns.map((pfn) => {
      this.#requireFrame(`hash([${pfn}])`, pfn)
      return this.#options.hash(this.bytesOf(pfn))
    })
  }

  compare(one: number, other: number): boolean {
    for (const pfn of [one, other]) this.#requireFrame(`compare(${one}, ${other})`, pfn)
    return Buffer.compare(this.bytesOf(one), this.bytesOf(other)) === 0
  }

  map(vm: number, gfn: number, pfn: number, writable: boolean): void {
    const operation = `map(${vm}, ${gfn}, ${pfn}, ${writable})`
    const memory = this.#page(operation, vm, gfn)
    this.#requireFrame(operation, pfn)
    if (memory.isPinned(gfn)) {
      throw new OperationRefused(operation, 'a device writes to the page’s frame: it is pinned')
    }
    if (writable && pfn === this.zeroFrame) {
      throw new OperationRefused(operation, 'nobody may write to the zero frame')
    }
    const mapping = this.#mappings.get(pfn)
    const others = (mapping?.count ?? 0) - (memory.pfnOf(gfn) === pfn ? 1 : 0)
    if (others > 0 && writable) {
      throw new OperationRefused(operation, `${this.#where(pfn, vm, gfn)} too, so it must not be writable`)
    }
    if (others > 0 && mapping!.writable) {
      throw new OperationRefused(
        operation,
        `${this.#where(pfn, vm, gfn)}, which can write to it: map it read-only there`,
      )
    }
    this.#forget(memory.pfnOf(gfn))
    const count = this.mappingsOf(pfn) + 1
    this.#mappings.set(pfn, { count, writable })
    memory.map(gfn, pfn, !writable)
  }

  unmap(vm: number, gfns: readonly number[]): void {
    for (const gfn of gfns) {
      const operation = `unmap(${vm}, [${gfn}])`
      const memory = this.#page(operation, vm, gfn)
      if (memory.pfnOf(gfn) < 0) throw new OperationRefused(operation, 'the page has no frame')
      this.#forget(memory.unmap(gfn))
    }
  }

  /** The machine's own TLBs are emptied whenever a page is mapped. */
  flush(vm: number): void {
    this.memory(`flush(${vm})`, vm)
  }

  allocate(): number {
    return this.#machine.freeFrames === 0 ? NO_FRAME : this.#machine.allocateFrame()
  }

  free(pfns: readonly number[]): void {
    for (const pfn of pfns) {
      const operation = `free([${pfn}])`
      this.#requireFrame(operation, pfn)
      if (pfn === this.zeroFrame) throw new OperationRefused(operation, 'the zero frame is the host’s')
      if (this.mappingsOf(pfn) > 0) throw new OperationRefused(operation, this.#where(pfn))
      this.#machine.freeFrame(pfn)
    }
  }

  copy(from: number, to: number): void {
    const operation = `copy(${from}, ${to})`
    if (this.#options.copies !== 'host') {
      throw new OperationRefused(operation, 'in this variant the service copies, by read and write')
    }
    this.#requireFrame(operation, from)
    this.#requireOwn(operation, to)
    this.#fill(to, this.bytesOf(from))
  }

  read(pfn: number): Uint8Array {
    const operation = `read(${pfn})`
    this.#requireServiceCopies(operation)
    this.#requireFrame(operation, pfn)
    return this.bytesOf(pfn).slice()
  }

  write(pfn: number, bytes: Uint8Array): void {
    const operation = `write(${pfn}, ${bytes.length} bytes)`
    this.#requireServiceCopies(operation)
    this.#requireOwn(operation, pfn)
    if (bytes.length !== FRAME_BYTES) throw new OperationRefused(operation, `a frame has ${FRAME_BYTES} bytes`)
    this.#fill(pfn, bytes)
  }

  clear(pfn: number): void {
    this.#requireOwn(`clear(${pfn})`, pfn)
    this.#fill(pfn, new Uint8Array(FRAME_BYTES))
  }

  random(count: number, below: number): number[] {
    return Array.from({ length: count }, () => this.#options.random(below))
  }

  pages(vm: number): VmPages {
    const pfns = this.pfns(vm)
    const memory = this.memory(`pages(${vm})`, vm)
    return { pfns, pinned: pfns.map((_, gfn) => memory.isPinned(gfn)) }
  }

  /** The memory of a VM that runs. */
  memory(operation: string, vm: number): GuestMemory {
    const memory = this.#vms.get(vm)
    if (memory === undefined) throw new OperationRefused(operation, `there is no VM ${vm}`)
    return memory
  }

  #page(operation: string, vm: number, gfn: number): GuestMemory {
    const memory = this.memory(operation, vm)
    const pages = memory.sizeBytes / FRAME_BYTES
    if (gfn >= pages) throw new OperationRefused(operation, `VM ${vm} has ${pages} pages`)
    return memory
  }

  #requireFrame(operation: string, pfn: number): void {
    if (this.#machine.references(pfn) > 0) return
    const isFrame = pfn * FRAME_BYTES < this.#machine.bytes.length
    throw new OperationRefused(operation, isFrame ? `frame ${pfn} is free` : `the host has no frame ${pfn}`)
  }

  /** A frame that the service has allocated and nobody maps yet. */
  #requireOwn(operation: string, pfn: number): void {
    this.#requireFrame(operation, pfn)
    if (pfn === this.zeroFrame) throw new OperationRefused(operation, 'nobody may write to the zero frame')
    if (this.mappingsOf(pfn) > 0) throw new OperationRefused(operation, this.#where(pfn))
  }

  #requireServiceCopies(operation: string): void {
    if (this.#options.copies === 'service') return
    throw new OperationRefused(operation, 'in this variant the host copies, and what guests hold is not shown')
  }

  #fill(pfn: number, bytes: Uint8Array): void {
    this.#machine.noteWrite(pfn << FRAME_SHIFT, FRAME_BYTES)
    this.bytesOf(pfn).set(bytes)
    this.#machine.noteStored(pfn << FRAME_SHIFT, FRAME_BYTES)
  }

  #forget(pfn: number): void {
    const mapping = this.#mappings.get(pfn)
    if (mapping === undefined) return
    if (mapping.count === 1) this.#mappings.delete(pfn)
    else this.#mappings.set(pfn, { ...mapping, count: mapping.count - 1 })
  }

  /** Where a frame is mapped, at a page other than this one if it is known. */
  #where(pfn: number, vm = NO_FRAME, gfn = NO_FRAME): string {
    for (const [other, memory] of this.#vms) {
      for (let page = 0; page < memory.sizeBytes / FRAME_BYTES; page++) {
        const isThis = other === vm && page === gfn
        if (!isThis && memory.pfnOf(page) === pfn) return `frame ${pfn} is mapped at page ${page} of VM ${other}`
      }
    }
    return `frame ${pfn} is mapped elsewhere`
  }
}
