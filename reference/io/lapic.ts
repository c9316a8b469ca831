/**
 * The local APIC of one processor (Intel SDM vol. 3A ch. 11, as in a Pentium or P6): local interrupts, timer, interrupt
 * commands to other processors. Registers are words at multiples of 16.
 */
import type { Cycles } from '../sched/virtual-time.ts'
import {
  type ApicAgent,
  type ApicBus,
  type ApicMessage,
  EXTERNAL,
  FIXED,
  INIT,
  LOWEST_PRIORITY,
  NMI,
  START_UP,
} from './apic-bus.ts'
import type { AccessSize, Savable, TimedDevice } from './device.ts'
import { LapicTimer, type LapicTimerState } from './lapic-timer.ts'
import type { MmioDevice } from './mmio.ts'

const LAPIC_BASE = 0xfee0_0000
const PAGE_BYTES = 0x1000

const ID = 0x020
const VERSION = 0x030
const TPR = 0x080
const APR = 0x090
const PPR = 0x0a0
const EOI = 0x0b0
const LDR = 0x0d0
const DFR = 0x0e0
const SVR = 0x0f0
const ISR = 0x100
const TMR = 0x180
const IRR = 0x200
const BITMAP_BYTES = 0x80
const ESR = 0x280
const ICR_LOW = 0x300
const ICR_HIGH = 0x310
const LVT_TIMER = 0x320
const LVT_PERFORMANCE = 0x340
const LVT_LINT0 = 0x350
const LVT_LINT1 = 0x360
const LVT_ERROR = 0x370
const TIMER_INITIAL = 0x380
const TIMER_CURRENT = 0x390
const TIMER_DIVIDE = 0x3e0

/** An integrated APIC with five local vectors. */
const VERSION_VALUE = 0x0004_0014
const SOFTWARE_ENABLED = 0x100
const SVR_KNOWN = 0x3ff
const MASKED = 0x1_0000
const PERIODIC = 0x2_0000
const LVT_KNOWN: Readonly<Record<number, number>> = {
  [LVT_TIMER]: 0x3_00ff,
  [LVT_PERFORMANCE]: 0x1_07ff,
  [LVT_LINT0]: 0x1_a7ff,
  [LVT_LINT1]: 0x1_a7ff,
  [LVT_ERROR]: 0x1_00ff,
}
const FLAT_MODEL = 0xf
const DFR_ONES = 0x0fff_ffff
const LOWEST_VECTOR = 16
const PRIORITY_CLASS = 0xf0
const ESR_SEND_ILLEGAL = 0x20
const ESR_RECEIVE_ILLEGAL = 0x40
const ESR_SEND_ACCEPT = 0x04

const ICR_VECTOR = 0xff
const ICR_LOGICAL = 0x800
const ICR_ASSERT = 0x4000
const ICR_LEVEL = 0x8000
const ICR_KNOWN = 0xc_cfff
const SELF = 1
const ALL = 2
const OTHERS = 3

export interface LapicOptions {
  readonly id: number
  readonly bus: ApicBus
  /** Cycles of the clock that the timer divides. */
  readonly cyclesPerTick: number
  /** The processor's pins and messages: NMI, INIT, and a start-up with its page number. */
  readonly nmi: () => void
  readonly init: () => void
  readonly startUp: (page: number) => void
  /** The output of a PC's 8259s, which LINT0 lets through: whether it asks, and its vector when it is taken. */
  readonly external: { interruptPending(): boolean; acknowledge(): number }
}

export interface LapicState {
  readonly id: number
  readonly tpr: number
  readonly ldr: number
  readonly dfr: number
  readonly svr: number
  readonly isr: readonly number[]
  readonly tmr: readonly number[]
  readonly irr: readonly number[]
  readonly esr: number
  readonly errors: number
  readonly icr: readonly [low: number, high: number]
  readonly lvt: Readonly<Record<string, number>>
  readonly timer: LapicTimerState
}

/** 256 bits. */
class Bitmap {
  words = new Array<number>(8).fill(0)

  has(vector: number): boolean {
    return ((this.words[vector >> 5]! >> (vector & 31)) & 1) !== 0
  }

  set(vector: number, on: boolean): void {
    const bit = 1 << (vector & 31)
    this.words[vector >> 5] = on ? this.words[vector >> 5]! | bit : this.words[vector >> 5]! & ~bit
  }

  /** The highest bit that is set, or −1. */
  get highest(): number {
    for (let i = 7; i >= 0; i--) if (this.words[i] !== 0) return 32 * i + 31 - Math.clz32(this.words[i]!)
    return -1
  }
}

export class LocalApic implements MmioDevice, ApicAgent, TimedDevice, Savable<LapicState> {
  readonly base = LAPIC_BASE
  readonly sizeBytes = PAGE_BYTES
  readonly #options: LapicOptions
  readonly #timer: LapicTimer
  readonly #isr = new Bitmap()
  readonly #tmr = new Bitmap()
  readonly #irr = new Bitmap()
  readonly #lvt = new Map<number, number>()
  #id = 0
  #tpr = 0
  #ldr = 0
  #dfr = 0
  #svr = 0
  #esr = 0
  #errors = 0
  #icr: [low: number, high: number] = [0, 0]

