/**
 * The fast engine of one vcpu: blocks that the interpreter runs often are translated to WebAssembly together with what they
 * reach, and run from then on in its place. Whatever a region cannot do, it leaves to the interpreter at the start of an
 * instruction, with all state where the interpreter has it.
 */

import type { CodeFrame } from '../../mmu/code-frames.ts'
import {
  EIP,
  ENGINE_FLAGS,
  ENGINE_FUEL,
  ENGINE_TARGET,
  FETCH_FRAME,
  FETCH_GPA,
  FETCH_PAGE,
  FLAGS,
  TLB_ADDEND,
  TLB_READ,
} from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { CF, getFlags } from '../flags.ts'
import { type Block, noteTarget } from '../op.ts'
import { ARITHMETIC, LATE, MATERIAL, OVERLAY_MASK, writeBack } from './flag-state.ts'
import { type TranslationListing, translateRegion } from './function.ts'
import { JumpTable } from './jump-table.ts'
import { modeOf } from './mode.ts'
import { type CodePage, collectRegion } from './region.ts'
import type { RegionExit } from './translator.ts'
import { compile } from './wasm-host.ts'
import { encodeModule } from './wasm-module.ts'

const PAGE_MASK = -4096
/** Executions of a block after which its region is translated. */
const HOT = 500
/** A block that ran so often less belongs to the region of a hot one. */
const WARM_DIVISOR = 16
/** Instructions after which a region comes back for a moment, so that better code can take its place. */
const SLICE = 1 << 20
/** Times that control left a region by edges after which it is made anew, larger; and how often that happens at most. */
const RESTLESS = 5_000
const MOST_REMAKES = 4
/** Beyond so many regions or bytes of WebAssembly all of it is made anew; so it is when fewer bytes are left for jump tables. */
const MOST_REGIONS = 4000
const MOST_BYTES = 32 << 20
const TABLE_RESERVE = 4096
const WASM_PAGE_BYTES = 65_536
const FIRST_LIMIT = 400
const LARGEST_LIMIT = 600
const MOST_PAGES = 24
const CACHE_BITS = 12
const CACHE_MASK = (1 << CACHE_BITS) - 1

/** What a vcpu's engine did. Its own effort, not the guest's. */
export interface EngineStatistics {
  /** Regions that were translated, their guest instructions, and their WebAssembly in bytes. */
  regions: number
  instructions: number
  bytes: number
  /** Regions whose code was written to or whose table space ran out. */
  invalidated: number
  /** Instructions retired in regions. */
  retired: number
  /** Times a region was entered, left, and instructions that it had the interpreter execute. */
  entered: number
  callouts: number
  /** Regions that WebAssembly refused. */
  failed: number
}

interface TranslatedRegion {
  isValid: boolean
  readonly mode: number
  run: (entry: number, fuel: number) => number
  readonly exits: readonly RegionExit[]
  readonly callouts: readonly { readonly block: Block; readonly eip: number; readonly flags: number }[]
  readonly pages: ReadonlyMap<number, CodePage>
  readonly bytes: number
  readonly root: Block
  readonly rootEip: number
  /** Times that control left by edges; less, the more it did in between. */
  restlessness: number
}

interface Entry {
  readonly region: TranslatedRegion
  readonly number: number
  readonly eip: number
  readonly needsFlags: boolean
}

export class Engine {
  readonly statistics: EngineStatistics = {
    regions: 0,
    instructions: 0,
    bytes: 0,
    invalidated: 0,
    retired: 0,
    entered: 0,
    callouts: 0,
    failed: 0,
  }
  /** What an instruction that a region had executed threw, or its request for an exit; and the block that holds it. */
  thrown: unknown
  stoppedAt: Block | undefined

  readonly #core: Core
  readonly #vcpu: number
  readonly #hot: number
  #running: TranslatedRegion | undefined
  /** Entries by the low bits of their address. */
  readonly #cache: (Entry | undefined)[] = new Array(1 << CACHE_BITS)
  /** The fuel that the region got when it was entered, or after its last callout. */
  #given = 0
  readonly #remakes = new WeakMap<Block, number>()
  readonly #valid = new Set<TranslatedRegion>()
  /** The room for jump tables. */
  readonly #area: { readonly start: number; readonly end: number }
  #nextTable: number
  /** Bytes of WebAssembly in valid regions. */
  #bytes = 0

  /** @param hot executions of a block after which its region is translated */
  constructor(core: Core, vcpu: number, hot = HOT) {
    this.#core = core
    this.#hot = hot
    this.#vcpu = vcpu
    this.#area = core.machine.tableArea(vcpu)
    this.#nextTable = this.#area.start
  }

