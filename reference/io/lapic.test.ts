import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApicBus, FIXED, INIT, LOWEST_PRIORITY, NMI, START_UP } from './apic-bus.ts'
import type { AccessSize, Line, PortRange } from './device.ts'
import { type Access, itObeysTheDeviceLaws } from './device-laws.ts'
import { type LapicState, LocalApic } from './lapic.ts'

const TPR = 0x80
const PPR = 0xa0
const EOI = 0xb0
const LDR = 0xd0
const DFR = 0xe0
const SVR = 0xf0
const ESR = 0x280
const ICR_LOW = 0x300
const ICR_HIGH = 0x310
const LVT_TIMER = 0x320
const LVT_LINT0 = 0x350
const LVT_ERROR = 0x370
const INITIAL = 0x380
const CURRENT = 0x390
const DIVIDE = 0x3e0
const ENABLE = 0x1ff
const BY_ONE = 0xb
const PERIODIC = 0x2_0000

interface Wired {
  readonly apics: LocalApic[]
  readonly told: string[]
  readonly bus: ApicBus
  readonly external: { pending: boolean }
}

function wired(count: number): Wired {
  const bus = new ApicBus()
  const told: string[] = []
  const external = { pending: false }
  const apics = Array.from(
    { length: count },
    (_, id) =>
      new LocalApic({
        id,
        bus,
        cyclesPerTick: 1,
        nmi: () => told.push(`nmi ${id}`),
        init: () => told.push(`init ${id}`),
        startUp: (page) => told.push(`start ${id} at ${page}`),
        external: { interruptPending: () => external.pending, acknowledge: () => 0x70 },
      }),
  )
  for (const apic of apics) apic.writeWord(SVR, ENABLE, 0)
  return { apics, told, bus, external }
}

function send(apic: LocalApic, destination: number, low: number): void {
  apic.writeWord(ICR_HIGH, destination * 0x100_0000, 0)
  apic.writeWord(ICR_LOW, low, 0)
}

describe('priorities', () => {
  it('serves the highest vector first, and nothing of a class that is not above the one in service', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 16, max: 255 }), { minLength: 1, maxLength: 20 }), (vectors) => {
        const [apic] = wired(1).apics as [LocalApic]
        for (const vector of vectors) send(apic, 0, vector)
        const served: number[] = []
        while (apic.interruptPending()) {
          served.push(apic.acknowledge())
          expect(apic.readWord(PPR, 0)).toBe(served.at(-1)! & 0xf0)
          apic.writeWord(EOI, 0, 0)
        }
        expect(served).toEqual([...vectors].sort((a, b) => b - a))
      }),
      { seed: 11, numRuns: 50 },
    )
  })

  it('a task priority holds its class and those below back', () => {
    const [apic] = wired(1).apics as [LocalApic]
    send(apic, 0, 0x45)
    apic.writeWord(TPR, 0x40, 0)
    expect(apic.interruptPending()).toBe(false)
    apic.writeWord(TPR, 0x3f, 0)
    expect(apic.acknowledge()).toBe(0x45)
    send(apic, 0, 0x4f)
    expect(apic.interruptPending()).toBe(false)
    send(apic, 0, 0x50)
    expect(apic.acknowledge()).toBe(0x50)
  })

  it('an acknowledge without a request gives the spurious vector, which is not in service', () => {
    const [apic] = wired(1).apics as [LocalApic]
    expect(apic.acknowledge()).toBe(0xff)
    expect(apic.readWord(PPR, 0)).toBe(0)
  })
})

describe('interrupt commands', () => {
  it('reach one processor by its ID, itself, all, or all others', () => {
    const cases = [
      { low: 0x40, destination: 1, reached: [1] },
      { low: 0x4_0040, destination: 2, reached: [0] },
      { low: 0x8_0040, destination: 0, reached: [0, 1, 2] },
      { low: 0xc_0040, destination: 0, reached: [1, 2] },
      { low: 0x40, destination: 0xff, reached: [0, 1, 2] },
    ]
    for (const { low, destination, reached } of cases) {
      const { apics } = wired(3)
      send(apics[0]!, destination, low)
      expect(apics.flatMap((apic, id) => (apic.interruptPending() ? [id] : []))).toEqual(reached)
    }
  })

  it('reach sets of processors by logical destinations, flat and in clusters', () => {
    const { apics } = wired(3)
    for (const [id, apic] of apics.entries()) apic.writeWord(LDR, (1 << id) << 24, 0)
    send(apics[0]!, 0b101, 0x840)
    expect(apics.map((apic) => apic.interruptPending())).toEqual([true, false, true])
    const clusters = wired(3).apics
    for (const [id, apic] of clusters.entries()) {
      apic.writeWord(DFR, 0, 0)
      apic.writeWord(LDR, (0x10 * (id >> 1) + (1 << (id & 1))) * 0x100_0000, 0)
    }
    send(clusters[0]!, 0x03, 0x840)
    expect(clusters.map((apic) => apic.interruptPending())).toEqual([true, true, false])
  })

  it('of lowest priority reach the processor whose priority is lowest', () => {
    const { apics, bus } = wired(3)
    for (const [id, apic] of apics.entries()) apic.writeWord(TPR, 0x30 - 0x10 * id, 0)
    bus.send({ mode: LOWEST_PRIORITY, vector: 0x60, isLevel: false, destination: 0xff, isLogical: false })
    expect(apics.map((apic) => apic.interruptPending())).toEqual([false, false, true])
  })

  it('of the other modes are NMI, INIT and start-up; INIT with the level released is nothing', () => {
    const { apics, told } = wired(2)
    send(apics[0]!, 1, 0x400)
    send(apics[0]!, 1, 0xc500)
    send(apics[0]!, 1, 0x8500)
    send(apics[0]!, 1, 0x4607)
    expect(told).toEqual(['nmi 1', 'init 1', 'start 1 at 7'])
    expect([NMI, INIT, START_UP]).toEqual([4, 5, 6])
  })

  it('with a vector below 16, or for nobody, are errors that ESR shows once it was written', () => {
    const [apic] = wired(1).apics as [LocalApic]
    apic.writeWord(LVT_ERROR, 0xfe, 0)
    send(apic, 0, 0x0f)
    send(apic, 9, 0x40)
    expect(apic.readWord(ESR, 0)).toBe(0)
    apic.writeWord(ESR, 0, 0)
    expect(apic.readWord(ESR, 0)).toBe(0x24)
    expect(apic.acknowledge()).toBe(0xfe)
  })
})

