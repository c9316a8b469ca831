import { expect, test } from 'vitest'
import { GuestMemory } from '../mmu/guest-memory.ts'
import { MachineMemory } from '../mmu/machine-memory.ts'
import { writeMpTable } from './mp-table.ts'

const LENGTHS = [20, 8, 8, 8, 8]

function memoryWith(processors: number): GuestMemory {
  const memory = new GuestMemory(new MachineMemory({ frames: 256, vcpus: 1 }), 0x10_0000)
  writeMpTable(memory, { processors, signature: 0x52c, features: 0x2bf })
  return memory
}

/** Looks for the floating pointer as a kernel does: at each 16 bytes, with its checksum. */
function find(memory: GuestMemory): number {
  for (let at = 0xf_0000; at < 0x10_0000; at += 16) {
    const bytes = memory.readBytes(at, 16)
    const sum = bytes.reduce((total, byte) => total + byte, 0)
    if (Buffer.from(bytes.subarray(0, 4)).toString() === '_MP_' && (sum & 255) === 0) return memory.readUint32(at + 4)
  }
  return -1
}

test('a kernel finds the table, its checksum is right, and its entries fill its length', () => {
  for (const processors of [1, 2, 8]) {
    const memory = memoryWith(processors)
    const table = find(memory)
    const length = memory.readUint16(table + 4)
    const bytes = memory.readBytes(table, length)
    expect(bytes.reduce((total, byte) => total + byte, 0) & 255).toBe(0)
    const types: number[] = []
    let at = 44
    for (let i = 0; i < memory.readUint16(table + 34); i++) {
      types.push(bytes[at]!)
      at += LENGTHS[bytes[at]!]!
    }
    expect(at).toBe(length)
    expect(types.filter((type) => type === 0)).toHaveLength(processors)
    expect(memory.readUint16(0x413)).toBe(639)
    expect([bytes[44 + 3], memory.readUint32(table + 36)]).toEqual([3, 0xfee0_0000])
  }
})
