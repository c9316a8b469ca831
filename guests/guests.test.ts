import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bootKernel, createMachine, PC_COSTS } from '../reference/machine.ts'
import { guests } from './index.ts'

/** Virtual seconds until a guest counts as hanging. */
const LONG = 5

/** Runs a guest, types `input` byte by byte as it is taken, and answers with what it printed. */
function run(name: string, input: readonly number[] = []) {
  const printed: number[] = []
  const machine = createMachine({ memoryBytes: 2 << 20, serialSink: (byte) => printed.push(byte) > 0 })
  const { image } = guests[name]!()
  bootKernel(machine, { name, bytes: image, commandLine: '', modules: [] })
  const { host, vm, monitor } = machine
  let next = 0
  while (vm.exitStatus === undefined && !host.ended && host.now < LONG * PC_COSTS.hz) {
    host.runUntil(host.now + PC_COSTS.hz / 1000)
    const isListening = printed.includes(0x0a)
    if (isListening && next < input.length && host.receiveSerial(vm, input[next]!)) next++
  }
  const { idle } = monitor.times(0, host.clock(host.now))
  return {
    text: String.fromCharCode(...printed),
    status: vm.exitStatus,
    virtualSeconds: host.now / PC_COSTS.hz,
    idleShare: Number(idle) / host.now,
  }
}

describe('guests', () => {
  it('hello prints its line and ends', () => {
    expect(run('hello')).toMatchObject({ text: 'Hello from the guest.\r\n', status: 1 })
  })

  it('clock prints a dot for each of ten ticks in a tenth of a second, asleep nearly all the time', () => {
    const { text, status, virtualSeconds, idleShare } = run('clock')
    expect([text, status]).toEqual(['..........\r\n', 1])
    expect(virtualSeconds).toBeGreaterThan(0.09)
    expect(virtualSeconds).toBeLessThan(0.11)
    expect(idleShare).toBeGreaterThan(0.95)
  })

  it('tickless sleeps six times, each twice as long as the one before, from 1 ms on', () => {
    const { text, status, virtualSeconds, idleShare } = run('tickless')
    expect([text, status]).toEqual(['slept\r\n'.repeat(6), 1])
    expect(virtualSeconds).toBeGreaterThan(0.063)
    expect(virtualSeconds).toBeLessThan(0.066)
    expect(idleShare).toBeGreaterThan(0.95)
  })

  it('idle-time reads from its hypervisor that it slept through nine to ten periods of 10 ms', () => {
    const { text, status } = run('idle-time')
    const [, cycles = ''] = /^idle cycles: ([0-9a-f]{16})\r\n$/.exec(text) ?? []
    expect(status).toBe(1)
    expect(Number.parseInt(cycles, 16) / PC_COSTS.hz).toBeGreaterThan(0.0899)
    expect(Number.parseInt(cycles, 16) / PC_COSTS.hz).toBeLessThan(0.1001)
  })

  it('echo sends back whatever is typed, in upper case, until Ctrl-D', () => {
    const key = fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.nat(255)).filter((byte) => byte !== 4)
    fc.assert(
      fc.property(fc.array(key, { maxLength: 30 }), (keys) => {
        const { text, status } = run('echo', [...keys, 4])
        const upper = String.fromCharCode(...keys)
          .replace(/[a-z]/g, (letter) => letter.toUpperCase())
          .replaceAll('\r', '\r\n')
        expect([text, status]).toEqual([`Type; Ctrl-D ends.\r\n${upper}\r\n`, 1])
      }),
      { seed: 8, numRuns: 20 },
    )
  })

  it('every guest is listed, and its first instruction is where its header says', () => {
    for (const [name, build] of Object.entries(guests)) {
      const { image, entry, symbols, listing } = build()
      expect([name, new DataView(image.buffer).getUint32(28, true)]).toEqual([name, entry])
      expect(symbols.get('entry')).toBe(entry)
      expect(listing).toContain('entry:\n')
    }
  })
})
