/**
 * The two 8237A DMA controllers of a PC/AT and their page registers (Intel 8237A data sheet; ports 00h–0Fh, C0h–DEh,
 * 80h–8Fh), as far as software that probes and programs them can see. No device of this machine asks for DMA, so nothing
 * is ever transferred and no channel reaches its terminal count.
 */
import type { AccessSize, PortDevice, PortRange, Savable } from './device.ts'

const FIRST_CONTROLLER = 0x00
const SECOND_CONTROLLER = 0xc0
const PAGES = 0x80
const PAGE_COUNT = 16
const CHANNEL_REGISTERS = 8
/** Write: masks and modes. Read: status (8) and temporary register (13). */
const CLEAR_BYTE_POINTER = 12
const MASTER_CLEAR = 13

interface ControllerState {
  /** Address and count of channels 0–3, in turn: 16 bits each. */
  readonly words: readonly number[]
  readonly highByte: boolean
}

export interface DmaState {
  readonly controllers: readonly ControllerState[]
  readonly pages: readonly number[]
}

interface Controller {
  words: number[]
  highByte: boolean
}

export class Dma implements PortDevice, Savable<DmaState> {
  readonly ports: readonly PortRange[] = [
    { first: FIRST_CONTROLLER, count: 16 },
    { first: SECOND_CONTROLLER, count: 32 },
    { first: PAGES, count: PAGE_COUNT },
  ]
  #controllers: Controller[] = [newController(), newController()]
  #pages: number[] = new Array(PAGE_COUNT).fill(0)

  readPort(port: number): number {
    if (port >= PAGES && port < PAGES + PAGE_COUNT) return this.#pages[port - PAGES]!
    const { controller, register } = this.#find(port)
    if (register >= CHANNEL_REGISTERS) return 0
    const shift = controller.highByte ? 8 : 0
    controller.highByte = !controller.highByte
    return (controller.words[register]! >> shift) & 0xff
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port >= PAGES && port < PAGES + PAGE_COUNT) {
      this.#pages[port - PAGES] = value
      return
    }
    const { controller, register } = this.#find(port)
    if (register < CHANNEL_REGISTERS) {
      const word = controller.words[register]!
      controller.words[register] = controller.highByte ? (word & 0xff) | (value << 8) : (word & 0xff00) | value
      controller.highByte = !controller.highByte
    } else if (register === CLEAR_BYTE_POINTER || register === MASTER_CLEAR) {
      controller.highByte = false
    }
  }

  save(): DmaState {
    return {
      controllers: this.#controllers.map(({ words, highByte }) => ({ words: [...words], highByte })),
      pages: [...this.#pages],
    }
  }

  restore(state: DmaState): void {
    this.#controllers = state.controllers.map(({ words, highByte }) => ({ words: [...words], highByte }))
    this.#pages = [...state.pages]
  }

  /** The second controller's registers stand at every other port. */
  #find(port: number): { controller: Controller; register: number } {
    const second = port >= SECOND_CONTROLLER
    return {
      controller: this.#controllers[second ? 1 : 0]!,
      register: second ? (port - SECOND_CONTROLLER) >> 1 : port - FIRST_CONTROLLER,
    }
  }
}

function newController(): Controller {
  return { words: new Array(CHANNEL_REGISTERS).fill(0), highByte: false }
}
