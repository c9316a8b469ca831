import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GuestMemory } from './guest-memory.ts'
import { MachineMemory } from './machine-memory.ts'

const PAGES = 4
const SIZE = PAGES * 4096

/** Guest memory whose frames stand in reverse order in the machine. */
function scattered(): GuestMemory {
  const memory = new GuestMemory(new MachineMemory({ frames: 16, vcpus: 1 }), SIZE)
  const pfns = Array.from({ length: PAGES }, (_, gfn) => memory.unmap(gfn))
  for (const [i, pfn] of pfns.reverse().entries()) memory.map(i, pfn)
  return memory
}

describe('guest memory', () => {
  test('what is written is read again, however the frames are scattered', () => {
    const piece = fc.record({ at: fc.nat({ max: SIZE - 64 }), bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const memory = scattered()
        const model = new Uint8Array(SIZE)
        for (const { at, bytes } of pieces) {
          memory.writeBytes(at, bytes)
          model.set(bytes, at)
        }
        expect(Buffer.compare(memory.readBytes(0, SIZE), model)).toBe(0)
      }),
      { seed: 2, numRuns: 50 },
    )
  })

  test('words are little-endian and may cross pages', () => {
    const memory = scattered()
    memory.writeUint32(4094, 0x8765_4321)
    expect([memory.readUint8(4094), memory.readUint16(4095), memory.readUint32(4094)]).toEqual([
      0x21, 0x6543, 0x8765_4321,
    ])
  })

  test('a hole has no frame and cannot be read', () => {
    const memory = scattered()
    const pfn = memory.unmap(1)
    expect(memory.pfnOf(1)).toBe(-1)
    expect(() => memory.readUint8(4096)).toThrow(/no memory at guest physical address 0x1000/)
    memory.map(1, pfn)
    expect(memory.readUint8(4096)).toBe(0)
  })

  test('frames run out, come back zeroed, and are not freed twice', () => {
    const machine = new MachineMemory({ frames: 2, vcpus: 1 })
    const one = machine.allocateFrame()
    machine.allocateFrame()
    expect(() => machine.allocateFrame()).toThrow(/no free frame/)
    machine.bytes.fill(7, one << 12, (one + 1) << 12)
    machine.freeFrame(one)
    expect(() => machine.freeFrame(one)).toThrow(/not allocated/)
    expect(machine.freeFrames).toBe(1)
    expect(machine.allocateFrame()).toBe(one)
    expect(machine.bytes[one << 12]).toBe(0)
  })

  test('sizes that are not whole pages are refused', () => {
    const machine = new MachineMemory({ frames: 2, vcpus: 1 })
    expect(() => new GuestMemory(machine, 100)).toThrow(/whole number of pages/)
    expect(() => new GuestMemory(machine, 0x1000).map(5, 0)).toThrow(/outside the memory/)
  })
})
