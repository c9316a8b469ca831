import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessSize, Line, Savable } from './device.ts'
import { itObeysTheDeviceLaws } from './device-laws.ts'
import { I8042, type I8042State } from './i8042.ts'
import { Ps2Keyboard, type Ps2KeyboardState } from './ps2-keyboard.ts'
import { Ps2Mouse, type Ps2MouseState } from './ps2-mouse.ts'

interface State {
  readonly controller: I8042State
  readonly keyboard: Ps2KeyboardState
  readonly mouse: Ps2MouseState
}

/** Controller, keyboard and mouse as one device with one line for all that they drive. */
class Whole implements Savable<State> {
  readonly ports = [{ first: 0x60, count: 5 }]
  readonly keyboard = new Ps2Keyboard()
  readonly mouse = new Ps2Mouse()
  readonly controller: I8042
  resets = 0
  a20 = true
  readonly raised: string[] = []

  constructor(line: Line = () => {}) {
    this.controller = new I8042({
      keyboard: this.keyboard,
      auxiliary: this.mouse,
      keyboardLine: (level) => {
        if (level) this.raised.push('keyboard')
        line(level)
      },
      auxiliaryLine: (level) => {
        if (level) this.raised.push('auxiliary')
        line(level)
      },
      a20: (level) => {
        this.a20 = level
      },
      reset: () => this.resets++,
    })
  }

  readPort(port: number): number {
    return this.controller.readPort(port)
  }

  writePort(port: number, size: AccessSize, value: number): void {
    this.controller.writePort(port, size, value)
  }

  save(): State {
    return { controller: this.controller.save(), keyboard: this.keyboard.save(), mouse: this.mouse.save() }
  }

  restore(state: State): void {
    this.controller.restore(state.controller)
    this.keyboard.restore(state.keyboard)
    this.mouse.restore(state.mouse)
  }

  command(...bytes: readonly number[]): void {
    bytes.forEach((byte, i) => {
      this.writePort(i === 0 ? 0x64 : 0x60, 1, byte)
    })
  }

  /** Everything that waits, with m: before what is the mouse's. */
  drain(): string[] {
    const all: string[] = []
    for (let status = this.readPort(0x64); (status & 1) !== 0; status = this.readPort(0x64)) {
      all.push(`${(status & 0x20) === 0 ? '' : 'm:'}${this.readPort(0x60).toString(16)}`)
    }
    return all
  }
}

const ENABLE_ALL = [0x60, 0x47] as const

describe('i8042', () => {
  const command = fc.constantFrom(0x20, 0x60, 0xa7, 0xa8, 0xa9, 0xaa, 0xad, 0xae, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xfe)
  const data = fc.constantFrom(0, 2, 0x47, 0xe8, 0xed, 0xf0, 0xf2, 0xf4, 0xf5, 0xff, 0xe9)
  itObeysTheDeviceLaws({
    make: (line) => new Whole(line),
    accesses: fc.array(
      fc.oneof(
        command.map((write) => ({ after: 1, port: 0x64, write })),
        data.map((write) => ({ after: 1, port: 0x60, write })),
        fc.constantFrom(0x60, 0x64).map((port) => ({ after: 1, port, write: -1 })),
      ),
      { maxLength: 40 },
    ),
    world: (device, index) => {
      if (index % 3 === 0) device.keyboard.key(0x1c, index % 2 === 0)
      if (index % 5 === 0) device.mouse.move(index, -index, index & 7)
      device.controller.poll()
    },
  })

  it('gives every byte once, in its order, with an interrupt for each, whatever is typed', () => {
    const keys = fc.array(fc.tuple(fc.constantFrom(0x1c, 0x5a, 0xe075, 0x12), fc.boolean()), { maxLength: 4 })
    fc.assert(
      fc.property(keys, (pressed) => {
        const whole = new Whole()
        whole.command(...ENABLE_ALL)
        const expected: string[] = []
        for (const [code, down] of pressed) {
          whole.keyboard.key(code, down)
          whole.controller.poll()
          const set1 = { 28: 0x1e, 90: 0x1c, 117: 0x48, 18: 0x2a }[code & 0xff]!
          if (code > 0xff) expected.push('e0')
          expected.push((down ? set1 : set1 | 0x80).toString(16))
        }
        expect(whole.drain()).toEqual(expected)
        expect(whole.raised.length).toBe(expected.length)
      }),
      { seed: 4, numRuns: 50 },
    )
  })

  it('answers what a driver asks at boot', () => {
    const whole = new Whole()
    whole.command(0xaa)
    whole.command(0xab)
    expect(whole.drain()).toEqual(['0'])
    whole.command(...ENABLE_ALL)
    for (const byte of [0xff, 0xf2, 0xed, 0x07, 0xf4]) whole.writePort(0x60, 1, byte)
    expect(whole.drain()).toContain('fa')
    whole.writePort(0x60, 1, 0xff)
    expect(whole.drain()).toEqual(['fa', 'aa'])
    whole.command(0xd4, 0xff)
    expect(whole.drain()).toEqual(['m:fa', 'm:aa', 'm:0'])
    whole.command(0xd4, 0xf4)
    whole.mouse.move(5, -3, 1)
    expect(whole.drain()).toEqual(['m:fa', 'm:29', 'm:5', 'm:fd'])
  })

  it('opens and closes A20, and resets, by the output port and by commands', () => {
    const whole = new Whole()
    whole.command(0xd1, 0xdd)
    expect(whole.a20).toBe(false)
    whole.command(0xd1, 0xdf)
    expect([whole.a20, whole.resets]).toEqual([true, 0])
    whole.command(0xfe)
    expect(whole.resets).toBe(1)
    whole.command(0xff)
    expect(whole.resets).toBe(1)
  })

  it('says nothing of a device that is off', () => {
    const whole = new Whole()
    whole.command(0xad)
    whole.keyboard.key(0x1c, true)
    whole.controller.poll()
    expect(whole.drain()).toEqual([])
    whole.command(0xae)
    expect(whole.drain()).toEqual(['1e'])
  })
})
