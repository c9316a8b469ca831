/**
 * From a region to the body of one WebAssembly function: which node needs what of the flags, how the nodes nest, and the
 * branches between them.
 *
 * The function is (entry, fuel) → the number of the way out. Its nodes stand in nested blocks in which branches go forward;
 * loops are loops; everything else, returns and indirect branches above all, goes through a dispatcher at the top.
 */
import { ECX, ENGINE_TARGET, ESP } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import type { Op } from '../op.ts'
import {
  codeOf,
  DYNAMIC,
  type FlagState,
  isUnknown,
  LATE,
  MATERIAL,
  NEEDS_ALL,
  NEEDS_CARRY,
  NEEDS_NOTHING,
  NOTHING,
  stateOf,
} from './flag-state.ts'
import type { JumpTable } from './jump-table.ts'
import type { EngineMode } from './mode.ts'
import { isConditional, type Region, type RegionNode, successors } from './region.ts'
import { type Item, type Level, type Structure, structure } from './structure.ts'
import { getRm } from './translate/operands.ts'
import { pushValue } from './translate/stack.ts'
import { translatorOf } from './translate/table.ts'
import { type Callout, type Mark, type RegionExit, Translator } from './translator.ts'
import type { Label, Local } from './wasm-code.ts'
import { type WasmLine, wasmText } from './wasm-text.ts'

const PAGE_MASK = -4096
const SLOT = 4
const FIRST_NODE = 0

export interface TranslatedFunction {
  readonly body: Uint8Array
  readonly exits: readonly RegionExit[]
  readonly callouts: readonly Callout[]
  /** Nodes by the number with which the function is entered there. */
  readonly entries: readonly TranslatedEntry[]
  /** For people: the instructions, where those of each guest instruction begin, and the locals' names. */
  readonly listing: () => TranslationListing
}

/** What a region's code became. */
export interface TranslationListing {
  readonly marks: readonly Mark[]
  readonly lines: readonly WasmLine[]
}

/** A node where the function may be entered. */
export interface TranslatedEntry {
  readonly node: RegionNode
  /** It asks for flags that are worked out, not for what they follow from. */
  readonly needsFlags: boolean
}

interface NodeFlags {
  need: number
  /** The flags at the end, when they are unknown at the start. */
  out: FlagState
  avoidsLate: boolean
  /** The flags at the start. */
  in: FlagState
}

/** Translates a region for one vcpu in one mode. @param table finds the nodes of indirect branches; undefined: there are none */
export function translateRegion(
  core: Core,
  region: Region,
  mode: EngineMode,
  vcpu: number,
  makeTable: (nodes: readonly { eip: number; entry: number }[]) => JumpTable | undefined,
): TranslatedFunction {
  return new FunctionWriter(core, region, mode, vcpu).write(makeTable)
}

class FunctionWriter {
  readonly #region: Region
  readonly #t: Translator
  readonly #structure: Structure
  readonly #flags: NodeFlags[]
  readonly #entries: RegionNode[]
  readonly #entryOf = new Map<RegionNode, number>()
  readonly #labels = new Map<number, Label>()
  readonly #pc: Local
  readonly #target: Local
  #dispatch: Label = { depth: 0 }
  #table: JumpTable | undefined

