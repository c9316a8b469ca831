import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../io/block-device.ts'
import { createMachine, type MachineOptions } from '../machine.ts'

const MIB = 1 << 20

/** A machine that executes `code` at 1000h in real mode, with interrupts off. */
function machineWith(code: readonly number[], options: Partial<MachineOptions> = {}) {
  const machine = createMachine({ memoryBytes: 2 * MIB, ...options })
  const { registers } = machine.vm.processors[0]!.vcpu
  machine.vm.memory.writeBytes(0x1000, Uint8Array.from(code))
  for (const segment of [0, 1, 2, 3]) {
    registers.setSegment(segment, { selector: 0, base: 0, limit: 0xffff, attributes: 0x93 })
  }
  registers.eip = 0x1000
  registers.esp = 0x8000
  return machine
}

describe('the chipset', () => {
  it.each([
    ['the keyboard controller', [0xb0, 0xfe, 0xe6, 0x64]],
    ['port 92h', [0xb0, 0x01, 0xe6, 0x92]],
    ['port CF9h', [0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee]],
  ])('stops the machine behind the instruction that resets it by %s, with PCI and without', (_, code) => {
    for (const type of ['isapc', 'pc'] as const) {
      const { host, vm } = machineWith([...code, 0x46, 0xeb, 0xfe], { type })
      host.runUntil(1000)
      const { eip, esi } = vm.processors[0]!.vcpu.registers
      expect([vm.resetRequested, host.ended, eip, esi]).toEqual([true, true, 0x1000 + code.length, 0])
    }
  })

  it('reads a sector of a disk, and tells of it on IRQ 14', () => {
    const disk = new MemoryDisk(Uint8Array.from({ length: 1024 }, (_, i) => (i >> 9) + 7))
    const { host, vm } = machineWith([0xeb, 0xfe], { disks: [disk] })
    const { bus, pic } = vm.processors[0]!
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x68],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0xfb],
      [0xa0, 0x11],
      [0xa1, 0x70],
      [0xa1, 2],
      [0xa1, 1],
      [0xa1, 0xbf],
      [0x1f2, 1],
      [0x1f3, 1],
      [0x1f6, 0xe0],
      [0x1f7, 0x20],
    ] as const) {
      bus.write(port, 1, value, host.now)
    }
    expect(pic.interruptPending()).toBe(true)
    expect(bus.read(0x1f0, 4, host.now)).toBe(0x0808_0808)
  })

  it('is the same after a restore of what it saved, and refuses the state of another machine', () => {
    const { chipset } = machineWith([0xeb, 0xfe])
    chipset.key(0x1c, true)
    const saved = chipset.save()
    const copy = machineWith([0xeb, 0xfe])
    copy.chipset.restore(JSON.parse(JSON.stringify(saved)))
    expect(copy.chipset.save()).toEqual(saved)
    expect(() => machineWith([], { type: 'pc' }).chipset.restore(saved)).toThrow('The machine has the devices')
  })
})
