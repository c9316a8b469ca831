/**
 * A host with its VMs around a sharing service, as the suites play it: the machine's own memory and maps, a TLB for the
 * processors of each VM, what each VM has written (the model), and a log of all that was asked.
 */
import { type Difference, Violation } from '../../../grader/contract/law.ts'
import {
  GuestMemory,
  MachineMemory,
  OperationRefused,
  SharingHost,
  type SharingOperations,
} from '../../../reference/index.ts'
import { fillPage, hashOf, LEFT_BEHIND, PAGE_BYTES } from './contents.ts'
import { type Meddle, type Script, type Writer, writerText } from './script.ts'
import type { Variant } from './variant.ts'

/** What a law can find wrong. */
export type Rule = 'content' | 'fault' | 'leak' | 'short' | 'missing' | 'pinned' | 'order' | 'stats' | 'table' | 'saved'

export interface Problem extends Difference {
  readonly rule: Rule
  /** The log that leads to it, and who maps what then. */
  readonly trace: readonly string[]
}

/** What a processor's TLB holds of a page. */
interface Translation {
  readonly pfn: number
  readonly writable: boolean
}

export interface LabVm {
  readonly memory: GuestMemory
  /** What each page holds; undefined: it has been given up. */
  readonly model: (Uint8Array | undefined)[]
  readonly tlb: Map<number, Translation>
}

/** Counts of what the service asked for, for laws and the rubric. */
export interface WorldCounters {
  hashed: number
  compared: number
  copied: number
  flushed: number
  allocated: number
}

/** How much of the log a card shows. */
const TRACE_LINES = 40
/** The largest host whose frames a card shows one by one. */
const MOST_FRAMES_SHOWN = 40

export class World {
  readonly variant: Variant
  readonly vms = new Map<number, LabVm>()
  readonly host: SharingHost
  readonly frames: number
  readonly problems: Problem[] = []
  readonly log: string[] = []
  readonly counters: WorldCounters = { hashed: 0, compared: 0, copied: 0, flushed: 0, allocated: 0 }
  /** The frames that were hashed, in their order, since it was last emptied. */
  readonly hashedFrames: number[] = []
  /** The numbers that were drawn since it was last emptied. */
  readonly drawn: number[] = []
  /** Frames that the host has taken for something else. */
  readonly hogged: number[] = []
  /** Writes that had to wait for the end of the call. */
  readonly waiting: Meddle[] = []
  /** Writes of guests that are to come in the middle of the call. */
  meddles: readonly Meddle[] = []
  readonly #machine: MachineMemory
  readonly #isQuiet: boolean
  #operations = 0
  #deck: number[] = []
  #deckSize = 0
  #random: number

  /** @param quiet no log is kept: a world too large for one */
  constructor(script: Pick<Script, 'hash' | 'vms' | 'spare'>, variant: Variant, quiet = false) {
    this.variant = variant
    this.#isQuiet = quiet
    this.frames = Math.max(
      2,
      script.vms.reduce((sum, { length }) => sum + length, 1 + script.spare),
    )
    this.#machine = new MachineMemory({ frames: this.frames, vcpus: 0 })
    this.#random = script.vms.length
    this.host = new SharingHost({
      machine: this.#machine,
      hash: hashOf(script.hash, variant.hashBits),
      copies: variant.copies,
      random: (below) => this.#draw(below),
    })
  }

  get freeFrames(): number {
    return this.#machine.freeFrames
  }

