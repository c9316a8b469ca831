import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Access, itObeysTheDeviceLaws } from './device-laws.ts'
import { PIT_HZ, Pit } from './pit.ts'

/** One cycle is one CLK pulse. */
function makePit() {
  const edges: boolean[] = []
  const pit = new Pit({ line: (level) => edges.push(level), cycleHz: PIT_HZ })
  return { pit, edges }
}

/** Programs counter 2 with its gate open and gives its output after each of `pulses` pulses. */
function waveOfCounter2(mode: number, count: number, pulses: number, trigger = false): string {
  const { pit } = makePit()
  pit.writePort(0x61, 1, trigger ? 0 : 1, 0)
  pit.writePort(0x43, 1, 0x90 | (mode << 1), 0)
  pit.writePort(0x42, 1, count, 0)
  if (trigger) pit.writePort(0x61, 1, 1, 0)
  let wave = ''
  for (let now = 0; now <= pulses; now++) wave += (pit.readPort(0x61, 1, now) & 0x20) !== 0 ? '-' : '_'
  return wave
}

const access: fc.Arbitrary<Access> = fc.oneof(
  fc.record({
    after: fc.nat(40),
    port: fc.constantFrom(0x40, 0x41, 0x42, 0x61),
    write: fc.oneof(fc.constant(-1), fc.nat(12), fc.nat(255)),
  }),
  fc.record({ after: fc.nat(40), port: fc.constant(0x43), write: fc.nat(255) }),
  fc.record({ after: fc.nat(200_000), port: fc.constantFrom(0x40, 0x42), write: fc.constant(-1) }),
)

/** A counter programmed with a short or a long count, its gate moved now and then. */
const program: fc.Arbitrary<readonly Access[]> = fc
  .record({
    counter: fc.constantFrom(0, 2),
    mode: fc.nat(7),
    count: fc.oneof(fc.nat(20), fc.nat(0xffff)),
    second: fc.option(fc.nat(40)),
    waits: fc.tuple(fc.nat(60), fc.nat(60), fc.nat(300_000)),
    gates: fc.tuple(fc.nat(3), fc.nat(3)),
  })
  .map(({ counter, mode, count, second, waits, gates }) => {
    const data = 0x40 + counter
    const write = (after: number, value: number) => [
      { after, port: data, write: value & 0xff },
      { after: 1, port: data, write: value >> 8 },
    ]
    return [
      { after: 3, port: 0x61, write: gates[0] },
      { after: 1, port: 0x43, write: (counter << 6) | 0x30 | (mode << 1) },
      ...write(2, count),
      { after: waits[0], port: 0x61, write: gates[1] },
      ...(second === null ? [] : write(waits[1], second)),
      { after: 20, port: 0x61, write: -1 },
      { after: waits[2], port: 0x61, write: 3 },
      { after: 7, port: data, write: -1 },
      { after: 0, port: data, write: -1 },
    ]
  })

