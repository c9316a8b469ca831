import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PortBus } from './bus.ts'
import { DebugExit } from './debug-exit.ts'
import type { AccessSize, PortDevice } from './device.ts'

/** Byte-wide (or wider) ports that remember what was written. */
class Ram implements PortDevice {
  readonly ports
  readonly bytes: Uint8Array
  readonly sizes: number[] = []
  readonly #first: number

  constructor(first: number, count: number) {
    this.ports = [{ first, count }]
    this.#first = first
    this.bytes = new Uint8Array(count)
  }

  readPort(port: number, size: AccessSize): number {
    this.sizes.push(size)
    let value = 0
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.bytes[port - this.#first + i]!
    return value
  }

  writePort(port: number, size: AccessSize, value: number): void {
    this.sizes.push(size)
    for (let i = 0; i < size; i++) this.bytes[port - this.#first + i] = Math.floor(value / 256 ** i)
  }
}

class WideRam extends Ram {
  readonly widestAccess: AccessSize

  constructor(first: number, count: number, widestAccess: AccessSize) {
    super(first, count)
    this.widestAccess = widestAccess
  }
}

const size = fc.constantFrom<AccessSize>(1, 2, 4)

describe('PortBus', () => {
  it('reads and writes as an array of bytes does, whatever the widths and borders of the devices', () => {
    const access = fc.record({
      port: fc.integer({ min: 0x0f, max: 0x21 }),
      size,
      value: fc.nat(0xffff_ffff),
      write: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(access), size, (accesses, width) => {
        const bus = new PortBus()
        bus.add(new Ram(0x10, 3))
        bus.add(new WideRam(0x13, 5, width))
        bus.add(new Ram(0x1a, 4))
        const model = new Map<number, number>()
        for (const [first, end] of [
          [0x10, 0x18],
          [0x1a, 0x1e],
        ] as const) {
          for (let port = first; port < end; port++) model.set(port, 0)
        }
        for (const { port, size, value, write } of accesses) {
          const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256)
          if (write) {
            bus.write(port, size, value % 256 ** size, 0)
            bytes.forEach((byte, i) => {
              if (model.has(port + i)) model.set(port + i, byte)
            })
          }
          const expected = bytes.reduce((sum, _, i) => sum + (model.get(port + i) ?? 0xff) * 256 ** i, 0)
          expect(bus.read(port, size, 0)).toBe(expected)
        }
      }),
    )
  })

  it('reads all ones where no device is, also at the end of the port space', () => {
    const bus = new PortBus()
    bus.write(0xffff, 4, 0x1234, 0)
    expect([1, 2, 4].map((size) => bus.read(0xffff, size as AccessSize, 0))).toEqual([0xff, 0xffff, 0xffff_ffff])
  })

  it('gives a wide device its accesses whole and a byte-wide one single bytes', () => {
    const bus = new PortBus()
    const [bytes, words] = [new Ram(0, 4), new WideRam(4, 4, 4)]
    bus.add(bytes)
    bus.add(words)
    bus.write(0, 4, 0x0403_0201, 0)
    bus.write(4, 4, 0x0807_0605, 0)
    expect([bytes.sizes, words.sizes]).toEqual([[1, 1, 1, 1], [4]])
    expect([...bytes.bytes, ...words.bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('refuses two devices on one port and claims nothing then', () => {
    const bus = new PortBus()
    bus.add(new Ram(0x20, 2))
    expect(() => bus.add(new WideRam(0x1e, 3, 2))).toThrow('Port 0020h is claimed twice: by Ram and by WideRam.')
    expect(bus.read(0x1e, 1, 0)).toBe(0xff)
    expect(() => bus.add(new Ram(0xffff, 2))).toThrow(RangeError)
  })
})

describe('DebugExit', () => {
  it('calls back with (value << 1) | 1 and keeps it', () => {
    const seen: number[] = []
    const device = new DebugExit({ onExit: (status) => seen.push(status) })
    const bus = new PortBus()
    bus.add(device)
    expect([device.status, bus.read(0xf4, 4, 0)]).toEqual([undefined, 0])
    bus.write(0xf4, 4, 0x10, 0)
    bus.write(0xf4, 1, 0, 0)
    expect(seen).toEqual([0x21, 1])
    const other = new DebugExit({ onExit: () => {} })
    other.restore(device.save())
    expect(other.status).toBe(1)
  })
})