  /**
   * Runs translated code from `block` on, at the linear address `at`, if there is any.
   * @returns false when nothing was executed: the interpreter must run the block. Otherwise `stoppedAt` tells whether an instruction stopped it.
   */
  enter(block: Block, at: number): boolean {
    const core = this.#core
    const entry = block.translations[this.#vcpu] as Entry | undefined
    if (entry === undefined || !entry.region.isValid || entry.eip !== at || entry.region.mode !== core.mode) {
      if (entry !== undefined && !entry.region.isValid) block.translations[this.#vcpu] = undefined
      if (++block.heat < this.#hot || !core.csFlat || core.codeSize !== 32) return false
      block.heat = 0
      if (!this.#translate(block, at, 0)) {
        block.heat = -this.#hot
        return false
      }
      return this.#run(block.translations[this.#vcpu] as Entry)
    }
    this.#cache[at & CACHE_MASK] = entry
    return this.#run(entry)
  }

  /** Runs from region to region. */
  #run(first: Entry): boolean {
    const core = this.#core
    const r = core.r
    const before = core.work
    const { extra } = core
    this.#giveFlags()
    this.#given = this.#slice
    let fuel = this.#given
    let entry = first
    for (;;) {
      const { region } = entry
      this.#running = region
      this.statistics.entered++
      const id = region.run(entry.number, fuel)
      if (id < 0) return true
      const exit = region.exits[id]!
      fuel = r[ENGINE_FUEL]! + exit.undo
      const eip = exit.eip ?? r[ENGINE_TARGET]!
      if (exit.isEdge) {
        if (++region.restlessness === RESTLESS) this.#remake(region)
        if (exit.source !== undefined) noteTarget(exit.source, eip)
        const next = this.#cache[eip & CACHE_MASK]
        if (fuel > 0 && next !== undefined && next.eip === eip && this.#canFollow(next, exit)) {
          r[ENGINE_FLAGS] = this.#flagsOf(exit.flags)
          if (next.needsFlags) {
            writeBack(r, r[ENGINE_FLAGS]!)
            this.#giveFlags()
          }
          entry = next
          continue
        }
      }
      this.#settle(fuel, exit.flags, exit.page)
      r[EIP] = eip
      return core.work !== before || core.extra !== extra
    }
  }

  /** Control may go on at an entry: its code is valid, and its page is mapped as it was. */
  #canFollow({ region, eip }: Entry, exit: RegionExit): boolean {
    const core = this.#core
    if (!region.isValid || region.mode !== core.mode) return false
    const page = eip & PAGE_MASK
    if (page === exit.page) return region.pages.get(page)!.frame === this.#running!.pages.get(page)!.frame
    const at = core.tlbTable.index(core.tlbHalf, eip)
    return core.tlb[at + TLB_READ] === page && page + core.tlb[at + TLB_ADDEND]! === region.pages.get(page)!.frame
  }

  /** The code of the flags that an exit left, what was unknown when it was translated included. */
  #flagsOf(flags: number): number {
    const kind = this.#core.r[ENGINE_FLAGS]!
    if ((flags & 15) < LATE) return flags
    return (flags & OVERLAY_MASK) === 0 ? kind : (kind & ~OVERLAY_MASK) | (flags & OVERLAY_MASK)
  }

