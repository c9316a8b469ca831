import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bootIdleGuests, type GuestProgram } from '../../guests/idle-guest.ts'
import { P4_672_COSTS, UNIT_COSTS } from '../cpu/cost-model.ts'
import { create } from '../cpu/idle.ts'
import { BusyLimit, Host, type HostEvent, type HostOptions } from './host.ts'

const QUESTION = { place: 'cpuid', number: 0x4000_0010 } as const

function program(...ops: GuestProgram['ops']): GuestProgram {
  return { ops, isr: 'plain', nmi: 'plain' }
}

const WORKS = program({ op: 'work', loops: 50 })
const SLEEPS = program({ op: 'stiHlt' })

/** A host on which each vcpu of each VM runs its program. */
function hostOf(vms: readonly (readonly GuestProgram[])[], options: Partial<HostOptions> = {}): Host {
  const host = new Host({
    costs: UNIT_COSTS,
    monitor: create(),
    quantum: 1_000,
    vms: vms.map((programs) => ({ memoryBytes: 0x1_0000, vcpus: programs.length })),
    ...options,
  })
  bootIdleGuests(host, vms, QUESTION)
  return host
}

describe('the host', () => {
  it('gives vcpus that never sleep equal shares of its pcpus, to a quantum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (pcpus, vcpus, oneVm) => {
          const programs = Array.from({ length: vcpus }, () => WORKS)
          const host = hostOf(oneVm ? [programs] : programs.map((each) => [each]), { pcpus })
          host.runUntil(60_000)
          const fair = (60_000 * Math.min(pcpus, vcpus)) / vcpus
          for (let vcpu = 0; vcpu < vcpus; vcpu++) {
            const { busy, steal, idle } = host.ledger(vcpu).totals(host.now)
            expect(Math.abs(busy - fair)).toBeLessThanOrEqual(4_000)
            expect(busy + steal + idle).toBe(host.now)
            expect(idle).toBe(0)
          }
        },
      ),
      { seed: 2, numRuns: 24 },
    )
  })

  it('never tells its monitor of a time before one that it told already, on however many pcpus', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.nat({ max: 150_000 }), { maxLength: 8 }),
        (pcpus, irqs) => {
          const told: bigint[] = []
          const monitor = new Proxy(create(), {
            get: (target, name: keyof ReturnType<typeof create>) => {
              const method = target[name].bind(target) as (...args: unknown[]) => unknown
              return (...args: unknown[]) => {
                const now = args[1]
                if (typeof now === 'bigint') told.push(now)
                return method(...args)
              }
            },
          })
          const tickless = program({ op: 'oneShotHlt' }, { op: 'work', loops: 200 })
          const host = hostOf([[tickless, WORKS], [SLEEPS, tickless], [SLEEPS]], {
            pcpus,
            monitor,
            costs: P4_672_COSTS,
          })
          for (const [i, at] of irqs.entries()) {
            host.agenda.add(at, () => {
              host.setLine(i % 5, 4, true)
              host.setLine(i % 5, 4, false)
            })
          }
          host.runUntil(200_000)
          expect(told).toEqual([...told].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
          expect(told.length).toBeGreaterThan(20)
        },
      ),
      { seed: 6, numRuns: 20 },
    )
  })

  it('does not depend on how its run is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 12 }), (cuts) => {
        const events: HostEvent[][] = [[], []]
        const [whole, cut] = events.map((seen) => {
          const host = hostOf([[SLEEPS], [program({ op: 'oneShotHlt' }), WORKS]], {
            costs: P4_672_COSTS,
            observer: (event) => seen.push(event),
          })
          for (let at = 9_000; at < 200_000; at += 17_000) {
            host.agenda.add(at, () => {
              host.setLine(0, 3, true)
              host.setLine(0, 3, false)
            })
          }
          return host
        })
        whole!.runUntil(200_000)
        for (const at of [...cuts].sort((a, b) => a - b)) cut!.runUntil(at)
        cut!.runUntil(200_000)
        expect(cut!.counters.hltExits).toBe(whole!.counters.hltExits)
        expect(cut!.ledger(0).intervals.length).toBe(whole!.ledger(0).intervals.length)
      }),
      { seed: 4, numRuns: 10 },
    )
  })

  it('runs nobody while the pcpu is taken away', () => {
    const host = hostOf([[WORKS]])
    host.agenda.add(1_000, () => host.takeAway(0, 5_000))
    host.runUntil(10_000)
    const { busy, steal } = host.ledger(0).totals(host.now)
    expect(steal).toBe(5_000)
    expect(busy).toBe(host.now - 5_000)
  })

  it('wakes a sleeping vcpu by an interrupt, by an NMI, and by no mere kick', () => {
    const host = hostOf([[SLEEPS]])
    host.runUntil(1_000)
    expect(host.asleep).toBe(true)
    expect(host.idleUntil).toBe(Number.POSITIVE_INFINITY)
    host.kick(0)
    expect(host.counters).toMatchObject({ kicks: 1, wakes: 0 })
    host.nmi(0)
    host.runUntil(2_000)
    host.setLine(0, 5, true)
    host.runUntil(3_000)
    expect(host.counters).toMatchObject({ kicks: 3, wakes: 2, deliveries: 2, hltExits: 3 })
  })

  it('ends a VM at a triple fault, and goes on with the others', () => {
    const seen: string[] = []
    const host = hostOf([[WORKS], [WORKS]], { observer: ({ what, vcpu }) => seen.push(`${vcpu} ${what}`) })
    host.processor(0).vcpu.registers.idtr = { base: 0, limit: 0 }
    host.processor(0).vcpu.registers.gdtr = { base: 0, limit: 0 }
    host.nmi(0)
    host.runUntil(10_000)
    expect(seen).toContain('0 shutdown')
    expect(host.ended).toBe(false)
    expect(host.ledger(1).totals(host.now).busy).toBeGreaterThan(8_000)
  })

  it('stops guests that are busy for longer than it was told', () => {
    const host = hostOf([[WORKS]], { maxBusyCycles: 5_000 })
    host.runUntil(4_000)
    expect(() => host.runUntil(100_000)).toThrow(BusyLimit)
    expect(host.ledger(0).totals(host.now).busy).toBeLessThan(6_000)
  })

  it('refuses vcpus and pcpus that it does not have', () => {
    const host = hostOf([[WORKS]])
    expect(() => host.kick(1)).toThrow('There is no vcpu 1: the host has 1.')
    expect(() => host.takeAway(2, 10)).toThrow('There is no pcpu 2: the host has 1.')
  })
})
