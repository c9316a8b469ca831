import { expect, test } from 'vitest'
import { MachineMemory } from './machine-memory.ts'

const FRAMES = 3000

test('decoded code is kept of a bounded number of frames, and what is dropped is out of date', () => {
  const machine = new MachineMemory({ frames: FRAMES, vcpus: 1 })
  let drops = 0
  machine.observe(0, { codeAppeared: () => {}, codeDropped: () => drops++, memoryRemapped: () => {} })
  const blocks = Array.from({ length: FRAMES }, () => {
    const block = { count: 1 }
    machine.codeFrameAt(machine.allocateFrame() * 4096).add(block, 0, 4, 32)
    return block
  })
  const kept = machine.codeFrames.filter((frame) => frame !== undefined)
  expect(kept.length).toBe(blocks.filter(({ count }) => count === 1).length)
  expect(kept.length).toBeLessThanOrEqual(400)
  expect([drops > 0, blocks.at(-1)!.count]).toEqual([true, 1])
})
