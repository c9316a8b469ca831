/**
 * The 8254 interval timer of a PC at 40h–43h (Intel 8254 data sheet 231164) and the system control port 61h, which
 * holds counter 2's gate and the speaker. Counter 0 drives IRQ 0. One counter is `pit-counter.ts`.
 */
import { type Cycles, cyclesAtTick, ticksAt } from '../sched/virtual-time.ts'
import type { AccessSize, Line, PortDevice, PortRange, Savable, TimedDevice } from './device.ts'
import { PitCounter, type PitCounterState } from './pit-counter.ts'

/** The CLK input of all three counters, in Hz: a twelfth of 14.31818 MHz. */
export const PIT_HZ = 1_193_182

const COUNTER_0 = 0x40
const CONTROL_WORD = 0x43
const SYSTEM_CONTROL = 0x61

const SELECT_SHIFT = 6
const SELECT_READ_BACK = 3
const READ_BACK_NO_COUNT = 0x20
const READ_BACK_NO_STATUS = 0x10

const GATE_2 = 0x01
const SPEAKER_DATA = 0x02
/** Bits 0–3 of port 61h are kept as written; 2 and 3 enable the parity and I/O check NMIs that never happen here. */
const SYSTEM_CONTROL_WRITABLE = 0x0f
const REFRESH_TOGGLE = 0x10
const OUT_2 = 0x20
/** CLK pulses from one refresh to the next: what a BIOS programs into counter 1. The toggle does not depend on it. */
const REFRESH_TICKS = 18

export interface PitOptions {
  /** Told the level of counter 0's output at each change: IRQ 0. */
  readonly line: Line
  /** Cycles of virtual time in a second. */
  readonly cycleHz: number
}

export interface PitState {
  /** CLK pulses done so far. */
  readonly ticks: number
  readonly counters: readonly PitCounterState[]
  readonly systemControl: number
}

/** All three counters run from virtual time 0, with the gates of counters 0 and 1 high. */
export class Pit implements PortDevice, TimedDevice, Savable<PitState> {
  readonly ports: readonly PortRange[] = [
    { first: COUNTER_0, count: 4 },
    { first: SYSTEM_CONTROL, count: 1 },
  ]
  readonly #counters: readonly [PitCounter, PitCounter, PitCounter]
  readonly #cycleHz: number
  #ticks = 0
  #systemControl = 0

  constructor(options: PitOptions) {
    this.#cycleHz = options.cycleHz
    this.#counters = [new PitCounter(true, options.line), new PitCounter(true), new PitCounter(false)]
  }

  /** The speaker's level after the AND of counter 2's output and bit 1 of port 61h, as of the latest access or advance. */
  get speakerLevel(): boolean {
    return (this.#systemControl & SPEAKER_DATA) !== 0 && this.#counters[2].out
  }

  /** The CLK pulse at which counter 0 next loads its count or changes its output; never earlier than `now`. */
  nextEvent(now: Cycles): Cycles {
    const quiet = this.#counters[0].quietTicks()
    if (quiet === Number.POSITIVE_INFINITY) return quiet
    return Math.max(now, cyclesAtTick(this.#ticks + quiet + 1, this.#cycleHz, PIT_HZ))
  }

  advance(now: Cycles): void {
    const ticks = ticksAt(now, this.#cycleHz, PIT_HZ)
    if (ticks <= this.#ticks) return
    for (const counter of this.#counters) counter.run(ticks - this.#ticks)
    this.#ticks = ticks
  }

  readPort(port: number, _size: AccessSize, now: Cycles): number {
    this.advance(now)
    if (port === CONTROL_WORD) return 0xff
    if (port !== SYSTEM_CONTROL) return this.#counters[(port - COUNTER_0) as 0 | 1 | 2].readByte()
    const refresh = Math.floor(this.#ticks / REFRESH_TICKS) % 2 === 1 ? REFRESH_TOGGLE : 0
    return this.#systemControl | refresh | (this.#counters[2].out ? OUT_2 : 0)
  }

  writePort(port: number, _size: AccessSize, value: number, now: Cycles): void {
    this.advance(now)
    if (port === SYSTEM_CONTROL) {
      this.#systemControl = value & SYSTEM_CONTROL_WRITABLE
      this.#counters[2].setGate((value & GATE_2) !== 0)
    } else if (port === CONTROL_WORD) this.#control(value)
    else this.#counters[(port - COUNTER_0) as 0 | 1 | 2].writeByte(value)
  }

  save(): PitState {
    return {
      ticks: this.#ticks,
      counters: this.#counters.map((counter) => counter.save()),
      systemControl: this.#systemControl,
    }
  }

  restore(state: PitState): void {
    this.#ticks = state.ticks
    this.#systemControl = state.systemControl
    this.#counters.forEach((counter, i) => {
      const saved = state.counters[i]
      if (saved === undefined) throw new Error(`A saved PIT has 3 counters, but this one has ${state.counters.length}.`)
      counter.restore(saved)
    })
  }

  #control(value: number): void {
    const select = value >> SELECT_SHIFT
    if (select !== SELECT_READ_BACK) {
      this.#counters[select as 0 | 1 | 2].control(value)
      return
    }
    this.#counters.forEach((counter, i) => {
      if ((value & (2 << i)) === 0) return
      if ((value & READ_BACK_NO_COUNT) === 0) counter.latchCount()
      if ((value & READ_BACK_NO_STATUS) === 0) counter.latchStatus()
    })
  }
}
