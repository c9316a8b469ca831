/**
 * The firmware configuration device of QEMU's machines (QEMU, docs/specs/fw_cfg.rst), without DMA: how SeaBIOS is told
 * what the machine has. Port 510h selects an item, each read of 511h gives its next byte.
 */
import type { WidePortDevice } from './bus.ts'
import type { AccessSize, PortRange, Savable } from './device.ts'

const SELECTOR = 0x510
const DATA = 0x511

const SIGNATURE = 0x00
const INTERFACE_VERSION = 0x01
const RAM_SIZE = 0x03
const CPU_COUNT = 0x05
const MAX_CPUS = 0x0f
const FILE_DIRECTORY = 0x19
const FIRST_FILE = 0x20
const FILE_ENTRY_BYTES = 64
const FILE_NAME_OFFSET = 8
const LONGEST_NAME = 55

export interface FwCfgOptions {
  readonly memoryBytes: number
  readonly cpus: number
  /** Files by their names, of at most 55 ASCII characters, such as `etc/sercon-port`. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

export interface FwCfgState {
  readonly selected: number
  readonly offset: number
}

export class FwCfg implements WidePortDevice, Savable<FwCfgState> {
  readonly ports: readonly PortRange[] = [{ first: SELECTOR, count: 2 }]
  readonly widestAccess = 2
  readonly #items: ReadonlyMap<number, Uint8Array>
  #selected = SIGNATURE
  #offset = 0

  /** @throws RangeError for a name that is too long */
  constructor(options: FwCfgOptions) {
    const names = Object.keys(options.files).sort()
    const tooLong = names.find((name) => name.length > LONGEST_NAME)
    if (tooLong !== undefined) throw new RangeError(`The name "${tooLong}" is longer than ${LONGEST_NAME} characters.`)
    this.#items = new Map([
      [SIGNATURE, new TextEncoder().encode('QEMU')],
      [INTERFACE_VERSION, littleEndian(1, 4)],
      [RAM_SIZE, littleEndian(options.memoryBytes, 8)],
      [CPU_COUNT, littleEndian(options.cpus, 2)],
      [MAX_CPUS, littleEndian(options.cpus, 2)],
      [FILE_DIRECTORY, directory(names, options.files)],
      ...names.map((name, i) => [FIRST_FILE + i, options.files[name]!] as const),
    ])
  }

  readPort(port: number, size: AccessSize): number {
    if (port !== DATA || size !== 1) return port === DATA ? 0 : this.#selected
    return this.#items.get(this.#selected)?.[this.#offset++] ?? 0
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port !== SELECTOR || size !== 2) return
    this.#selected = value
    this.#offset = 0
  }

  save(): FwCfgState {
    return { selected: this.#selected, offset: this.#offset }
  }

  restore(state: FwCfgState): void {
    this.#selected = state.selected
    this.#offset = state.offset
  }
}

/** A number as an item or a file holds it. */
export function littleEndian(value: number, bytes: number): Uint8Array {
  const data = new Uint8Array(8)
  new DataView(data.buffer).setBigUint64(0, BigInt(value), true)
  return data.subarray(0, bytes)
}

/** Sizes and selectors are big-endian, as in the specification. */
function directory(names: readonly string[], files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const data = new Uint8Array(4 + names.length * FILE_ENTRY_BYTES)
  const view = new DataView(data.buffer)
  view.setUint32(0, names.length)
  for (const [i, name] of names.entries()) {
    const at = 4 + i * FILE_ENTRY_BYTES
    view.setUint32(at, files[name]!.length)
    view.setUint16(at + 4, FIRST_FILE + i)
    data.set(new TextEncoder().encode(name), at + FILE_NAME_OFFSET)
  }
  return data
}
