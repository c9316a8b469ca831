/**
 * A VGA in text mode 3, 80 × 25 (IBM VGA, PS/2 Hardware Interface Technical Reference, "Video Subsystem"): its registers,
 * and the page that they show of the memory at B8000h. That memory is RAM here; there are no planes and no graphics modes.
 *
 * Start, cursor, palette and blinking are shown; what is written to sequencer and graphics controller is kept and changes nothing.
 * The registers begin as a BIOS leaves them.
 */
import type { Cycles } from '../sched/virtual-time.ts'
import type { AccessSize, PortDevice, PortRange, Savable } from './device.ts'

export const VGA_TEXT_BASE = 0xb_8000
export const VGA_TEXT_BYTES = 0x8000
export const VGA_COLUMNS = 80
export const VGA_ROWS = 25

const FIRST_PORT = 0x3c0
const ATTRIBUTE_READ = 0x3c1
const MISC_WRITE = 0x3c2
const SEQUENCER_INDEX = 0x3c4
const DAC_MASK = 0x3c6
const DAC_READ_INDEX = 0x3c7
const DAC_WRITE_INDEX = 0x3c8
const DAC_DATA = 0x3c9
const MISC_READ = 0x3cc
const GRAPHICS_INDEX = 0x3ce
const CRTC_INDEX = 0x3d4
const STATUS_1 = 0x3da
const PORT_COUNT = STATUS_1 - FIRST_PORT + 1

const CURSOR_START = 0x0a
const CURSOR_END = 0x0b
const START_ADDRESS_HIGH = 0x0c
const START_ADDRESS_LOW = 0x0d
const CURSOR_HIGH = 0x0e
const CURSOR_LOW = 0x0f
const CURSOR_OFF = 0x20
const CURSOR_LINE_MASK = 0x1f
const ATTRIBUTE_MODE = 0x10
const ATTRIBUTE_BLINKS = 0x08
const COLOURS = 16
/** The index at port 3C0h: the palette goes to the screen. */
const PALETTE_SHOWN = 0x20
/** Mode 3 with 400 lines (IBM VGA manual, "BIOS parameter tables"). */
const MODE_3_CRTC = '5f 4f 50 82 55 81 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 28 1f 96 b9 a3 ff'
const MODE_3_SEQUENCER = '03 00 03 00 02'
const MODE_3_GRAPHICS = '00 00 00 00 00 10 0e 00 ff'
const MODE_3_ATTRIBUTE = '00 01 02 03 04 05 14 07 38 39 3a 3b 3c 3d 3e 3f 0c 00 0f 08 00'
const MISC_COLOR = 0x67
const FRAMES_PER_SECOND = 70
/** The share of a frame in which the beam goes back. */
const RETRACE_SHARE = 0.07
const STATUS_DISPLAY_OFF = 0x01
const STATUS_RETRACE = 0x08
const DAC_BYTES = 768
const INDEX_MASK = 0x1f

/** Index, then the registers, of each of the indexed groups. */
interface Group {
  index: number
  registers: number[]
}

export interface VgaTextState {
  readonly crtc: Readonly<Group>
  readonly sequencer: Readonly<Group>
  readonly graphics: Readonly<Group>
  readonly attribute: Readonly<Group>
  readonly attributeIsData: boolean
  readonly misc: number
  readonly dac: readonly number[]
  readonly dacIndex: number
  readonly dacMask: number
}

/** What is on the screen, as places in the text memory: 0 is B8000h, each place two bytes. */
export interface VgaPage {
  readonly start: number
  /** −1: the cursor is off. */
  readonly cursor: number
  /** The first and the last line of the cursor in its cell. */
  readonly cursorRows: readonly [number, number]
  /** Bit 7 of an attribute makes a character blink; otherwise it belongs to the colour behind it. */
  readonly blinks: boolean
  /** Red, green and blue, 0–255, of the 16 colours. */
  readonly palette: readonly (readonly [number, number, number])[]
}

export class VgaText implements PortDevice, Savable<VgaTextState> {
  readonly ports: readonly PortRange[] = [{ first: FIRST_PORT, count: PORT_COUNT }]
  readonly #cycleHz: number
  #crtc = newGroup(MODE_3_CRTC)
  #sequencer = newGroup(MODE_3_SEQUENCER)
  #graphics = newGroup(MODE_3_GRAPHICS)
  #attribute: Group = { ...newGroup(MODE_3_ATTRIBUTE), index: PALETTE_SHOWN }
  /** The next byte at 3C0h is data. */
  #attributeIsData = false
  #misc = MISC_COLOR
  #dac: number[] = dacAfterBios()
  #dacIndex = 0
  #dacMask = 0xff

  /** @param cycleHz cycles of virtual time in a second: the beam follows it */
  constructor(cycleHz: number) {
    this.#cycleHz = cycleHz
  }

