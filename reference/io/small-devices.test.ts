import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PortBus } from './bus.ts'
import { itObeysTheDeviceLaws } from './device-laws.ts'
import { Dma } from './dma.ts'
import { Port92 } from './port-92.ts'
import { ResetControl } from './reset-control.ts'

/** Scripts of accesses to these ports. */
function accessesTo(ports: readonly number[]) {
  const access = fc.record({
    after: fc.nat(10),
    port: fc.constantFrom(...ports),
    write: fc.integer({ min: -1, max: 255 }),
  })
  return fc.array(access, { maxLength: 40 })
}

describe('port 92h', () => {
  itObeysTheDeviceLaws({
    make: (line) => new Port92({ a20: line, reset: () => line(true) }),
    accesses: accessesTo([0x92]),
  })

  it('resets when bit 0 rises, and only then', () => {
    let resets = 0
    const port = new Port92({ a20: () => {}, reset: () => resets++ })
    for (const value of [2, 3, 3, 1, 0, 1]) port.writePort(0x92, 1, value)
    expect([resets, port.readPort()]).toEqual([2, 1])
  })
})

describe('port CF9h', () => {
  itObeysTheDeviceLaws({ make: (line) => new ResetControl(() => line(true)), accesses: accessesTo([0xcf9]) })

  it('resets when bit 2 rises after a write that chose the kind of reset', () => {
    let resets = 0
    const control = new ResetControl(() => resets++)
    for (const value of [2, 6, 6, 0xe]) control.writePort(0xcf9, 1, value)
    expect([resets, control.readPort(0xcf9, 1)]).toEqual([1, 6])
  })

  it('is not meant by an access of 16 or 32 bits: a search for a PCI bus resets nothing', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.constantFrom(2 as const, 4 as const), (address, size) => {
        let resets = 0
        const bus = new PortBus()
        bus.add(new ResetControl(() => resets++))
        bus.write(0xcf8, size, size === 2 ? address & 0xffff : address, 0)
        expect(bus.read(0xcf8, size, 0)).toBe(size === 2 ? 0xffff : 0xffff_ffff)
        bus.write(0xcf9, 1, 2, 0)
        bus.write(0xcf9, 1, 6, 0)
        expect(resets).toBe(1)
      }),
      { seed: 4, numRuns: 30 },
    )
  })
})

describe('the DMA controllers', () => {
  itObeysTheDeviceLaws({ make: () => new Dma(), accesses: accessesTo([0, 1, 8, 12, 13, 0x81, 0x87, 0xc0, 0xc2, 0xd8]) })

  it('keeps what was written to an address, low byte first, in either controller', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 7, 0xc0, 0xc6, 0xce), fc.nat(0xffff), (port, word) => {
        const dma = new Dma()
        dma.writePort(port, 1, word & 0xff)
        dma.writePort(port, 1, word >> 8)
        expect(dma.readPort(port) | (dma.readPort(port) << 8)).toBe(word)
      }),
      { seed: 3, numRuns: 50 },
    )
  })
})
