/**
 * A vcpu's registers as a hypervisor or loader sees them: one accessor each, all values unsigned. Writing checks nothing.
 */
import {
  ATTRIBUTES,
  BASE,
  CR0,
  CR2,
  CR3,
  CR4,
  EIP,
  FLAGS,
  GDTR_BASE,
  GDTR_LIMIT,
  IDTR_BASE,
  IDTR_LIMIT,
  LIMIT,
  SELECTOR,
} from '../mmu/layout.ts'
import type { Core } from './core.ts'
import { getFlags, IF } from './flags.ts'
import { CS, DS, ES, FS, GS, SS } from './instruction.ts'
import { writeFlags } from './write-flags.ts'

const LDTR_NUMBER = 6
const TR_NUMBER = 7
const DPL_SHIFT = 5

/** A segment register with its hidden part. */
export interface SegmentState {
  readonly selector: number
  readonly base: number
  /** The last offset, in bytes (granularity applied). */
  readonly limit: number
  /** Bits 8–23 of the descriptor's second word: the access byte in bits 0–7, AVL, D/B and G in bits 12, 14 and 15. */
  readonly attributes: number
}

/** GDTR or IDTR. */
export interface TableRegister {
  readonly base: number
  readonly limit: number
}

export class Registers {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  get eax(): number {
    return this.general(0)
  }
  set eax(value: number) {
    this.setGeneral(0, value)
  }

  get ecx(): number {
    return this.general(1)
  }
  set ecx(value: number) {
    this.setGeneral(1, value)
  }

  get edx(): number {
    return this.general(2)
  }
  set edx(value: number) {
    this.setGeneral(2, value)
  }

  get ebx(): number {
    return this.general(3)
  }
  set ebx(value: number) {
    this.setGeneral(3, value)
  }

  get esp(): number {
    return this.general(4)
  }
  set esp(value: number) {
    this.setGeneral(4, value)
  }

  get ebp(): number {
    return this.general(5)
  }
  set ebp(value: number) {
    this.setGeneral(5, value)
  }

  get esi(): number {
    return this.general(6)
  }
  set esi(value: number) {
    this.setGeneral(6, value)
  }

  get edi(): number {
    return this.general(7)
  }
  set edi(value: number) {
    this.setGeneral(7, value)
  }

  get eip(): number {
    return this.#core.r[EIP]! >>> 0
  }
  set eip(value: number) {
    this.#core.r[EIP] = value
  }

  get eflags(): number {
    return getFlags(this.#core.r) >>> 0
  }
  set eflags(value: number) {
    writeFlags(this.#core, value)
  }

  get cr0(): number {
    return this.#core.r[CR0]! >>> 0
  }
  set cr0(value: number) {
    this.#setControl(CR0, value)
  }

  get cr2(): number {
    return this.#core.r[CR2]! >>> 0
  }
  set cr2(value: number) {
    this.#core.r[CR2] = value
  }

  get cr3(): number {
    return this.#core.r[CR3]! >>> 0
  }
  set cr3(value: number) {
    this.#setControl(CR3, value)
  }

  get cr4(): number {
    return this.#core.r[CR4]! >>> 0
  }
  set cr4(value: number) {
    this.#setControl(CR4, value)
  }

  get gdtr(): TableRegister {
    return { base: this.#core.r[GDTR_BASE]! >>> 0, limit: this.#core.r[GDTR_LIMIT]! >>> 0 }
  }
  set gdtr(table: TableRegister) {
    this.#core.r[GDTR_BASE] = table.base
    this.#core.r[GDTR_LIMIT] = table.limit
  }

  get idtr(): TableRegister {
    return { base: this.#core.r[IDTR_BASE]! >>> 0, limit: this.#core.r[IDTR_LIMIT]! >>> 0 }
  }
  set idtr(table: TableRegister) {
    this.#core.r[IDTR_BASE] = table.base
    this.#core.r[IDTR_LIMIT] = table.limit
  }

  /** The selector of a segment register; `segment` gives the hidden part, too. */
  get es(): number {
    return this.#core.r[SELECTOR + ES]!
  }

  get cs(): number {
    return this.#core.r[SELECTOR + CS]!
  }

  get ss(): number {
    return this.#core.r[SELECTOR + SS]!
  }

  get ds(): number {
    return this.#core.r[SELECTOR + DS]!
  }

  get fs(): number {
    return this.#core.r[SELECTOR + FS]!
  }

  get gs(): number {
    return this.#core.r[SELECTOR + GS]!
  }

  get ldtr(): number {
    return this.#core.r[SELECTOR + LDTR_NUMBER]!
  }

  get tr(): number {
    return this.#core.r[SELECTOR + TR_NUMBER]!
  }

  /** The current privilege level. */
  get cpl(): number {
    return this.#core.cpl
  }

  /** EFLAGS.IF. */
  get interruptFlag(): boolean {
    return (this.#core.r[FLAGS]! & IF) !== 0
  }

  /** A general register by its number, 0–7. */
  general(number: number): number {
    return this.#core.r[number & 7]! >>> 0
  }

  setGeneral(number: number, value: number): void {
    this.#core.r[number & 7] = value
  }

  /** A segment register with its hidden part: 0–5 as encoded (ES CS SS DS FS GS), 6 LDTR, 7 TR. */
  segment(number: number): SegmentState {
    const r = this.#core.r
    return {
      selector: r[SELECTOR + number]!,
      base: r[BASE + number]! >>> 0,
      limit: r[LIMIT + number]! >>> 0,
      attributes: r[ATTRIBUTES + number]!,
    }
  }

  /** Loads a segment register as a loader does. SS also sets the privilege level, which is its DPL. */
  setSegment(number: number, segment: SegmentState): void {
    const core = this.#core
    core.setSegment(number, segment.selector, segment.base, segment.limit, segment.attributes)
    if (number === SS) core.setCpl((segment.attributes >> DPL_SHIFT) & 3)
    core.forgetFetchPage()
  }

  #setControl(word: number, value: number): void {
    const core = this.#core
    core.r[word] = value
    core.refreshPaging()
    core.refreshBreakpoints()
    core.flushTlb(false)
  }
}
