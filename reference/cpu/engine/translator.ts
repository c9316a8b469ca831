/**
 * Writes the WebAssembly function of a region: guest registers and what flags follow from live in locals; memory is reached
 * through the TLB's tags; whatever cannot go on here leaves with the state of an instruction's start.
 *
 * How single instructions become WebAssembly is in `translate/`, one file for each group, named as its twin in `execute/`.
 */
import {
  ENGINE_FLAGS,
  ENGINE_FUEL,
  FLAGS,
  FLAT_READ,
  FLAT_WRITE,
  FRAME_SHIFT,
  REGISTER_BYTES,
  TLB_ADDEND,
  TLB_READ,
  TLB_WRITE,
  ZERO,
} from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { SS } from '../instruction.ts'
import type { Op } from '../op.ts'
import {
  ARITHMETIC,
  codeOf,
  DYNAMIC,
  FlagEmitter,
  type FlagState,
  isUnknown,
  MATERIAL,
  NOTHING,
  OVERLAY_MASK,
  stateOf,
} from './flag-state.ts'
import type { EngineMode } from './mode.ts'
import type { PlacedOp, Region } from './region.ts'
import { type Label, type Local, type MemoryOpcode, WasmCode } from './wasm-code.ts'
import { CALLOUT_FUNCTION } from './wasm-module.ts'

const PAGE_MASK = -4096
/** Accesses through one register are checked together when they lie within so many bytes. */
const WIDEST_GROUP = 512
const GENERAL_REGISTERS = 8
const REGISTER_NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi']

/** How a region was left: what its number stands for. */
export interface RegionExit {
  /** Control went to where the region has no code; otherwise an instruction or the fuel stopped it. */
  readonly isEdge: boolean
  /** Where the guest goes on; undefined: at the address in `ENGINE_TARGET`. */
  readonly eip: number | undefined
  /** Instructions that were paid for and not executed. */
  readonly undo: number
  /** The state of the flags, as `codeOf` gives it. */
  readonly flags: number
  /** Linear address of the page that was fetched from last. */
  readonly page: number
  /** The indirect branch that found no node, if it was one. */
  readonly source: Op | undefined
}

/** An instruction that the interpreter executes in the middle of a region. */
export interface Callout {
  readonly op: Op
  readonly eip: number
  readonly flags: number
}

/** The translation of the instruction at `eip` begins at this byte of the code. */
export interface Mark {
  readonly eip: number
  readonly offset: number
}

/** A memory operand that was found to be accessible: `local` + `offset` is its place in machine memory. */
export interface Place {
  readonly local: Local
  readonly offset: number
}

interface Access {
  readonly key: string
  /** Bytes from the key's register, or an absolute address. */
  readonly offset: number
  readonly size: number
  readonly write: boolean
}

interface Group {
  low: number
  high: number
  write: boolean
  local: Local | undefined
}

/** What a general register holds in terms of what it held before: a version, and bytes added to it. */
interface Tracked {
  readonly version: number
  readonly offset: number
}

export class Translator {
  readonly code = new WasmCode(2)
  readonly flags: FlagEmitter
  readonly mode: EngineMode
  readonly exits: RegionExit[] = []
  readonly callouts: Callout[] = []
  readonly features: number
  /** Where the translation of each instruction begins. */
  readonly marks: Mark[] = []
  /** A shift by CL must not leave flags that are known only at run time: someone in this node or behind it reads them. */
  avoidsLateFlags = false
  /** The state of the flags at this point. */
  state: FlagState = stateOf(MATERIAL)
  exitLabel: Label = { depth: 0 }

  readonly #core: Core
  readonly #registers: Local[]
  readonly #fuel: Local
  readonly exitId: Local
  readonly #blockBase: number
  readonly #tlbBase: number

  /** Paid for and not executed, at this point; and the instruction that is being translated. */
  #undo = 0
  #eip = 0
  #sideExit: number | undefined
  /** Accesses of the node in the order of their translation: recorded first, then used. */
  #recording = false
  #accesses: Access[] = []
  #groups = new Map<string, Group>()
  #tracked: Tracked[] = []
  #versions = 0
  #borrowed: Local[] = []

