/**
 * The real-time clock and CMOS memory of a PC at 70h/71h (Motorola MC146818A data sheet; 128 bytes, century in 32h
 * as in a PC/AT). It counts virtual time from a start date and never knows the host's clock.
 *
 * The time registers are memory that an update cycle rewrites once a second, so what the guest writes is what counts.
 */
import { type Cycles, cyclesAtTick, ticksAt } from '../sched/virtual-time.ts'
import type { AccessSize, Line, PortDevice, PortRange, Savable, TimedDevice } from './device.ts'
import { type CalendarFormat, decodeCalendar, encodeCalendar, HOUR_PM, toBcd } from './rtc-calendar.ts'

/** The time base, in Hz. */
export const RTC_HZ = 32_768

const CMOS_ADDRESS = 0x70
const CMOS_DATA = 0x71
const ADDRESS_NMI_MASK = 0x80
const ADDRESS_MASK = 0x7f
const CMOS_BYTES = 128

const SECONDS_ALARM = 0x01
const MINUTES_ALARM = 0x03
const HOURS_ALARM = 0x05
const REGISTER_A = 0x0a
const REGISTER_B = 0x0b
const REGISTER_C = 0x0c
const REGISTER_D = 0x0d
const BASE_MEMORY = 0x15
const EXTENDED_MEMORY = 0x17
const EXTENDED_MEMORY_POST = 0x30
const HIGH_MEMORY = 0x34

const A_UIP = 0x80
const A_DV = 0x70
const A_DV_32768_HZ = 0x20
const A_RS = 0x0f
const B_SET = 0x80
const B_PIE = 0x40
const B_AIE = 0x20
const B_UIE = 0x10
const B_DM_BINARY = 0x04
const B_24_HOURS = 0x02
const C_IRQF = 0x80
const C_PF = 0x40
const C_AF = 0x20
const C_UF = 0x10
const D_VRT = 0x80
/** An alarm byte from C0h on matches every value. */
const DONT_CARE = 0xc0

/** UIP rises 244 µs before an update cycle of 1984 µs; the registers are new when it falls. */
const UIP_TICKS = 73
/** The first update comes half a second after the divider chain leaves reset. */
const DIVIDER_START_TICKS = RTC_HZ / 2
/** Every time of day comes up within this many updates. */
const DAY_SECONDS = 86_400

export interface RtcOptions {
  /** The date at virtual time 0, in whole seconds since 1970-01-01T00:00:00Z. */
  readonly startSeconds: number
  /** IRQ 8, active high. */
  readonly line: Line
  /** Cycles of virtual time in a second. */
  readonly cycleHz: number
}

export interface RtcState {
  readonly cmos: readonly number[]
  /** What was last written to port 70h. */
  readonly address: number
  /** Ticks of {@link RTC_HZ} done so far. */
  readonly ticks: number
  /** The tick at which the running divider chain was at a whole second; may be negative. */
  readonly origin: number
}

export class Rtc implements PortDevice, TimedDevice, Savable<RtcState> {
  readonly ports: readonly PortRange[] = [{ first: CMOS_ADDRESS, count: 2 }]
  readonly #line: Line
  readonly #cycleHz: number
  #cmos = new Uint8Array(CMOS_BYTES)
  #address = 0
  #ticks = 0
  #origin = 0

