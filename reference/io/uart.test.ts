import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itObeysTheDeviceLaws } from './device-laws.ts'
import { Uart } from './uart.ts'

const BASE = 0x3f8
const [THR, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 2, 3, 4, 5, 6, 7]
const THRE_AND_TEMT = 0x60
const CYCLE_HZ = 1_843_200

/** A UART, its world, and `read`/`write` by register at virtual time 0 or later. */
function makeUart(accepts: () => boolean = () => true) {
  const sent: number[] = []
  const levels: boolean[] = []
  const sink = (byte: number) => {
    if (!accepts()) return false
    sent.push(byte)
    return true
  }
  const uart = new Uart({ port: BASE, line: (level) => levels.push(level), cycleHz: CYCLE_HZ, sink })
  const read = (register: number, now = 0) => uart.readPort(BASE + register, 1, now)
  const write = (register: number, value: number, now = 0) => uart.writePort(BASE + register, 1, value, now)
  return { uart, sent, levels, read, write }
}

const bytes = fc.array(fc.nat(255), { maxLength: 100 })

describe('Uart', () => {
  itObeysTheDeviceLaws({
    make: (line) => new Uart({ port: BASE, line, cycleHz: CYCLE_HZ, sink: (byte) => byte % 3 !== 0 }),
    accesses: fc.array(
      fc.record({
        after: fc.oneof(fc.nat(10), fc.nat(20_000)),
        port: fc.integer({ min: BASE, max: BASE + 7 }),
        write: fc.oneof(fc.constant(-1), fc.constantFrom(0, 1, 2, 7, 0x10, 0x41, 0x80, 0xc1), fc.nat(255)),
      }),
      { maxLength: 60 },
    ),
    world: (uart, index, now) => {
      if (index % 3 === 0) uart.receive(index & 0xff, now)
      if (index % 11 === 5) uart.receiveBreak(now)
      if (index % 7 === 3) uart.resume()
      if (index % 13 === 4)
        uart.setModemInputs({ cts: index % 2 === 0, dsr: true, ri: index % 3 === 0, dcd: index % 5 === 0 })
    },
  })

  it('sinks the bytes written, in order, for any pattern of acceptance and any restore', () => {
    const pattern = fc.array(fc.record({ accepts: fc.boolean(), swap: fc.boolean() }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(bytes, pattern, fc.boolean(), (input, pattern, fifos) => {
        const sent: number[] = []
        let asked = 0
        const sink = (byte: number) => {
          const { accepts } = pattern[asked++ % pattern.length]!
          if (accepts || asked > 1000) sent.push(byte)
          return accepts || asked > 1000
        }
        const make = () => new Uart({ port: BASE, line: () => {}, cycleHz: CYCLE_HZ, sink })
        let uart = make()
        uart.writePort(BASE + FCR!, 1, fifos ? 1 : 0, 0)
        let next = 0
        for (let step = 0; next < input.length || sent.length < input.length; step++) {
          if ((uart.readPort(BASE + LSR!, 1, 0) & 0x20) !== 0) {
            for (let i = 0; i < (fifos ? 16 : 1) && next < input.length; i++) uart.writePort(BASE, 1, input[next++]!, 0)
          }
          if (pattern[step % pattern.length]!.swap) {
            const copy = make()
            copy.restore(uart.save())
            uart = copy
          }
          uart.resume()
        }
        expect(sent).toEqual(input)
      }),
    )
  })

  it('lets an interrupt-driven sender finish with any sink that refuses at times', () => {
    const pattern = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }).filter((accepts) => accepts.includes(true))
    fc.assert(
      fc.property(bytes, pattern, fc.boolean(), (input, pattern, fifos) => {
        let asked = 0
        const { uart, sent, levels, read, write } = makeUart(() => pattern[asked++ % pattern.length]!)
        write(FCR!, fifos ? 1 : 0)
        write(IER!, 2)
        let next = 0
        for (let resumes = 0; sent.length < input.length && resumes < 5000; ) {
          const edges = levels.filter((level) => level).length
          expect(edges).toBeGreaterThan(0)
          if (levels.at(-1) === true) {
            if ((read(IIR!) & 0x0f) !== 2) throw new Error('the line is high without THRI')
            for (let i = 0; i < (fifos ? 16 : 1) && next < input.length; i++) write(THR!, input[next++]!)
          } else {
            resumes++
            uart.resume()
          }
        }
        expect(sent).toEqual(input)
      }),
    )
  })

  it('hands the guest the bytes received, in order, while the sender asks canReceive', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.boolean(), { minLength: 1 }), fc.boolean(), (input, turns, fifos) => {
        const { uart, read, write } = makeUart()
        write(FCR!, fifos ? 1 : 0)
        const got: number[] = []
        let next = 0
        for (let step = 0; got.length < input.length; step++) {
          const sends = turns[step % turns.length]! || step % 7 === 0
          if (sends && next < input.length && uart.canReceive) expect(uart.receive(input[next++]!, step)).toBe(true)
          if (!sends || step % 5 === 0) {
            const lsr = read(LSR!, step)
            expect(lsr & 0x02).toBe(0)
            if ((lsr & 1) !== 0) got.push(read(THR!, step))
          }
        }
        expect(got).toEqual(input)
      }),
    )
  })

  it('takes THRE and TEMT away and asks no sink while bytes wait; resume gives one edge', () => {
    let accepts = false
    let asked = 0
    const { uart, sent, levels, read, write } = makeUart(() => {
      asked++
      return accepts
    })
    write(FCR!, 1)
    write(IER!, 2)
    expect(read(IIR!)).toBe(0xc2)
    for (let i = 0; i < 16; i++) write(THR!, i)
    expect([read(LSR!) & THRE_AND_TEMT, read(IIR!), asked]).toEqual([0, 0xc1, 1])
    levels.length = 0
    accepts = true
    uart.resume()
    uart.resume()
    expect([sent.length, levels, read(LSR!) & THRE_AND_TEMT]).toEqual([16, [true], THRE_AND_TEMT])
    expect([read(IIR!), read(IIR!)]).toEqual([0xc2, 0xc1])
  })

  it('raises no THRI while bytes wait, not by enabling it and not by a looped byte', () => {
    const { levels, read, write } = makeUart(() => false)
    write(THR!, 1)
    write(IER!, 2)
    write(MCR!, 0x10)
    write(THR!, 2)
    expect([levels, read(IIR!), read(THR!)]).toEqual([[], 1, 2])
  })

  it('notes of RI only that it ended', () => {
    const { uart, read } = makeUart()
    uart.setModemInputs({ cts: true, dsr: true, ri: true, dcd: true })
    expect(read(MSR!)).toBe(0xf0)
    uart.setModemInputs({ cts: true, dsr: true, ri: false, dcd: true })
    expect([read(MSR!), read(MSR!)]).toEqual([0xb4, 0xb0])
  })

  it('raises THRI when it is enabled, and an edge for each byte that leaves', () => {
    const { levels, read, write } = makeUart()
    write(IER!, 2)
    expect(levels).toEqual([true])
    write(THR!, 1)
    expect(levels).toEqual([true, false, true])
    expect([read(IIR!), read(IIR!), levels.at(-1)]).toEqual([2, 1, false])
    write(IER!, 0)
    write(IER!, 2)
    expect(read(IIR!)).toBe(2)
  })

  it('names interrupts in order of priority', () => {
    const { uart, read, write } = makeUart()
    write(IER!, 0x0f)
    uart.setModemInputs({ cts: false, dsr: true, ri: false, dcd: true })
    uart.receive(1, 0)
    uart.receive(2, 0)
    expect(read(IIR!)).toBe(6)
    expect(read(LSR!)).toBe(0x63)
    expect(read(IIR!)).toBe(4)
    expect(read(THR!)).toBe(2)
    expect(read(IIR!)).toBe(2)
    expect(read(IIR!)).toBe(0)
    expect([read(MSR!), read(IIR!)]).toEqual([0xa1, 1])
  })

  it.each([
    [0, 1],
    [1, 4],
    [2, 8],
    [3, 14],
  ])('interrupts at trigger level code %i with %i bytes', (code, level) => {
    const { uart, read, write } = makeUart()
    write(IER!, 1)
    write(FCR!, 1 | (code << 6))
    for (let i = 1; i <= level; i++) {
      expect(read(IIR!)).toBe(0xc1)
      uart.receive(i, 0)
    }
    expect(read(IIR!)).toBe(0xc4)
  })

  it('times out after four characters without traffic', () => {
    const { uart, read, write } = makeUart()
    write(LCR!, 0x03)
    write(IER!, 1)
    write(FCR!, 0xc1)
    uart.receive(1, 100)
    const due = 100 + 4 * 10 * 16 * 12
    expect(uart.nextEvent(100)).toBe(due)
    expect([read(IIR!, due - 1), read(IIR!, due)]).toEqual([0xc1, 0xcc])
    expect([read(THR!, due), read(IIR!, due), uart.nextEvent(due)]).toEqual([1, 0xc1, Number.POSITIVE_INFINITY])
  })

  it('keeps the FIFO on overrun and reports a break with its character', () => {
    const { uart, read, write } = makeUart()
    write(FCR!, 1)
    uart.receiveBreak(0)
    for (let i = 1; i < 16; i++) uart.receive(i, 0)
    expect([uart.canReceive, uart.receive(99, 0)]).toEqual([false, false])
    expect([read(LSR!), read(LSR!)]).toEqual([0xf3, 0x61])
    expect(Array.from({ length: 17 }, () => read(THR!))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0,
    ])
  })

  it('loops back bytes and modem lines, and lets nothing out or in', () => {
    const { uart, sent, read, write } = makeUart()
    write(MCR!, 0x1f)
    write(THR!, 0x55)
    expect([sent, uart.canReceive, uart.receive(1, 0), uart.out2]).toEqual([[], false, false, false])
    expect([read(LSR!), read(THR!), read(MSR!) & 0xf0]).toEqual([0x61, 0x55, 0xf0])
    write(MCR!, 0x1a)
    expect(read(MSR!)).toBe(0x96)
    write(MCR!, 0x0b)
    expect([uart.out2, read(MSR!) >> 4]).toEqual([true, 0x0b])
  })

  it('keeps bytes that wait for the sink through a loopback, and resets only what FCR names', () => {
    let accepts = false
    const { uart, sent, read, write } = makeUart(() => accepts)
    write(FCR!, 1)
    write(THR!, 1)
    uart.receive(7, 0)
    write(MCR!, 0x10)
    write(THR!, 2)
    write(MCR!, 0)
    write(FCR!, 3)
    accepts = true
    uart.resume()
    expect([sent, read(LSR!)]).toEqual([[1], 0x60])
    accepts = false
    write(THR!, 3)
    uart.receive(8, 0)
    write(FCR!, 5)
    accepts = true
    uart.resume()
    expect([sent, read(THR!)]).toEqual([[1], 8])
  })

  it('lays the divisor over registers 0 and 1 while DLAB, and keeps scratch', () => {
    const { uart, sent, read, write } = makeUart()
    write(LCR!, 0x80)
    write(THR!, 0x34)
    write(IER!, 0x12)
    write(SCR!, 0xa5)
    expect([read(THR!), read(IER!)]).toEqual([0x34, 0x12])
    const copy = makeUart()
    copy.uart.restore(uart.save())
    expect([copy.read(THR!), copy.read(IER!)]).toEqual([0x34, 0x12])
    write(LCR!, 0x03)
    expect([sent, read(IER!), read(SCR!), read(LCR!), read(MCR!)]).toEqual([[], 0, 0xa5, 3, 0])
  })
})
