/**
 * A PCI bus with what a PC of 1996 has on it, as far as software that probes it can see: host bridge, ISA bridge and IDE
 * interface (PCI Local Bus Specification 2.1 §3.7.4.1, configuration mechanism 1; Intel 82441FX and 82371SB data sheets).
 *
 * No function has a base address of its own: the IDE interface answers at the ports of an AT. What the shadow and
 * interrupt-routing registers are set to is kept and changes nothing, since all of low memory is RAM.
 */
import type { WidePortDevice } from './bus.ts'
import type { AccessSize, PortDevice, PortRange, Savable } from './device.ts'

const CONFIG_ADDRESS = 0xcf8
const RESET_CONTROL = 0xcf9
const CONFIG_DATA = 0xcfc
const ENABLE = 0x8000_0000
const ADDRESS_MASK = 0x80ff_fffc
const CONFIG_BYTES = 256
const ALL_ONES = 0xffff_ffff

const COMMAND = 0x04
const COMMAND_BITS = 0x07
const LATENCY_TIMER = 0x0d
const INTERRUPT_LINE = 0x3c

/** A function of the bus: what its configuration space says, and which registers keep what is written. */
interface PciFunction {
  readonly device: number
  readonly function: number
  /** Vendor in bits 0–15, device in 16–31. */
  readonly id: number
  /** Class code in bits 8–31, revision in 0–7. */
  readonly classRevision: number
  readonly headerType: number
  /** First and last register that can be written, besides those of every function. */
  readonly writable: readonly (readonly [first: number, last: number])[]
  /** Registers that are not 0 after reset: offset and byte. */
  readonly initial: readonly (readonly [offset: number, value: number])[]
}

const SINGLE_FUNCTION = 0x00
const MULTI_FUNCTION = 0x80

const HOST_BRIDGE: PciFunction = {
  device: 0,
  function: 0,
  id: 0x1237_8086,
  classRevision: 0x0600_0002,
  headerType: SINGLE_FUNCTION,
  writable: [[0x50, 0x72]],
  /** PAM: reads and writes of C0000h–FFFFFh go to RAM. */
  initial: [0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f].map((offset) => [offset, 0x33] as const),
}
const ISA_BRIDGE: PciFunction = {
  device: 1,
  function: 0,
  id: 0x7000_8086,
  classRevision: 0x0601_0000,
  headerType: MULTI_FUNCTION,
  writable: [
    [0x4c, 0x4f],
    [0x60, 0x63],
    [0x69, 0x82],
  ],
  /** PIRQ A–D are routed nowhere. */
  initial: [0x60, 0x61, 0x62, 0x63].map((offset) => [offset, 0x80] as const),
}
const IDE_INTERFACE: PciFunction = {
  device: 1,
  function: 1,
  id: 0x7010_8086,
  classRevision: 0x0101_0000,
  headerType: SINGLE_FUNCTION,
  writable: [[0x40, 0x44]],
  /** Both channels are decoded. */
  initial: [
    [0x41, 0x80],
    [0x43, 0x80],
  ],
}
const FUNCTIONS: readonly PciFunction[] = [HOST_BRIDGE, ISA_BRIDGE, IDE_INTERFACE]

export interface PciState {
  readonly address: number
  readonly spaces: readonly (readonly number[])[]
}

export class Pci implements WidePortDevice, Savable<PciState> {
  readonly ports: readonly PortRange[] = [{ first: CONFIG_ADDRESS, count: 8 }]
  readonly widestAccess = 4
  /** Byte accesses to CF9h are for it. */
  readonly #resetControl: PortDevice
  #address = 0
  #spaces = FUNCTIONS.map(initialSpace)

  constructor(resetControl: PortDevice) {
    this.#resetControl = resetControl
  }

  readPort(port: number, size: AccessSize, now: number): number {
    if (port === RESET_CONTROL && size === 1) return this.#resetControl.readPort(port, size, now)
    if (port < CONFIG_DATA) return size === 4 ? this.#address : ALL_ONES
    const space = this.#space()
    if (space === undefined) return ALL_ONES
    let value = 0
    for (let i = 0; i < size; i++) value |= space[this.#register(port) + i]! << (8 * i)
    return value >>> 0
  }

  writePort(port: number, size: AccessSize, value: number, now: number): void {
    if (port === RESET_CONTROL && size === 1) {
      this.#resetControl.writePort(port, size, value, now)
      return
    }
    if (port < CONFIG_DATA) {
      if (size === 4) this.#address = (value & ADDRESS_MASK) >>> 0
      return
    }
    const space = this.#space()
    const target = this.#function()
    if (space === undefined || target === undefined) return
    for (let i = 0; i < size; i++) {
      const register = this.#register(port) + i
      const byte = (value >>> (8 * i)) & 0xff
      if (register === COMMAND) space[register] = byte & COMMAND_BITS
      else if (isWritable(target, register)) space[register] = byte
    }
  }

  save(): PciState {
    return { address: this.#address, spaces: this.#spaces.map((space) => [...space]) }
  }

  restore(state: PciState): void {
    this.#address = state.address
    this.#spaces = state.spaces.map((space) => Uint8Array.from(space))
  }

  #function(): PciFunction | undefined {
    if ((this.#address & ENABLE) === 0 || ((this.#address >> 16) & 0xff) !== 0) return undefined
    const device = (this.#address >> 11) & 31
    const number = (this.#address >> 8) & 7
    return FUNCTIONS.find((each) => each.device === device && each.function === number)
  }

  #space(): Uint8Array | undefined {
    const target = this.#function()
    return target === undefined ? undefined : this.#spaces[FUNCTIONS.indexOf(target)]
  }

  #register(port: number): number {
    return (this.#address & 0xfc) | (port & 3)
  }
}

function initialSpace(of: PciFunction): Uint8Array {
  const space = new Uint8Array(CONFIG_BYTES + 3)
  const view = new DataView(space.buffer)
  view.setUint32(0x00, of.id, true)
  view.setUint8(COMMAND, COMMAND_BITS)
  view.setUint32(0x08, of.classRevision, true)
  view.setUint8(0x0e, of.headerType)
  for (const [offset, value] of of.initial) view.setUint8(offset, value)
  return space
}

function isWritable(of: PciFunction, register: number): boolean {
  if (register === LATENCY_TIMER || register === INTERRUPT_LINE) return true
  return of.writable.some(([first, last]) => register >= first && register <= last)
}