  /** Puts the processor's flags where a region takes them from. */
  #giveFlags(): void {
    const { r } = this.#core
    r[ENGINE_FLAGS] = MATERIAL
    r[ENGINE_FLAGS + 1] = getFlags(r) & ARITHMETIC
    r[ENGINE_FLAGS + 2] = r[FLAGS]! & CF
  }

  /** Instructions that a region gets at once. */
  get #slice(): number {
    const { fuel } = this.#core
    return fuel < SLICE ? fuel : SLICE
  }

  /** The interpreter executes one instruction of the running region. @returns 0 when the region may go on */
  readonly callout = (id: number): number => {
    const core = this.#core
    const r = core.r
    const region = this.#running!
    const { block, eip, flags } = region.callouts[id]!
    const op = block.first
    this.#settle(r[ENGINE_FUEL]!, flags, eip & PAGE_MASK)
    this.statistics.callouts++
    r[EIP] = eip
    core.blockEip = eip
    core.end = 1
    try {
      op.run(core, op)
    } catch (thrown) {
      this.thrown = thrown
      this.stoppedAt = block
      return 1
    }
    if (core.suspended) {
      this.thrown = core.exitRequest
      this.stoppedAt = block
      return 1
    }
    const next = (eip + op.end) | 0
    if (!op.transfers) r[EIP] = next
    core.work++
    core.fuel--
    core.counters.retired++
    const mayGoOn =
      core.end === 1 &&
      core.attention === 0 &&
      core.fuel > 0 &&
      r[EIP] === next &&
      core.mode === region.mode &&
      r[FETCH_PAGE] === (eip & PAGE_MASK) &&
      region.isValid
    core.end = 0
    if (!mayGoOn) return 1
    getFlags(r)
    this.#given = this.#slice
    r[ENGINE_FUEL] = this.#given
    return 0
  }

  /** Accounts for what a region executed, and puts its state where the interpreter has it. */
  #settle(left: number, flags: number, page: number): void {
    const core = this.#core
    const r = core.r
    const executed = this.#given - left
    core.work += executed
    core.fuel -= executed
    core.counters.retired += executed
    this.statistics.retired += executed
    writeBack(r, this.#flagsOf(flags))
    if (r[FETCH_PAGE] !== page) {
      const { frame, gpa } = this.#running!.pages.get(page)!
      r[FETCH_PAGE] = page
      r[FETCH_FRAME] = frame
      r[FETCH_GPA] = gpa
      core.blocks = null
    }
  }

  /** Control leaves a region again and again: it is made anew, with what it reaches. */
  #remake(region: TranslatedRegion): void {
    const { root, rootEip } = region
    const remakes = this.#remakes.get(root) ?? 0
    if (remakes === MOST_REMAKES || root.count === 0) return
    this.#remakes.set(root, remakes + 1)
    if (this.#translate(root, rootEip, remakes + 1)) this.#invalidate(region)
  }

  /** What the code at the linear address `eip` becomes, with what it reaches; undefined where no code has been decoded. */
  explain(eip: number): TranslationListing | undefined {
    const region = collectRegion(this.#core, eip, { instructions: FIRST_LIMIT, pages: MOST_PAGES, wants: () => true })
    if (region.nodes.length === 0) return undefined
    return translateRegion(this.#core, region, modeOf(this.#core), this.#vcpu, () => undefined).listing()
  }

  /** @param round how often the region was made before; each time it may be larger, and take in more of what others have */
  #translate(block: Block, at: number, round: number): boolean {
    const core = this.#core
    const { machine } = core
    if (
      this.#valid.size >= MOST_REGIONS ||
      this.#bytes > MOST_BYTES ||
      this.#area.end - this.#nextTable < TABLE_RESERVE
    )
      this.#forgetAll()
    const mode = modeOf(core)
    const warm = Math.ceil(this.#hot / WARM_DIVISOR)
    const region = collectRegion(core, at, {
      instructions: Math.min(FIRST_LIMIT << round, LARGEST_LIMIT),
      pages: MOST_PAGES,
      wants: (each, eip) => {
        const entry = each.translations[this.#vcpu] as Entry | undefined
        const isTranslated = entry !== undefined && entry.eip === eip && entry.region.isValid
        return isTranslated ? round > 0 : each.heat >= warm
      },
    })
    if (region.nodes.length === 0) return false
    let table: JumpTable | undefined
    const translated = translateRegion(core, region, mode, this.#vcpu, (nodes) => {
      const targets = nodes.map(({ eip, entry }) => {
        const { page, frame } = region.pages.get(eip & PAGE_MASK)!
        return { eip, entry, addend: (frame - page) | 0 }
      })
      table = JumpTable.make(targets, (bytes) => this.#allocateTable(bytes))
      return table
    })
    const module = encodeModule(translated.body, machine.memory.buffer.byteLength / WASM_PAGE_BYTES)
    const run = compile(module, machine.memory, this.callout)
    if (run === undefined) {
      this.statistics.failed++
      return false
    }
    table?.install(core.words)
    const made: TranslatedRegion = {
      isValid: true,
      mode: mode.key,
      run,
      exits: translated.exits,
      callouts: translated.callouts.map(({ op, eip, flags }) => ({ block: op.alone(), eip, flags })),
      pages: region.pages,
      bytes: module.length,
      root: block,
      rootEip: at,
      restlessness: 0,
    }
    for (const [number, { node, needsFlags }] of translated.entries.entries()) {
      const entry: Entry = { region: made, number, eip: node.eip, needsFlags }
      region.blocks.get(node.eip)!.translations[this.#vcpu] = entry
      this.#cache[node.eip & CACHE_MASK] = entry
    }
    const invalidate = () => this.#invalidate(made)
    for (const { frame } of region.pages.values()) {
      const code: CodeFrame | undefined = machine.codeFrames[frame >>> 12]
      code?.whenDropped(invalidate)
    }
    this.#valid.add(made)
    this.#bytes += module.length
    this.statistics.regions++
    this.statistics.instructions += region.instructions
    this.statistics.bytes += module.length
    return true
  }

  #allocateTable(bytes: number): number | undefined {
    if (this.#nextTable + bytes > this.#area.end) return undefined
    const start = this.#nextTable
    this.#nextTable += bytes
    return start
  }

  /** A region is never entered again, and its code may go. */
  #invalidate(region: TranslatedRegion): void {
    if (!region.isValid) return
    region.isValid = false
    region.run = neverRun
    this.#valid.delete(region)
    this.#bytes -= region.bytes
    this.statistics.invalidated++
  }

  #forgetAll(): void {
    for (const region of [...this.#valid]) this.#invalidate(region)
    this.#cache.fill(undefined)
    this.#nextTable = this.#area.start
  }
}

function neverRun(): never {
  throw new Error('A region was entered that is not valid.')
}
