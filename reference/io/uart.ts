/**
 * The 16550A serial port (PC16550D data sheet §8): eight ports, both FIFOs, interrupts in their order of priority,
 * modem control and loopback.
 *
 * Sending takes no virtual time: a byte reaches `sink` in the write that sends it. What takes time is the sink: while
 * it refuses, the bytes wait in the transmitter with THRE = TEMT = 0, so no byte of a driver that waits for THRE is lost.
 */
import { type Cycles, cyclesAtTick } from '../sched/virtual-time.ts'
import type { AccessSize, Line, PortDevice, PortRange, Savable, TimedDevice } from './device.ts'
import { type ModemInputs, UartModem, type UartModemState } from './uart-modem.ts'
import { BREAK, FIFO_BYTES, UartReceiver, type UartReceiverState } from './uart-receiver.ts'

/** The crystal of a PC's serial port, in Hz; sixteen of its ticks times the divisor are one bit. */
const UART_HZ = 1_843_200
const TICKS_PER_BIT = 16

/** RBR when read, THR when written; DLL while DLAB. */
const RBR_THR = 0
/** IER; DLM while DLAB. */
const IER = 1
/** IIR when read, FCR when written. */
const IIR_FCR = 2
const LCR = 3
const MCR = 4
const LSR = 5
const MSR = 6
const SCR = 7

const IER_ERBFI = 0x01
const IER_ETBEI = 0x02
const IER_ELSI = 0x04
const IER_EDSSI = 0x08
const IER_MASK = 0x0f

const IIR_MODEM_STATUS = 0x00
const IIR_NONE = 0x01
const IIR_THRI = 0x02
const IIR_RECEIVED_DATA = 0x04
const IIR_LINE_STATUS = 0x06
const IIR_CHARACTER_TIMEOUT = 0x0c
const IIR_FIFOS_ENABLED = 0xc0

const FCR_ENABLE = 0x01
const FCR_RECEIVER_RESET = 0x02
const FCR_TRANSMITTER_RESET = 0x04
const FCR_TRIGGER_SHIFT = 6
const TRIGGER_LEVELS = [1, 4, 8, 14] as const

const LCR_WORD_LENGTH = 0x03
const LCR_STOP_BITS = 0x04
const LCR_PARITY_ENABLE = 0x08
const LCR_SET_BREAK = 0x40
const LCR_DLAB = 0x80

const LSR_DR = 0x01
const LSR_OE = 0x02
const LSR_BI = 0x10
const LSR_THRE = 0x20
const LSR_TEMT = 0x40
const LSR_ERROR_IN_FIFO = 0x80

/** 9600 bit/s, as a PC's firmware leaves it. */
const DEFAULT_DIVISOR = 12

export interface UartOptions {
  /** The first of eight ports, e.g. 3F8h. */
  readonly port: number
  /** The INTR pin. The chip itself does not gate it with OUT 2: a board that does so asks {@link Uart.out2}. */
  readonly line: Line
  /** Cycles of virtual time in a second. */
  readonly cycleHz: number
  /** Takes a sent byte. False: not now; the byte is kept and offered again after {@link Uart.resume}. */
  readonly sink: (byte: number) => boolean
}

export interface UartState {
  readonly ier: number
  readonly lcr: number
  readonly scr: number
  readonly divisor: number
  readonly fifosEnabled: boolean
  readonly trigger: number
  readonly receiver: UartReceiverState
  readonly modem: UartModemState
  /** Bytes that the sink has not taken yet, oldest first. */
  readonly sending: readonly number[]
  /** The THR-empty interrupt stands. */
  readonly thri: boolean
  readonly lineLevel: boolean
}

export class Uart implements PortDevice, TimedDevice, Savable<UartState> {
  readonly ports: readonly PortRange[]
  readonly #base: number
  readonly #line: Line
  readonly #cycleHz: number
  readonly #sink: (byte: number) => boolean
  #ier = 0
  #lcr = 0
  #scr = 0
  #divisor = DEFAULT_DIVISOR
  #fifosEnabled = false
  #trigger = 1
  readonly #receiver = new UartReceiver()
  readonly #modem = new UartModem()
  #sending: number[] = []
  #offering = false
  #thri = false
  #lineLevel = false

  constructor(options: UartOptions) {
    this.ports = [{ first: options.port, count: 8 }]
    this.#base = options.port
    this.#line = options.line
    this.#cycleHz = options.cycleHz
    this.#sink = options.sink
  }

