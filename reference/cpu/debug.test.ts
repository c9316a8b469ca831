import { describe, expect, test } from 'vitest'
import { BareMachine } from './bare-machine.ts'

const CODE = 0x1000
const HANDLER = 0x2000
const STACK = 0x4000
const DATA = 0x3000
const RF = 0x1_0000
const HLT = 0xf4
/** DR7: L0, and what breakpoint 0 watches. */
const L0 = 1
const ON_WRITE = 0x1_0000
const ON_PORT = 0x2_0000
const ON_ACCESS = 0x3_0000
const FOUR_BYTES = 0xc_0000

/** Sets DR0 and DR7 at level 0 (mov dr0,eax; mov dr7,ecx), then stands before `code`. The #DB handler reads DR6 and halts. */
function machineWith(code: readonly number[], dr0: number, dr7: number): BareMachine {
  const m = new BareMachine().load(HANDLER, [0x0f, 0x21, 0xf3, HLT])
  m.gate(1, HANDLER)
  m.vcpu.registers.esp = STACK
  m.vcpu.registers.eax = dr0
  m.vcpu.registers.ecx = dr7
  m.load(CODE - 6, [0x0f, 0x23, 0xc0, 0x0f, 0x23, 0xf9, ...code])
  m.vcpu.run(2)
  return m
}

/** Where the trap came, and DR6 without the bits that are always 1. */
function trapOf(m: BareMachine): { eip: number; flags: number; dr6: number } {
  const exit = m.vcpu.run(100)
  expect(exit.reason).toBe('hlt')
  const [eip, , flags] = m.stack(3)
  return { eip: eip!, flags: flags!, dr6: m.vcpu.registers.ebx & 0xf00f }
}

describe('an instruction breakpoint', () => {
  test('is #DB before the instruction, which has not been executed', () => {
    const m = machineWith([0x46, 0x47, 0x46], CODE + 1, L0)
    expect(trapOf(m)).toEqual({ eip: CODE + 1, flags: 2, dr6: 1 })
    expect([m.vcpu.registers.esi, m.vcpu.registers.edi]).toEqual([1, 0])
  })

  test('lets the instruction pass with RF, which that instruction clears', () => {
    const m = machineWith([0x46, 0x47, 0x46, 0xcc], CODE + 1, L0)
    m.gate(3, HANDLER + 3)
    m.vcpu.registers.eip = HANDLER + 0x100
    m.memory.writeUint8(HANDLER + 0x100, 0xcf)
    for (const [i, word] of [CODE + 1, 8, RF | 2].entries()) m.memory.writeUint32(STACK - 12 + 4 * i, word)
    m.vcpu.registers.esp = STACK - 12
    m.vcpu.run(1)
    expect(m.vcpu.registers.eflags).toBe(RF | 2)
    m.vcpu.run(1)
    expect([m.vcpu.registers.edi, m.vcpu.registers.eflags & RF]).toEqual([1, 0])
    expect(m.vcpu.run(100).reason).toBe('hlt')
    expect(m.vcpu.registers.esi).toBe(1)
  })

  test('a fault that is returned from sets RF, so that it does not break twice', () => {
    const m = machineWith([0x0f, 0x0b], CODE + 4, L0)
    m.gate(6, HANDLER + 0x100)
    m.memory.writeUint8(HANDLER + 0x100, HLT)
    m.vcpu.run(2)
    expect(m.stack(3)[2]! & RF).toBe(RF)
  })

  test('does not act while it is not enabled, or once it is disabled', () => {
    const m = machineWith([0x46, 0x47, HLT], CODE + 1, 0)
    expect(m.vcpu.run(10).reason).toBe('hlt')
    expect(m.vcpu.registers.edi).toBe(1)
    const disabled = machineWith([0x31, 0xc9, 0x0f, 0x23, 0xf9, 0x46, HLT], CODE + 5, L0)
    expect(disabled.vcpu.run(10).reason).toBe('hlt')
    expect(disabled.vcpu.registers.esi).toBe(1)
  })
})