  constructor(core: Core, mode: EngineMode, index: number) {
    const { code } = this
    this.#core = core
    this.mode = mode
    this.features = core.model.features
    this.#blockBase = core.machine.vcpuBlockOffset(index)
    this.#tlbBase = this.#blockBase + REGISTER_BYTES + core.tlbHalf * 4
    this.#fuel = 1
    this.#registers = Array.from({ length: GENERAL_REGISTERS }, () => code.local())
    this.exitId = code.local()
    this.flags = new FlagEmitter(code, {
      bits: code.local(),
      carry: code.local(),
      first: code.local(),
      second: code.local(),
      result: code.local(),
      other: code.local(),
      kind: code.local(),
    })
  }

  // ---- state in memory

  /** Loads registers and flags from the vcpu's words. */
  enter(): void {
    this.#loadRegisters()
    for (const [i, local] of this.#flagLocals.entries()) this.loadWord(ENGINE_FLAGS + i).set(local)
  }

  /** Stores registers and what the flags follow from. */
  leave(): void {
    for (let n = 0; n < GENERAL_REGISTERS; n++) this.storeWord(n, this.#registers[n]!)
    this.storeWord(ENGINE_FUEL, this.#fuel)
    for (const [i, local] of this.#flagLocals.entries()) this.storeWord(ENGINE_FLAGS + i, local)
  }

  /** As they stand behind `ENGINE_FLAGS`. */
  get #flagLocals(): readonly Local[] {
    const { bits, carry, first, second, result, other, kind } = this.flags.locals
    return [kind, bits, carry, first, second, result, other]
  }

  #loadRegisters(): void {
    for (let n = 0; n < GENERAL_REGISTERS; n++) this.loadWord(n).set(this.#registers[n]!)
  }

  #loadFlags(): void {
    const { bits, carry, kind } = this.flags.locals
    this.loadWord(FLAGS).const(ARITHMETIC).op('i32_and').tee(bits).const(1).op('i32_and').set(carry)
    this.code.const(MATERIAL).set(kind)
  }

  /** Pushes a word of the vcpu's registers. */
  loadWord(word: number): WasmCode {
    return this.code.const(0).memory('i32_load', this.#blockBase + 4 * word)
  }

  storeWord(word: number, local: Local): void {
    this.code
      .const(0)
      .get(local)
      .memory('i32_store', this.#blockBase + 4 * word)
  }

  /** What a local stands for, for people. */
  nameOf(local: Local): string {
    const { bits, carry, first, second, result, other, kind } = this.flags.locals
    const names = new Map<Local, string>([
      [0, 'entry'],
      [this.#fuel, 'fuel'],
      [this.exitId, 'exit'],
      ...this.#registers.map((register, n) => [register, REGISTER_NAMES[n]!] as const),
      [bits, 'flags.bits'],
      [carry, 'flags.carry'],
      [first, 'flags.first'],
      [second, 'flags.second'],
      [result, 'flags.result'],
      [other, 'flags.other'],
      [kind, 'flags.kind'],
    ])
    return `$${names.get(local) ?? local}`
  }

  // ---- general registers

  /** Pushes a register; of 8 and 16 bits the upper ones mean nothing. */
  getRegister(n: number, width: number): void {
    if (width !== 8 || n < 4) this.code.get(this.#registers[n]!)
    else
      this.code
        .get(this.#registers[n - 4]!)
        .const(8)
        .op('i32_shr_u')
  }

  /** Takes a value from the stack into a register; the rest of the register stays. */
  setRegister(n: number, width: number): void {
    const { code } = this
    const isHigh = width === 8 && n >= 4
    const register = this.#registers[isHigh ? n - 4 : n]!
    this.#tracked[isHigh ? n - 4 : n] = { version: ++this.#versions, offset: 0 }
    if (width === 32) {
      code.set(register)
      return
    }
    const mask = width === 16 ? 0xffff : 0xff
    code.const(mask).op('i32_and')
    if (isHigh) code.const(8).op('i32_shl')
    code
      .get(register)
      .const(isHigh ? ~0xff00 : ~mask)
      .op('i32_and')
      .op('i32_or')
      .set(register)
  }

  /** A register was written in another way. */
  wasChanged(n: number): void {
    this.#tracked[n] = { version: ++this.#versions, offset: 0 }
  }

  /** The local of a 32-bit register. */
  registerLocal(n: number): Local {
    return this.#registers[n]!
  }

  /** Adds a constant to a 32-bit register. */
  addToRegister(n: number, amount: number): void {
    const register = this.#registers[n]!
    this.code.get(register).const(amount).op('i32_add').set(register)
    this.noteTracked(n, this.#tracked[n]!, amount)
  }

  /** What register `n` is, for {@link noteTracked} after it or another one was written. */
  tracked(n: number): Tracked {
    return this.#tracked[n]!
  }

  /** Register `n` is now what was `before`, with `amount` added. */
  noteTracked(n: number, before: Tracked, amount = 0): void {
    this.#tracked[n] = { version: before.version, offset: (before.offset + amount) | 0 }
  }

  /** Pushes an op's immediate. */
  immediate(op: Op): void {
    if (op.live < 0) this.code.const(op.immediate)
    else this.code.const(0).memory('i32_load', op.live)
  }

  // ---- memory

  /** The op's segment allows reading (and writing) without any check. */
  isFlat(segment: number, write: boolean): boolean {
    const flat = this.mode.flat[segment]!
    return (flat & (write ? FLAT_WRITE : FLAT_READ)) !== 0
  }

  /** Pushes the effective address of a memory operand with 32-bit addressing. */
  effectiveAddress(op: Op): void {
    const { code } = this
    let pushed = false
    if (op.base !== ZERO) {
      code.get(this.#registers[op.base]!)
      pushed = true
    }
    if (op.index !== ZERO) {
      code.get(this.#registers[op.index]!)
      if (op.scale !== 0) code.const(op.scale).op('i32_shl')
      if (pushed) code.op('i32_add')
      pushed = true
    }
    if (!pushed) code.const(op.displacement)
    else if (op.displacement !== 0) code.const(op.displacement).op('i32_add')
  }

  /** Finds the place of a memory operand, or leaves before the instruction. Needs `isFlat`. */
  operandPlace(op: Op, size: number, write: boolean): Place {
    if (op.index === ZERO) return this.place(op.base, op.displacement, size, write)
    this.effectiveAddress(op)
    return this.placeOfStack(size, write)
  }

  /** The place of `size` bytes at register `base` (`ZERO`: none) + `displacement`. */
  place(base: number, displacement: number, size: number, write: boolean): Place {
    const isAbsolute = base === ZERO
    const { version, offset } = isAbsolute ? { version: 0, offset: 0 } : this.#tracked[base]!
    const at = (offset + displacement) | 0
    const key = isAbsolute ? `${this.#epoch}:${displacement >>> FRAME_SHIFT}` : `r${version}`
    if (this.#recording) {
      this.#accesses.push({ key, offset: at, size, write })
      return { local: 0, offset: 0 }
    }
    const group = this.#groups.get(key)
    if (group !== undefined) {
      if (group.local === undefined) {
        const { code } = this
        if (isAbsolute) code.const(group.low)
        else
          code
            .get(this.#registers[base]!)
            .const((group.low - offset) | 0)
            .op('i32_add')
        group.local = this.#check(group.high - group.low, group.write)
      }
      return { local: group.local, offset: at - group.low }
    }
    const { code } = this
    if (isAbsolute) code.const(displacement)
    else {
      code.get(this.#registers[base]!)
      if (displacement !== 0) code.const(displacement).op('i32_add')
    }
    return { local: this.#check(size, write), offset: 0 }
  }

  /** The place of `size` bytes at the linear address on the stack. */
  placeOfStack(size: number, write: boolean): Place {
    if (this.#recording) {
      this.code.op('drop')
      return { local: 0, offset: 0 }
    }
    return { local: this.#check(size, write), offset: 0 }
  }

  #epoch = 0

  /** Takes a linear address; leaves the region unless the TLB allows the access to `size` bytes; gives their place. */
  #check(size: number, write: boolean): Local {
    const { code } = this
    const linear = code.borrow()
    const entry = code.borrow()
    this.#borrowed.push(linear)
    code
      .tee(linear)
      .const(FRAME_SHIFT - 4)
      .op('i32_shr_u')
      .const(this.#core.tlbMask << 2)
      .op('i32_and')
      .tee(entry)
    code.memory('i32_load', this.#tlbBase + 4 * (write ? TLB_WRITE : TLB_READ))
    code.get(linear)
    if (size > 1) code.const(size - 1).op('i32_add')
    code.const(PAGE_MASK).op('i32_and').op('i32_ne')
    this.leaveIf()
    code
      .get(linear)
      .get(entry)
      .memory('i32_load', this.#tlbBase + 4 * TLB_ADDEND)
      .op('i32_add')
      .set(linear)
    code.giveBack(entry)
    return linear
  }

  /** Pushes what stands at a place: bytes and words with zeros above them. */
  load(place: Place, width: number): void {
    const name = width === 32 ? 'i32_load' : width === 16 ? 'i32_load16_u' : 'i32_load8_u'
    this.loadAs(place, name)
  }

  loadAs(place: Place, name: MemoryOpcode): void {
    this.code.get(place.local).memory(name, place.offset)
  }

  /** Stores a local at a place. */
  store(place: Place, width: number, value: Local): void {
    const name = width === 32 ? 'i32_store' : width === 16 ? 'i32_store16' : 'i32_store8'
    this.code.get(place.local).get(value).memory(name, place.offset)
  }

  // ---- leaving

  /** Takes a condition; when it holds, the interpreter goes on with the instruction that is being translated. */
  leaveIf(): void {
    this.#sideExit ??= this.addExit(this.#eip, this.#undo)
    this.code.const(this.#sideExit).set(this.exitId).brIf(this.exitLabel)
  }

  /** A new way out, with the flags as they are here. */
  addExit(eip: number | undefined, undo: number, isEdge = false, source?: Op): number {
    this.exits.push({ isEdge, eip, undo, flags: codeOf(this.state), page: this.#eip & PAGE_MASK, source })
    return this.exits.length - 1
  }

  /** Leaves for `eip` when no other instruction may start. */
  requireFuel(eip = this.#eip): void {
    this.code.get(this.#fuel).const(1).op('i32_lt_s')
    this.code.const(this.addExit(eip, 0)).set(this.exitId).brIf(this.exitLabel)
  }

  /** Pushes 1 when another instruction may start. */
  hasFuel(): void {
    this.code.get(this.#fuel).const(0).op('i32_gt_s')
  }

  /** The interpreter executes the instruction; unless it went on as it should, the region is left. */
  callout(op: Op): void {
    const { code } = this
    const id = this.callouts.length
    this.callouts.push({ op, eip: this.#eip, flags: codeOf(this.state) })
    this.leave()
    code.const(id).call(CALLOUT_FUNCTION)
    code.if()
    code.const(-1).op('return')
    code.end()
    this.#loadRegisters()
    this.loadWord(ENGINE_FUEL).set(this.#fuel)
    this.#loadFlags()
    this.state = stateOf(MATERIAL)
    this.#forgetPlaces()
  }

  /** Nothing that was checked before holds any more. */
  #forgetPlaces(): void {
    this.#epoch++
    this.#tracked = Array.from({ length: GENERAL_REGISTERS }, () => ({ version: ++this.#versions, offset: 0 }))
  }

  // ---- nodes

  /** Pays for `count` instructions from the one at `eip` on, or leaves before it. */
  pay(eip: number, count: number): void {
    const { code } = this
    this.#eip = eip
    code.get(this.#fuel).const(count).op('i32_sub').tee(this.#fuel)
    code.const(0).op('i32_lt_s')
    code.const(this.addExit(eip, count)).set(this.exitId).brIf(this.exitLabel)
  }

  /** Gives back what was paid for `count` instructions. */
  refund(count: number): void {
    this.code.get(this.#fuel).const(count).op('i32_add').set(this.#fuel)
  }

  /**
   * Translates a node twice: first to see which memory operands lie together, then for good.
   * @param write translates its instructions, with the flags in `state` at the start
   */
  node(write: () => void): void {
    const before = this.state
    const kept = { exits: this.exits.length, callouts: this.callouts.length, length: this.code.mark() }
    this.rehearse(write)
    this.code.reset(kept.length)
    this.exits.length = kept.exits
    this.callouts.length = kept.callouts
    this.#groups = groupsOf(this.#accesses)
    this.state = before
    this.#begin()
    write()
    for (const local of this.#borrowed) this.code.giveBack(local)
    this.#borrowed = []
  }

  /** Translates a node without its branches, to see what it asks for; the caller drops what was written. */
  rehearse(write: () => void): void {
    this.#begin()
    this.#recording = true
    this.#accesses = []
    write()
    this.#recording = false
  }

  #begin(): void {
    this.#versions = 0
    this.#epoch = 0
    this.#forgetPlaces()
  }

  /** The instruction that is translated next, and how many of those paid for are left with it. */
  at(placed: PlacedOp, left: number): void {
    if (!this.#recording) this.marks.push({ eip: placed.eip, offset: this.code.length })
    this.#eip = placed.eip
    this.#undo = left
    this.#sideExit = undefined
  }

  /** Leaves for `eip` unless the page there is still the region's, as the interpreter would find it. */
  checkPage(region: Region, eip: number): void {
    const page = eip & PAGE_MASK
    const { frame } = region.pages.get(page)!
    const entry = ((page >>> (FRAME_SHIFT - 4)) & (this.#core.tlbMask << 2)) + this.#tlbBase
    const { code } = this
    code
      .const(0)
      .memory('i32_load', entry + 4 * TLB_READ)
      .const(page)
      .op('i32_ne')
    code
      .const(0)
      .memory('i32_load', entry + 4 * TLB_ADDEND)
      .const(frame - page)
      .op('i32_ne')
      .op('i32_or')
    code.const(this.addExit(eip, 0)).set(this.exitId).brIf(this.exitLabel)
  }

  /** Pushes 1 unless the page of the linear address in `target` is mapped with the addend in `addend`. */
  pageDiffers(target: Local, addend: Local): void {
    const { code } = this
    const entry = code.borrow()
    code
      .get(target)
      .const(FRAME_SHIFT - 4)
      .op('i32_shr_u')
      .const(this.#core.tlbMask << 2)
      .op('i32_and')
      .tee(entry)
    code
      .memory('i32_load', this.#tlbBase + 4 * TLB_READ)
      .get(target)
      .const(PAGE_MASK)
      .op('i32_and')
      .op('i32_ne')
    code
      .get(entry)
      .memory('i32_load', this.#tlbBase + 4 * TLB_ADDEND)
      .get(addend)
      .op('i32_ne')
      .op('i32_or')
    code.giveBack(entry)
  }

  /** Brings the flags into the form that the node behind an edge expects. */
  convertFlags(to: FlagState, needsCarry: boolean): void {
    const { code, state } = this
    if (to.base === MATERIAL) {
      this.flags.materialise(state)
      return
    }
    if (to.base !== DYNAMIC) return
    if (needsCarry) {
      this.flags.carry(state)
      code.set(this.flags.locals.carry)
    }
    this.rememberFlags()
  }

  /** Brings the local `kind` up to date with the state, which from now on may be known only at run time. */
  rememberFlags(): void {
    const { code, state } = this
    const { kind } = this.flags.locals
    if (!isUnknown(state)) code.const(codeOf(state)).set(kind)
    else if (state.overlay !== NOTHING) {
      code
        .get(kind)
        .const(~OVERLAY_MASK)
        .op('i32_and')
        .const(codeOf(state) & OVERLAY_MASK)
        .op('i32_or')
        .set(kind)
    }
  }

  /** The stack is flat and 32 bits wide. */
  get hasFlatStack(): boolean {
    return this.mode.bigStack && this.isFlat(SS, true)
  }
}

/** Accesses through the same register are one group if they lie close together. */
function groupsOf(accesses: readonly Access[]): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const { key, offset, size, write } of accesses) {
    const group = groups.get(key)
    if (group === undefined) {
      groups.set(key, { low: offset, high: offset + size, write, local: undefined })
      continue
    }
    group.low = Math.min(group.low, offset)
    group.high = Math.max(group.high, offset + size)
    group.write ||= write
  }
  for (const [key, group] of groups) if (group.high - group.low > WIDEST_GROUP) groups.delete(key)
  return groups
}