  /** Starts in BCD and 24-hour mode with all interrupts disabled. @throws RangeError for a start date outside 1970–9999. */
  constructor(options: RtcOptions) {
    const { startSeconds } = options
    if (!Number.isInteger(startSeconds) || startSeconds < 0 || startSeconds > 253_402_300_799) {
      throw new RangeError(`The start date of a clock is a whole number of seconds since 1970, not ${startSeconds}.`)
    }
    this.#line = options.line
    this.#cycleHz = options.cycleHz
    this.#cmos[REGISTER_A] = A_DV_32768_HZ | 6
    this.#cmos[REGISTER_B] = B_24_HOURS
    this.#cmos[REGISTER_D] = D_VRT
    encodeCalendar(this.#cmos, startSeconds, this.#format)
  }

  /** Bit 7 of port 70h: the owner holds NMIs back while it is set. */
  get nmiMasked(): boolean {
    return (this.#address & ADDRESS_NMI_MASK) !== 0
  }

  /** Sets a byte of CMOS memory (0Eh–7Fh, 0–255) from outside, as firmware would. @throws RangeError for a clock register. */
  setByte(index: number, value: number): void {
    if (!Number.isInteger(index) || index <= REGISTER_D || index >= CMOS_BYTES) {
      throw new RangeError(`CMOS byte ${index} is not memory: use 14 to 127.`)
    }
    this.#cmos[index] = value
  }

  /** Writes the size of memory (bytes, at least 1 MiB) where a BIOS leaves it: 15h–18h, 30h/31h (KiB), 34h/35h (64 KiB). */
  setMemorySize(sizeBytes: number): void {
    const extendedKib = clampWord((sizeBytes - 0x10_0000) / 1024)
    this.#setWord(BASE_MEMORY, 640)
    this.#setWord(EXTENDED_MEMORY, extendedKib)
    this.#setWord(EXTENDED_MEMORY_POST, extendedKib)
    this.#setWord(HIGH_MEMORY, clampWord((sizeBytes - 0x100_0000) / 0x1_0000))
  }

  /** When the line may next rise; `Infinity` while it is high or no interrupt is enabled. */
  nextEvent(now: Cycles): Cycles {
    if (!this.#running || (this.#cmos[REGISTER_C]! & C_IRQF) !== 0) return Number.POSITIVE_INFINITY
    const b = this.#cmos[REGISTER_B]!
    const phase = this.#ticks - this.#origin
    let next = Number.POSITIVE_INFINITY
    const period = this.#periodTicks()
    if ((b & B_PIE) !== 0 && period > 0) next = (Math.floor(phase / period) + 1) * period
    if ((b & (B_UIE | B_AIE)) !== 0 && (b & B_SET) === 0)
      next = Math.min(next, (Math.floor(phase / RTC_HZ) + 1) * RTC_HZ)
    if (next === Number.POSITIVE_INFINITY) return next
    return Math.max(now, cyclesAtTick(this.#origin + next, this.#cycleHz, RTC_HZ))
  }

  advance(now: Cycles): void {
    const ticks = ticksAt(now, this.#cycleHz, RTC_HZ)
    if (ticks <= this.#ticks) return
    const before = this.#ticks - this.#origin
    this.#ticks = ticks
    if (!this.#running) return
    const after = ticks - this.#origin
    const period = this.#periodTicks()
    if (period > 0 && Math.floor(after / period) > Math.floor(before / period)) this.#cmos[REGISTER_C]! |= C_PF
    const seconds = Math.floor(after / RTC_HZ) - Math.floor(before / RTC_HZ)
    if (seconds > 0 && (this.#cmos[REGISTER_B]! & B_SET) === 0) this.#update(seconds)
    this.#raise()
  }

  /** Port 70h is write-only and reads as FFh. */
  readPort(port: number, _size: AccessSize, now: Cycles): number {
    if (port === CMOS_ADDRESS) return 0xff
    this.advance(now)
    const index = this.#address & ADDRESS_MASK
    const value = this.#cmos[index]!
    if (index === REGISTER_A) return value | (this.#updateInProgress() ? A_UIP : 0)
    if (index === REGISTER_C) {
      this.#cmos[REGISTER_C] = 0
      if ((value & C_IRQF) !== 0) this.#line(false)
    }
    return value
  }

  writePort(port: number, _size: AccessSize, value: number, now: Cycles): void {
    this.advance(now)
    if (port === CMOS_ADDRESS) this.#address = value
    else if (port === CMOS_DATA) this.#writeRegister(this.#address & ADDRESS_MASK, value)
  }

  save(): RtcState {
    return { cmos: [...this.#cmos], address: this.#address, ticks: this.#ticks, origin: this.#origin }
  }

  /** Does not tell the line. */
  restore(state: RtcState): void {
    this.#cmos = Uint8Array.from(state.cmos)
    this.#address = state.address
    this.#ticks = state.ticks
    this.#origin = state.origin
  }

  /** The divider chain runs; any other setting of DV than 32 768 Hz holds it. */
  get #running(): boolean {
    return (this.#cmos[REGISTER_A]! & A_DV) === A_DV_32768_HZ
  }

  get #format(): CalendarFormat {
    const b = this.#cmos[REGISTER_B]!
    return { binary: (b & B_DM_BINARY) !== 0, hours24: (b & B_24_HOURS) !== 0 }
  }

  #writeRegister(index: number, value: number): void {
    if (index === REGISTER_C || index === REGISTER_D) return
    if (index === REGISTER_A) {
      const wasRunning = this.#running
      this.#cmos[REGISTER_A] = value & ~A_UIP
      if (this.#running && !wasRunning) this.#origin = this.#ticks - DIVIDER_START_TICKS
    } else if (index === REGISTER_B) {
      this.#cmos[REGISTER_B] = (value & B_SET) !== 0 ? value & ~B_UIE : value
      this.#raise()
    } else this.#cmos[index] = value
  }

  /** The periodic interrupt's period (data sheet, table 5), 0 when it is off. */
  #periodTicks(): number {
    const rate = this.#cmos[REGISTER_A]! & A_RS
    if (rate === 0) return 0
    return rate < 3 ? 64 << rate : 1 << (rate - 1)
  }

  #updateInProgress(): boolean {
    if (!this.#running || (this.#cmos[REGISTER_B]! & B_SET) !== 0) return false
    const phase = (this.#ticks - this.#origin) % RTC_HZ
    return phase >= RTC_HZ - UIP_TICKS
  }

  /** `seconds` update cycles at once. */
  #update(seconds: number): void {
    const start = decodeCalendar(this.#cmos, this.#format)
    if ((this.#cmos[REGISTER_C]! & C_AF) === 0) {
      for (let i = Math.max(1, seconds - DAY_SECONDS + 1); i <= seconds; i++) {
        if (!this.#alarmMatches(start + i)) continue
        this.#cmos[REGISTER_C]! |= C_AF
        break
      }
    }
    encodeCalendar(this.#cmos, start + seconds, this.#format)
    this.#cmos[REGISTER_C]! |= C_UF
  }

  #alarmMatches(calendarSeconds: number): boolean {
    const ofDay = ((calendarSeconds % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS
    const hour = Math.floor(ofDay / 3600)
    const { binary, hours24 } = this.#format
    const shownHour = hours24 ? hour : hour % 12 === 0 ? 12 : hour % 12
    const code = (value: number) => (binary ? value : toBcd(value))
    return (
      this.#alarmByteMatches(SECONDS_ALARM, code(ofDay % 60)) &&
      this.#alarmByteMatches(MINUTES_ALARM, code(Math.floor(ofDay / 60) % 60)) &&
      this.#alarmByteMatches(HOURS_ALARM, code(shownHour) | (!hours24 && hour >= 12 ? HOUR_PM : 0))
    )
  }

  #alarmByteMatches(index: typeof SECONDS_ALARM | typeof MINUTES_ALARM | typeof HOURS_ALARM, value: number): boolean {
    const alarm = this.#cmos[index]!
    return alarm >= DONT_CARE || alarm === value
  }

  /** Sets IRQF and the line when an enabled flag stands; they fall when register C is read or the enable is taken away. */
  #raise(): void {
    const c = this.#cmos[REGISTER_C]!
    const asks = (c & this.#cmos[REGISTER_B]! & (B_PIE | B_AIE | B_UIE)) !== 0
    if (asks === ((c & C_IRQF) !== 0)) return
    this.#cmos[REGISTER_C] = asks ? c | C_IRQF : c & ~C_IRQF
    this.#line(asks)
  }

  #setWord(index: number, value: number): void {
    this.setByte(index, value & 0xff)
    this.setByte(index + 1, value >> 8)
  }
}

function clampWord(value: number): number {
  return Math.max(0, Math.min(0xffff, Math.floor(value)))
}