describe('the timer', () => {
  it('counts down once, or again and again, and interrupts each time', () => {
    const [apic] = wired(1).apics as [LocalApic]
    apic.writeWord(DIVIDE, BY_ONE, 0)
    apic.writeWord(LVT_TIMER, 0x40, 0)
    apic.writeWord(INITIAL, 100, 0)
    expect([apic.nextEvent(), apic.readWord(CURRENT, 30)]).toEqual([100, 70])
    apic.advance(100)
    expect([apic.acknowledge(), apic.nextEvent(), apic.readWord(CURRENT, 120)]).toEqual([0x40, Infinity, 0])
    apic.writeWord(EOI, 0, 120)
    apic.writeWord(LVT_TIMER, PERIODIC | 0x40, 120)
    apic.writeWord(INITIAL, 100, 120)
    apic.advance(220)
    expect([apic.interruptPending(), apic.nextEvent(), apic.readWord(CURRENT, 250)]).toEqual([true, 320, 70])
  })

  it('divides its clock, and goes on from where it is when that changes', () => {
    const [apic] = wired(1).apics as [LocalApic]
    apic.writeWord(DIVIDE, 0, 0)
    apic.writeWord(INITIAL, 100, 0)
    expect(apic.readWord(CURRENT, 50)).toBe(75)
    apic.writeWord(DIVIDE, BY_ONE, 50)
    expect(apic.readWord(CURRENT, 60)).toBe(65)
  })

  it('that is masked wakes nobody', () => {
    const [apic] = wired(1).apics as [LocalApic]
    apic.writeWord(INITIAL, 100, 0)
    expect(apic.nextEvent()).toBe(Number.POSITIVE_INFINITY)
    apic.advance(1_000)
    expect(apic.interruptPending()).toBe(false)
  })
})

describe('what comes from the 8259s', () => {
  it('passes while the first APIC is not enabled, and through LINT0 in mode ExtINT', () => {
    const { apics, external } = wired(2)
    external.pending = true
    expect(apics.map((apic) => apic.interruptPending())).toEqual([false, false])
    apics[0]!.writeWord(LVT_LINT0, 0x700, 0)
    expect(apics[0]!.acknowledge()).toBe(0x70)
    for (const apic of apics) apic.writeWord(SVR, 0xff, 0)
    expect(apics.map((apic) => apic.interruptPending())).toEqual([true, false])
  })
})

it('an EOI of a level-triggered interrupt is told to the bus', () => {
  const { apics, bus } = wired(1)
  const ended: number[] = []
  bus.onEndOfInterrupt((vector) => ended.push(vector))
  for (const [vector, isLevel] of [
    [0x50, true],
    [0x40, false],
  ] as const) {
    bus.send({ mode: FIXED, vector, isLevel, destination: 0, isLogical: false })
    apics[0]!.acknowledge()
    apics[0]!.writeWord(EOI, 0, 0)
  }
  expect(ended).toEqual([0x50])
})

/** A local APIC with its registers at ports, so that the laws of devices can be asked of it. */
class AtPorts {
  readonly ports: readonly PortRange[] = [{ first: 0, count: 0x40 }]
  readonly #apic = wired(1).apics[0]!
  readonly #line: Line
  #level = false

  constructor(line: Line) {
    this.#line = line
  }

  readPort(port: number, _size: AccessSize, now: number): number {
    const value = this.#apic.readWord(port << 4, now)
    this.#look()
    return value
  }

  writePort(port: number, _size: AccessSize, value: number, now: number): void {
    this.#apic.writeWord(port << 4, value, now)
    this.#look()
  }

  nextEvent(): number {
    return this.#apic.nextEvent()
  }

  advance(now: number): void {
    this.#apic.advance(now)
    this.#look()
  }

  save(): { apic: LapicState; level: boolean } {
    return { apic: this.#apic.save(), level: this.#level }
  }

  restore(state: { apic: LapicState; level: boolean }): void {
    this.#apic.restore(state.apic)
    this.#level = state.level
  }

  #look(): void {
    const level = this.#apic.interruptPending()
    if (level !== this.#level) this.#line(level)
    this.#level = level
  }
}

describe('as a device', () => {
  const access: fc.Arbitrary<Access> = fc.record({
    after: fc.nat({ max: 300 }),
    port: fc.constantFrom(TPR, EOI, ICR_LOW, LVT_TIMER, INITIAL, CURRENT, DIVIDE, ESR).map((offset) => offset >> 4),
    write: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x2_0040, 0x40, 0x4_0050)),
  })
  itObeysTheDeviceLaws({ make: (line) => new AtPorts(line), accesses: fc.array(access, { maxLength: 40 }) })
})
