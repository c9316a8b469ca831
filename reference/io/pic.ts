/**
 * Two 8259A interrupt controllers, cascaded as in a PC: master at 20h/21h, slave at A0h/A1h on the master's IR 2
 * (Intel 8259A data sheet 231468), with the edge/level registers 4D0h/4D1h of the 82371 (PIIX) data sheet §4.1.
 *
 * As in KVM and QEMU, an edge is latched: a line that falls again before it is acknowledged stays requested, where
 * the data sheet would answer with a spurious IR 7. A request that the slave withdraws ends as a spurious IRQ 15.
 */
import type { Cycles } from '../sched/virtual-time.ts'
import type { AccessSize, Line, PortDevice, PortRange, Savable } from './device.ts'

const MASTER_COMMAND = 0x20
const SLAVE_COMMAND = 0xa0
const ELCR_MASTER = 0x4d0
const ELCR_SLAVE = 0x4d1

/** Lines 0, 1, 2 and 8, 13 are edge-triggered for ever. */
const ELCR_MASTER_WRITABLE = 0xf8
const ELCR_SLAVE_WRITABLE = 0xde

const CASCADE_IR = 2
/** The level that an acknowledge without request names. */
const SPURIOUS_IR = 7
/** Answers of {@link Chip.request} when no level asks. */
const NO_REQUEST = -1

const ICW1 = 0x10
const ICW1_IC4 = 0x01
const ICW1_SNGL = 0x02
const ICW2_BASE = 0xf8
const ICW4_AEOI = 0x02
const ICW4_SFNM = 0x10
const OCW2_ROTATE = 0x80
const OCW2_SPECIFIC = 0x40
const OCW2_EOI = 0x20
const OCW3 = 0x08
const OCW3_RIS = 0x01
const OCW3_RR = 0x02
const OCW3_POLL = 0x04
const OCW3_SMM = 0x20
const OCW3_ESMM = 0x40
const POLL_REQUEST = 0x80

/** The state of one 8259A; bit n of each mask is the level IR n. */
export interface ChipState {
  /** The levels of the request inputs. */
  lines: number
  /** Level-triggered inputs. */
  elcr: number
  /** Interrupt request, in-service and mask register. */
  irr: number
  isr: number
  imr: number
  /** ICW2: the vector of IR 0. */
  base: number
  /** The level of highest priority; IR 0 unless rotated. */
  highest: number
  /** The ICW that the data port waits for; 0 when it takes OCW1. */
  expects: 0 | 2 | 3 | 4
  wantsIcw4: boolean
  single: boolean
  autoEoi: boolean
  rotateOnAutoEoi: boolean
  specialFullyNested: boolean
  specialMask: boolean
  poll: boolean
  readIsr: boolean
}

export interface PicState {
  readonly master: ChipState
  readonly slave: ChipState
}

export interface PicOptions {
  /** The INTR pin to the processor. Told at changes only. */
  readonly output?: Line
}

function powerUp(): ChipState {
  return {
    lines: 0,
    elcr: 0,
    irr: 0,
    isr: 0,
    imr: 0,
    base: 0,
    highest: 0,
    expects: 0,
    wantsIcw4: false,
    single: false,
    autoEoi: false,
    rotateOnAutoEoi: false,
    specialFullyNested: false,
    specialMask: false,
    poll: false,
    readIsr: false,
  }
}

/** One 8259A. */
class Chip {
  state = powerUp()
  readonly #elcrWritable: number
  readonly #master: boolean

  constructor(master: boolean) {
    this.#master = master
    this.#elcrWritable = master ? ELCR_MASTER_WRITABLE : ELCR_SLAVE_WRITABLE
  }

  setLine(ir: number, level: boolean): void {
    const bit = 1 << ir
    const s = this.state
    const rises = level && (s.lines & bit) === 0
    s.lines = level ? s.lines | bit : s.lines & ~bit
    if ((s.elcr & bit) !== 0) s.irr = (s.irr & ~bit) | (s.lines & bit)
    else if (rises) s.irr |= bit
  }

