import { describe, expect, test } from 'vitest'
import { UNIT_COSTS } from '../cpu/cost-model.ts'
import { create } from '../cpu/idle.ts'
import { Host } from '../sched/host.ts'
import type { Vm } from './vm.ts'

const CODE = 0x1_0000
const AP_PAGE = 8
const COUNTER = 0x9000
const IDT = 0xa000
const GDT = 0xb000
const HANDLER = 0x1_8000
const LAPIC = 0xfee0_0000
const VECTOR = 0x40
const FLAT = { base: 0, limit: 0xffff_ffff }

function bytesOf(word: number): number[] {
  return [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24]
}

/** mov dword [LAPIC + register], value */
function setApic(register: number, value: number): number[] {
  return [0xc7, 0x05, ...bytesOf(LAPIC + register), ...bytesOf(value)]
}

const ENABLE = setApic(0xf0, 0x1ff)
/** INIT, its release, and a start-up message to processor 1. */
const START_OTHER = [
  ...setApic(0x310, 0x100_0000),
  ...setApic(0x300, 0xc500),
  ...setApic(0x300, 0x8500),
  ...setApic(0x300, 0x4600 | AP_PAGE),
]

/** A host with one machine of two processors; the first is about to run `code` in flat protected mode. */
function hostWith(code: readonly number[], other: readonly number[], pcpus = 1): { host: Host; vm: Vm } {
  const host = new Host({
    costs: UNIT_COSTS,
    monitor: create(),
    quantum: 200,
    pcpus,
    vms: [{ memoryBytes: 0x10_0000, vcpus: 2, apic: true }],
  })
  const vm = host.vms[0]!
  const { registers } = vm.processors[0]!.vcpu
  vm.memory.writeBytes(CODE, Uint8Array.from(code))
  vm.memory.writeBytes(AP_PAGE * 0x1000, Uint8Array.from(other))
  vm.memory.writeUint32(GDT + 8, 0xffff)
  vm.memory.writeUint32(GDT + 12, 0xcf_9b00)
  vm.memory.writeUint32(IDT + 8 * VECTOR, (8 << 16) | (HANDLER & 0xffff))
  vm.memory.writeUint32(IDT + 8 * VECTOR + 4, (HANDLER & 0xffff_0000) | 0x8e00)
  registers.cr0 = 0x11
  registers.gdtr = { base: GDT, limit: 0xff }
  registers.idtr = { base: IDT, limit: 0x7ff }
  registers.setSegment(1, { ...FLAT, selector: 8, attributes: 0xc09b })
  for (const segment of [0, 2, 3]) registers.setSegment(segment, { ...FLAT, selector: 16, attributes: 0xc093 })
  registers.eip = CODE
  registers.esp = 0x2_0000
  return { host, vm }
}

/** inc word [9000]; jmp back, in real mode */
const COUNT = [0xff, 0x06, COUNTER & 255, COUNTER >> 8, 0xeb, 0xfa]