  /** The receiver has room and is connected. False in loopback: what is outside must wait. */
  get canReceive(): boolean {
    return !this.#modem.loopback && this.#receiver.count < this.#capacity
  }

  /** The OUT 2 output, which a PC's board uses to gate the interrupt line. Off in loopback. */
  get out2(): boolean {
    return this.#modem.out2
  }

  /**
   * A byte (0–255) arrives from outside. True when it was taken. False in loopback, where nothing happens, and when the
   * receiver is full: then LSR.OE is set and a FIFO keeps what it has, while a lone RBR takes the new byte.
   */
  receive(byte: number, now: Cycles): boolean {
    return this.#receiveOutside(byte & 0xff, now)
  }

  /** A break arrives from outside: one null character with LSR.BI. The answer is as that of {@link receive}. */
  receiveBreak(now: Cycles): boolean {
    return this.#receiveOutside(BREAK, now)
  }

  /** The sink accepts again: offers it what waits. Nothing is offered after a refusal before this is called. */
  resume(): void {
    if (this.#sending.length === 0) return
    this.#offer()
    this.#update()
  }

  /** Tells the modem inputs, of which MSR notes the changes. Loopback disconnects them. */
  setModemInputs(inputs: ModemInputs): void {
    this.#modem.setInputs(inputs)
    this.#update()
  }

  /** When the character timeout comes: four character times without a byte in or out of a FIFO that is not empty. */
  nextEvent(now: Cycles): Cycles {
    return Math.max(now, this.#receiver.timeoutAt)
  }

  advance(now: Cycles): void {
    if (this.#receiver.advance(now)) this.#update()
  }

  readPort(port: number, _size: AccessSize, now: Cycles): number {
    this.advance(now)
    const dlab = (this.#lcr & LCR_DLAB) !== 0
    switch (port - this.#base) {
      case RBR_THR:
        return dlab ? this.#divisor & 0xff : this.#readReceiver(now)
      case IER:
        return dlab ? this.#divisor >> 8 : this.#ier
      case IIR_FCR:
        return this.#readIir()
      case LCR:
        return this.#lcr
      case MCR:
        return this.#modem.mcr
      case LSR:
        return this.#readLsr()
      case MSR: {
        const msr = this.#modem.readMsr()
        this.#update()
        return msr
      }
      default:
        return this.#scr
    }
  }

  writePort(port: number, _size: AccessSize, value: number, now: Cycles): void {
    this.advance(now)
    const dlab = (this.#lcr & LCR_DLAB) !== 0
    switch (port - this.#base) {
      case RBR_THR:
        if (dlab) this.#divisor = (this.#divisor & 0xff00) | value
        else this.#transmit(value, now)
        break
      case IER:
        if (dlab) this.#divisor = (this.#divisor & 0xff) | (value << 8)
        else this.#writeIer(value & IER_MASK)
        break
      case IIR_FCR:
        this.#writeFcr(value)
        break
      case LCR: {
        const breaks = (value & ~this.#lcr & LCR_SET_BREAK) !== 0
        this.#lcr = value
        if (breaks && this.#modem.loopback) this.#store(BREAK, now)
        break
      }
      case MCR:
        this.#modem.writeMcr(value)
        break
      case SCR:
        this.#scr = value
        break
    }
    this.#update()
  }

  save(): UartState {
    return {
      ier: this.#ier,
      lcr: this.#lcr,
      scr: this.#scr,
      divisor: this.#divisor,
      fifosEnabled: this.#fifosEnabled,
      trigger: this.#trigger,
      receiver: this.#receiver.save(),
      modem: this.#modem.save(),
      sending: [...this.#sending],
      thri: this.#thri,
      lineLevel: this.#lineLevel,
    }
  }

  /** Tells neither line nor sink; bytes that wait are offered at the next {@link resume}. */
  restore(state: UartState): void {
    this.#ier = state.ier
    this.#lcr = state.lcr
    this.#scr = state.scr
    this.#divisor = state.divisor
    this.#fifosEnabled = state.fifosEnabled
    this.#trigger = state.trigger
    this.#receiver.restore(state.receiver)
    this.#modem.restore(state.modem)
    this.#sending = [...state.sending]
    this.#thri = state.thri
    this.#lineLevel = state.lineLevel
  }

  get #capacity(): number {
    return this.#fifosEnabled ? FIFO_BYTES : 1
  }

  #receiveOutside(character: number, now: Cycles): boolean {
    this.advance(now)
    if (this.#modem.loopback) return false
    const taken = this.#store(character, now)
    this.#update()
    return taken
  }

  #store(character: number, now: Cycles): boolean {
    return this.#receiver.store(character, this.#capacity, this.#timeoutFrom(now))
  }

  #readReceiver(now: Cycles): number {
    const byte = this.#receiver.take(this.#timeoutFrom(now))
    this.#update()
    return byte
  }

  /** When four character times have passed; a lone RBR has no timeout. */
  #timeoutFrom(now: Cycles): Cycles {
    if (!this.#fifosEnabled) return Number.POSITIVE_INFINITY
    const parity = (this.#lcr & LCR_PARITY_ENABLE) !== 0 ? 1 : 0
    const stop = (this.#lcr & LCR_STOP_BITS) !== 0 ? 2 : 1
    const bits = 1 + 5 + (this.#lcr & LCR_WORD_LENGTH) + parity + stop
    const ticks = 4 * bits * TICKS_PER_BIT * (this.#divisor === 0 ? 0x1_0000 : this.#divisor)
    return now + cyclesAtTick(ticks, this.#cycleHz, UART_HZ)
  }

  #transmit(byte: number, now: Cycles): void {
    this.#thri = false
    if (this.#modem.loopback) {
      this.#store(byte, now)
      this.#update()
      this.#thri = this.#sending.length === 0
      return
    }
    const waits = this.#sending.length > 0
    if (this.#sending.length < this.#capacity) this.#sending.push(byte)
    else if (!this.#fifosEnabled) this.#sending[0] = byte
    this.#update()
    if (!waits) this.#offer()
  }

  /** Offers the sink bytes until it refuses. A sink that calls back into the UART finds the transmitter as it is. */
  #offer(): void {
    if (this.#offering) return
    this.#offering = true
    try {
      while (this.#sending.length > 0 && this.#sink(this.#sending[0]!)) this.#sending.shift()
    } finally {
      this.#offering = false
    }
    if (this.#sending.length === 0) this.#thri = true
  }

  #writeIer(value: number): void {
    const enablesThri = (value & ~this.#ier & IER_ETBEI) !== 0
    this.#ier = value
    if (enablesThri) this.#thri = this.#sending.length === 0
  }

  #writeFcr(value: number): void {
    const enable = (value & FCR_ENABLE) !== 0
    const changes = enable !== this.#fifosEnabled
    this.#fifosEnabled = enable
    if (changes || (enable && (value & FCR_RECEIVER_RESET) !== 0)) this.#receiver.reset()
    if ((changes || (enable && (value & FCR_TRANSMITTER_RESET) !== 0)) && this.#sending.length > 0) {
      this.#sending = []
      this.#thri = true
    }
    if (enable) this.#trigger = TRIGGER_LEVELS[(value >> FCR_TRIGGER_SHIFT) & 3]!
  }

  /** The interrupt of highest priority, as IIR names it. */
  #interrupt(): number {
    if (this.#ier === 0) return IIR_NONE
    if ((this.#ier & IER_ELSI) !== 0 && (this.#receiver.overrun || this.#receiver.breakAtTop)) return IIR_LINE_STATUS
    if ((this.#ier & IER_ERBFI) !== 0) {
      if (this.#receiver.count >= (this.#fifosEnabled ? this.#trigger : 1)) return IIR_RECEIVED_DATA
      if (this.#receiver.timedOut) return IIR_CHARACTER_TIMEOUT
    }
    if ((this.#ier & IER_ETBEI) !== 0 && this.#thri) return IIR_THRI
    if ((this.#ier & IER_EDSSI) !== 0 && this.#modem.changed) return IIR_MODEM_STATUS
    return IIR_NONE
  }

  #readIir(): number {
    const source = this.#interrupt()
    if (source === IIR_THRI) {
      this.#thri = false
      this.#update()
    }
    return source | (this.#fifosEnabled ? IIR_FIFOS_ENABLED : 0)
  }

  #readLsr(): number {
    const empty = this.#sending.length === 0 ? LSR_THRE | LSR_TEMT : 0
    const lsr =
      (this.#receiver.count > 0 ? LSR_DR : 0) |
      (this.#receiver.overrun ? LSR_OE : 0) |
      (this.#receiver.breakAtTop ? LSR_BI : 0) |
      empty |
      (this.#fifosEnabled && this.#receiver.holdsBreak ? LSR_ERROR_IN_FIFO : 0)
    this.#receiver.clearErrors()
    this.#update()
    return lsr
  }

  #update(): void {
    const level = this.#interrupt() !== IIR_NONE
    if (level === this.#lineLevel) return
    this.#lineLevel = level
    this.#line(level)
  }
}