  get page(): VgaPage {
    const { registers } = this.#crtc
    const isOff = (registers[CURSOR_START]! & CURSOR_OFF) !== 0
    return {
      start: (registers[START_ADDRESS_HIGH]! << 8) | registers[START_ADDRESS_LOW]!,
      cursor: isOff ? -1 : (registers[CURSOR_HIGH]! << 8) | registers[CURSOR_LOW]!,
      cursorRows: [registers[CURSOR_START]! & CURSOR_LINE_MASK, registers[CURSOR_END]! & CURSOR_LINE_MASK],
      blinks: (this.#attribute.registers[ATTRIBUTE_MODE]! & ATTRIBUTE_BLINKS) !== 0,
      palette: this.#attribute.registers.slice(0, COLOURS).map((entry) => this.#colour(entry & this.#dacMask & 0x3f)),
    }
  }

  readPort(port: number, _size: AccessSize, now: Cycles): number {
    switch (port) {
      case STATUS_1:
        this.#attributeIsData = false
        return this.#beam(now)
      case FIRST_PORT:
        return this.#attribute.index
      case ATTRIBUTE_READ:
        return this.#attribute.registers[this.#attribute.index & INDEX_MASK]!
      case MISC_READ:
        return this.#misc
      case DAC_MASK:
        return this.#dacMask
      case DAC_WRITE_INDEX:
        return Math.floor(this.#dacIndex / 3)
      case DAC_DATA:
        return this.#dac[this.#nextDac()]!
      default: {
        const group = this.#groupAt(port & ~1)
        if (group === undefined) return 0
        return (port & 1) === 0 ? group.index : group.registers[group.index & INDEX_MASK]!
      }
    }
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    switch (port) {
      case FIRST_PORT:
        if (this.#attributeIsData) this.#attribute.registers[this.#attribute.index & INDEX_MASK] = value
        else this.#attribute.index = value
        this.#attributeIsData = !this.#attributeIsData
        break
      case MISC_WRITE:
        this.#misc = value
        break
      case DAC_MASK:
        this.#dacMask = value
        break
      case DAC_READ_INDEX:
      case DAC_WRITE_INDEX:
        this.#dacIndex = value * 3
        break
      case DAC_DATA:
        this.#dac[this.#nextDac()] = value & 0x3f
        break
      default: {
        const group = this.#groupAt(port & ~1)
        if (group === undefined) break
        if ((port & 1) === 0) group.index = value
        else group.registers[group.index & INDEX_MASK] = value
      }
    }
  }

  save(): VgaTextState {
    return {
      crtc: copyOf(this.#crtc),
      sequencer: copyOf(this.#sequencer),
      graphics: copyOf(this.#graphics),
      attribute: copyOf(this.#attribute),
      attributeIsData: this.#attributeIsData,
      misc: this.#misc,
      dac: [...this.#dac],
      dacIndex: this.#dacIndex,
      dacMask: this.#dacMask,
    }
  }

  restore(state: VgaTextState): void {
    this.#crtc = copyOf(state.crtc)
    this.#sequencer = copyOf(state.sequencer)
    this.#graphics = copyOf(state.graphics)
    this.#attribute = copyOf(state.attribute)
    this.#attributeIsData = state.attributeIsData
    this.#misc = state.misc
    this.#dac = [...state.dac]
    this.#dacIndex = state.dacIndex
    this.#dacMask = state.dacMask
  }

  #groupAt(port: number): Group | undefined {
    if (port === CRTC_INDEX) return this.#crtc
    if (port === SEQUENCER_INDEX) return this.#sequencer
    return port === GRAPHICS_INDEX ? this.#graphics : undefined
  }

  /** An entry of the DAC, whose six bits a colour are spread over eight. */
  #colour(entry: number): readonly [number, number, number] {
    const [red, green, blue] = this.#dac.slice(3 * entry, 3 * entry + 3).map((level) => (level << 2) | (level >> 4))
    return [red!, green!, blue!]
  }

  #nextDac(): number {
    const at = this.#dacIndex
    this.#dacIndex = (at + 1) % DAC_BYTES
    return at
  }

  #beam(now: Cycles): number {
    const frames = (now * FRAMES_PER_SECOND) / this.#cycleHz
    return frames - Math.floor(frames) >= 1 - RETRACE_SHARE ? STATUS_RETRACE | STATUS_DISPLAY_OFF : 0
  }
}

/** @param first the first registers, in hexadecimal; the others are 0 */
function newGroup(first: string): Group {
  const registers = first.split(' ').map((value) => Number.parseInt(value, 16))
  return { index: 0, registers: [...registers, ...new Array<number>(INDEX_MASK + 1 - registers.length).fill(0)] }
}

/** The 64 colours of an EGA: bits 2–0 are red, green and blue of two thirds, bits 5–3 of one third. */
function dacAfterBios(): number[] {
  const level = (entry: number, bit: number) => ((entry >> bit) & 1) * 0x2a + ((entry >> (bit + 3)) & 1) * 0x15
  const colours = Array.from({ length: 64 }, (_, entry) => [2, 1, 0].map((bit) => level(entry, bit))).flat()
  return [...colours, ...new Array<number>(DAC_BYTES - colours.length).fill(0)]
}

function copyOf({ index, registers }: Readonly<Group>): Group {
  return { index, registers: [...registers] }
}
