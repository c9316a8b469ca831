import { describe, expect, test } from 'vitest'
import { BareMachine, KERNEL_CODE, KERNEL_DATA } from './bare-machine.ts'

const MONITOR = 0x1000
const HANDLER = 0x2000
const KERNEL_STACK = 0x6000
const V86_CODE = 0x3000
const V86_STACK = 0x800
const VM = 0x2_0000
const IOPL_3 = 0x3000
const HLT = 0xf4

/** A machine whose kernel has just begun an IRETD to virtual-8086 mode at 300:0. */
function intoV86(code: readonly number[], flags = 0x202): BareMachine {
  const m = new BareMachine().load(HANDLER, new Array(0x400).fill(HLT)).load(V86_CODE, code).load(MONITOR, [0xcf])
  for (let vector = 0; vector < 64; vector++) m.gate(vector, HANDLER + 16 * vector)
  m.innerStack(0, KERNEL_STACK, KERNEL_DATA)
  const frame = [0, 0x300, flags | VM, V86_STACK, 0x400, 0x111, 0x222, 0x333, 0x444]
  for (const [i, word] of frame.entries()) m.memory.writeUint32(0x5000 + 4 * i, word)
  m.vcpu.registers.esp = 0x5000
  m.vcpu.run(1)
  return m
}

function handlerOf(m: BareMachine): number {
  return (m.vcpu.registers.eip - HANDLER) >> 4
}

describe('virtual-8086 mode', () => {
  test('is entered by IRETD with VM; segments are real ones, and the level is 3', () => {
    const m = intoV86([0x90])
    const { registers } = m.vcpu
    expect(registers).toMatchObject({ cs: 0x300, eip: 0, ss: 0x400, esp: V86_STACK, es: 0x111, gs: 0x444, cpl: 3 })
    expect(registers.segment(3)).toEqual({ selector: 0x222, base: 0x2220, limit: 0xffff, attributes: 0xf3 })
    expect(registers.eflags & VM).toBe(VM)
  })

  test('loads segments without descriptors, and code is of 16 bits', () => {
    // mov ax,123h; mov ds,ax; mov byte [0],5Ah
    const m = intoV86([0xb8, 0x23, 0x01, 0x8e, 0xd8, 0xc6, 0x06, 0, 0, 0x5a])
    m.vcpu.run(3)
    expect([m.memory.readUint8(0x1230), m.vcpu.registers.segment(3).base]).toEqual([0x5a, 0x1230])
  })

  test('far calls and returns are those of real mode', () => {
    const m = intoV86([0x9a, 0x10, 0, 0, 0x03, 0x40])
    m.memory.writeUint8(0x3010, 0xcb)
    m.vcpu.run(2)
    expect(m.vcpu.registers).toMatchObject({ cs: 0x300, eip: 5, esp: V86_STACK })
  })

  test('is left by an exception, with all segment registers on the stack of level 0', () => {
    const m = intoV86([0x0f, 0x0b])
    m.vcpu.run(1)
    expect(handlerOf(m)).toBe(6)
    expect(m.vcpu.registers).toMatchObject({ cpl: 0, cs: KERNEL_CODE, ds: 0, es: 0, fs: 0, gs: 0 })
    expect(m.stack(9)).toEqual([0, 0x300, 0x3_0202, V86_STACK, 0x400, 0x111, 0x222, 0x333, 0x444])
    expect(m.vcpu.registers.eflags & VM).toBe(0)
  })

  test('and entered again by the IRETD of the handler', () => {
    const m = intoV86([0x0f, 0x0b])
    m.memory.writeUint8(HANDLER + 6 * 16, 0xcf)
    m.vcpu.run(2)
    expect(m.vcpu.registers).toMatchObject({ cs: 0x300, eip: 0, cpl: 3, ss: 0x400, fs: 0x333 })
  })

  test('CLI, STI, PUSHF, POPF, INT n and IRET are #GP(0) unless IOPL is 3', () => {
    for (const code of [[0xfa], [0xfb], [0x9c], [0x9d], [0xcd, 0x20], [0xcf]]) {
      const m = intoV86(code)
      m.vcpu.run(1)
      expect([handlerOf(m), m.stack(1)[0]]).toEqual([13, 0])
    }
    const m = intoV86([0xfa, 0x9c, 0x58], 0x202 | IOPL_3)
    m.vcpu.run(3)
    expect(m.vcpu.registers.eax & 0xffff).toBe(0x3002)
  })

  test('INT3 and INTO do not ask for IOPL, and INT n with IOPL 3 takes the gate', () => {
    const m = intoV86([0xcc])
    m.gate(3, HANDLER + 3 * 16, 0xee)
    m.vcpu.run(1)
    expect([handlerOf(m), m.stack(1)[0]]).toEqual([3, 1])
    const int = intoV86([0xcd, 0x21], 0x202 | IOPL_3)
    int.gate(0x21, HANDLER + 0x21 * 16, 0xee)
    int.vcpu.run(1)
    expect(handlerOf(int)).toBe(0x21)
  })

  test('a handler of another level than 0 is #GP with its selector', () => {
    const m = intoV86([0xcc])
    m.describe(0x40, 0, 0xffff_ffff, 0xc0fb)
    m.gate(3, HANDLER, 0xee, 0x43)
    m.vcpu.run(1)
    expect([handlerOf(m), m.stack(1)[0]]).toEqual([13, 0x40])
  })

  test('ports are asked of the I/O bitmap, whatever IOPL is', () => {
    const m = intoV86([0xe6, 0x80, 0xe6, 0x81], 0x202 | IOPL_3)
    m.describe(0x28, m.tss, 0x200, 0x8b)
    m.vcpu.registers.setSegment(7, { selector: 0x28, base: m.tss, limit: 0x200, attributes: 0x8b })
    m.memory.writeUint16(m.tss + 0x66, 0x68)
    m.memory.writeUint16(m.tss + 0x68 + 0x10, 2)
    expect(m.vcpu.run(1)).toMatchObject({ reason: 'io', port: 0x80 })
    m.vcpu.run(1)
    expect(handlerOf(m)).toBe(13)
  })

  test('instructions on descriptors are #UD, privileged ones #GP', () => {
    for (const [code, vector] of [
      [[0x0f, 0x00, 0xc0], 6],
      [[0x63, 0xc0], 6],
      [[0x0f, 0x02, 0xc0], 6],
      [[0xf4], 13],
      [[0x0f, 0x20, 0xc0], 13],
      [[0x0f, 0x01, 0x16, 0, 0], 13],
    ] as const) {
      const m = intoV86(code)
      m.vcpu.run(1)
      expect(handlerOf(m)).toBe(vector)
    }
  })

  test('a state that is saved there goes on there', () => {
    const m = intoV86([0x1e, 0x58])
    const state = m.vcpu.save()
    m.vcpu.reset()
    m.vcpu.restore(JSON.parse(JSON.stringify(state)))
    m.vcpu.run(2)
    expect(m.vcpu.registers.eax & 0xffff).toBe(0x222)
  })
})