  constructor(options: LapicOptions) {
    this.#options = options
    this.#timer = new LapicTimer(options.cyclesPerTick)
    this.#id = options.id
    this.reset()
    options.bus.add(this)
  }

  /** After power-up, and after INIT, which leaves the ID. LINT0 lets the 8259s through, as PC firmware leaves it. */
  reset(): void {
    this.#tpr = 0
    this.#ldr = 0
    this.#dfr = 0xffff_ffff
    this.#svr = 0xff
    this.#esr = 0
    this.#errors = 0
    this.#icr = [0, 0]
    for (const map of [this.#isr, this.#tmr, this.#irr]) map.words.fill(0)
    for (const register of Object.keys(LVT_KNOWN)) this.#lvt.set(Number(register), MASKED)
    this.#timer.start(0, 0)
    this.#timer.setPeriodic(false)
  }

  get id(): number {
    return this.#id
  }

  /** The processor priority (§11.8.3.1). */
  get priority(): number {
    const served = Math.max(this.#isr.highest, 0) & PRIORITY_CLASS
    return (this.#tpr & PRIORITY_CLASS) >= served ? this.#tpr : served
  }

  matchesLogical(destination: number): boolean {
    const mine = this.#ldr >>> 24
    if (this.#dfr >>> 28 === FLAT_MODEL) return (mine & destination) !== 0
    return mine >> 4 === destination >> 4 && (mine & destination & 15) !== 0
  }

  accept({ mode, vector, isLevel }: ApicMessage): void {
    switch (mode) {
      case FIXED:
      case LOWEST_PRIORITY:
        this.#request(vector, isLevel)
        return
      case NMI:
        this.#options.nmi()
        return
      case INIT:
        this.reset()
        this.#options.init()
        return
      case START_UP:
        this.#options.startUp(vector)
        return
    }
  }

  /** The INTR pin of the processor. */
  interruptPending(): boolean {
    return this.#deliverable() >= 0 || this.#externalPending()
  }

  /** The processor takes an interrupt: its vector. */
  acknowledge(): number {
    const vector = this.#deliverable()
    if (vector < 0) return this.#externalPending() ? this.#options.external.acknowledge() : this.#svr & 0xff
    this.#irr.set(vector, false)
    this.#isr.set(vector, true)
    return vector
  }

  nextEvent(): Cycles {
    return this.#isMasked(LVT_TIMER) ? Number.POSITIVE_INFINITY : this.#timer.expiresAt
  }

  advance(now: Cycles): void {
    if (this.#timer.advance(now)) this.#deliverLocal(LVT_TIMER)
  }

  /** A register that does not depend on the time since the last event; `undefined`: it does, or it is none. */
  readAtOnce(gpa: number, size: AccessSize): number | undefined {
    const offset = gpa - LAPIC_BASE
    if (size !== 4 || offset < 0 || offset >= PAGE_BYTES || (offset & 3) !== 0) return undefined
    return offset === TIMER_CURRENT ? undefined : this.#read(offset, 0)
  }

  readWord(offset: number, now: Cycles): number {
    this.advance(now)
    return this.#read(offset, now)
  }

  #read(offset: number, now: Cycles): number {
    if (offset >= ISR && offset < IRR + BITMAP_BYTES) return this.#readBitmap(offset)
    const local = this.#lvt.get(offset)
    if (local !== undefined) return local
    switch (offset) {
      case ID:
        return (this.#id << 24) >>> 0
      case VERSION:
        return VERSION_VALUE
      case TPR:
        return this.#tpr
      case APR:
      case PPR:
        return this.priority
      case LDR:
        return this.#ldr
      case DFR:
        return this.#dfr
      case SVR:
        return this.#svr
      case ESR:
        return this.#esr
      case ICR_LOW:
        return this.#icr[0]
      case ICR_HIGH:
        return this.#icr[1]
      case TIMER_INITIAL:
        return this.#timer.state.initial
      case TIMER_CURRENT:
        return this.#timer.current(now)
      case TIMER_DIVIDE:
        return this.#timer.divide
      default:
        return 0
    }
  }

  writeWord(offset: number, value: number, now: Cycles): void {
    this.advance(now)
    const known = LVT_KNOWN[offset]
    if (known !== undefined) {
      this.#writeLocal(offset, value & known)
      return
    }
    switch (offset) {
      case ID:
        this.#id = value >>> 24
        return
      case TPR:
        this.#tpr = value & 0xff
        return
      case EOI:
        this.#endOfInterrupt()
        return
      case LDR:
        this.#ldr = (value & 0xff00_0000) >>> 0
        return
      case DFR:
        this.#dfr = (value | DFR_ONES) >>> 0
        return
      case SVR:
        this.#svr = value & SVR_KNOWN
        if ((this.#svr & SOFTWARE_ENABLED) === 0) this.#maskAll()
        return
      case ESR:
        this.#esr = this.#errors
        this.#errors = 0
        return
      case ICR_LOW:
        this.#icr[0] = value & ICR_KNOWN
        this.#command()
        return
      case ICR_HIGH:
        this.#icr[1] = (value & 0xff00_0000) >>> 0
        return
      case TIMER_INITIAL:
        this.#timer.start(value, now)
        return
      case TIMER_DIVIDE:
        this.#timer.setDivide(value, now)
        return
    }
  }

  save(): LapicState {
    return {
      id: this.#id,
      tpr: this.#tpr,
      ldr: this.#ldr,
      dfr: this.#dfr,
      svr: this.#svr,
      isr: [...this.#isr.words],
      tmr: [...this.#tmr.words],
      irr: [...this.#irr.words],
      esr: this.#esr,
      errors: this.#errors,
      icr: [this.#icr[0], this.#icr[1]],
      lvt: Object.fromEntries(this.#lvt),
      timer: { ...this.#timer.state },
    }
  }

  restore(state: LapicState): void {
    this.#id = state.id
    this.#tpr = state.tpr
    this.#ldr = state.ldr
    this.#dfr = state.dfr
    this.#svr = state.svr
    this.#isr.words = [...state.isr]
    this.#tmr.words = [...state.tmr]
    this.#irr.words = [...state.irr]
    this.#esr = state.esr
    this.#errors = state.errors
    this.#icr = [state.icr[0], state.icr[1]]
    for (const [register, value] of Object.entries(state.lvt)) this.#lvt.set(Number(register), value)
    this.#timer.state = { ...state.timer }
  }

  get #isEnabled(): boolean {
    return (this.#svr & SOFTWARE_ENABLED) !== 0
  }

  /** The vector that may interrupt now, or −1. */
  #deliverable(): number {
    const vector = this.#irr.highest
    return vector >= 0 && (vector & PRIORITY_CLASS) > (this.priority & PRIORITY_CLASS) ? vector : -1
  }

  /** LINT0 in mode ExtINT, or an APIC that software has not enabled: the virtual wire of a PC. */
  #externalPending(): boolean {
    if (!this.#options.external.interruptPending()) return false
    const local = this.#lvt.get(LVT_LINT0)!
    if (!this.#isEnabled) return this.#options.id === 0
    return (local & MASKED) === 0 && ((local >> 8) & 7) === EXTERNAL
  }

  #isMasked(register: number): boolean {
    return (this.#lvt.get(register)! & MASKED) !== 0
  }

  #maskAll(): void {
    for (const [register, value] of this.#lvt) this.#lvt.set(register, value | MASKED)
  }

  #writeLocal(register: number, value: number): void {
    this.#lvt.set(register, this.#isEnabled ? value : value | MASKED)
    if (register === LVT_TIMER) this.#timer.setPeriodic((value & PERIODIC) !== 0)
  }

  #deliverLocal(register: number): void {
    if (!this.#isMasked(register)) this.#request(this.#lvt.get(register)! & 0xff, false)
  }

  #request(vector: number, isLevel: boolean): void {
    if (vector < LOWEST_VECTOR) {
      this.#fail(ESR_RECEIVE_ILLEGAL)
      return
    }
    if (!this.#isEnabled) return
    this.#irr.set(vector, true)
    this.#tmr.set(vector, isLevel)
  }

  #fail(error: number): void {
    const isNew = (this.#errors & error) === 0
    this.#errors |= error
    const vector = this.#lvt.get(LVT_ERROR)! & 0xff
    if (isNew && vector >= LOWEST_VECTOR) this.#deliverLocal(LVT_ERROR)
  }

  #endOfInterrupt(): void {
    const vector = this.#isr.highest
    if (vector < 0) return
    this.#isr.set(vector, false)
    if (this.#tmr.has(vector)) this.#options.bus.endOfInterrupt(vector)
  }

  /** ISR, TMR and IRR: a word at each multiple of 16. */
  #readBitmap(offset: number): number {
    if ((offset & 15) !== 0) return 0
    const map = offset < TMR ? this.#isr : offset < IRR ? this.#tmr : this.#irr
    return map.words[(offset >> 4) & 7]! >>> 0
  }

  /** An interrupt command (§11.6.1). INIT with the level released only synchronizes arbitration, which there is none of. */
  #command(): void {
    const [low, high] = this.#icr
    const mode = (low >> 8) & 7
    if (mode === INIT && (low & (ICR_LEVEL | ICR_ASSERT)) === ICR_LEVEL) return
    const vector = low & ICR_VECTOR
    if (mode <= LOWEST_PRIORITY && vector < LOWEST_VECTOR) {
      this.#fail(ESR_SEND_ILLEGAL)
      return
    }
    const message: ApicMessage = {
      mode,
      vector,
      isLevel: false,
      destination: high >>> 24,
      isLogical: (low & ICR_LOGICAL) !== 0,
    }
    const { bus } = this.#options
    switch ((low >> 18) & 3) {
      case SELF:
        this.accept(message)
        return
      case ALL:
        bus.broadcast(message)
        return
      case OTHERS:
        bus.broadcast(message, this)
        return
      default:
        if (!bus.send(message)) this.#fail(ESR_SEND_ACCEPT)
    }
  }
}