  /** The operations that the service is given. */
  operations(): SharingOperations {
    const { host, counters } = this
    const shown = (name: string, args: readonly unknown[], answer?: unknown) => () =>
      `  you ${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})${answer === undefined ? '' : ` → ${JSON.stringify(answer)}`}`
    const run = <T>(name: string, args: readonly unknown[], operation: () => T): T => {
      this.#meddle()
      let answer: T
      try {
        answer = operation()
      } catch (error) {
        if (error instanceof OperationRefused) this.#refused(error)
        throw error
      }
      this.say(shown(name, args, answer instanceof Uint8Array ? 'the bytes' : answer))
      return answer
    }
    return {
      hash: (pfns) =>
        run('hash', [pfns], () => {
          counters.hashed += pfns.length
          this.hashedFrames.push(...pfns)
          return host.hash(pfns)
        }),
      compare: (one, other) =>
        run('compare', [one, other], () => {
          counters.compared++
          return host.compare(one, other)
        }),
      map: (vm, gfn, pfn, writable) =>
        run('map', [vm, gfn, pfn, writable ? 'writable' : 'read-only'], () => host.map(vm, gfn, pfn, writable)),
      unmap: (vm, gfns) => run('unmap', [vm, gfns], () => host.unmap(vm, gfns)),
      flush: (vm) =>
        run('flush', [vm], () => {
          host.flush(vm)
          counters.flushed++
          this.vms.get(vm)?.tlb.clear()
        }),
      allocate: () =>
        run('allocate', [], () => {
          const pfn = host.allocate()
          if (pfn >= 0) {
            host.bytesOf(pfn).fill(LEFT_BEHIND)
            counters.allocated++
          }
          return pfn
        }),
      free: (pfns) =>
        run('free', [pfns], () => {
          for (const pfn of pfns) {
            this.#requireOutOfTlbs(pfn)
            host.free([pfn])
          }
        }),
      copy: (from, to) =>
        run('copy', [from, to], () => {
          counters.copied++
          host.copy(from, to)
        }),
      read: (pfn) => run('read', [pfn], () => host.read(pfn)),
      write: (pfn, bytes) =>
        run('write', [pfn, `${bytes.length} bytes`], () => {
          counters.copied++
          host.write(pfn, bytes)
        }),
      clear: (pfn) => run('clear', [pfn], () => host.clear(pfn)),
      random: (count, below) =>
        run('random', [count, below], () => {
          const numbers = host.random(count, below)
          this.drawn.push(...numbers)
          return numbers
        }),
      pages: (vm) => run('pages', [vm], () => host.pages(vm)),
    }
  }

  /** A call of the service begins: its operations are counted from 1, for what comes in between. */
  beginCall(meddles: readonly Meddle[]): void {
    this.meddles = meddles
    this.#operations = 0
  }