  constructor(core: Core, region: Region, mode: EngineMode, vcpu: number) {
    this.#region = region
    this.#t = new Translator(core, mode, vcpu)
    const { code } = this.#t
    this.#pc = 0
    this.#target = code.local()
    const edges = region.nodes.map((node) => successors(region, node).map(({ index }) => index))
    const entries = new Set([FIRST_NODE, ...[...region.indirect].map(({ index }) => index)])
    this.#structure = structure(region.nodes.length, edges, entries)
    this.#flags = region.nodes.map(() => ({
      need: NEEDS_NOTHING,
      out: stateOf(DYNAMIC),
      avoidsLate: false,
      in: stateOf(DYNAMIC),
    }))
    for (const node of region.nodes) this.#analyse(node)
    this.#propagateNeeds()
    const dispatched = new Set(this.#structure.dispatched)
    for (const { node } of this.#structure.top) {
      if (this.#flags[node]!.need === NEEDS_NOTHING) dispatched.add(node)
    }
    this.#entries = [...dispatched].map((index) => region.nodes[index]!)
    for (const [entry, node] of this.#entries.entries()) this.#entryOf.set(node, entry)
    this.#chooseStates()
  }

  write(makeTable: (nodes: readonly { eip: number; entry: number }[]) => JumpTable | undefined): TranslatedFunction {
    const t = this.#t
    const { code } = t
    const targets = [...this.#region.indirect].map((node) => ({ eip: node.eip, entry: this.#entryOf.get(node)! }))
    this.#table = targets.length === 0 ? undefined : makeTable(targets)
    t.enter()
    t.exitLabel = code.block()
    this.#dispatch = code.loop()
    this.#level(this.#structure.top, undefined, () => {
      code.get(this.#pc)
      const labels = this.#entries.map(({ index }) => this.#labels.get(index)!)
      code.brTable(labels, labels[0]!)
    })
    code.op('unreachable')
    code.end()
    code.end()
    t.leave()
    code.get(t.exitId)
    const listing = () => ({ marks: t.marks, lines: wasmText(code.bytes, (local) => t.nameOf(local)) })
    const entries = this.#entries.map((node) => ({ node, needsFlags: this.#flags[node.index]!.need !== NEEDS_NOTHING }))
    return { body: code.finish(), exits: t.exits, callouts: t.callouts, entries, listing }
  }

  // ---- flags

  /** Translates a node for nothing, to see what it needs and leaves of the flags. */
  #analyse(node: RegionNode): void {
    const t = this.#t
    const known = this.#flags[node.index]!
    const kept = { exits: t.exits.length, callouts: t.callouts.length, mark: t.code.mark() }
    const attempt = () => {
      t.flags.need = NEEDS_NOTHING
      t.flags.lateNeed = NEEDS_NOTHING
      t.avoidsLateFlags = known.avoidsLate
      t.state = stateOf(DYNAMIC)
      t.rehearse(() => this.#ops(node, () => this.#condition(node)))
      t.code.reset(kept.mark)
      t.exits.length = kept.exits
      t.callouts.length = kept.callouts
    }
    attempt()
    if (t.flags.lateNeed !== NEEDS_NOTHING) {
      known.avoidsLate = true
      attempt()
    }
    known.need = Math.max(known.need, t.flags.need)
    known.out = t.state
  }

  /** A node that leaves the flags as they were needs what its successors need. */
  #propagateNeeds(): void {
    for (let changed = true; changed; ) {
      changed = false
      for (const node of this.#region.nodes) {
        const own = this.#flags[node.index]!
        const wanted = Math.max(NEEDS_NOTHING, ...this.#targets(node).map(({ index }) => this.#flags[index]!.need))
        if (own.out.base === LATE && wanted !== NEEDS_NOTHING) {
          own.avoidsLate = true
          this.#analyse(node)
          changed = true
        }
        if (own.out.base !== DYNAMIC) continue
        const inherited = own.out.overlay !== NOTHING && wanted === NEEDS_CARRY ? NEEDS_NOTHING : wanted
        if (inherited > own.need) {
          own.need = inherited
          changed = true
        }
      }
    }
  }

  /** Where control may go from a node, inside the region. */
  #targets(node: RegionNode): RegionNode[] {
    const isIndirect = ['return', 'indirectJump', 'indirectCall'].includes(node.ending)
    return [...successors(this.#region, node), ...(isIndirect ? this.#region.indirect : [])]
  }

  /** Where all predecessors leave the same, that is what a node in need begins with; otherwise they make it known. */
  #chooseStates(): void {
    const undecided = new Set<number>()
    for (const { index } of this.#region.nodes) {
      if (this.#flags[index]!.need !== NEEDS_NOTHING) undecided.add(index)
    }
    const settle = (index: number) => {
      const flags = this.#flags[index]!
      flags.in = stateOf(flags.need === NEEDS_ALL ? MATERIAL : DYNAMIC)
      undecided.delete(index)
    }
    for (const index of [...undecided]) if (this.#entryOf.has(this.#region.nodes[index]!)) settle(index)
    for (let changed = true; changed; ) {
      changed = false
      for (const index of [...undecided]) {
        const outs = new Map<number, FlagState>()
        let isOpen = false
        for (const node of this.#region.nodes) {
          if (!this.#targets(node).some((target) => target.index === index)) continue
          const { out } = this.#flags[node.index]!
          if (isUnknown(out) && undecided.has(node.index)) isOpen = true
          else {
            const state = this.#outOf(node.index)
            outs.set(codeOf(state), state)
          }
        }
        const [only] = outs.values()
        if (outs.size > 1 || (only !== undefined && isUnknown(only))) {
          settle(index)
          changed = true
        } else if (!isOpen && only !== undefined) {
          this.#flags[index]!.in = only
          undecided.delete(index)
          changed = true
        }
      }
      if (!changed && undecided.size > 0) {
        for (const index of [...undecided]) settle(index)
      }
    }
  }

  /** The flags at a node's end, given those at its start. */
  #outOf(index: number): FlagState {
    const { out, in: start } = this.#flags[index]!
    if (out.base !== DYNAMIC) return out
    if (out.overlay === NOTHING) return start
    return { ...start, overlay: out.overlay, overlayShift: out.overlayShift }
  }

  // ---- structure

  /** @param dispatch written inside of all blocks of the top level */
  #level(level: Level, after: number | undefined, dispatch?: () => void): void {
    const { code } = this.#t
    const isTop = dispatch !== undefined
    const labelled = isTop ? level : level.slice(1)
    for (const item of [...labelled].reverse()) this.#labels.set(item.node, code.block())
    dispatch?.()
    for (const [i, item] of level.entries()) {
      const next = level[i + 1]?.node ?? after
      if (isTop || i > 0) {
        code.end()
        this.#labels.delete(item.node)
      }
      this.#item(item, next)
    }
  }

  #item(item: Item, next: number | undefined): void {
    const { code } = this.#t
    if (item.kind === 'node') {
      this.#node(this.#region.nodes[item.node]!, next)
      return
    }
    this.#labels.set(item.node, code.loop())
    this.#level(item.body, next)
    code.end()
    this.#labels.delete(item.node)
  }

  // ---- nodes

  #node(node: RegionNode, next: number | undefined): void {
    const t = this.#t
    const flags = this.#flags[node.index]!
    t.state = flags.in
    t.avoidsLateFlags = flags.avoidsLate
    t.node(() => {
      this.#ops(node, () => this.#ending(node, next))
    })
  }

  /** All instructions but the one that ends the node, which `end` translates. */
  #ops(node: RegionNode, end: () => void): void {
    const t = this.#t
    const { ops } = node
    const hasEnding = node.ending !== 'fall' && node.ending !== 'leave'
    const bodyLength = hasEnding ? ops.length - 1 : ops.length
    let paidUntil = 0
    for (let i = 0; i < bodyLength; i++) {
      const placed = ops[i]!
      const translator = translatorOf(placed.op)
      if (i >= paidUntil && translator !== undefined) {
        paidUntil = i + 1
        while (paidUntil < ops.length && (paidUntil === bodyLength || translatorOf(ops[paidUntil]!.op) !== undefined)) {
          paidUntil++
        }
        t.pay(placed.eip, paidUntil - i)
      }
      t.at(placed, paidUntil - i)
      if (translator?.(t, placed.op) === true) continue
      if (translator === undefined) t.requireFuel()
      else t.refund(paidUntil - i)
      t.callout(placed.op)
      if (translator !== undefined && paidUntil > i + 1) t.pay(ops[i + 1]!.eip, paidUntil - i - 1)
    }
    if (hasEnding) {
      const placed = ops[bodyLength]!
      if (bodyLength >= paidUntil) t.pay(placed.eip, 1)
      t.at(placed, 1)
    }
    end()
  }

  /** For the analysis: what the node's end asks of the flags. */
  #condition(node: RegionNode): void {
    if (node.ending !== 'branch') return
    const op = node.ops[node.ops.length - 1]!.op
    if (isConditional(op)) this.#t.flags.condition(this.#t.state, op.opcode & 15)
  }

  #ending(node: RegionNode, next: number | undefined): void {
    const t = this.#t
    const { code } = t
    const { op } = node.ops[node.ops.length - 1]!
    switch (node.ending) {
      case 'fall':
        this.#edge(node, node.next, next)
        break
      case 'jump':
        this.#edge(node, node.target, next)
        break
      case 'branch':
        this.#branch(node, op, next)
        break
      case 'call':
        if (!t.hasFlatStack) {
          this.#giveUp(op)
          break
        }
        pushValue(t, () => code.const(node.next))
        this.#edge(node, node.target, next)
        break
      case 'return':
        this.#return(op)
        break
      case 'indirectJump':
      case 'indirectCall':
        this.#indirect(node, op)
        break
      case 'leave':
        code.const(-1).op('return')
        break
    }
  }

  /** The interpreter executes the ending; the region is left behind it. */
  #giveUp(op: Op): void {
    const t = this.#t
    t.refund(1)
    t.callout(op)
    t.code.const(-1).op('return')
  }

  #branch(node: RegionNode, op: Op, next: number | undefined): void {
    const t = this.#t
    const { code } = t
    if (isConditional(op)) t.flags.condition(t.state, op.opcode & 15)
    else {
      if (op.opcode === 0xe2) t.addToRegister(ECX, -1)
      t.getRegister(ECX, 32)
      if (op.opcode === 0xe3) code.op('i32_eqz')
    }
    code.if()
    this.#edge(node, node.target, undefined)
    code.end()
    this.#edge(node, node.next, next)
  }

  #return(op: Op): void {
    const t = this.#t
    if (!t.hasFlatStack) {
      this.#giveUp(op)
      return
    }
    const place = t.place(ESP, 0, SLOT, false)
    t.load(place, 32)
    t.code.set(this.#target)
    t.addToRegister(ESP, SLOT + (op.opcode === 0xc2 ? op.immediate & 0xffff : 0))
    this.#toTarget(op)
  }

  #indirect(node: RegionNode, op: Op): void {
    const t = this.#t
    const isCall = node.ending === 'indirectCall'
    const canRead = op.isRegister || (op.addressMask === -1 && t.isFlat(op.segment, false))
    if (!canRead || (isCall && !t.hasFlatStack)) {
      this.#giveUp(op)
      return
    }
    getRm(t, op, 32)
    t.code.set(this.#target)
    if (isCall) pushValue(t, () => t.code.const(node.next))
    this.#toTarget(op)
  }

  /** Goes where the local `target` says: to a node of the region, or out. */
  #toTarget(op: Op): void {
    const t = this.#t
    const { code } = t
    const table = this.#table
    if (table !== undefined) {
      const needs = [...this.#region.indirect].map(({ index }) => this.#flags[index]!)
      const needsAll = needs.some(({ need }) => need === NEEDS_ALL)
      const needsCarry = needs.some(({ need }) => need === NEEDS_CARRY)
      if (needsAll) {
        t.convertFlags(stateOf(MATERIAL), false)
        t.state = stateOf(MATERIAL)
      }
      t.convertFlags(stateOf(DYNAMIC), needsCarry)
      t.state = stateOf(DYNAMIC)
      const entry = code.borrow()
      table.lookUp(code, this.#target, entry)
      if (this.#region.pages.size > 1) {
        const addend = code.borrow()
        table.pushAddend(code, entry)
        code.set(addend)
        t.pageDiffers(this.#target, addend)
        code.giveBack(addend)
        code.op('i32_eqz').op('i32_and')
        t.hasFuel()
        code.op('i32_and')
      }
      code.if()
      table.pushEntry(code, entry)
      code.set(this.#pc).br(this.#dispatch)
      code.end()
      code.giveBack(entry)
    }
    t.storeWord(ENGINE_TARGET, this.#target)
    code
      .const(t.addExit(undefined, 0, true, op))
      .set(t.exitId)
      .br(t.exitLabel)
  }

  /** Goes on at `eip`: to a node of the region, or out. @param next the node that is written next, if control may just run on */
  #edge(node: RegionNode, eip: number, next: number | undefined): void {
    const t = this.#t
    const { code } = t
    const target = this.#region.byEip.get(eip)
    if (target === undefined) {
      code
        .const(t.addExit(eip, 0, true))
        .set(t.exitId)
        .br(t.exitLabel)
      return
    }
    const before = t.state
    if (((eip ^ node.ops[node.ops.length - 1]!.eip) & PAGE_MASK) !== 0) {
      t.requireFuel(eip)
      t.checkPage(this.#region, eip)
    }
    const flags = this.#flags[target.index]!
    t.convertFlags(flags.in, flags.need === NEEDS_CARRY)
    t.state = before
    if (target.index === next) return
    const label = this.#labels.get(target.index)
    if (label !== undefined) code.br(label)
    else code.const(this.#entryOf.get(target)!).set(this.#pc).br(this.#dispatch)
  }
}
