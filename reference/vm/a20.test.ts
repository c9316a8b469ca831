import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { GuestMemory } from '../mmu/guest-memory.ts'
import { MachineMemory } from '../mmu/machine-memory.ts'
import { A20Gate } from './a20.ts'

const MIB = 0x10_0000

test('an address has its bit 20 exactly while a voter says so, whatever the votes', () => {
  const votes = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.boolean()), { maxLength: 8 })
  fc.assert(
    fc.property(votes, fc.nat(MIB - 1), (script, offset) => {
      const memory = new GuestMemory(new MachineMemory({ frames: (4 * MIB) / 4096, vcpus: 1 }), 4 * MIB)
      const gate = new A20Gate(memory, [true, false])
      for (let megabyte = 0; megabyte < 4; megabyte++) memory.writeUint8(megabyte * MIB + offset, megabyte + 1)
      const now = [true, false]
      for (const [voter, open] of script) {
        gate.vote(voter, open)
        now[voter] = open
        const seen = [0, 1, 2, 3].map((megabyte) => memory.readUint8(megabyte * MIB + offset))
        expect(seen).toEqual(now.includes(true) ? [1, 2, 3, 4] : [1, 1, 3, 3])
      }
      expect(gate.save()).toEqual(now)
    }),
    { seed: 1, numRuns: 10 },
  )
})
