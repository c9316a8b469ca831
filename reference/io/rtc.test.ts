import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Access, itObeysTheDeviceLaws } from './device-laws.ts'
import { RTC_HZ, Rtc } from './rtc.ts'

const START = Date.UTC(2008, 8, 15, 13, 59, 58) / 1000
const REGISTER_A = 0x0a
const REGISTER_B = 0x0b
const REGISTER_C = 0x0c
/** One cycle is one tick of the 32 768 Hz base. */
const SECOND = RTC_HZ

function makeRtc(startSeconds = START) {
  const levels: boolean[] = []
  const rtc = new Rtc({ startSeconds, line: (level) => levels.push(level), cycleHz: RTC_HZ })
  const read = (index: number, now: number) => {
    rtc.writePort(0x70, 1, index, now)
    return rtc.readPort(0x71, 1, now)
  }
  const write = (index: number, value: number, now: number) => {
    rtc.writePort(0x70, 1, index, now)
    rtc.writePort(0x71, 1, value, now)
  }
  const clock = (now: number) =>
    [0x32, 9, 8, 7, 4, 2, 0].map((index) => read(index, now).toString(16).padStart(2, '0')).join(' ')
  return { rtc, levels, read, write, clock }
}

const data: fc.Arbitrary<readonly Access[]> = fc
  .record({
    after: fc.oneof(fc.nat(200), fc.nat(3 * SECOND), fc.nat(40 * SECOND)),
    index: fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 11, 12, 13, 0x20, 0x32),
    write: fc.oneof(
      fc.constant(-1),
      fc.constantFrom(0x20, 0x26, 0x2a, 0x72, 0x42, 0x12, 0x32, 0x52, 0x82, 0xc0),
      fc.nat(255),
    ),
  })
  .map(({ after, index, write }) => [
    { after, port: 0x70, write: index },
    { after: 0, port: 0x71, write },
  ])

