/**
 * A PS/2 mouse of three buttons (IBM PS/2 Hardware Interface Technical Reference, "Mouse"), without the wheel that
 * IntelliMouse added.
 */
import type { Savable } from './device.ts'
import { type Ps2Device, Ps2Queue, type Ps2QueueState } from './ps2-device.ts'

const SCALING_1_1 = 0xe6
const SCALING_2_1 = 0xe7
const SET_RESOLUTION = 0xe8
const STATUS_REQUEST = 0xe9
const STREAM_MODE = 0xea
const READ_DATA = 0xeb
const RESET_WRAP = 0xec
const WRAP_MODE = 0xee
const REMOTE_MODE = 0xf0
const IDENTIFY = 0xf2
const SET_RATE = 0xf3
const ENABLE = 0xf4
const DISABLE = 0xf5
const SET_DEFAULTS = 0xf6
const RESET = 0xff

const SELF_TEST_PASSED = 0xaa
const IDENTITY = 0
const DEFAULT_RATE = 100
const DEFAULT_RESOLUTION = 2
const STATUS_REMOTE = 0x40
const STATUS_ENABLED = 0x20
const STATUS_SCALING = 0x10
const PACKET_ALWAYS = 0x08
const PACKET_X_NEGATIVE = 0x10
const PACKET_Y_NEGATIVE = 0x20
/** The most that one packet tells of a movement. */
const LARGEST_STEP = 255

const DEFAULTS = { rate: DEFAULT_RATE, resolution: DEFAULT_RESOLUTION, scaling: false, enabled: false, remote: false }

interface Settings {
  readonly rate: number
  readonly resolution: number
  readonly scaling: boolean
  readonly enabled: boolean
  readonly remote: boolean
}

export interface Ps2MouseState {
  readonly queue: Ps2QueueState
  readonly settings: Settings
  readonly wrap: boolean
  readonly buttons: number
}

export class Ps2Mouse implements Ps2Device, Savable<Ps2MouseState> {
  readonly #queue = new Ps2Queue()
  #settings: Settings = DEFAULTS
  #wrap = false
  /** Left 1, right 2, middle 4. */
  #buttons = 0

  get ready(): boolean {
    return this.#queue.ready
  }

  take(): number | undefined {
    return this.#queue.take()
  }

  /**
   * The mouse moves, right and up, or its buttons change (left 1, right 2, middle 4).
   * @returns false when nobody was told: the host did not ask for it, or takes nothing
   */
  move(dx: number, dy: number, buttons: number): boolean {
    this.#buttons = buttons
    if (!this.#settings.enabled || this.#settings.remote || this.#wrap) return false
    return this.#queue.send(this.#packet(dx, dy))
  }

  receive(byte: number): void {
    const queue = this.#queue
    const { command } = queue
    queue.clear()
    if (this.#wrap && byte !== RESET && byte !== RESET_WRAP) {
      queue.send([byte])
    } else if (command !== 0) {
      queue.command = 0
      this.#set(command === SET_RATE ? { rate: byte } : { resolution: byte & 3 })
    } else this.#execute(byte)
  }

  save(): Ps2MouseState {
    return { queue: this.#queue.save(), settings: this.#settings, wrap: this.#wrap, buttons: this.#buttons }
  }

  restore(state: Ps2MouseState): void {
    this.#queue.restore(state.queue)
    this.#settings = state.settings
    this.#wrap = state.wrap
    this.#buttons = state.buttons
  }

  #execute(command: number): void {
    const queue = this.#queue
    const { rate, resolution, scaling, enabled, remote } = this.#settings
    switch (command) {
      case SCALING_1_1:
      case SCALING_2_1:
        this.#set({ scaling: command === SCALING_2_1 })
        break
      case SET_RESOLUTION:
      case SET_RATE:
        queue.command = command
        queue.acknowledge()
        break
      case STATUS_REQUEST: {
        const bits =
          (remote ? STATUS_REMOTE : 0) | (enabled ? STATUS_ENABLED : 0) | (scaling ? STATUS_SCALING : 0) | this.#buttons
        queue.acknowledge(bits, resolution, rate)
        break
      }
      case STREAM_MODE:
      case REMOTE_MODE:
        this.#set({ remote: command === REMOTE_MODE })
        break
      case READ_DATA:
        queue.acknowledge(...this.#packet(0, 0))
        break
      case WRAP_MODE:
      case RESET_WRAP:
        this.#wrap = command === WRAP_MODE
        queue.acknowledge()
        break
      case IDENTIFY:
        queue.acknowledge(IDENTITY)
        break
      case ENABLE:
      case DISABLE:
        this.#set({ enabled: command === ENABLE })
        break
      case SET_DEFAULTS:
        this.#set(DEFAULTS)
        break
      case RESET:
        this.#settings = DEFAULTS
        this.#wrap = false
        queue.acknowledge(SELF_TEST_PASSED, IDENTITY)
        break
      default:
        queue.refuse()
        break
    }
  }

  #set(change: Partial<Settings>): void {
    this.#settings = { ...this.#settings, ...change }
    this.#queue.acknowledge()
  }

  #packet(dx: number, dy: number): readonly number[] {
    const x = Math.max(-LARGEST_STEP, Math.min(LARGEST_STEP, dx))
    const y = Math.max(-LARGEST_STEP, Math.min(LARGEST_STEP, dy))
    const signs = (x < 0 ? PACKET_X_NEGATIVE : 0) | (y < 0 ? PACKET_Y_NEGATIVE : 0)
    return [PACKET_ALWAYS | signs | this.#buttons, x & 0xff, y & 0xff]
  }
}
