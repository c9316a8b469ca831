/**
 * The host's physical memory: one `WebAssembly.Memory` with the vcpus' blocks and then the frames (`layout.ts`).
 *
 * A pfn counts frames from the start of the memory, so `pfn × 4096` is a byte offset; the first frames belong to the vcpus.
 */
import { CodeFrame, type CodeObserver } from './code-frames.ts'
import { FrameCounts } from './frame-counts.ts'
import { FEWEST_TLB_ENTRIES, FRAME_BYTES, FRAME_SHIFT, MOST_TLB_ENTRIES, vcpuBlockBytes } from './layout.ts'

/** The part of the WebAssembly API that is needed here; TypeScript declares it only together with a browser's. */
interface LinearMemory {
  readonly buffer: ArrayBuffer
}
interface LinearMemoryHost {
  readonly WebAssembly: { readonly Memory: new (pages: { initial: number; maximum: number }) => LinearMemory }
}

const WASM_PAGE_BYTES = 65_536
const LARGEST_BYTES = 2 ** 31
const FEWEST_TABLE_FRAMES = 4
const MOST_TABLE_FRAMES = 1024
/** A frame of decoded code may take 70 times its room: beyond so many frames of it all is decoded anew. */
const MOST_CODE_FRAMES = 400
/** Nobody asks for more. */
const MOST_PATCHES = 255

/** Told of a store to a traced frame: the byte offset in machine memory, and how many bytes. The store is done. */
export type Tracer = (offset: number, length: number) => void

export interface MachineMemoryOptions {
  /** Frames of 4 KiB that can be allocated. */
  readonly frames: number
  /** How many vcpu blocks there are. */
  readonly vcpus: number
}

export class MachineMemory {
  /** The memory that translated code imports. */
  readonly memory: LinearMemory
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly vcpus: number
  /** Entries of each half of a vcpu's TLB. */
  readonly tlbEntries: number
  /** Decoded code by pfn. Only the processors and {@link noteWrite} use it. */
  readonly codeFrames: (CodeFrame | undefined)[] = []
  /** By pfn, how many want to hear of stores to the frame. Processors look here; {@link trace} changes it. */
  readonly traced: Uint8Array
  readonly #tracers = new Set<Tracer>()
  readonly #codePfns = new Set<number>()
  readonly #patches = new Map<number, Uint8Array>()
  readonly #observers: CodeObserver[] = []
  readonly #endPfn: number
  #nextPfn: number
  /** Of each vcpu. */
  readonly #tableBytes: number
  readonly #freed: number[] = []
  readonly #references: FrameCounts

