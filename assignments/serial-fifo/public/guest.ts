/**
 * The guest's side of a line: a 16550A, and a driver that sends by polling THRE or by its interrupt (PC16550D data sheet
 * §8.4 to §8.6). The transmitter offers its bytes when the driver has filled it, and keeps what is refused.
 */
import { Uart } from '../../../reference/index.ts'
import { BREAK_ITEM, type Item } from './wire.ts'

const BASE = 0x3f8
const [DATA, IER, IIR, FCR, LCR, MCR, LSR] = [BASE, BASE + 1, BASE + 2, BASE + 2, BASE + 3, BASE + 4, BASE + 5]
const THRE_INTERRUPT = 0x02
const IIR_CAUSE = 0x0f
const EIGHT_BITS = 0x03
const DLAB = 0x80
const LOOP = 0x10
const DATA_READY = 0x01
const OVERRUN = 0x02
const BREAK_RECEIVED = 0x10
const THRE = 0x20
const RESET_TRANSMITTER = 0x04
const RESET_RECEIVER = 0x02
const CYCLE_HZ = 1_843_200

export interface GuestKind {
  readonly fifos: boolean
  readonly driver: 'polling' | 'interrupts'
}

/** What the driver does with the transmitter: the back end answers. */
export interface Offers {
  /** How many of the bytes are taken. */
  bytes(bytes: Uint8Array): number
  break(): boolean
}

export class Guest {
  readonly #kind: GuestKind
  #uart: Uart
  #line = false
  #mayTake = 0
  /** What the driver has still to send. */
  readonly outbox: Item[] = []
  /** What it has received. */
  readonly inbox: Item[] = []
  /** Something was offered and not taken. */
  refused = false
  overrun = false
  /** Arriving bytes had to wait. */
  receiverFull = false
  #loop = false
  /** The interrupt-driven sender has bytes in the transmitter, and goes on at the THR-empty interrupt alone. */
  #waitsForEdge = false

  constructor(kind: GuestKind) {
    this.#kind = kind
    this.#uart = this.#makeUart()
    this.#write(LCR, EIGHT_BITS)
    this.#write(FCR, kind.fifos ? 1 : 0)
    this.#write(IER, kind.driver === 'interrupts' ? THRE_INTERRUPT : 0)
  }

  get canReceive(): boolean {
    return this.#uart.canReceive
  }

  /** Bytes in the transmitter. */
  get sending(): readonly number[] {
    return this.#uart.save().sending
  }

  /** The driver sends for as long as the transmitter takes it. */
  run(offers: Offers): void {
    this.#start()
    while (this.outbox.length > 0 && this.#mayWrite()) {
      if (this.outbox[0] === BREAK_ITEM) {
        if (!this.offerBreak(offers)) return
        this.#start()
        continue
      }
      const most = this.#kind.fifos ? 16 : 1
      const stop = this.outbox.slice(0, most).indexOf(BREAK_ITEM)
      const burst = this.outbox.splice(0, stop < 0 ? most : stop)
      for (const byte of burst) this.#write(DATA, byte)
      if (!this.#loop) this.offer(offers)
      else this.readLooped()
    }
  }

  /** The transmitter offers what it holds. */
  offer(offers: Offers): void {
    const { sending } = this
    if (sending.length === 0) return
    this.#mayTake = offers.bytes(Uint8Array.from(sending))
    this.refused = this.#mayTake < sending.length
    this.#uart.resume()
    this.#mayTake = 0
    this.#waitsForEdge = this.refused
  }

  offerBreak(offers: Offers): boolean {
    this.refused = !offers.break()
    if (!this.refused) this.outbox.shift()
    return !this.refused
  }

  /** Bytes arrive; how many the receiver takes. */
  take(bytes: readonly number[]): number {
    let taken = 0
    while (taken < bytes.length && this.#uart.canReceive) this.#uart.receive(bytes[taken++]!, 0)
    if (taken < bytes.length) this.receiverFull = true
    return taken
  }

  takeBreak(): boolean {
    const taken = this.#uart.canReceive && this.#uart.receiveBreak(0)
    if (!taken) this.receiverFull = true
    return taken
  }

  /** The driver reads at most so many items; how many there were. */
  read(count: number): number {
    for (let got = 0; got < count; got++) {
      const lsr = this.#readLsr()
      if ((lsr & OVERRUN) !== 0) this.overrun = true
      if ((lsr & DATA_READY) === 0) return got
      const byte = this.#uart.readPort(DATA, 1, 0)
      this.inbox.push((lsr & BREAK_RECEIVED) !== 0 ? BREAK_ITEM : byte)
    }
    return count
  }

  /** Loopback on or off: nothing comes in or goes out meanwhile. */
  setLoop(on: boolean): void {
    this.#loop = on
    this.#write(MCR, on ? LOOP : 0)
  }

  /** Throws away what the loopback sent to the receiver. */
  readLooped(): void {
    while ((this.#readLsr() & DATA_READY) !== 0) this.#uart.readPort(DATA, 1, 0)
  }

  /** FCR resets one of the guest's own FIFOs; how many bytes went with it. */
  resetTransmitter(): number {
    const lost = this.#kind.fifos ? this.sending.length : 0
    this.#write(FCR, (this.#kind.fifos ? 1 : 0) | RESET_TRANSMITTER)
    return lost
  }

  resetReceiver(): void {
    this.#write(FCR, (this.#kind.fifos ? 1 : 0) | RESET_RECEIVER)
  }

  /** Writes the divisor latch, which lies where data goes otherwise. */
  writeDivisor(value: number): void {
    this.#write(LCR, EIGHT_BITS | DLAB)
    this.#write(DATA, value & 0xff)
    this.#write(LCR, EIGHT_BITS)
  }

  /** The guest goes on in another machine. */
  migrate(): void {
    const uart = this.#makeUart()
    uart.restore(JSON.parse(JSON.stringify(this.#uart.save())))
    this.#uart = uart
  }

  /** A driver that has nothing under way asks for the interrupt anew: with THRE set, it comes at once. */
  #start(): void {
    if (this.#kind.driver === 'polling' || this.#waitsForEdge) return
    this.#write(IER, 0)
    this.#write(IER, THRE_INTERRUPT)
  }

  #mayWrite(): boolean {
    if (this.#kind.driver === 'polling') return (this.#readLsr() & THRE) !== 0
    const interrupted = this.#line && (this.#uart.readPort(IIR, 1, 0) & IIR_CAUSE) === THRE_INTERRUPT
    if (interrupted) this.#waitsForEdge = false
    return interrupted
  }

  #makeUart(): Uart {
    return new Uart({
      port: BASE,
      line: (level) => {
        this.#line = level
      },
      cycleHz: CYCLE_HZ,
      sink: () => this.#mayTake-- > 0,
    })
  }

  #readLsr(): number {
    return this.#uart.readPort(LSR, 1, 0)
  }

  #write(port: number, value: number): void {
    this.#uart.writePort(port, 1, value, 0)
  }
}