  /** The level that the chip asks the processor to serve, or {@link NO_REQUEST}. */
  request(): number {
    const s = this.state
    const asking = this.#rank(s.irr & ~s.imr)
    let inService = s.specialMask ? s.isr & ~s.imr : s.isr
    if (s.specialFullyNested && this.#master) inService &= ~(1 << CASCADE_IR)
    return asking < this.#rank(inService) ? (asking + s.highest) & 7 : NO_REQUEST
  }

  /** INTA for a level that asks. */
  acknowledge(ir: number): void {
    const s = this.state
    const bit = 1 << ir
    if ((s.elcr & bit) === 0) s.irr &= ~bit
    if (!s.autoEoi) s.isr |= bit
    else if (s.rotateOnAutoEoi) s.highest = (ir + 1) & 7
  }

  writeCommand(value: number): void {
    const s = this.state
    if ((value & ICW1) !== 0) this.#initialise(value)
    else if ((value & OCW3) === 0) this.#operate(value)
    else {
      if ((value & OCW3_POLL) !== 0) s.poll = true
      if ((value & OCW3_RR) !== 0) s.readIsr = (value & OCW3_RIS) !== 0
      if ((value & OCW3_ESMM) !== 0) s.specialMask = (value & OCW3_SMM) !== 0
    }
  }

  writeData(value: number): void {
    const s = this.state
    switch (s.expects) {
      case 0:
        s.imr = value
        break
      case 2:
        s.base = value & ICW2_BASE
        s.expects = !s.single ? 3 : s.wantsIcw4 ? 4 : 0
        break
      case 3:
        s.expects = s.wantsIcw4 ? 4 : 0
        break
      case 4:
        s.autoEoi = (value & ICW4_AEOI) !== 0
        s.specialFullyNested = (value & ICW4_SFNM) !== 0
        s.expects = 0
        break
    }
  }

  /** The poll byte when a poll was asked for (it acknowledges), else undefined. */
  takePoll(): number | undefined {
    if (!this.state.poll) return undefined
    this.state.poll = false
    const ir = this.request()
    if (ir === NO_REQUEST) return 0
    this.acknowledge(ir)
    return POLL_REQUEST | ir
  }

  writeElcr(value: number): void {
    const s = this.state
    s.elcr = value & this.#elcrWritable
    s.irr = (s.irr & ~s.elcr) | (s.lines & s.elcr)
  }

  /** How far the first set level stands behind the highest priority, 0–7; 8 when none is set. */
  #rank(levels: number): number {
    for (let rank = 0; rank < 8; rank++) {
      if ((levels & (1 << ((rank + this.state.highest) & 7))) !== 0) return rank
    }
    return 8
  }

  /** ICW1. The edge detectors start anew: an edge-triggered line that is high must fall and rise again. */
  #initialise(icw1: number): void {
    const { lines, elcr, base } = this.state
    const wantsIcw4 = (icw1 & ICW1_IC4) !== 0
    const single = (icw1 & ICW1_SNGL) !== 0
    this.state = { ...powerUp(), lines, elcr, base, irr: lines & elcr, expects: 2, wantsIcw4, single }
  }

  /** OCW2. */
  #operate(value: number): void {
    const s = this.state
    const rotate = (value & OCW2_ROTATE) !== 0
    if ((value & OCW2_EOI) === 0) {
      if ((value & OCW2_SPECIFIC) === 0) s.rotateOnAutoEoi = rotate
      else if (rotate) s.highest = ((value & 7) + 1) & 7
      return
    }
    let ir = value & 7
    if ((value & OCW2_SPECIFIC) === 0) {
      const rank = this.#rank(s.specialMask ? s.isr & ~s.imr : s.isr)
      if (rank === 8) return
      ir = (rank + s.highest) & 7
    }
    s.isr &= ~(1 << ir)
    if (rotate) s.highest = (ir + 1) & 7
  }
}

/**
 * The pair. ICW3 is taken and ignored (the wiring is fixed), and so are ICW1's LTIM bit (ELCR stands in its place)
 * and ICW4's buffering bits. Before initialisation both chips are unmasked with vector base 0.
 */
