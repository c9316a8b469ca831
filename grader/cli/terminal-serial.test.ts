import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attachTerminal } from './terminal-serial.ts'

class FakeInput extends EventEmitter {
  readonly isTTY: boolean
  raw = false
  paused = true

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  setRawMode(raw: boolean): void {
    this.raw = raw
  }

  resume(): void {
    this.paused = false
  }

  pause(): void {
    this.paused = true
  }
}

class FakeOutput extends EventEmitter {
  readonly shown: number[] = []
  room = Number.POSITIVE_INFINITY

  write(bytes: Uint8Array): boolean {
    this.shown.push(...bytes)
    return --this.room > 0
  }
}

class FakeProcess extends EventEmitter {
  readonly pid = 42
  readonly killed: string[] = []

  kill(_pid: number, signal: string): void {
    this.killed.push(signal)
  }
}

function attach({
  isTTY = true,
  takes = () => true,
  saves = false,
}: {
  isTTY?: boolean
  takes?: () => boolean
  saves?: boolean
} = {}) {
  const input = new FakeInput(isTTY)
  const output = new FakeOutput()
  const owner = new FakeProcess()
  const got: number[] = []
  const events: string[] = []
  const terminal = attachTerminal({
    input,
    output,
    process: owner,
    onByte: (byte) => {
      if (!takes()) return false
      got.push(byte)
      return true
    },
    onQuit: () => events.push('quit'),
    ...(saves ? { onSave: () => events.push('save') } : {}),
    onDrain: () => events.push('drain'),
  })
  const type = (...bytes: number[]) => input.emit('data', Uint8Array.from(bytes))
  return { input, output, owner, got, events, terminal, type }
}

const X = 0x78
const S = 0x73

describe('attachTerminal', () => {
  it('hands over every byte of a pipe, in order, however it is cut and whenever the guest takes it', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), fc.array(fc.boolean(), { minLength: 1 }), (chunks, pattern) => {
        let asked = 0
        const { got, type, terminal } = attach({
          isTTY: false,
          takes: () => pattern[asked++ % pattern.length]! || asked > 500,
        })
        for (const chunk of chunks) type(...chunk)
        const all = chunks.flatMap((chunk) => [...chunk])
        for (let i = 0; got.length < all.length && i < 2000; i++) terminal.resume()
        expect(got).toEqual(all)
      }),
    )
  })

  it('quits at Ctrl-A x, also when the two come apart, and restores the terminal first', () => {
    const { input, got, events, type } = attach()
    expect(input.raw).toBe(true)
    type(X, 1)
    expect(events).toEqual([])
    type(X, 5)
    expect([got, events, input.raw, input.paused]).toEqual([[X], ['quit'], false, true])
    type(6)
    expect(got).toEqual([X])
  })

  it('sends Ctrl-A for Ctrl-A Ctrl-A and forgets an escape before another key', () => {
    const { got, events, type } = attach()
    type(1, 1, X, 1, 0x62, X)
    expect([got, events]).toEqual([[1, X, 0x62, X], []])
  })

  it("tells of Ctrl-A s where it can be saved, and goes on; elsewhere that s is the guest's", () => {
    const { got, events, type } = attach({ saves: true })
    type(X, 1, S, S)
    expect([got, events]).toEqual([[X, S], ['save']])
    const other = attach()
    other.type(1, S)
    expect([other.got, other.events]).toEqual([[S], []])
  })

  it('can be quit while the guest takes nothing', () => {
    const { events, type, input } = attach({ takes: () => false })
    type(0x61, 0x62)
    expect(input.paused).toBe(false)
    type(1, X)
    expect(events).toEqual(['quit'])
  })

  it('pauses a pipe that the guest does not keep up with, and no raw mode is set', () => {
    let takes = false
    const { input, got, type, terminal } = attach({ isTTY: false, takes: () => takes })
    type(1, X)
    expect([input.paused, input.raw]).toEqual([true, false])
    takes = true
    terminal.resume()
    expect([input.paused, got]).toEqual([false, [1, X]])
  })

  it('refuses bytes while the output is full and tells when it drains', () => {
    const { output, events, terminal } = attach()
    output.room = 2
    expect([7, 8, 9].map((byte) => terminal.write(Uint8Array.of(byte)))).toEqual([true, true, false])
    output.room = 5
    output.emit('drain')
    expect([events, terminal.write(Uint8Array.of(9)), output.shown]).toEqual([['drain'], true, [7, 8, 9]])
  })

  it.each(['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'])('restores the terminal on %s', (event) => {
    const { input, owner, terminal } = attach()
    owner.emit(event)
    expect([input.raw, owner.killed]).toEqual([false, event === 'exit' ? [] : [event]])
    terminal.detach()
    const left = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => owner.listenerCount(name))
    expect([left, input.listenerCount('data')]).toEqual([[0, 0, 0, 0], 0])
  })

  it('goes on after the end of a real stream', async () => {
    const input = new PassThrough()
    const output = new FakeOutput()
    const got: number[] = []
    let quit = false
    const terminal = attachTerminal({
      input,
      output,
      process: new FakeProcess(),
      onByte: (byte) => got.push(byte),
      onQuit: () => {
        quit = true
      },
    })
    input.end(Uint8Array.of(1, X, 2))
    await new Promise((resolve) => input.on('end', resolve))
    expect([got, quit, terminal.write(Uint8Array.of(3)), output.shown]).toEqual([[1, X, 2], false, true, [3]])
    terminal.detach()
  })
})
