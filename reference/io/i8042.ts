/**
 * The keyboard controller of a PC at 60h and 64h (Intel UPI-42 with IBM's program: IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard/Auxiliary Device Controller"), with its gates for A20 and reset.
 *
 * It fills its output buffer from whichever device has something to say, the keyboard first; a driver that reads the
 * buffer sees the line fall and rise again for the next byte.
 */
import type { AccessSize, Line, PortDevice, PortRange, Savable } from './device.ts'
import type { Ps2Device } from './ps2-device.ts'
import { translateScanCode } from './scan-codes.ts'

const DATA = 0x60
const STATUS_COMMAND = 0x64

const STATUS_OUTPUT_FULL = 0x01
const STATUS_SYSTEM = 0x04
const STATUS_COMMAND_LAST = 0x08
const STATUS_UNLOCKED = 0x10
const STATUS_AUXILIARY = 0x20

const MODE_KEYBOARD_INTERRUPT = 0x01
const MODE_AUXILIARY_INTERRUPT = 0x02
const MODE_SYSTEM = 0x04
const MODE_KEYBOARD_OFF = 0x10
const MODE_AUXILIARY_OFF = 0x20
const MODE_TRANSLATE = 0x40
/** As a BIOS leaves it: the keyboard works and speaks scan code set 1, the mouse is off. */
const MODE_AFTER_BIOS = MODE_KEYBOARD_INTERRUPT | MODE_SYSTEM | MODE_AUXILIARY_OFF | MODE_TRANSLATE

const READ_MODE = 0x20
const WRITE_MODE = 0x60
const RAM_BYTES = 32
const AUXILIARY_DISABLE = 0xa7
const AUXILIARY_ENABLE = 0xa8
const AUXILIARY_TEST = 0xa9
const SELF_TEST = 0xaa
const KEYBOARD_TEST = 0xab
const KEYBOARD_DISABLE = 0xad
const KEYBOARD_ENABLE = 0xae
const READ_INPUT_PORT = 0xc0
const READ_OUTPUT_PORT = 0xd0
const WRITE_OUTPUT_PORT = 0xd1
const WRITE_KEYBOARD_BUFFER = 0xd2
const WRITE_AUXILIARY_BUFFER = 0xd3
const WRITE_AUXILIARY = 0xd4
const CLOSE_A20 = 0xdd
const OPEN_A20 = 0xdf
/** F0h–FFh: bits that are 0 pulse their line of the output port low. */
const PULSE = 0xf0

const SELF_TEST_PASSED = 0x55
const TEST_PASSED = 0
const INPUT_PORT = 0x80
const OUTPUT_NO_RESET = 0x01
const OUTPUT_A20 = 0x02

type Source = 'none' | 'keyboard' | 'auxiliary' | 'controller'

export interface I8042Options {
  /** IRQ 1. */
  readonly keyboardLine: Line
  /** IRQ 12. */
  readonly auxiliaryLine: Line
  readonly keyboard: Ps2Device
  readonly auxiliary: Ps2Device
  /** This controller's vote for A20. */
  readonly a20: Line
  readonly reset: () => void
}

export interface I8042State {
  readonly ram: readonly number[]
  /** The command whose data byte has not come yet, or 0. */
  readonly command: number
  readonly commandLast: boolean
  readonly output: number
  readonly source: Source
  readonly outputPort: number
  readonly afterBreak: boolean
}

export class I8042 implements PortDevice, Savable<I8042State> {
  readonly ports: readonly PortRange[] = [
    { first: DATA, count: 1 },
    { first: STATUS_COMMAND, count: 1 },
  ]
  readonly #options: I8042Options
  /** Byte 0 is the mode. */
  #ram: number[] = [MODE_AFTER_BIOS, ...new Array(RAM_BYTES - 1).fill(0)]
  #command = 0
  #commandLast = false
  #output = 0
  #source: Source = 'none'
  #outputPort = OUTPUT_NO_RESET | OUTPUT_A20
  /** The keyboard sent F0h, which is part of the translated byte behind it. */
  #afterBreak = false

  constructor(options: I8042Options) {
    this.#options = options
  }

