/**
 * The fast engine of one vcpu: blocks that the interpreter runs often are translated to WebAssembly together with what they
 * reach, and run from then on in its place. Whatever a region cannot do, it leaves to the interpreter at the start of an
 * instruction, with all state where the interpreter has it.
 */

import type { CodeFrame } from '../../mmu/code-frames.ts'
import { EIP, ENGINE_FLAGS, ENGINE_FUEL, ENGINE_TARGET, FETCH_FRAME, FETCH_GPA, FETCH_PAGE } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { getFlags } from '../flags.ts'
import { type Block, noteTarget, type Op } from '../op.ts'
import { LATE, OVERLAY_MASK, writeBack } from './flag-state.ts'
import { translateRegion } from './function.ts'
import { JumpTable } from './jump-table.ts'
import { modeOf } from './mode.ts'
import { type CodePage, collectRegion, type RegionLimits } from './region.ts'
import type { RegionExit } from './translator.ts'
import { compile } from './wasm-host.ts'
import { encodeModule } from './wasm-module.ts'

const PAGE_MASK = -4096
/** Executions of a block after which its region is translated. */
const HOT = 200
/** A region that could not be made is tried again after so many more. */
const HOPELESS = -1_000_000
/** Instructions after which a region comes back for a moment, so that better code can take its place. */
const SLICE = 1 << 20
/** Indirect branches that found no node, after which a region is made anew. */
const MOST_MISSES = 50
const MOST_REMAKES = 6
const WASM_PAGE_BYTES = 65_536
const LIMITS: RegionLimits = { instructions: 1200, pages: 16, warmth: 4 }
const NEVER_TRANSLATED = 0

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
  readonly run: (entry: number, fuel: number) => number
  readonly exits: readonly RegionExit[]
  readonly callouts: readonly { readonly block: Block; readonly eip: number; readonly flags: number }[]
  readonly pages: ReadonlyMap<number, CodePage>
  readonly root: Block
  misses: number
}

interface Entry {
  readonly region: TranslatedRegion
  readonly number: number
  readonly eip: number
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
  /** What an instruction threw that a region had executed, and the block that holds it. */
  thrown: unknown
  thrownBy: Block | undefined

  readonly #core: Core
  readonly #vcpu: number
  readonly #words: Int32Array
  readonly #hot: number
  #running: TranslatedRegion | undefined
  /** The fuel that the region got when it was entered, or after its last callout. */
  #given = 0
  readonly #remakes = new WeakMap<Block, number>()

  /** @param hot executions of a block after which its region is translated */
  constructor(core: Core, vcpu: number, hot = HOT) {
    this.#core = core
    this.#hot = hot
    this.#vcpu = vcpu
    this.#words = new Int32Array(core.machine.memory.buffer)
  }

  /**
   * Runs translated code from `block` on, at the linear address `at`, if there is any.
   * @returns false when nothing was executed: the interpreter must run the block. Otherwise `thrown` may hold a fault.
   */
  enter(block: Block, at: number): boolean {
    const core = this.#core
    const entry = block.translations[this.#vcpu] as Entry | undefined
    if (entry === undefined || !entry.region.isValid || entry.eip !== at || entry.region.mode !== core.mode) {
      if (++block.heat < this.#hot || !core.csFlat || core.codeSize !== 32) return false
      block.heat = NEVER_TRANSLATED
      if (!this.#translate(block, at)) block.heat = HOPELESS
      return false
    }
    return this.#run(entry)
  }

  #run({ region, number }: Entry): boolean {
    const core = this.#core
    const r = core.r
    getFlags(r)
    const before = core.work
    const extra = core.extra
    this.#running = region
    this.#given = core.fuel < SLICE ? core.fuel : SLICE
    this.statistics.entered++
    const id = region.run(number, this.#given)
    if (id < 0) return true
    const exit = region.exits[id]!
    this.#settle(r[ENGINE_FUEL]! + exit.undo, exit.flags, exit.page)
    r[EIP] = exit.eip ?? r[ENGINE_TARGET]!
    if (exit.source !== undefined) this.#noteMiss(region, exit.source, r[EIP]!)
    return core.work !== before || core.extra !== extra
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
      this.thrownBy = block
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
    this.#given = core.fuel < SLICE ? core.fuel : SLICE
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
    const base = flags & 15
    const code =
      base < LATE
        ? flags
        : (flags & OVERLAY_MASK) === 0
          ? r[ENGINE_FLAGS]!
          : (r[ENGINE_FLAGS]! & ~OVERLAY_MASK) | (flags & OVERLAY_MASK)
    writeBack(r, code)
    if (r[FETCH_PAGE] !== page) {
      const { frame, gpa } = this.#running!.pages.get(page)!
      r[FETCH_PAGE] = page
      r[FETCH_FRAME] = frame
      r[FETCH_GPA] = gpa
      core.blocks = null
    }
  }

  /** An indirect branch left its region. When that happens often, the region is made again with its target. */
  #noteMiss(region: TranslatedRegion, source: Op, target: number): void {
    noteTarget(source, target)
    if (++region.misses !== MOST_MISSES) return
    const remakes = this.#remakes.get(region.root) ?? 0
    if (remakes === MOST_REMAKES) return
    this.#remakes.set(region.root, remakes + 1)
    region.isValid = false
    region.root.heat = this.#hot - 1
  }

  #translate(block: Block, at: number): boolean {
    const core = this.#core
    const { machine } = core
    const mode = modeOf(core)
    const region = collectRegion(core, at, { ...LIMITS, warmth: Math.min(LIMITS.warmth, this.#hot) })
    if (region.nodes.length === 0) return false
    let table: JumpTable | undefined
    const translated = translateRegion(core, region, mode, this.#vcpu, (nodes) => {
      const targets = nodes.map(({ eip, entry }) => {
        const { page, frame } = region.pages.get(eip & PAGE_MASK)!
        return { eip, entry, addend: (frame - page) | 0 }
      })
      table = JumpTable.make(targets, (bytes) => machine.allocateTable(bytes))
      return table
    })
    const module = encodeModule(translated.body, machine.memory.buffer.byteLength / WASM_PAGE_BYTES)
    const run = compile(module, machine.memory, this.callout)
    if (run === undefined) {
      this.statistics.failed++
      return false
    }
    table?.install(this.#words)
    const made: TranslatedRegion = {
      isValid: true,
      mode: mode.key,
      run,
      exits: translated.exits,
      callouts: translated.callouts.map(({ op, eip, flags }) => ({ block: op.alone(), eip, flags })),
      pages: region.pages,
      root: block,
      misses: 0,
    }
    for (const [number, node] of translated.entries.entries()) {
      const entry: Entry = { region: made, number, eip: node.eip }
      region.blocks.get(node.eip)!.translations[this.#vcpu] = entry
    }
    const invalidate = () => {
      if (!made.isValid) return
      made.isValid = false
      this.statistics.invalidated++
    }
    for (const { frame } of region.pages.values()) {
      const code: CodeFrame | undefined = machine.codeFrames[frame >>> 12]
      code?.whenDropped(invalidate)
    }
    this.statistics.regions++
    this.statistics.instructions += region.instructions
    this.statistics.bytes += module.length
    return true
  }
}