describe('Rtc', () => {
  itObeysTheDeviceLaws({
    make: (line) => new Rtc({ startSeconds: START, line, cycleHz: 100_003 }),
    accesses: fc.array(data, { maxLength: 15 }).map((pairs) => pairs.flat()),
  })

  it('shows the start date plus virtual time as a calendar does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), fc.nat(400 * 86_400), (start, passed) => {
        const { clock } = makeRtc(start)
        const [date, time] = new Date((start + passed) * 1000).toISOString().split('T')
        const expected = `${date!.slice(0, 2)} ${date!.slice(2)} ${time!.slice(0, 8)}`.replace(/[-:]/g, ' ')
        expect(clock(passed * SECOND + 5)).toBe(expected)
      }),
    )
  })

  it('shows noon and midnight in 12-hour mode, and binary when asked', () => {
    const { read, write } = makeRtc(Date.UTC(2008, 0, 1, 23, 59, 59) / 1000)
    write(REGISTER_B, 0x84, 0)
    write(4, 0x80 | 11, 0)
    write(2, 59, 0)
    write(0, 59, 0)
    write(REGISTER_B, 0x04, 0)
    expect([4, 2, 0, 7].map((index) => read(index, SECOND))).toEqual([12, 0, 0, 2])
    expect(read(4, 12 * 3600 * SECOND + SECOND)).toBe(0x80 | 12)
  })

  it('holds the time while SET stands, and runs on from what was written', () => {
    const { write, clock } = makeRtc()
    write(REGISTER_B, 0x82, 10)
    write(0, 0x30, 5 * SECOND)
    write(REGISTER_B, 0x02, 5 * SECOND + 10)
    expect(clock(6 * SECOND)).toBe('20 08 09 15 13 59 31')
  })

  it('raises UIP for the last 73 ticks of a second and never while SET stands', () => {
    const { read, write } = makeRtc()
    expect([SECOND - 74, SECOND - 73, SECOND - 1, SECOND].map((now) => read(REGISTER_A, now) & 0x80)).toEqual([
      0, 0x80, 0x80, 0,
    ])
    write(REGISTER_B, 0x82, SECOND)
    expect(read(REGISTER_A, 2 * SECOND - 1) & 0x80).toBe(0)
  })

  it('interrupts periodically, once until register C is read', () => {
    const { rtc, levels, read, write } = makeRtc()
    write(REGISTER_B, 0x42, 0)
    expect(rtc.nextEvent(0)).toBe(32)
    rtc.advance(1000)
    expect([levels, rtc.nextEvent(1000)]).toEqual([[true], Number.POSITIVE_INFINITY])
    expect(read(REGISTER_C, 1001)).toBe(0xc0)
    expect([levels, read(REGISTER_C, 1002)]).toEqual([[true, false], 0])
    expect(rtc.nextEvent(1002)).toBe(1024)
  })

  it('interrupts at the alarm, which may name any hour', () => {
    const { rtc, levels, read, write } = makeRtc()
    for (const [index, value] of [
      [1, 0x01],
      [3, 0x00],
      [5, 0xff],
      [REGISTER_B, 0x22],
    ] as const)
      write(index, value, 0)
    rtc.advance(3 * SECOND - 1)
    expect(levels).toEqual([])
    rtc.advance(3 * SECOND)
    expect(levels).toEqual([true])
    expect(read(REGISTER_C, 3 * SECOND)).toBe(0xf0)
  })

  it('finds the alarm anywhere in a long sleep, and loses UIE when SET is written', () => {
    fc.assert(
      fc.property(fc.nat(86_399), fc.integer({ min: 1, max: 200_000 }), (alarm, passed) => {
        const { read, write } = makeRtc(0)
        const bcd = (value: number) => Number.parseInt(String(value), 16)
        const [hour, minute, second] = [Math.floor(alarm / 3600), Math.floor(alarm / 60) % 60, alarm % 60]
        for (const [index, value] of [
          [5, hour],
          [3, minute],
          [1, second],
        ] as const)
          write(index, bcd(value), 0)
        const due = alarm === 0 ? 86_400 : alarm
        expect((read(REGISTER_C, passed * SECOND) & 0x20) !== 0).toBe(due <= passed)
      }),
    )
    const { read, write } = makeRtc()
    write(REGISTER_B, 0x92, 0)
    expect(read(REGISTER_B, 0)).toBe(0x82)
  })

  it('starts half a second after the divider chain leaves reset', () => {
    const { read, write } = makeRtc()
    write(REGISTER_A, 0x70, 100)
    expect(read(0, 9 * SECOND)).toBe(0x58)
    write(REGISTER_A, 0x26, 9 * SECOND)
    expect([read(0, 9.5 * SECOND - 1), read(0, 9.5 * SECOND)]).toEqual([0x58, 0x59])
  })

  it('keeps CMOS memory, the memory size and the NMI mask; registers C and D cannot be written', () => {
    const { rtc, read, write } = makeRtc()
    rtc.setMemorySize(64 * 1024 * 1024)
    expect([0x15, 0x16, 0x17, 0x18, 0x30, 0x31, 0x34, 0x35].map((index) => read(index, 0))).toEqual([
      0x80, 0x02, 0x00, 0xfc, 0x00, 0xfc, 0x00, 0x03,
    ])
    rtc.setByte(0x5f, 0x42)
    write(13, 0, 0)
    expect([read(0x5f, 0), read(13, 0), rtc.readPort(0x70, 1, 0), rtc.nmiMasked]).toEqual([0x42, 0x80, 0xff, false])
    expect([read(0x80 | 0x5f, 0), rtc.nmiMasked]).toEqual([0x42, true])
    expect(() => rtc.setByte(13, 1)).toThrow('CMOS byte 13 is not memory')
    expect(() => makeRtc(-1)).toThrow(RangeError)
  })
})
