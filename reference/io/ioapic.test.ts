import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApicBus, type ApicMessage } from './apic-bus.ts'
import { IoApic } from './ioapic.ts'

const LEVEL = 0x8000
const MASKED = 0x1_0000
const REMOTE_IRR = 0x4000

function wired() {
  const bus = new ApicBus()
  const sent: ApicMessage[] = []
  bus.add({ id: 0, priority: 0, matchesLogical: () => true, accept: (message) => sent.push(message) })
  const chip = new IoApic({ id: 2, bus })
  const write = (register: number, value: number) => {
    chip.writeWord(0, register)
    chip.writeWord(0x10, value)
  }
  const read = (register: number) => {
    chip.writeWord(0, register)
    return chip.readWord(0x10)
  }
  return { bus, sent, chip, write, read }
}

describe('an I/O APIC', () => {
  it('tells its ID, its version and 24 masked entries', () => {
    const { read } = wired()
    expect([read(0), read(1), read(0x10), read(0x10 + 47), read(0x10 + 48)]).toEqual([
      0x200_0000,
      0x17_0011,
      MASKED,
      0,
      0,
    ])
  })

  it('sends an edge once, to where its entry says, and loses one that is masked', () => {
    const { chip, write, sent } = wired()
    write(0x12, 0x830)
    write(0x13, 0x300_0000)
    for (const level of [true, true, false, true]) chip.setLine(1, level)
    expect(sent).toHaveLength(2)
    expect(sent[0]).toEqual({ mode: 0, vector: 0x30, isLevel: false, destination: 3, isLogical: true })
    write(0x12, MASKED | 0x30)
    chip.setLine(1, false)
    chip.setLine(1, true)
    write(0x12, 0x30)
    expect(sent).toHaveLength(2)
  })

  it('sends a level again after each EOI while it lasts, and as soon as it is unmasked', () => {
    const { bus, chip, write, read, sent } = wired()
    write(0x10 + 2 * 10, MASKED | LEVEL | 0x51)
    chip.setLine(10, true)
    expect(sent).toHaveLength(0)
    write(0x10 + 2 * 10, LEVEL | 0x51)
    expect([sent.length, read(0x10 + 2 * 10)]).toEqual([1, LEVEL | REMOTE_IRR | 0x51])
    bus.endOfInterrupt(0x51)
    expect(sent).toHaveLength(2)
    chip.setLine(10, false)
    bus.endOfInterrupt(0x51)
    expect([sent.length, read(0x10 + 2 * 10)]).toEqual([2, LEVEL | 0x51])
  })

  it('behaves the same when it is saved and restored in mid-stream', () => {
    const step = fc.record({
      register: fc.integer({ min: 0, max: 0x20 }),
      value: fc.constantFrom(0x30, LEVEL | 0x31, MASKED | 0x32, 0x100_0000),
      line: fc.nat({ max: 8 }),
      level: fc.boolean(),
      swap: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const run = (swaps: boolean) => {
          let world = wired()
          const sent: unknown[] = []
          for (const { register, value, line, level, swap } of steps) {
            if (swaps && swap) {
              const copy = wired()
              copy.chip.restore(JSON.parse(JSON.stringify(world.chip.save())))
              world = copy
            }
            world.write(register, value)
            world.chip.setLine(line, level)
            world.bus.endOfInterrupt(0x31)
            sent.push(world.sent.splice(0), world.read(register))
          }
          return sent
        }
        expect(run(true)).toEqual(run(false))
      }),
      { seed: 82093, numRuns: 100 },
    )
  })
})
