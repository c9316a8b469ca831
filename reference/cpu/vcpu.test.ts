import { describe, expect, test } from 'vitest'
import { resetEntryState } from '../boot/rom.ts'
import { GuestMemory } from '../mmu/guest-memory.ts'
import { MachineMemory } from '../mmu/machine-memory.ts'
import { BareMachine } from './bare-machine.ts'
import { COST_MODELS } from './cost-model.ts'
import { Vcpu } from './vcpu.ts'

describe('a vcpu', () => {
  test('is in the state after RESET, as the ROM loader describes it', () => {
    const machine = new MachineMemory({ frames: 256, vcpus: 1 })
    const { registers } = new Vcpu({ index: 0, machine, memory: new GuestMemory(machine, 0x10_0000) })
    const { eip, eflags, cr0, cs, data } = resetEntryState
    expect([registers.eip, registers.eflags, registers.cr0]).toEqual([eip, eflags, cr0])
    expect(registers.segment(1)).toMatchObject(cs)
    expect(registers.segment(3)).toMatchObject(data)
  })

  test('needs a block of its own', () => {
    const machine = new MachineMemory({ frames: 16, vcpus: 1 })
    const memory = new GuestMemory(machine, 0x1000)
    expect(() => new Vcpu({ index: 1, machine, memory })).toThrow(/no block 1/)
  })

  test('shares code with another vcpu: what one writes, the other executes', () => {
    const machine = new MachineMemory({ frames: 16, vcpus: 2 })
    const memory = new GuestMemory(machine, 0x1_0000)
    const [one, other] = [0, 1].map((index) => new Vcpu({ index, machine, memory })) as [Vcpu, Vcpu]
    // 1000: inc ax; jmp 1000     2000: mov byte [1000], 48 (dec ax); jmp itself
    memory.writeBytes(0x1000, Uint8Array.from([0x40, 0xeb, 0xfd]))
    memory.writeBytes(0x2000, Uint8Array.from([0xc6, 0x06, 0x00, 0x10, 0x48, 0xeb, 0xfe]))
    for (const [vcpu, eip] of [
      [one, 0x1000],
      [other, 0x2000],
    ] as const) {
      vcpu.registers.setSegment(1, { selector: 0, base: 0, limit: 0xffff, attributes: 0x93 })
      vcpu.registers.eip = eip
    }
    other.run(0)
    one.run(4)
    other.run(2)
    one.run(4)
    expect(one.registers.eax).toBe(0)
  })

  test('counts instructions and exits, and shows them in a record that cannot be written', () => {
    const { vcpu } = new BareMachine().load(0x1000, [0x40, 0x40, 0xe6, 0x80])
    vcpu.run(100)
    expect(vcpu.counters).toMatchObject({ retired: 3, exits: { io: 1, budget: 0 } })
    expect(Object.isFrozen(vcpu.counters)).toBe(true)
    expect(() => vcpu.run(-1)).toThrow(RangeError)
  })

  test('16-bit code and 32-bit code at the same address are decoded apart', () => {
    const { vcpu } = new BareMachine().load(0x1000, [0xb8, 1, 0, 0x40, 0x40, 0x90])
    vcpu.run(1)
    expect([vcpu.registers.eax, vcpu.registers.eip]).toEqual([0x4040_0001, 0x1005])
    vcpu.registers.setSegment(1, { selector: 8, base: 0, limit: 0xffff, attributes: 0x009b })
    vcpu.registers.eip = 0x1000
    vcpu.run(3)
    expect([vcpu.registers.eax, vcpu.registers.eip]).toEqual([0x4040_0003, 0x1005])
  })

  test('code on two addresses of one frame goes out of date on both', () => {
    const m = new BareMachine()
    m.page(0x7000, 3)
    m.memory.writeUint32(0x8000 + 4 * 5, 0x1003)
    // 1000 (also 5000): inc eax; nop; jmp back
    m.load(0x5000, [0x40, 0x90, 0xeb, 0xfc])
    m.memory.writeBytes(0x1000, Uint8Array.from([0x40, 0x90, 0xeb, 0xfc]))
    // 2000: mov byte [1000], 48; jmp 5000
    m.load(0x2000, [0xc6, 0x05, 0x00, 0x10, 0, 0, 0x48, 0xe9, 0xf4, 0x2f, 0, 0])
    m.vcpu.registers.eip = 0x5000
    m.vcpu.run(6)
    expect(m.vcpu.registers.eax).toBe(2)
    m.vcpu.registers.eip = 0x2000
    m.vcpu.run(5)
    expect(m.vcpu.registers.eax).toBe(1)
  })
})

describe('cost models', () => {
  test('are whole cycles under their own names', () => {
    for (const [name, model] of Object.entries(COST_MODELS)) {
      expect(model.name).toBe(name)
      expect([model.instruction, model.hz, ...Object.values(model.events)].every(Number.isInteger)).toBe(true)
      expect(model.instruction).toBeGreaterThan(0)
    }
  })
})
