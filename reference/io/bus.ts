/**
 * The I/O port space: 65 536 byte ports and the devices that claim them (Intel SDM vol. 1 §18.3, I/O address space).
 *
 * An access goes whole to a device that claims all of its ports and takes that width; otherwise it is split in
 * halves, little-endian, down to bytes. The bus holds no state of its own, so there is nothing to save.
 */
import type { Cycles } from '../sched/virtual-time.ts'
import type { AccessSize, PortDevice } from './device.ts'

/** The number of ports that IN and OUT can name. */
const PORT_COUNT = 0x1_0000

/** A device that takes accesses wider than a byte as one. Every other {@link PortDevice} is byte-wide. */
export interface WidePortDevice extends PortDevice {
  /** The widest access that reaches the device unsplit, in bytes. */
  readonly widestAccess: AccessSize
}

/** The all-ones value of an access: what a read of a port without device gives. */
function allOnes(size: AccessSize): number {
  return size === 4 ? 0xffff_ffff : (1 << (size * 8)) - 1
}

/** The port space of one machine. */
export class PortBus {
  readonly #claims = new Map<number, PortDevice | WidePortDevice>()

  /**
   * Gives `device` its ports. Nothing is claimed when this throws.
   * @throws RangeError when a range leaves 0–FFFFh, Error when another device (or this one already) has a port.
   */
  add(device: PortDevice | WidePortDevice): void {
    const wanted = new Set<number>()
    for (const { first, count } of device.ports) {
      if (
        !Number.isInteger(first) ||
        !Number.isInteger(count) ||
        first < 0 ||
        count < 1 ||
        first + count > PORT_COUNT
      ) {
        throw new RangeError(
          `${nameOf(device)} claims ${count} ports from ${hex(first)}, but ports are 0000h to FFFFh.`,
        )
      }
      for (let port = first; port < first + count; port++) {
        const owner = this.#claims.get(port) ?? (wanted.has(port) ? device : undefined)
        if (owner !== undefined) {
          throw new Error(`Port ${hex(port)} is claimed twice: by ${nameOf(owner)} and by ${nameOf(device)}.`)
        }
        wanted.add(port)
      }
    }
    for (const port of wanted) this.#claims.set(port, device)
  }

  /** IN: the unsigned value at `port` (0–FFFFh); ports without a device, and bytes beyond FFFFh, read as all ones. */
  read(port: number, size: AccessSize, now: Cycles): number {
    const device = this.#claims.get(port)
    if (size === 1) return device === undefined ? allOnes(1) : device.readPort(port, 1, now) & allOnes(1)
    if (device !== undefined && this.#takesWhole(device, port, size)) {
      return (device.readPort(port, size, now) & allOnes(size)) >>> 0
    }
    const half: AccessSize = size === 4 ? 2 : 1
    const low = this.read(port, half, now)
    const high = this.read(port + half, half, now)
    return (low | (high << (half * 8))) >>> 0
  }

  /** OUT: `value` is unsigned and as wide as `size`. Bytes that no device claims are ignored. */
  write(port: number, size: AccessSize, value: number, now: Cycles): void {
    const device = this.#claims.get(port)
    if (size === 1) {
      device?.writePort(port, 1, value & allOnes(1), now)
      return
    }
    if (device !== undefined && this.#takesWhole(device, port, size)) {
      device.writePort(port, size, (value & allOnes(size)) >>> 0, now)
      return
    }
    const half: AccessSize = size === 4 ? 2 : 1
    this.write(port, half, (value & allOnes(half)) >>> 0, now)
    this.write(port + half, half, (value >>> (half * 8)) & allOnes(half), now)
  }

  #takesWhole(device: PortDevice | WidePortDevice, port: number, size: AccessSize): boolean {
    if (!('widestAccess' in device) || device.widestAccess < size) return false
    for (let offset = 1; offset < size; offset++) {
      if (this.#claims.get(port + offset) !== device) return false
    }
    return true
  }
}

function nameOf(device: PortDevice): string {
  return device.constructor === Object ? 'a device' : device.constructor.name
}

function hex(port: number): string {
  return `${port.toString(16).toUpperCase().padStart(4, '0')}h`
}