  constructor(options: MachineMemoryOptions) {
    this.tlbEntries = tlbEntriesFor(options.frames)
    const blocks = options.vcpus * vcpuBlockBytes(this.tlbEntries)
    this.#tableBytes = tableBytesFor(options.frames)
    const tables = options.vcpus * this.#tableBytes
    const sizeBytes = blocks + tables + options.frames * FRAME_BYTES
    if (options.frames < 0 || options.vcpus < 0 || sizeBytes > LARGEST_BYTES) {
      throw new RangeError(`Machine memory of ${options.frames} frames is larger than the machine can have (2 GiB).`)
    }
    const pages = Math.max(1, Math.ceil(sizeBytes / WASM_PAGE_BYTES))
    this.memory = new (globalThis as unknown as LinearMemoryHost).WebAssembly.Memory({ initial: pages, maximum: pages })
    this.bytes = new Uint8Array(this.memory.buffer)
    this.view = new DataView(this.memory.buffer)
    this.vcpus = options.vcpus
    this.#nextPfn = (blocks + tables) / FRAME_BYTES
    this.#endPfn = this.#nextPfn + options.frames
    this.#references = new FrameCounts(this.#endPfn)
    this.traced = new Uint8Array(this.#endPfn)
  }

  /** Where the block of a vcpu begins, in bytes. */
  vcpuBlockOffset(index: number): number {
    return index * vcpuBlockBytes(this.tlbEntries)
  }

  /** How many frames are not allocated. */
  get freeFrames(): number {
    return this.#endPfn - this.#nextPfn + this.#freed.length
  }

  /** Takes a free frame, all zero, and gives its pfn. The frame that was freed last comes first. @throws RangeError when there is none. */
  allocateFrame(): number {
    let pfn = this.#freed.pop()
    if (pfn !== undefined) {
      this.bytes.fill(0, pfn << FRAME_SHIFT, (pfn + 1) << FRAME_SHIFT)
    } else {
      if (this.#nextPfn === this.#endPfn) throw new RangeError('The machine has no free frame.')
      pfn = this.#nextPfn++
    }
    this.#references.add(pfn)
    return pfn
  }

  /** How many references a frame has: mappings, or what else keeps it. 0: it is free. */
  references(pfn: number): number {
    return this.#references.of(pfn)
  }

  /** One more reference to a frame that has some. @throws RangeError when the frame is not allocated */
  shareFrame(pfn: number): void {
    if (this.references(pfn) === 0) throw new RangeError(`Frame ${pfn} is not allocated.`)
    this.#references.add(pfn)
  }

  /** Gives a reference back; with the last one, the frame. The caller has unmapped it. @throws RangeError when the frame is not allocated */
  freeFrame(pfn: number): void {
    if (this.#references.remove(pfn) > 0) return
    this.noteWrite(pfn << FRAME_SHIFT, FRAME_BYTES)
    this.#freed.push(pfn)
  }

  /** Room for the tables of a vcpu's engine: from one offset to another. */
  tableArea(index: number): { readonly start: number; readonly end: number } {
    const start = this.vcpuBlockOffset(this.vcpus) + index * this.#tableBytes
    return { start, end: start + this.#tableBytes }
  }

  /** The vcpu in block `index` wants to hear of code and mappings that change. */
  observe(index: number, observer: CodeObserver): void {
    this.#observers[index] = observer
  }

  /** The decoded code of a frame; from now on writes to this frame are noticed. */
  codeFrameAt(frameOffset: number): CodeFrame {
    const pfn = frameOffset >>> FRAME_SHIFT
    const known = this.codeFrames[pfn]
    if (known !== undefined) return known
    if (this.#codePfns.size >= MOST_CODE_FRAMES) this.#dropCode()
    const frame = new CodeFrame()
    this.codeFrames[pfn] = frame
    this.#codePfns.add(pfn)
    for (const observer of this.#observers) observer?.codeAppeared(frameOffset)
    return frame
  }

  /**
   * Someone writes `length` bytes at byte `offset` of this memory, inside one frame: decoded code there goes out of date.
   * Whoever writes to {@link bytes} without a vcpu (loaders, DMA, sharing) must call this.
   */
  noteWrite(offset: number, length: number): void {
    const pfn = offset >>> FRAME_SHIFT
    const frame = this.codeFrames[pfn]
    const start = offset & (FRAME_BYTES - 1)
    if (frame === undefined || !frame.covers(start, length)) return
    this.#notePatch(pfn, start, length)
    frame.drop()
    delete this.codeFrames[pfn]
    this.#codePfns.delete(pfn)
    for (const observer of this.#observers) observer?.codeDropped()
  }

  /** How often code was written over in a frame, for each of its bytes; undefined: never. */
  patchesOf(frameOffset: number): Uint8Array | undefined {
    return this.#patches.get(frameOffset >>> FRAME_SHIFT)
  }

  #notePatch(pfn: number, start: number, length: number): void {
    let counts = this.#patches.get(pfn)
    if (counts === undefined) {
      if (this.#patches.size >= MOST_CODE_FRAMES) this.#patches.clear()
      counts = new Uint8Array(FRAME_BYTES)
      this.#patches.set(pfn, counts)
    }
    for (let i = start; i < start + length; i++) if (counts[i]! < MOST_PATCHES) counts[i]!++
  }

  /** Hears of stores to all frames that are traced; which of them it asked for it knows itself. */
  addTracer(tracer: Tracer): void {
    this.#tracers.add(tracer)
  }

  /** One more, or one less, wants to hear of stores to a frame. */
  trace(pfn: number, on: boolean): void {
    this.traced[pfn]! += on ? 1 : -1
    if (!on) return
    for (const observer of this.#observers) observer?.codeAppeared(pfn << FRAME_SHIFT)
  }

  /**
   * `length` bytes at byte `offset`, inside one frame, have been written, by whomever: called behind a store to a frame that is
   * {@link traced}. Whoever writes to {@link bytes} without a vcpu must call this.
   */
  noteStored(offset: number, length: number): void {
    if (this.traced[offset >>> FRAME_SHIFT] === 0) return
    for (const tracer of this.#tracers) tracer(offset, length)
  }

  #dropCode(): void {
    for (const pfn of this.#codePfns) {
      this.codeFrames[pfn]?.drop()
      delete this.codeFrames[pfn]
    }
    this.#codePfns.clear()
    for (const observer of this.#observers) observer?.codeDropped()
  }

  /** A guest's memory map changed: all translations go. */
  noteRemap(): void {
    for (const observer of this.#observers) observer?.memoryRemapped()
  }
}

/** A page of the guest has an entry of its own as long as memory is not too large for that. */
function tlbEntriesFor(frames: number): number {
  let entries = FEWEST_TLB_ENTRIES
  while (entries < frames && entries < MOST_TLB_ENTRIES) entries *= 2
  return entries
}

/** Room for the tables of a vcpu's engine: a sixteenth of memory within limits, in whole frames. */
function tableBytesFor(frames: number): number {
  const frameCount = Math.min(Math.max(frames >> 4, FEWEST_TABLE_FRAMES), MOST_TABLE_FRAMES)
  return frameCount * FRAME_BYTES
}