  say(line: string | (() => string)): void {
    if (!this.#isQuiet) this.log.push(typeof line === 'string' ? line : line())
  }

  problem(rule: Rule, what: string, expected: string, actual: string): void {
    this.say(`▶ ${what}`)
    this.problems.push({ rule, what, expected, actual, trace: this.trace() })
  }

  /** The last lines of the log, and who maps what. */
  trace(): string[] {
    return [...this.log.slice(-TRACE_LINES), ...this.picture()]
  }

  /** The host takes every free frame for something else. */
  hog(): void {
    for (let pfn = this.host.allocate(); pfn >= 0; pfn = this.host.allocate()) this.hogged.push(pfn)
  }

  /** The host gives back what it took. */
  relent(): void {
    this.host.free(this.hogged.splice(0))
  }

  /** A new VM with these classes of contents; its frames. */
  start(vm: number, classes: readonly number[]): number[] {
    const memory = new GuestMemory(this.#machine, classes.length * PAGE_BYTES)
    const pfns = this.host.add(vm, memory)
    const model = classes.map((contents, gfn) => {
      const page = new Uint8Array(PAGE_BYTES)
      fillPage(page, contents)
      this.host.bytesOf(pfns[gfn]!).set(page)
      return page
    })
    const tlb = new Map(pfns.map((pfn, gfn) => [gfn, { pfn, writable: true }]))
    this.vms.set(vm, { memory, model, tlb })
    return pfns
  }

  /** The frame that a write lands in at this moment, if nothing stands in its way. */
  target(vm: LabVm, gfn: number, by: Writer): number | undefined {
    const known = vm.tlb.get(gfn)
    if (by === 'processor' && known?.writable === true) return known.pfn
    const pfn = vm.memory.pfnOf(gfn)
    return pfn < 0 || vm.memory.isReadOnly(gfn) ? undefined : pfn
  }

  /** Bytes of a guest land in a frame; the model has them, too. */
  land(vm: LabVm, gfn: number, pfn: number, at: number, bytes: Uint8Array, by: Writer): void {
    this.#machine.noteWrite(pfn * PAGE_BYTES, PAGE_BYTES)
    this.host.bytesOf(pfn).set(bytes, at)
    vm.model[gfn]!.set(bytes, at)
    if (by === 'processor') vm.tlb.set(gfn, { pfn, writable: true })
  }

  /** How many frames the VMs' pages take. */
  framesInUse(): number {
    const used = new Set<number>()
    for (const { memory, model } of this.vms.values()) {
      for (let gfn = 0; gfn < model.length; gfn++) used.add(memory.pfnOf(gfn))
    }
    used.delete(-1)
    used.delete(this.host.zeroFrame)
    return used.size
  }

  /** How many pages there are. */
  get pages(): number {
    return [...this.vms.values()].reduce((sum, { model }) => sum + model.length, 0)
  }

  /** How many pages have a frame. */
  pagesWithFrames(): number {
    let pages = 0
    for (const { memory, model } of this.vms.values()) {
      for (let gfn = 0; gfn < model.length; gfn++) if (memory.pfnOf(gfn) >= 0) pages++
    }
    return pages
  }

  /** Who maps what: a line for each frame that somebody maps. */
  picture(): string[] {
    if (this.frames > MOST_FRAMES_SHOWN) return []
    const pages = new Map<number, string[]>()
    for (const [vm, { memory, model }] of this.vms) {
      for (let gfn = 0; gfn < model.length; gfn++) {
        const pfn = memory.pfnOf(gfn)
        if (pfn < 0) continue
        const rights = memory.isReadOnly(gfn) ? '' : memory.isPinned(gfn) ? ' (writable, pinned)' : ' (writable)'
        pages.set(pfn, [...(pages.get(pfn) ?? []), `VM ${vm} page ${gfn}${rights}`])
      }
    }
    const lines = [...pages].sort(([a], [b]) => a - b)
    return [
      'who maps what:',
      ...lines.map(
        ([pfn, mappers]) =>
          `  frame ${pfn}${pfn === this.host.zeroFrame ? ' (the zero frame)' : ''} [${contentsText(this.host.bytesOf(pfn))}]: ${mappers.join(', ')}`,
      ),
    ]
  }

  #refused(error: OperationRefused): never {
    this.say(`▶ ${error.message}`)
    throw new Violation(
      {
        what: 'what your service asks of the host',
        expected: 'an operation that the rules allow',
        actual: error.message,
      },
      this.trace(),
    )
  }

  #requireOutOfTlbs(pfn: number): void {
    for (const [vm, { tlb, memory }] of this.vms) {
      for (const [gfn, translation] of tlb) {
        if (translation.pfn !== pfn || memory.pfnOf(gfn) === pfn) continue
        throw new OperationRefused(
          `free([${pfn}])`,
          `a processor of VM ${vm} has it for page ${gfn} in its TLB: flush(${vm}) first`,
        )
      }
    }
  }

  /** Guests write before the next operation. */
  #meddle(): void {
    this.#operations++
    for (const meddle of this.meddles) {
      if (meddle.before !== this.#operations) continue
      const vm = this.vms.get(meddle.vm)
      if (vm?.model[meddle.gfn] === undefined) continue
      const { gfn, at, value, by } = meddle
      const pfn = this.target(vm, gfn, by)
      const deed = `${writerText(by)} writes ${value} at byte ${at} of page ${gfn} of VM ${meddle.vm}`
      if (pfn === undefined) {
        this.say(`    meanwhile ${deed}: it is read-only, so that waits`)
        this.waiting.push(meddle)
      } else {
        this.say(`    meanwhile ${deed}, in frame ${pfn}`)
        this.land(vm, gfn, pfn, at, Uint8Array.of(value), by)
      }
    }
  }

  /** Numbers as from a shuffled deck: each once before any comes again. */
  #draw(below: number): number {
    if (this.#deck.length === 0 || this.#deckSize !== below) {
      this.#deckSize = below
      this.#deck = Array.from({ length: below }, (_, i) => i)
      for (let i = below - 1; i > 0; i--) {
        this.#random = (Math.imul(this.#random, 0x19660d) + 0x3c6ef35f) >>> 0
        const j = this.#random % (i + 1)
        ;[this.#deck[i], this.#deck[j]] = [this.#deck[j]!, this.#deck[i]!]
      }
    }
    return this.#deck.pop()!
  }
}

/** A page's bytes at the places where scripts write. */
function contentsText(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `${shown} … ${bytes[PAGE_BYTES / 2]!.toString(16)} … ${bytes[PAGE_BYTES - 1]!.toString(16)}`
}