describe('a data breakpoint', () => {
  test('is #DB behind the instruction that wrote', () => {
    // mov [3002],al; inc esi
    const m = machineWith([0xa2, 2, 0x30, 0, 0, 0x46], DATA, L0 | ON_WRITE | FOUR_BYTES)
    expect(trapOf(m)).toEqual({ eip: CODE + 5, flags: 2, dr6: 1 })
    expect(m.vcpu.registers.esi).toBe(0)
  })

  test('on writes lets reads pass, and one on both does not; other bytes of the page are not watched', () => {
    const read = [0xa1, 0, 0x30, 0, 0, 0xa3, 8, 0x30, 0, 0, HLT]
    const m = machineWith(read, DATA, L0 | ON_WRITE | FOUR_BYTES)
    expect(m.vcpu.run(10).reason).toBe('hlt')
    expect(m.vcpu.registers.eip).toBe(CODE + read.length)
    expect(trapOf(machineWith(read, DATA, L0 | ON_ACCESS | FOUR_BYTES))).toMatchObject({ eip: CODE + 5, dr6: 1 })
  })

  test('stops a repeated instruction behind the element that it watches', () => {
    const m = machineWith([0xf3, 0xaa, 0x46], DATA + 4, L0 | ON_WRITE)
    m.vcpu.registers.edi = DATA
    m.vcpu.registers.ecx = 16
    expect(trapOf(m)).toMatchObject({ eip: CODE, dr6: 1 })
    expect([m.vcpu.registers.edi, m.vcpu.registers.ecx]).toEqual([DATA + 5, 11])
  })

  test('is seen by accesses that the TLB knew before, and no longer once it is gone', () => {
    // mov [3000],eax; mov dr7,edx; mov [3000],eax; mov dr7,ebp; mov [3000],eax; hlt
    const store = [0xa3, 0, 0x30, 0, 0]
    const m = machineWith([...store, 0x0f, 0x23, 0xfa, ...store, 0x0f, 0x23, 0xfd, ...store, HLT], DATA, 0)
    m.vcpu.registers.edx = L0 | ON_WRITE
    m.vcpu.registers.ebp = 0
    expect(trapOf(m)).toMatchObject({ eip: CODE + 13, dr6: 1 })
    m.vcpu.halted = false
    m.vcpu.registers.eip = CODE + 13
    m.vcpu.run(2)
    expect(m.vcpu.registers.eip).toBe(CODE + 21)
  })
})

describe('other debug exceptions', () => {
  test('a port breakpoint needs CR4.DE', () => {
    for (const de of [0, 8]) {
      const m = machineWith([0xe6, 0x80, 0x46, HLT], 0x80, 0)
      m.vcpu.registers.cr4 = de
      m.load(CODE - 3, [0x0f, 0x23, 0xf9])
      m.vcpu.registers.ecx = L0 | ON_PORT
      m.vcpu.run(1)
      expect(m.vcpu.run(10)).toMatchObject({ reason: 'io', port: 0x80 })
      m.vcpu.run(10)
      expect(m.vcpu.registers.esi).toBe(de === 0 ? 1 : 0)
    }
  })

  test('general detect is #DB with DR6.BD at the next access, and is off in the handler', () => {
    const m = machineWith([0x0f, 0x21, 0xc6], 0, 0x2000)
    expect(trapOf(m)).toMatchObject({ eip: CODE, dr6: 0x2000 })
  })

  test('with CR4.DE there is no DR4; DR6 and DR7 keep their fixed bits', () => {
    const m = machineWith([0x0f, 0x21, 0xf6, 0x0f, 0x21, 0xff, 0x0f, 0x21, 0xe0], 0, 0xffff_ffff & ~0x23ff)
    m.vcpu.registers.cr4 = 8
    m.vcpu.intercepts.exceptions = -1
    expect(m.vcpu.run(3)).toEqual({ reason: 'exception', vector: 6, error: -1 })
    expect([m.vcpu.registers.esi, m.vcpu.registers.edi]).toEqual([0xffff_0ff0, 0xffff_0400])
  })

  test('a single step and a data breakpoint at once are one exception', () => {
    const m = machineWith([0xa2, 0, 0x30, 0, 0, 0x46], DATA, L0 | ON_WRITE)
    m.vcpu.registers.eflags = 0x102
    expect(trapOf(m)).toMatchObject({ eip: CODE + 5, dr6: 0x4001 })
  })

  test('a breakpoint is saved and restored with the vcpu', () => {
    const m = machineWith([0x46, 0x47], CODE + 1, L0)
    const state = m.vcpu.save()
    m.vcpu.reset()
    m.vcpu.restore(JSON.parse(JSON.stringify(state)))
    expect(trapOf(m)).toMatchObject({ eip: CODE + 1, dr6: 1 })
  })
})