describe('a machine with APICs', () => {
  test('its second processor sleeps until INIT and a start-up message, then begins in real mode at that page', () => {
    for (const pcpus of [1, 2]) {
      const { host, vm } = hostWith([...ENABLE, ...START_OTHER, 0xeb, 0xfe], COUNT, pcpus)
      const { vcpu } = vm.processors[1]!
      expect([vm.processors[1]!.waitsForStartUp, vcpu.cycles]).toEqual([true, 0])
      host.runUntil(2_000)
      expect(vm.memory.readUint16(COUNTER)).toBeGreaterThan(100)
      expect(vcpu.registers).toMatchObject({ cs: AP_PAGE << 8, cr0: 0x6000_0010 })
    }
  })

  test('INIT stops a processor that runs, until it is started again', () => {
    const wait = [0xb9, ...bytesOf(400), 0xe2, 0xfe]
    const stop = [...setApic(0x300, 0xc500), 0xeb, 0xfe]
    const { host, vm } = hostWith([...ENABLE, ...START_OTHER, ...wait, ...stop], COUNT)
    host.runUntil(4_000)
    const counted = vm.memory.readUint16(COUNTER)
    host.runUntil(8_000)
    expect([vm.memory.readUint16(COUNTER), vm.processors[1]!.waitsForStartUp]).toEqual([counted, true])
    expect(counted).toBeGreaterThan(50)
  })

  test('a processor interrupts the other, whose HLT ends', () => {
    // the first: sti; hlt; jmp back; its handler: inc edi; EOI; iretd
    const handler = [0x47, ...setApic(0xb0, 0), 0xcf]
    const { host, vm } = hostWith([...ENABLE, ...START_OTHER, 0xfb, 0xf4, 0xeb, 0xfd], [])
    vm.memory.writeBytes(HANDLER, Uint8Array.from(handler))
    // the second, in real mode: o32 lgdt [b100]; protected mode; send the vector to processor 0; cli; hlt
    vm.memory.writeUint16(GDT + 0x100, 0xff)
    vm.memory.writeUint32(GDT + 0x102, GDT)
    const flat = [0x66, 0x0f, 0x01, 0x16, 0x00, 0xb1, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x66, 0xea]
    const at = AP_PAGE * 0x1000 + flat.length + 6
    vm.memory.writeUint32(GDT + 16, 0xffff)
    vm.memory.writeUint32(GDT + 20, 0xcf_9300)
    const body = [
      0xb8,
      16,
      0,
      0,
      0,
      0x8e,
      0xd8,
      ...setApic(0xf0, 0x1ff),
      ...setApic(0x310, 0),
      ...setApic(0x300, VECTOR),
    ]
    const code = [...flat, ...bytesOf(at), 8, 0, ...body, 0xfa, 0xf4]
    vm.memory.writeBytes(AP_PAGE * 0x1000, Uint8Array.from(code))
    host.runUntil(20_000)
    expect(vm.processors[0]!.vcpu.registers.edi).toBe(1)
    expect(host.asleep).toBe(true)
  })

  test("the local timer ends a processor's HLT, at the cost of no cycle between", () => {
    const timer = [...setApic(0x3e0, 0xb), ...setApic(0x320, 0x2_0000 | VECTOR), ...setApic(0x380, 1_000_000_000)]
    const { host, vm } = hostWith([...ENABLE, ...timer, 0xfb, 0xf4, 0xeb, 0xfd], [])
    vm.memory.writeBytes(HANDLER, Uint8Array.from([0x47, ...setApic(0xb0, 0), 0xcf]))
    host.runUntil(5_500_000)
    expect(vm.processors[0]!.vcpu.registers.edi).toBe(5)
    expect(vm.processors[0]!.vcpu.cycles).toBeLessThan(100)
  })

  test('a device reaches a processor through the I/O APIC; CPUID tells of the APIC and its ID', () => {
    const ioApic = (register: number, value: number) => [
      0xc7,
      0x05,
      ...bytesOf(0xfec0_0000),
      ...bytesOf(register),
      0xc7,
      0x05,
      ...bytesOf(0xfec0_0010),
      ...bytesOf(value),
    ]
    const cpuid = [0xb8, 1, 0, 0, 0, 0x0f, 0xa2]
    const { host, vm } = hostWith([...ENABLE, ...ioApic(0x10 + 8, VECTOR), ...cpuid, 0xfb, 0xf4, 0xeb, 0xfd], [])
    vm.memory.writeBytes(HANDLER, Uint8Array.from([0x47, ...setApic(0xb0, 0), 0xcf]))
    host.runUntil(1_000)
    vm.processors[0]!.bus.write(0x3f9, 1, 2, host.now)
    host.runUntil(2_000)
    host.kick(0)
    host.runUntil(3_000)
    const { registers } = vm.processors[0]!.vcpu
    expect([registers.edi, (registers.edx >> 9) & 1, registers.ebx >>> 24]).toEqual([1, 1, 0])
  })

  test('the TSC goes on while a processor halts, and is the same on all of them', () => {
    // the first: rdtsc; mov esi,eax; a timer ends its HLT; rdtsc
    const timer = [...setApic(0x3e0, 0xb), ...setApic(0x320, VECTOR), ...setApic(0x380, 1_000_000_000)]
    const code = [...ENABLE, ...START_OTHER, ...timer, 0x0f, 0x31, 0x89, 0xc6, 0xfb, 0xf4, 0x0f, 0x31, 0xeb, 0xfe]
    const { host, vm } = hostWith(code, [0x0f, 0x31, 0xeb, 0xfc])
    vm.memory.writeBytes(HANDLER, Uint8Array.from([...setApic(0xb0, 0), 0xcf]))
    host.runUntil(1_002_000)
    const [first, other] = vm.processors.map(({ vcpu }) => vcpu.registers)
    expect(first!.eax - first!.esi).toBeGreaterThan(999_000)
    expect(Math.abs(other!.eax - host.now)).toBeLessThan(1_000)
  })
})
