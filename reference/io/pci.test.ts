import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PortBus } from './bus.ts'
import { itObeysTheDeviceLaws } from './device-laws.ts'
import { Pci } from './pci.ts'
import { ResetControl } from './reset-control.ts'

function busWithPci(reset: () => void = () => {}): PortBus {
  const bus = new PortBus()
  bus.add(new Pci(new ResetControl(reset)))
  return bus
}

function address(device: number, fn: number, register: number, bus = 0): number {
  return (0x8000_0000 | (bus << 16) | (device << 11) | (fn << 8) | register) >>> 0
}

function readConfig(bus: PortBus, ...where: Parameters<typeof address>): number {
  bus.write(0xcf8, 4, address(...where), 0)
  return bus.read(0xcfc, 4, 0)
}

describe('the PCI bus', () => {
  itObeysTheDeviceLaws({
    make: () => new Pci(new ResetControl(() => {})),
    accesses: fc.array(
      fc.record({
        after: fc.constant(1),
        port: fc.constantFrom(0xcf8, 0xcfc, 0xcfd, 0xcff),
        write: fc.integer({ min: -1, max: 255 }),
      }),
      { maxLength: 30 },
    ),
  })

  it('has nothing but the functions of a PC, and every read of a function that is not there is all ones', () => {
    const bus = busWithPci()
    const there: string[] = []
    for (let device = 0; device < 32; device++) {
      for (let fn = 0; fn < 8; fn++) {
        const id = readConfig(bus, device, fn, 0)
        if (id !== 0xffff_ffff) there.push(`${device}.${fn} ${id.toString(16)}`)
        else expect(readConfig(bus, device, fn, 8)).toBe(0xffff_ffff)
      }
    }
    expect(there).toEqual(['0.0 12378086', '1.0 70008086', '1.1 70108086'])
    expect(readConfig(bus, 0, 0, 0, 1)).toBe(0xffff_ffff)
  })

  it('reads the same by bytes, words and double words, whatever the register', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1), fc.nat(63), (fn, word) => {
        const bus = busWithPci()
        const whole = readConfig(bus, 1, fn, word * 4)
        const byBytes = [0, 1, 2, 3].reduce((sum, i) => sum + bus.read(0xcfc + i, 1, 0) * 256 ** i, 0)
        const byWords = bus.read(0xcfc, 2, 0) + bus.read(0xcfe, 2, 0) * 65_536
        expect([byBytes, byWords]).toEqual([whole, whole])
      }),
      { seed: 7, numRuns: 40 },
    )
  })

  it('tells that no function has base addresses: what is written there is lost', () => {
    const bus = busWithPci()
    for (let register = 0x10; register < 0x28; register += 4) {
      readConfig(bus, 1, 1, register)
      bus.write(0xcfc, 4, 0xffff_ffff, 0)
      expect(readConfig(bus, 1, 1, register)).toBe(0)
    }
  })

  it('leaves a byte at CF9h to the reset control', () => {
    let resets = 0
    const bus = busWithPci(() => resets++)
    bus.write(0xcf8, 4, address(0, 0, 4), 0)
    expect(resets).toBe(0)
    bus.write(0xcf9, 1, 6, 0)
    expect([resets, bus.read(0xcf8, 4, 0)]).toEqual([1, address(0, 0, 4)])
  })
})
