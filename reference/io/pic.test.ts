import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itObeysTheDeviceLaws } from './device-laws.ts'
import { Pic } from './pic.ts'

const EOI = 0x20

function out(pic: Pic, ...writes: readonly (readonly [port: number, value: number])[]): void {
  for (const [port, value] of writes) pic.writePort(port, 1, value, 0)
}

/** Initialised as a PC's system does: vectors 20h and 28h. */
function makePic({
  icw4Master = 1,
  icw4Slave = 1,
  output,
}: {
  icw4Master?: number
  icw4Slave?: number
  output?: (level: boolean) => void
} = {}): Pic {
  const pic = new Pic(output === undefined ? {} : { output })
  out(pic, [0x20, 0x11], [0x21, 0x20], [0x21, 4], [0x21, icw4Master])
  out(pic, [0xa0, 0x11], [0xa1, 0x28], [0xa1, 2], [0xa1, icw4Slave])
  return pic
}

function pulse(pic: Pic, irq: number): void {
  pic.setLine(irq, true)
  pic.setLine(irq, false)
}

const irqs: fc.Arbitrary<number> = fc.constantFrom(0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
/** IRQs from the highest priority to the lowest. */
const ORDER = [0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 3, 4, 5, 6, 7]
const masterLevel = (irq: number) => (irq < 8 ? irq : 2)

describe('Pic', () => {
  itObeysTheDeviceLaws({
    make: (output) => new Pic({ output }),
    accesses: fc.array(
      fc.record({
        after: fc.constant(0),
        port: fc.constantFrom(0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1),
        write: fc.oneof(fc.constant(-1), fc.constantFrom(0, 0x11, 0x13, 0x20, 0x68, 0x0c, 0xe3), fc.nat(255)),
      }),
      { maxLength: 60 },
    ),
    world: (pic, index) => {
      const irq = [0, 9, 4, 15, 7, 8][index % 6]!
      pic.setLine(irq, index % 4 < 2)
      if (index % 5 === 0 && pic.interruptPending()) pic.acknowledge()
    },
  })

  it('delivers edges as a list of lines in order of priority does, nested fully', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('pulse' as const), irq: irqs }),
      fc.record({ kind: fc.constant('acknowledge' as const) }),
      fc.record({ kind: fc.constant('endMaster' as const) }),
      fc.record({ kind: fc.constant('endSlave' as const) }),
    )
    fc.assert(
      fc.property(fc.uniqueArray(irqs), fc.array(action, { maxLength: 80 }), (masked, actions) => {
        const pic = makePic()
        const mask = masked.reduce((bits, irq) => bits | (1 << irq), 0)
        out(pic, [0x21, mask & 0xfb], [0xa1, mask >> 8])
        const asked = new Set<number>()
        const master: number[] = []
        const slave: number[] = []
        const top = () => {
          const irq = ORDER.find(
            (irq) => asked.has(irq) && !masked.includes(irq) && (irq < 8 || slave.every((served) => served > irq)),
          )
          return irq !== undefined && master.every((served) => served > masterLevel(irq)) ? irq : undefined
        }
        const endHighest = (served: number[]) => {
          served.sort((a, b) => a - b)
          served.shift()
        }
        for (const action of actions) {
          if (action.kind === 'pulse') {
            pulse(pic, action.irq)
            asked.add(action.irq)
          } else if (action.kind === 'endMaster') {
            out(pic, [0x20, EOI])
            endHighest(master)
          } else if (action.kind === 'endSlave') {
            out(pic, [0xa0, EOI])
            endHighest(slave)
          } else if (pic.interruptPending()) {
            const irq = top()!
            expect(pic.acknowledge()).toBe(0x20 + irq)
            asked.delete(irq)
            master.push(masterLevel(irq))
            if (irq >= 8) slave.push(irq)
          }
          const irq = top()
          expect(pic.interruptPending()).toBe(irq !== undefined)
          expect(pic.deliverableVector()).toBe(irq === undefined ? undefined : 0x20 + irq)
        }
      }),
    )
  })

  it('tells its output exactly the changes of interruptPending', () => {
    const levels: boolean[] = []
    const pic = makePic({ output: (level) => levels.push(level) })
    pulse(pic, 4)
    pulse(pic, 3)
    pic.acknowledge()
    out(pic, [0x20, EOI], [0x21, 0xff])
    expect(levels).toEqual([true, false, true, false])
  })

  it('asks again for a level-triggered line until the line falls, and once for an edge', () => {
    const pic = makePic()
    out(pic, [0x4d1, 0xff])
    expect(pic.readPort(0x4d1, 1, 0)).toBe(0xde)
    pic.setLine(11, true)
    for (let i = 0; i < 3; i++) {
      expect(pic.acknowledge()).toBe(0x2b)
      out(pic, [0xa0, EOI], [0x20, EOI])
    }
    pic.setLine(11, false)
    expect(pic.acknowledge()).toBe(0x2f)
    out(pic, [0x20, EOI])
    pic.setLine(4, true)
    expect(pic.acknowledge()).toBe(0x24)
    out(pic, [0x20, EOI])
    expect(pic.interruptPending()).toBe(false)
  })

  it('answers an acknowledge without request as IRQ 7 and a withdrawn slave request as IRQ 15', () => {
    const pic = makePic()
    expect(pic.acknowledge()).toBe(0x27)
    out(pic, [0x20, 0x0b])
    expect(pic.readPort(0x20, 1, 0)).toBe(0)
    pulse(pic, 12)
    out(pic, [0xa1, 0xff])
    expect([pic.deliverableVector(), pic.acknowledge()]).toEqual([0x2f, 0x2f])
    out(pic, [0xa0, 0x0b])
    expect([pic.readPort(0xa0, 1, 0), pic.readPort(0x20, 1, 0)]).toEqual([0, 4])
  })

  it('needs no EOI with AEOI, and rotates then when told to', () => {
    const pic = makePic({ icw4Master: 3 })
    out(pic, [0x20, 0x80])
    pulse(pic, 3)
    pulse(pic, 4)
    expect(pic.acknowledge()).toBe(0x23)
    pulse(pic, 3)
    expect([pic.acknowledge(), pic.acknowledge()]).toEqual([0x24, 0x23])
  })

  it('rotates with an EOI and sets the lowest priority', () => {
    const pic = makePic()
    pulse(pic, 4)
    pic.acknowledge()
    out(pic, [0x20, 0xa0])
    pulse(pic, 4)
    pulse(pic, 5)
    expect(pic.acknowledge()).toBe(0x25)
    out(pic, [0x20, 0x65], [0x20, 0xc3])
    pulse(pic, 0)
    expect(pic.acknowledge()).toBe(0x24)
  })

  it('lets lower levels through a masked one in special mask mode', () => {
    const pic = makePic()
    pulse(pic, 3)
    pic.acknowledge()
    pulse(pic, 6)
    expect(pic.interruptPending()).toBe(false)
    out(pic, [0x21, 1 << 3], [0x20, 0x68])
    expect(pic.acknowledge()).toBe(0x26)
    out(pic, [0x20, EOI], [0x20, 0x0b])
    expect(pic.readPort(0x20, 1, 0)).toBe(1 << 3)
  })

  it('nests slave requests within the slave in special fully nested mode only', () => {
    for (const special of [false, true]) {
      const pic = makePic({ icw4Master: special ? 0x11 : 1 })
      pulse(pic, 14)
      pic.acknowledge()
      pulse(pic, 9)
      expect(pic.interruptPending()).toBe(special)
    }
  })

  it('acknowledges by poll, once', () => {
    const pic = makePic()
    pulse(pic, 5)
    out(pic, [0x20, 0x0c])
    expect(pic.readPort(0x20, 1, 0)).toBe(0x85)
    out(pic, [0x20, 0x0c])
    expect(pic.readPort(0x21, 1, 0)).toBe(0)
    expect(pic.readPort(0x21, 1, 0)).toBe(0)
    pulse(pic, 10)
    out(pic, [0xa0, 0x0c])
    expect([pic.readPort(0xa0, 1, 0), pic.interruptPending()]).toEqual([0x82, false])
  })

  it('sees a line that is high when it becomes level-triggered, and through an initialisation', () => {
    const pic = makePic()
    pic.setLine(11, true)
    pic.acknowledge()
    out(pic, [0xa0, EOI], [0x20, EOI])
    expect(pic.interruptPending()).toBe(false)
    out(pic, [0x4d1, 0x08])
    expect(pic.deliverableVector()).toBe(0x2b)
    out(pic, [0xa0, 0x11], [0xa1, 0x70], [0xa1, 2], [0xa1, 1])
    expect(pic.deliverableVector()).toBe(0x73)
    pic.setLine(4, true)
    out(pic, [0x20, 0x11], [0x21, 0x20], [0x21, 4], [0x21, 1], [0xa1, 0xff])
    out(pic, [0x20, 0x0a])
    expect(pic.readPort(0x20, 1, 0) & 0x10).toBe(0)
  })

  it('gives the slave’s own level 2 no exception in special fully nested mode', () => {
    const pic = makePic({ icw4Master: 0x11, icw4Slave: 0x11 })
    pulse(pic, 10)
    pic.acknowledge()
    pulse(pic, 12)
    expect(pic.interruptPending()).toBe(false)
  })

  it('refuses lines that are no inputs', () => {
    expect(() => new Pic().setLine(2, true)).toThrow('IRQ 2 is no input')
    expect(() => new Pic().setLine(16, true)).toThrow(RangeError)
  })
})