describe('Pit', () => {
  itObeysTheDeviceLaws({
    make: (line) => new Pit({ line, cycleHz: PIT_HZ * 3 + 17 }),
    accesses: fc.oneof(
      fc.array(access, { maxLength: 40 }),
      fc.array(program, { maxLength: 4 }).map((list) => list.flat()),
    ),
  })

  it.each([
    [0, 4, '_____---', false],
    [1, 3, '-___---', true],
    [2, 3, '---_--_--_', false],
    [3, 4, '---__--__-', false],
    [3, 5, '----__---__-', false],
    [4, 3, '----_---', false],
    [5, 3, '----_---', true],
  ])('gives the data sheet’s wave in mode %i with count %i', (mode, count, wave, trigger) => {
    const shown = waveOfCounter2(mode, count, wave.length - 1, trigger)
    expect(shown).toBe(wave)
  })

  it('stays silent without a trigger in modes 1 and 5', () => {
    expect([waveOfCounter2(1, 0, 9), waveOfCounter2(5, 0, 9)]).toEqual(['-'.repeat(10), '-'.repeat(10)])
  })

  it('drives the line once each period in mode 2: 100 Hz for a count of 11932', () => {
    const { pit, edges } = makePit()
    for (const [port, value] of [
      [0x43, 0x34],
      [0x40, 11932 & 0xff],
      [0x40, 11932 >> 8],
    ] as const) {
      pit.writePort(port, 1, value, 0)
    }
    pit.advance(PIT_HZ)
    expect(edges.filter((level) => level)).toHaveLength(100)
    expect(pit.nextEvent(PIT_HZ)).toBeGreaterThan(PIT_HZ)
  })

  it('counts down in every format, and a latched count stands still until it is read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), fc.boolean(), fc.nat(9000), (count, bcd, passed) => {
        const { pit } = makePit()
        const digits = bcd ? Number.parseInt(String(count), 16) : count
        pit.writePort(0x43, 1, 0x30 | (bcd ? 1 : 0), 0)
        pit.writePort(0x40, 1, digits & 0xff, 0)
        pit.writePort(0x40, 1, digits >> 8, 0)
        pit.writePort(0x43, 1, 0x00, passed + 1)
        const low = pit.readPort(0x40, 1, passed + 500)
        const raw = (pit.readPort(0x40, 1, passed + 900) << 8) | low
        const modulus = bcd ? 10_000 : 0x1_0000
        const expected = (count - passed + modulus) % modulus
        expect(bcd ? Number(raw.toString(16)) : raw).toBe(expected)
      }),
    )
  })

  it('tells mode, output and null count in a read-back, status before count', () => {
    const { pit } = makePit()
    pit.writePort(0x43, 1, 0x34, 0)
    pit.writePort(0x40, 1, 0x10, 0)
    pit.writePort(0x40, 1, 0x00, 0)
    pit.writePort(0x43, 1, 0xc2, 0)
    expect(pit.readPort(0x40, 1, 0)).toBe(0xf4)
    pit.readPort(0x40, 1, 0)
    pit.readPort(0x40, 1, 0)
    pit.writePort(0x43, 1, 0xc2, 5)
    expect([0, 0, 0].map(() => pit.readPort(0x40, 1, 9))).toEqual([0xb4, 0x0c, 0x00])
  })

  it('reaches the same state in one stride over many periods as pulse by pulse, also with a new count waiting', () => {
    const counts = fc.tuple(fc.constantFrom(2, 3), fc.integer({ min: 2, max: 30 }), fc.integer({ min: 2, max: 30 }))
    fc.assert(
      fc.property(counts, fc.nat(40), fc.nat(400), ([mode, first, second], before, after) => {
        const [stride, single] = [makePit().pit, makePit().pit]
        for (const pit of [stride, single]) {
          pit.writePort(0x61, 1, 1, 0)
          pit.writePort(0x43, 1, 0x90 | (mode << 1), 0)
          pit.writePort(0x42, 1, first, 0)
          pit.writePort(0x42, 1, second, before)
        }
        for (let now = before; now < before + after; now++) single.advance(now)
        single.advance(before + after)
        stride.advance(before + after)
        expect(stride.save()).toEqual(single.save())
      }),
    )
  })

  it('raises the output at once when the gate falls in modes 2 and 3, and starts anew when it rises', () => {
    for (const mode of [2, 3]) {
      const { pit } = makePit()
      const out = (now: number) => (pit.readPort(0x61, 1, now) & 0x20) !== 0
      pit.writePort(0x61, 1, 1, 0)
      pit.writePort(0x43, 1, 0x90 | (mode << 1), 0)
      pit.writePort(0x42, 1, 4, 0)
      expect(out(4)).toBe(false)
      pit.writePort(0x61, 1, 0, 4)
      expect([out(4), out(50)]).toEqual([true, true])
      pit.writePort(0x61, 1, 1, 50)
      expect([out(51), out(54)]).toEqual([true, false])
    }
  })

  it('stops at the first byte of a new two-byte count in mode 0, with the output low', () => {
    const { pit, edges } = makePit()
    pit.writePort(0x43, 1, 0x30, 0)
    pit.writePort(0x40, 1, 3, 0)
    pit.writePort(0x40, 1, 0, 0)
    pit.advance(10)
    expect(edges).toEqual([true])
    pit.writePort(0x40, 1, 5, 10)
    expect(edges).toEqual([true, false])
    pit.writePort(0x43, 1, 0x00, 30)
    pit.writePort(0x43, 1, 0x00, 70_000)
    const latched = [pit.readPort(0x40, 1, 70_000), pit.readPort(0x40, 1, 70_000)]
    expect(latched).toEqual([(3 - 9) & 0xff, 0xff])
    pit.writePort(0x40, 1, 0, 70_000)
    expect(pit.nextEvent(70_000)).toBe(70_001)
  })

  it('keeps the first of two latches', () => {
    const { pit } = makePit()
    pit.writePort(0x43, 1, 0x10, 0)
    pit.writePort(0x40, 1, 100, 0)
    pit.writePort(0x43, 1, 0, 11)
    pit.writePort(0x43, 1, 0, 21)
    expect([pit.readPort(0x40, 1, 31), pit.readPort(0x40, 1, 31)]).toEqual([90, 70])
  })

  it('toggles the refresh bit and gates the speaker', () => {
    const { pit } = makePit()
    expect([0, 17, 18, 35, 36].map((now) => pit.readPort(0x61, 1, now) & 0x10)).toEqual([0, 0, 16, 16, 0])
    pit.writePort(0x43, 1, 0xb6, 40)
    expect(pit.speakerLevel).toBe(false)
    pit.writePort(0x61, 1, 0x03, 40)
    expect(pit.speakerLevel).toBe(true)
    expect(pit.readPort(0x61, 1, 40)).toBe(0x23)
  })
})
