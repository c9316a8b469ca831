/**
 * The I/O APIC (Intel 82093AA data sheet 290566, §3): 24 inputs, each with a redirection entry that makes messages of it.
 *
 * Lines are told as asserted or not; an entry's polarity is kept and changes nothing. An entry of mode ExtINT sends nothing:
 * the 8259s are wired to LINT0 of the first processor.
 */
import { type ApicBus, EXTERNAL } from './apic-bus.ts'
import type { Savable } from './device.ts'
import type { MmioDevice } from './mmio.ts'

const IOAPIC_BASE = 0xfec0_0000
const WINDOW_BYTES = 0x1000
const INPUTS = 24
const SELECT = 0x00
const WINDOW = 0x10
const REGISTER_ID = 0
const REGISTER_VERSION = 1
const REGISTER_ARBITRATION = 2
const FIRST_ENTRY = 0x10
const VERSION_VALUE = 0x11 | ((INPUTS - 1) << 16)

const LOGICAL = 0x800
const REMOTE_IRR = 0x4000
const LEVEL = 0x8000
const MASKED = 0x1_0000
/** Delivery status and remote IRR are the chip's. */
const ENTRY_WRITABLE = 0x1_afff

export interface IoApicState {
  readonly id: number
  readonly selected: number
  readonly lines: number
  readonly low: readonly number[]
  readonly high: readonly number[]
}

export interface IoApicOptions {
  readonly id: number
  readonly bus: ApicBus
}

export class IoApic implements MmioDevice, Savable<IoApicState> {
  readonly base = IOAPIC_BASE
  readonly sizeBytes = WINDOW_BYTES
  readonly #bus: ApicBus
  #id: number
  #selected = 0
  #lines = 0
  #low = new Array<number>(INPUTS).fill(MASKED)
  #high = new Array<number>(INPUTS).fill(0)

  constructor({ id, bus }: IoApicOptions) {
    this.#id = id
    this.#bus = bus
    bus.onEndOfInterrupt((vector) => this.#endOfInterrupt(vector))
  }

  /** An input's level. An edge on a masked input is lost. */
  setLine(input: number, level: boolean): void {
    const bit = 1 << input
    const rises = level && (this.#lines & bit) === 0
    this.#lines = level ? this.#lines | bit : this.#lines & ~bit
    if (rises || (this.#low[input]! & LEVEL) !== 0) this.#serve(input)
  }

  readWord(offset: number): number {
    if (offset === SELECT) return this.#selected
    if (offset !== WINDOW) return 0
    const entry = this.#entryNumber()
    if (entry !== undefined) return (this.#isHigh() ? this.#high : this.#low)[entry]! >>> 0
    switch (this.#selected) {
      case REGISTER_ID:
      case REGISTER_ARBITRATION:
        return (this.#id << 24) >>> 0
      case REGISTER_VERSION:
        return VERSION_VALUE
      default:
        return 0
    }
  }

  writeWord(offset: number, value: number): void {
    if (offset === SELECT) {
      this.#selected = value & 0xff
      return
    }
    if (offset !== WINDOW) return
    const entry = this.#entryNumber()
    if (entry === undefined) {
      if (this.#selected === REGISTER_ID) this.#id = (value >>> 24) & 15
      return
    }
    if (this.#isHigh()) {
      this.#high[entry] = value & 0xff00_0000
      return
    }
    const isEdge = (value & LEVEL) === 0
    const remote = isEdge ? 0 : this.#low[entry]! & REMOTE_IRR
    this.#low[entry] = (value & ENTRY_WRITABLE) | remote
    if (!isEdge) this.#serve(entry)
  }

  save(): IoApicState {
    return {
      id: this.#id,
      selected: this.#selected,
      lines: this.#lines,
      low: [...this.#low],
      high: [...this.#high],
    }
  }

  restore(state: IoApicState): void {
    this.#id = state.id
    this.#selected = state.selected
    this.#lines = state.lines
    this.#low = [...state.low]
    this.#high = [...state.high]
  }

  #entryNumber(): number | undefined {
    const entry = (this.#selected - FIRST_ENTRY) >> 1
    return this.#selected >= FIRST_ENTRY && entry < INPUTS ? entry : undefined
  }

  #isHigh(): boolean {
    return (this.#selected & 1) !== 0
  }

  /** Sends what an input asks for: an edge that has just come, or a level that was not sent yet. */
  #serve(input: number): void {
    const low = this.#low[input]!
    const isActive = (this.#lines & (1 << input)) !== 0
    if (!isActive || (low & (MASKED | REMOTE_IRR)) !== 0) return
    const mode = (low >> 8) & 7
    if (mode === EXTERNAL) return
    const isLevel = (low & LEVEL) !== 0
    this.#bus.send({
      mode,
      vector: low & 0xff,
      isLevel,
      destination: this.#high[input]! >>> 24,
      isLogical: (low & LOGICAL) !== 0,
    })
    if (isLevel) this.#low[input] = low | REMOTE_IRR
  }

  #endOfInterrupt(vector: number): void {
    for (let input = 0; input < INPUTS; input++) {
      const low = this.#low[input]!
      if ((low & 0xff) === vector && (low & REMOTE_IRR) !== 0) {
        this.#low[input] = low & ~REMOTE_IRR
        this.#serve(input)
      }
    }
  }
}
