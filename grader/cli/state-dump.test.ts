import { expect, test } from 'vitest'
import { createMachine } from '../../reference/machine.ts'
import { dumpState } from './state-dump.ts'

test('a triple fault is told with its whole chain, the instruction and the registers', () => {
  const { host, vm } = createMachine({ memoryBytes: 1 << 20 })
  const { vcpu } = vm.processors[0]!
  for (const segment of [0, 1, 2, 3]) {
    vcpu.registers.setSegment(segment, { selector: 0, base: 0, limit: 0xffff, attributes: 0x93 })
  }
  // lidt [2000] with limit 0; mov eax,12345678; ud2
  vm.memory.writeBytes(
    0x1000,
    Uint8Array.of(0x0f, 0x01, 0x1e, 0x00, 0x20, 0x66, 0xb8, 0x78, 0x56, 0x34, 0x12, 0x0f, 0x0b),
  )
  vcpu.registers.eip = 0x1000
  host.runUntil(1000)
  expect(host.ended).toBe(true)
  const text = dumpState(vcpu, vm.memory)
  expect(text).toMatch(/^faults: #UD → #GP\(.*\) → #DF\(0000\) → shutdown\ninstruction: 0000100b: 0f 0b {2}ud2/)
  expect(text).toContain('EAX=12345678')
  expect(text).toMatch(/CS {3}0000 base 00000000 limit 0000ffff/)
  expect(text).toContain('IDTR base 00000000 limit 0000')
})
