import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PortBus } from './bus.ts'
import { itObeysTheDeviceLaws } from './device-laws.ts'
import { FwCfg, type FwCfgOptions, littleEndian } from './fw-cfg.ts'

function makeDevice(files: FwCfgOptions['files'] = {}): FwCfg {
  return new FwCfg({ memoryBytes: 64 << 20, cpus: 2, files })
}

function read(bus: PortBus, item: number, bytes: number): Uint8Array {
  bus.write(0x510, 2, item, 0)
  return Uint8Array.from({ length: bytes }, () => bus.read(0x511, 1, 0))
}

describe('fw_cfg', () => {
  itObeysTheDeviceLaws({
    make: () => makeDevice({ a: Uint8Array.of(1, 2, 3) }),
    accesses: fc.array(
      fc.record({
        after: fc.constant(1),
        port: fc.constantFrom(0x510, 0x511),
        write: fc.integer({ min: -1, max: 40 }),
      }),
      { maxLength: 30 },
    ),
  })

  it('gives every file whole to whoever follows the directory, and zeros behind its end', () => {
    const files = fc.dictionary(fc.stringMatching(/^[a-z/]{1,55}$/), fc.uint8Array({ maxLength: 40 }), { maxKeys: 6 })
    fc.assert(
      fc.property(files, (given) => {
        const bus = new PortBus()
        bus.add(makeDevice(given))
        const count = new DataView(read(bus, 0x19, 4).buffer).getUint32(0)
        const directory = read(bus, 0x19, 4 + 64 * count)
        const found: Record<string, Uint8Array> = {}
        for (let i = 0; i < count; i++) {
          const entry = new DataView(directory.buffer, 4 + 64 * i, 64)
          const name = Buffer.from(directory.subarray(12 + 64 * i, 68 + 64 * i))
            .toString('latin1')
            .replaceAll('\0', '')
          const size = entry.getUint32(0)
          const data = read(bus, entry.getUint16(4), size + 1)
          expect(data[size]).toBe(0)
          found[name] = data.subarray(0, size)
        }
        expect(found).toEqual({ ...given })
      }),
      { seed: 8, numRuns: 40 },
    )
  })

  it('names itself and tells memory and processors', () => {
    const bus = new PortBus()
    bus.add(makeDevice())
    expect(Buffer.from(read(bus, 0, 4)).toString()).toBe('QEMU')
    expect([...read(bus, 3, 8)]).toEqual([...littleEndian(64 << 20, 8)])
    expect([...read(bus, 5, 2)]).toEqual([2, 0])
  })

  it('refuses a name that its directory cannot hold', () => {
    expect(() => makeDevice({ ['x'.repeat(56)]: new Uint8Array(0) })).toThrow('is longer than 55 characters')
  })
})