export class Pic implements PortDevice, Savable<PicState> {
  readonly ports: readonly PortRange[] = [
    { first: MASTER_COMMAND, count: 2 },
    { first: SLAVE_COMMAND, count: 2 },
    { first: ELCR_MASTER, count: 2 },
  ]
  readonly #master = new Chip(true)
  readonly #slave = new Chip(false)
  readonly #output: Line | undefined
  #pending = false

  constructor(options: PicOptions = {}) {
    this.#output = options.output
  }

  /** Tells the level of line `irq`, 0–15. IRQ 2 is the cascade. @throws RangeError for any other line. */
  setLine(irq: number, level: boolean): void {
    if (!Number.isInteger(irq) || irq < 0 || irq > 15 || irq === CASCADE_IR) {
      throw new RangeError(`IRQ ${irq} is no input of the interrupt controllers: use 0, 1 or 3 to 15.`)
    }
    if (irq < 8) this.#master.setLine(irq, level)
    else this.#slave.setLine(irq - 8, level)
    this.#update()
  }

  /** The level of INTR: {@link acknowledge} would give a request's vector (or a withdrawn one's, IRQ 15). */
  interruptPending(): boolean {
    return this.#pending
  }

  /** The vector that {@link acknowledge} would give now, 0–255, or undefined while INTR is low. Changes nothing. */
  deliverableVector(): number | undefined {
    const ir = this.#master.request()
    if (ir === NO_REQUEST) return undefined
    if (ir !== CASCADE_IR) return this.#master.state.base + ir
    const slaveIr = this.#slave.request()
    return this.#slave.state.base + (slaveIr === NO_REQUEST ? SPURIOUS_IR : slaveIr)
  }

  /** The two INTA cycles: the vector, 0–255. Without a request it is the master's spurious IRQ 7, with no ISR bit. */
  acknowledge(): number {
    const vector = this.deliverableVector() ?? this.#master.state.base + SPURIOUS_IR
    const ir = this.#master.request()
    if (ir !== NO_REQUEST) this.#master.acknowledge(ir)
    if (ir === CASCADE_IR) {
      const slaveIr = this.#slave.request()
      if (slaveIr !== NO_REQUEST) this.#slave.acknowledge(slaveIr)
    }
    this.#update()
    return vector
  }

  readPort(port: number, _size: AccessSize, _now: Cycles): number {
    if (port === ELCR_MASTER) return this.#master.state.elcr
    if (port === ELCR_SLAVE) return this.#slave.state.elcr
    const chip = this.#chipAt(port)
    const polled = chip.takePoll()
    if (polled !== undefined) {
      if (chip === this.#slave && polled !== 0) this.#master.state.irr &= ~(1 << CASCADE_IR)
      this.#update()
      return polled
    }
    if ((port & 1) !== 0) return chip.state.imr
    return chip.state.readIsr ? chip.state.isr : chip.state.irr
  }

  writePort(port: number, _size: AccessSize, value: number, _now: Cycles): void {
    if (port === ELCR_MASTER) this.#master.writeElcr(value)
    else if (port === ELCR_SLAVE) this.#slave.writeElcr(value)
    else if ((port & 1) !== 0) this.#chipAt(port).writeData(value)
    else this.#chipAt(port).writeCommand(value)
    this.#update()
  }

  save(): PicState {
    return { master: { ...this.#master.state }, slave: { ...this.#slave.state } }
  }

  /** Does not tell `output`: the owner that restores a machine restores both ends of the pin. */
  restore(state: PicState): void {
    this.#master.state = { ...state.master }
    this.#slave.state = { ...state.slave }
    this.#pending = this.#master.request() !== NO_REQUEST
  }

  #chipAt(port: number): Chip {
    return (port & ~1) === MASTER_COMMAND ? this.#master : this.#slave
  }

  #update(): void {
    if (this.#slave.request() !== NO_REQUEST) this.#master.state.irr |= 1 << CASCADE_IR
    const pending = this.#master.request() !== NO_REQUEST
    if (pending === this.#pending) return
    this.#pending = pending
    this.#output?.(pending)
  }
}
