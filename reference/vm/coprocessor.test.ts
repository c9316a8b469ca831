import { expect, test } from 'vitest'
import { createMachine } from '../machine.ts'

const CODE = 0x1000
const HANDLER = 0x2000
const VECTOR = 0x75

test('an unmasked FPU exception without CR0.NE interrupts a guest on IRQ 13, at once and before its next FPU instruction', () => {
  const { host, vm } = createMachine({ memoryBytes: 0x10_0000 })
  const { vcpu, bus } = vm.processors[0]!
  for (const [port, bytes] of [
    [0x20, [0x11]],
    [0x21, [0x68, 4, 1, 0xfb]],
    [0xa0, [0x11]],
    [0xa1, [0x70, 2, 1, 0xdf]],
  ] as const) {
    for (const byte of bytes) bus.write(port, 1, byte, 0)
  }
  // sti; fninit; fldcw [3000]; fld1; fldz; fdivp; nop; fld1; inc si; jmp $
  const code = [
    0xfb, 0xdb, 0xe3, 0xd9, 0x2e, 0, 0x30, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x90, 0xd9, 0xe8, 0x46, 0xeb, 0xfe,
  ]
  // inc di; out f0,al; fnclex; mov al,20; out a0,al; out 20,al; iret
  const handler = [0x47, 0xe6, 0xf0, 0xdb, 0xe2, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0xcf]
  vm.memory.writeBytes(CODE, Uint8Array.from(code))
  vm.memory.writeBytes(HANDLER, Uint8Array.from(handler))
  vm.memory.writeUint32(4 * VECTOR, HANDLER)
  vm.memory.writeUint16(0x3000, 0x37b)
  for (const segment of [0, 1, 2, 3]) {
    vcpu.registers.setSegment(segment, { selector: 0, base: 0, limit: 0xffff, attributes: 0x93 })
  }
  vcpu.registers.eip = CODE
  vcpu.registers.esp = 0x8000
  host.runUntil(2_000)
  expect([vcpu.registers.edi, vcpu.registers.esi, vcpu.registers.eip]).toEqual([1, 1, CODE + code.length - 2])
})
