import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { guests } from '../guests/index.ts'
import { MemoryDisk, OverlayDisk } from './io/block-device.ts'
import { bootKernel, createMachine, type Machine, type MachineOptions } from './machine.ts'
import { optionsOf, readSnapshot, restoreMachine, SnapshotError, saveMachine } from './snapshot.ts'

const MIB = 1 << 20

function machineOf(guest: string, options: Partial<MachineOptions> = {}): Machine {
  const machine = createMachine({ memoryBytes: 4 * MIB, ...options })
  bootKernel(machine, { name: guest, bytes: guests[guest]!().image, commandLine: '', modules: [] })
  return machine
}

function copyOf(file: Uint8Array, options: Partial<MachineOptions> = {}): Machine {
  const snapshot = readSnapshot(file, 'saved')
  const machine = createMachine({ ...optionsOf(snapshot), ...options })
  restoreMachine(machine, snapshot)
  return machine
}

describe('a snapshot', () => {
  it('goes on to the very same bytes as the machine that it was taken of, wherever it is taken', () => {
    const time = fc.integer({ min: 1, max: 3_000_000 })
    fc.assert(
      fc.property(fc.constantFrom('hello', 'clock', 'echo'), fc.boolean(), time, time, (guest, pc, before, after) => {
        const printed: number[] = []
        const sink = (byte: number) => printed.push(byte) > 0
        const machine = machineOf(guest, { serialSink: sink, ...(pc ? { type: 'pc', vcpus: 2 } : {}) })
        machine.host.runUntil(before)
        const file = saveMachine(machine)
        const start = printed.length
        machine.host.runUntil(before + after)
        const copied: number[] = []
        const copy = copyOf(file, { serialSink: (byte) => copied.push(byte) > 0 })
        copy.host.runUntil(before + after)
        expect(copied).toEqual(printed.slice(start))
        expect(Buffer.compare(saveMachine(copy), saveMachine(machine))).toBe(0)
      }),
      { seed: 1, numRuns: 12 },
    )
  })

  it('holds what stands over a disk, and memory behind a closed A20 gate', () => {
    const disks = () => [new OverlayDisk(new MemoryDisk(new Uint8Array(1024)))]
    const machine = machineOf('echo', { disks: disks() })
    machine.options.disks![0]!.write(1, new Uint8Array(512).fill(9))
    machine.vm.memory.writeUint32(3 * MIB, 0x1234_5678)
    machine.chipset.a20.vote(0, false)
    const copy = copyOf(saveMachine(machine), { disks: disks() })
    expect(copy.options.disks![0]!.read(1)).toEqual(new Uint8Array(512).fill(9))
    copy.chipset.a20.vote(0, true)
    expect(copy.vm.memory.readUint32(3 * MIB)).toBe(0x1234_5678)
  })

  it('is refused with a sentence when it is cut, damaged, of another version or of another machine', () => {
    const file = saveMachine(machineOf('hello'))
    fc.assert(
      fc.property(fc.nat(file.length - 1), (length) => {
        expect(() => readSnapshot(file.subarray(0, length), 'f')).toThrow(SnapshotError)
      }),
      { seed: 2, numRuns: 50 },
    )
    expect(() => readSnapshot(file.subarray(0, 1000), 'f')).toThrow('"f" is cut short: it has 1000 bytes of ')
    expect(() => readSnapshot(file.subarray(0, 19), 'f')).toThrow('"f" is cut short: it has 19 bytes of ')
    const other = Buffer.from(file)
    other.write('7', 'trapframe snapshot '.length)
    expect(() => readSnapshot(other, 'f')).toThrow('"f" is a snapshot of version 7; version 2 can be restored.')
    const damaged = Buffer.from(file)
    damaged.fill(0, 40, 60)
    expect(() => readSnapshot(damaged, 'f')).toThrow('"f" is damaged')
    const disks = [new MemoryDisk(new Uint8Array(512))]
    expect(() => copyOf(file, { disks })).toThrow('The saved machine has no disk; this one has disks of 1 sectors.')
  })
})
