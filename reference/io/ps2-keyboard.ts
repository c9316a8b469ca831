/**
 * A PS/2 keyboard of 101 keys (IBM PS/2 Hardware Interface Technical Reference, "101/102-Key Keyboard"), scan code set 2.
 * It answers what drivers ask; LEDs and the typematic rate are taken and do nothing, since no key repeats by itself.
 */
import type { Savable } from './device.ts'
import { type Ps2Device, Ps2Queue, type Ps2QueueState } from './ps2-device.ts'

const SET_LEDS = 0xed
const ECHO = 0xee
const SCAN_CODE_SET = 0xf0
const IDENTIFY = 0xf2
const TYPEMATIC_RATE = 0xf3
const ENABLE = 0xf4
const DISABLE = 0xf5
const SET_DEFAULTS = 0xf6
/** F7h–FDh set make and break modes of scan code set 3. */
const SET_3_FIRST = 0xf7
const SET_3_KEY = 0xfb
const SET_3_LAST = 0xfd
const RESET = 0xff

const SELF_TEST_PASSED = 0xaa
const IDENTITY = [0xab, 0x83]
const ONLY_SET = 2
const EXTENDED = 0xe0
const BREAK = 0xf0

export interface Ps2KeyboardState {
  readonly queue: Ps2QueueState
  readonly scanning: boolean
}

export class Ps2Keyboard implements Ps2Device, Savable<Ps2KeyboardState> {
  readonly #queue = new Ps2Queue()
  #scanning = true

  get ready(): boolean {
    return this.#queue.ready
  }

  take(): number | undefined {
    return this.#queue.take()
  }

  /**
   * A key goes down or up.
   * @param code the key's scan code in set 2; with E0h in bits 8–15 for the keys of the middle blocks
   * @returns false when the host has disabled the keyboard, or takes nothing
   */
  key(code: number, down: boolean): boolean {
    if (!this.#scanning) return false
    const prefix = code >> 8 === EXTENDED ? [EXTENDED] : []
    return this.#queue.send([...prefix, ...(down ? [] : [BREAK]), code & 0xff])
  }

  receive(byte: number): void {
    const queue = this.#queue
    const { command } = queue
    queue.clear()
    if (command !== 0) {
      queue.command = 0
      queue.acknowledge(...(command === SCAN_CODE_SET && byte === 0 ? [ONLY_SET] : []))
      return
    }
    switch (byte) {
      case SET_LEDS:
      case SCAN_CODE_SET:
      case TYPEMATIC_RATE:
      case SET_3_KEY:
      case SET_3_KEY + 1:
      case SET_3_LAST:
        queue.command = byte
        queue.acknowledge()
        return
      case ECHO:
        queue.send([ECHO])
        return
      case IDENTIFY:
        queue.acknowledge(...IDENTITY)
        return
      case ENABLE:
      case DISABLE:
      case SET_DEFAULTS:
        this.#scanning = byte !== DISABLE
        queue.acknowledge()
        return
      case RESET:
        this.#scanning = true
        queue.acknowledge(SELF_TEST_PASSED)
        return
      default:
        if (byte >= SET_3_FIRST && byte < SET_3_KEY) queue.acknowledge()
        else queue.refuse()
    }
  }

  save(): Ps2KeyboardState {
    return { queue: this.#queue.save(), scanning: this.#scanning }
  }

  restore(state: Ps2KeyboardState): void {
    this.#queue.restore(state.queue)
    this.#scanning = state.scanning
  }
}