  get #mode(): number {
    return this.#ram[0]!
  }

  readPort(port: number): number {
    if (port === STATUS_COMMAND) return this.#status()
    const value = this.#output
    if (this.#source !== 'none') {
      this.#source = 'none'
      this.#drive()
      this.poll()
    }
    return value
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    this.#commandLast = port === STATUS_COMMAND
    if (port === STATUS_COMMAND) this.#execute(value)
    else this.#data(value)
    this.poll()
  }

  /** Looks whether a device has something to say. To be called when one may have. */
  poll(): void {
    const { keyboard, auxiliary } = this.#options
    while (this.#source === 'none') {
      if (keyboard.ready && (this.#mode & MODE_KEYBOARD_OFF) === 0) this.#fromKeyboard(keyboard.take()!)
      else if (auxiliary.ready && (this.#mode & MODE_AUXILIARY_OFF) === 0) this.#put(auxiliary.take()!, 'auxiliary')
      else return
    }
  }

  save(): I8042State {
    return {
      ram: [...this.#ram],
      command: this.#command,
      commandLast: this.#commandLast,
      output: this.#output,
      source: this.#source,
      outputPort: this.#outputPort,
      afterBreak: this.#afterBreak,
    }
  }

  restore(state: I8042State): void {
    this.#ram = [...state.ram]
    this.#command = state.command
    this.#commandLast = state.commandLast
    this.#output = state.output
    this.#source = state.source
    this.#outputPort = state.outputPort
    this.#afterBreak = state.afterBreak
  }

  #status(): number {
    return (
      STATUS_UNLOCKED |
      (this.#source === 'none' ? 0 : STATUS_OUTPUT_FULL) |
      (this.#source === 'auxiliary' ? STATUS_AUXILIARY : 0) |
      (this.#mode & MODE_SYSTEM ? STATUS_SYSTEM : 0) |
      (this.#commandLast ? STATUS_COMMAND_LAST : 0)
    )
  }

  #execute(command: number): void {
    this.#command = 0
    if (command >= READ_MODE && command < READ_MODE + RAM_BYTES) {
      this.#put(this.#ram[command - READ_MODE]!, 'controller')
    } else if (command >= WRITE_MODE && command < WRITE_MODE + RAM_BYTES) this.#command = command
    else if (command >= PULSE) {
      if ((command & OUTPUT_NO_RESET) === 0) this.#options.reset()
    } else this.#executeNamed(command)
  }

  #executeNamed(command: number): void {
    switch (command) {
      case AUXILIARY_DISABLE:
        this.#setMode(this.#mode | MODE_AUXILIARY_OFF)
        break
      case AUXILIARY_ENABLE:
        this.#setMode(this.#mode & ~MODE_AUXILIARY_OFF)
        break
      case AUXILIARY_TEST:
      case KEYBOARD_TEST:
        this.#put(TEST_PASSED, 'controller')
        break
      case SELF_TEST:
        this.#setMode(this.#mode | MODE_SYSTEM)
        this.#put(SELF_TEST_PASSED, 'controller')
        break
      case KEYBOARD_DISABLE:
        this.#setMode(this.#mode | MODE_KEYBOARD_OFF)
        break
      case KEYBOARD_ENABLE:
        this.#setMode(this.#mode & ~MODE_KEYBOARD_OFF)
        break
      case READ_INPUT_PORT:
        this.#put(INPUT_PORT, 'controller')
        break
      case READ_OUTPUT_PORT:
        this.#put(this.#outputPort, 'controller')
        break
      case WRITE_OUTPUT_PORT:
      case WRITE_KEYBOARD_BUFFER:
      case WRITE_AUXILIARY_BUFFER:
      case WRITE_AUXILIARY:
        this.#command = command
        break
      case CLOSE_A20:
        this.#writeOutputPort(this.#outputPort & ~OUTPUT_A20)
        break
      case OPEN_A20:
        this.#writeOutputPort(this.#outputPort | OUTPUT_A20)
        break
      default:
        break
    }
  }

  /** A byte at port 60h: a command's data, or else for the keyboard. */
  #data(value: number): void {
    const command = this.#command
    this.#command = 0
    if (command === WRITE_MODE) this.#setMode(value)
    else if (command > WRITE_MODE && command < WRITE_MODE + RAM_BYTES) this.#ram[command - WRITE_MODE] = value
    else if (command === WRITE_OUTPUT_PORT) this.#writeOutputPort(value)
    else if (command === WRITE_KEYBOARD_BUFFER) this.#put(value, 'keyboard')
    else if (command === WRITE_AUXILIARY_BUFFER) this.#put(value, 'auxiliary')
    else if (command === WRITE_AUXILIARY) this.#options.auxiliary.receive(value)
    else {
      this.#ram[0] = this.#mode & ~MODE_KEYBOARD_OFF
      this.#options.keyboard.receive(value)
    }
  }

  #fromKeyboard(byte: number): void {
    if ((this.#mode & MODE_TRANSLATE) === 0) {
      this.#put(byte, 'keyboard')
      return
    }
    const { value, pending } = translateScanCode(byte, this.#afterBreak)
    this.#afterBreak = pending
    if (value !== undefined) this.#put(value, 'keyboard')
  }

  #put(value: number, source: Source): void {
    this.#output = value
    this.#source = source
    this.#drive()
  }

  #setMode(mode: number): void {
    this.#ram[0] = mode
    this.#drive()
  }

  #writeOutputPort(value: number): void {
    this.#outputPort = value
    this.#options.a20((value & OUTPUT_A20) !== 0)
    if ((value & OUTPUT_NO_RESET) === 0) this.#options.reset()
  }

  /** What the controller itself says interrupts like a key. */
  #drive(): void {
    const isAuxiliary = this.#source === 'auxiliary'
    const isKeyboard = this.#source !== 'none' && !isAuxiliary
    this.#options.keyboardLine(isKeyboard && (this.#mode & MODE_KEYBOARD_INTERRUPT) !== 0)
    this.#options.auxiliaryLine(isAuxiliary && (this.#mode & MODE_AUXILIARY_INTERRUPT) !== 0)
  }
}
