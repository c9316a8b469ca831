import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ata } from './ata.ts'
import { type BlockDevice, MemoryDisk, OverlayDisk } from './block-device.ts'
import { PortBus } from './bus.ts'
import type { Line } from './device.ts'
import { itObeysTheDeviceLaws } from './device-laws.ts'

const SECTORS = 40

/** A disk whose every byte follows from its place. */
function patternDisk(sectors = SECTORS): MemoryDisk {
  return new MemoryDisk(Uint8Array.from({ length: sectors * 512 }, (_, i) => (i * 7 + (i >> 9)) & 0xff))
}

function channel(disks: readonly BlockDevice[], line: Line = () => {}): Ata {
  return new Ata({ commandPort: 0x1f0, controlPort: 0x3f6, line, disks })
}

/** A driver, as in a BIOS: it polls. */
class Driver {
  readonly bus = new PortBus()
  interrupts = 0

  constructor(disks: readonly BlockDevice[]) {
    this.bus.add(
      channel(disks, (level) => {
        if (level) this.interrupts++
      }),
    )
  }

  out(port: number, value: number): void {
    this.bus.write(port, 1, value, 0)
  }

  in(port: number): number {
    return this.bus.read(port, 1, 0)
  }

  command(code: number, lba: number, count: number, device = 0): number {
    this.out(0x1f6, 0xe0 | (device << 4) | (lba >>> 24))
    this.out(0x1f2, count)
    this.out(0x1f3, lba & 0xff)
    this.out(0x1f4, (lba >> 8) & 0xff)
    this.out(0x1f5, (lba >> 16) & 0xff)
    this.out(0x1f7, code)
    return this.in(0x1f7)
  }

  /** Takes bytes for as long as the disk offers some. */
  receive(size: 2 | 4): number[] {
    const bytes: number[] = []
    while ((this.in(0x1f7) & 8) !== 0) {
      const value = this.bus.read(0x1f0, size, 0)
      for (let i = 0; i < size; i++) bytes.push((value >>> (8 * i)) & 0xff)
    }
    return bytes
  }

  send(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 2) {
      expect(this.in(0x1f7) & 8).toBe(8)
      this.bus.write(0x1f0, 2, bytes[i]! | (bytes[i + 1]! << 8), 0)
    }
  }
}

const range = fc
  .tuple(fc.nat(SECTORS - 1), fc.integer({ min: 1, max: SECTORS }))
  .filter(([lba, count]) => lba + count <= SECTORS)

describe('an IDE channel', () => {
  const registers = fc.constantFrom(0x1f1, 0x1f2, 0x1f3, 0x1f6, 0x3f6)
  itObeysTheDeviceLaws({
    make: (line) => channel([patternDisk()], line),
    accesses: fc.array(
      fc.oneof(
        fc.record({ after: fc.constant(1), port: registers, write: fc.constantFrom(0, 1, 2, 4, 0xe0, 0xf0) }),
        fc.record({
          after: fc.constant(1),
          port: fc.constant(0x1f7),
          write: fc.constantFrom(0x20, 0xec, 0xe7, 0xc4, 0xc6),
        }),
        fc.record({ after: fc.constant(1), port: fc.constantFrom(0x1f0, 0x1f1, 0x1f7, 0x3f6), write: fc.constant(-1) }),
      ),
      { maxLength: 50 },
    ),
  })

  it('gives each sector as it is on the disk, by every command, width and block', () => {
    fc.assert(
      fc.property(range, fc.constantFrom(0, 2, 16), fc.constantFrom(2, 4), ([lba, count], multiple, size) => {
        const disk = patternDisk()
        const driver = new Driver([disk])
        if (multiple > 0) driver.command(0xc6, 0, multiple)
        driver.command(multiple > 0 ? 0xc4 : 0x20, lba, count)
        expect(driver.receive(size as 2 | 4)).toEqual([...disk.bytes.subarray(lba * 512, (lba + count) * 512)])
      }),
      { seed: 5, numRuns: 25 },
    )
  })

  it('puts what is written where it belongs, and nowhere else; over an overlay the disk below stays as it was', () => {
    fc.assert(
      fc.property(range, fc.boolean(), ([lba, count], overlaid) => {
        const below = patternDisk()
        const disk = overlaid ? new OverlayDisk(below) : below
        const expected = patternDisk().bytes
        const data = Uint8Array.from({ length: count * 512 }, (_, i) => i & 0xff)
        expected.set(data, lba * 512)
        const driver = new Driver([disk])
        driver.command(0x30, lba, count)
        driver.send(data)
        expect(driver.in(0x1f7)).toBe(0x50)
        const now = Array.from({ length: SECTORS }, (_, i) => [...disk.read(i)]).flat()
        expect(now).toEqual([...expected])
        if (overlaid) expect(below.bytes).toEqual(patternDisk().bytes)
        expect(driver.interrupts).toBe(count)
      }),
      { seed: 6, numRuns: 10 },
    )
  })

  it('tells its size and name, and is not there where no disk is', () => {
    const driver = new Driver([patternDisk(5000)])
    expect(driver.command(0xec, 0, 0)).toBe(0x58)
    const data = Uint8Array.from(driver.receive(2))
    expect(new DataView(data.buffer).getUint32(120, true)).toBe(5000)
    expect([4, 5].map((word) => (data[2 * word + 1]! << 8) | data[2 * word]!)).toEqual([63 * 512, 512])
    expect(Buffer.from(data.subarray(54, 82)).swap16().toString('latin1')).toMatch(/^TRAPFRAME DISK +$/)
    expect(driver.command(0xec, 0, 0, 1)).toBe(0)
    expect(driver.command(0xec, 0, 0, 0)).toBe(0x58)
  })

  it('refuses what is beyond the end, what it does not know, and a write to what cannot be written', () => {
    const driver = new Driver([{ sectors: 10, read: () => new Uint8Array(512), write: () => false, flush: () => {} }])
    expect(driver.command(0x20, 9, 2)).toBe(0x51)
    expect(driver.in(0x1f1)).toBe(0x10)
    expect(driver.command(0xa1, 0, 0)).toBe(0x51)
    expect(driver.in(0x1f1)).toBe(0x04)
    driver.command(0x30, 0, 1)
    driver.send(new Uint8Array(512))
    expect([driver.in(0x1f7), driver.in(0x1f1)]).toEqual([0x51, 4])
  })

  it('counts cylinders, heads and sectors from (0, 0, 1)', () => {
    const disk = patternDisk(2100)
    const driver = new Driver([disk])
    const [cylinder, head, sector] = [1, 3, 5]
    driver.out(0x1f6, 0xa0 | head)
    for (const [i, value] of [1, sector, cylinder, 0].entries()) driver.out(0x1f2 + i, value)
    driver.out(0x1f7, 0x20)
    const lba = (cylinder * 16 + head) * 63 + sector - 1
    expect(driver.receive(2)).toEqual([...disk.bytes.subarray(lba * 512, (lba + 1) * 512)])
  })

  it('is busy for as long as it is held in reset, and ready with its signature afterwards', () => {
    const driver = new Driver([patternDisk()])
    driver.out(0x3f6, 0x04)
    expect([driver.in(0x3f6), driver.in(0x1f7)]).toEqual([0x80, 0x80])
    driver.out(0x3f6, 0)
    expect([0x1f7, 0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5].map((port) => driver.in(port))).toEqual([0x50, 1, 1, 1, 0, 0])
  })
})
