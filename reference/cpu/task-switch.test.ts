import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BareMachine, KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA } from './bare-machine.ts'

const CODE = 0x1000
const OTHER = 0x2000
const STACK = 0x4000
const OTHER_STACK = 0x5000
const NEW_TSS = 0x7000
const NEW = 0x48
const GATE = 0x50
const OLD = 0x28
const HLT = 0xf4
const NT = 0x4000
const TS_BIT = 8
/** Where a 32-bit TSS keeps its parts. */
const EIP = 0x20
const EFLAGS = 0x24
const GENERAL = 0x28
const SEGMENTS = 0x48
const LINK = 0
const TRAP = 0x64

interface Task {
  readonly code: readonly number[]
  readonly eip?: number
  readonly flags?: number
  readonly segments?: readonly number[]
}

const KERNEL_SEGMENTS = [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA, 0, 0]

/** A machine about to run `code`, with a second task at OTHER. */
function machineWith(task: Task): BareMachine {
  const m = new BareMachine().load(OTHER, [0x43, HLT]).load(CODE, task.code)
  m.describe(NEW, NEW_TSS, 0x67, 0x89)
  m.describe(GATE, 0, 0, 0)
  m.memory.writeUint32(m.gdt + GATE, NEW << 16)
  m.memory.writeUint32(m.gdt + GATE + 4, 0x8500)
  m.memory.writeUint32(NEW_TSS + EIP, task.eip ?? OTHER)
  m.memory.writeUint32(NEW_TSS + EFLAGS, task.flags ?? 2)
  for (let i = 0; i < 8; i++) m.memory.writeUint32(NEW_TSS + GENERAL + 4 * i, i === 4 ? OTHER_STACK : 0x100 + i)
  for (const [i, s] of (task.segments ?? KERNEL_SEGMENTS).entries()) m.memory.writeUint32(NEW_TSS + SEGMENTS + 4 * i, s)
  m.vcpu.registers.esp = STACK
  m.vcpu.intercepts.exceptions = -1
  return m
}

function far(opcode: number, selector: number): number[] {
  return [opcode, 0, 0, 0, 0, selector, 0]
}

function typeOf(m: BareMachine, selector: number): number {
  return m.memory.readUint8(m.gdt + selector + 5) & 0x1f
}

describe('a jump to a task', () => {
  test('saves all registers in the old TSS, takes all from the new one, and moves the busy bit', () => {
    for (const selector of [NEW, GATE]) {
      const m = machineWith({ code: far(0xea, selector) })
      m.vcpu.registers.eax = 0x1234_5678
      m.vcpu.registers.eflags = 0x846
      m.vcpu.run(1)
      const { registers } = m.vcpu
      expect(registers).toMatchObject({ eip: OTHER, eax: 0x100, edi: 0x107, esp: OTHER_STACK, tr: NEW, eflags: 2 })
      expect(registers).toMatchObject({ cs: KERNEL_CODE, ss: KERNEL_DATA, ds: KERNEL_DATA, fs: 0, cpl: 0 })
      expect(registers.cr0 & TS_BIT).toBe(TS_BIT)
      const at = (offset: number) => m.memory.readUint32(m.tss + offset)
      expect([at(EIP), at(EFLAGS), at(GENERAL), at(GENERAL + 16)]).toEqual([CODE + 7, 0x846, 0x1234_5678, STACK])
      expect([at(SEGMENTS), at(SEGMENTS + 4)].map((s) => s & 0xffff)).toEqual([KERNEL_DATA, KERNEL_CODE])
      expect([typeOf(m, OLD), typeOf(m, NEW)]).toEqual([9, 11])
    }
  })

  test('and back gives every register as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 8, maxLength: 8 }), (values) => {
        const m = machineWith({ code: [...far(0xea, NEW), 0x90] })
        m.memory.writeBytes(OTHER, Uint8Array.from(far(0xea, OLD)))
        for (const [i, value] of values.entries()) m.vcpu.registers.setGeneral(i, value)
        m.vcpu.run(2)
        expect(values.map((_, i) => m.vcpu.registers.general(i))).toEqual(values)
        expect([m.vcpu.registers.eip, m.vcpu.registers.tr]).toEqual([CODE + 7, OLD])
      }),
      { seed: 7, numRuns: 30 },
    )
  })

  test('to level 3 loads its segments and its page directory', () => {
    const m = machineWith({
      code: far(0xea, NEW),
      segments: [USER_DATA, USER_CODE, USER_DATA, USER_DATA, USER_DATA, USER_DATA],
    })
    m.page(0xa000, 7)
    m.memory.writeUint32(NEW_TSS + 0x1c, 0x8000)
    m.memory.writeUint32(0x8000, 0xb007)
    m.vcpu.run(1)
    expect(m.vcpu.registers).toMatchObject({ cpl: 3, cs: USER_CODE, ss: USER_DATA, cr3: 0x8000, eip: OTHER })
  })
})

describe('nested tasks', () => {
  test('a call writes the back link and sets NT; IRET goes back and clears it', () => {
    const m = machineWith({ code: far(0x9a, NEW) })
    m.vcpu.run(1)
    expect([m.memory.readUint16(NEW_TSS + LINK), m.vcpu.registers.eflags & NT]).toEqual([OLD, NT])
    expect([typeOf(m, OLD), typeOf(m, NEW)]).toEqual([11, 11])
    m.memory.writeUint8(OTHER, 0xcf)
    m.vcpu.run(1)
    expect([m.vcpu.registers.tr, m.vcpu.registers.eip, m.vcpu.registers.eflags & NT]).toEqual([OLD, CODE + 7, 0])
    expect([typeOf(m, OLD), typeOf(m, NEW)]).toEqual([11, 9])
    expect(m.memory.readUint32(NEW_TSS + EFLAGS) & NT).toBe(0)
  })

  test('an exception through a task gate pushes its error code on the new stack', () => {
    const m = machineWith({ code: [0x8e, 0xd9] })
    m.vcpu.intercepts.exceptions = 0
    m.vcpu.registers.ecx = 0xfff8
    m.gate(13, 0, 0x85, NEW)
    m.vcpu.run(1)
    expect(m.vcpu.registers).toMatchObject({ eip: OTHER, tr: NEW, esp: OTHER_STACK - 4 })
    expect(m.stack(1)).toEqual([0xfff8])
    expect([m.memory.readUint32(m.tss + EIP), m.memory.readUint32(m.tss + EFLAGS)]).toEqual([CODE, 0x1_0002])
    m.memory.writeBytes(OTHER, Uint8Array.from([0x58, 0xcf]))
    m.vcpu.run(2)
    expect([m.vcpu.registers.eip, m.vcpu.registers.tr]).toEqual([CODE, OLD])
  })

  test('a double fault has a task of its own when its gate is one, even with a broken stack', () => {
    const m = machineWith({ code: [0x50] })
    m.vcpu.intercepts.exceptions = 0
    m.vcpu.registers.setSegment(2, { selector: KERNEL_DATA, base: 0, limit: 0xfff, attributes: 0x4093 })
    for (let vector = 0; vector < 32; vector++) m.gate(vector, 0x2100)
    m.gate(8, 0, 0x85, NEW)
    m.vcpu.run(1)
    expect(m.vcpu.registers).toMatchObject({ tr: NEW, eip: OTHER })
    expect(m.stack(1)).toEqual([0])
  })

  test('NT without a task to go back to is #TS', () => {
    const m = machineWith({ code: [0xcf] })
    m.vcpu.registers.eflags = NT
    m.memory.writeUint16(m.tss, NEW)
    expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 10, error: NEW })
  })
})

describe('what is refused', () => {
  test('in the old task: a busy TSS, one that is absent, one that is too short, a selector of the LDT', () => {
    const cases = [
      { attributes: 0x8b, limit: 0x67, vector: 13 },
      { attributes: 0x09, limit: 0x67, vector: 11 },
      { attributes: 0x89, limit: 0x66, vector: 10 },
      { attributes: 0x82, limit: 0x67, vector: 13 },
    ]
    for (const { attributes, limit, vector } of cases) {
      const m = machineWith({ code: far(0xea, NEW) })
      m.describe(NEW, NEW_TSS, limit, attributes)
      expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector, error: NEW })
      expect(m.vcpu.registers).toMatchObject({ eip: CODE, tr: OLD, esp: STACK })
    }
  })

  test('a TSS and a gate of a lower DPL', () => {
    for (const selector of [NEW, GATE]) {
      const m = machineWith({ code: far(0xea, selector) })
      m.enter(3)
      expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: selector })
    }
  })

  test('in the new task: segments that do not fit, with EIP at its start', () => {
    const cases = [
      { segments: [KERNEL_DATA, 0, KERNEL_DATA, 0, 0, 0], vector: 10, error: 0 },
      { segments: [KERNEL_DATA, KERNEL_DATA, KERNEL_DATA, 0, 0, 0], vector: 10, error: KERNEL_DATA },
      { segments: [KERNEL_DATA, KERNEL_CODE, USER_DATA, 0, 0, 0], vector: 10, error: USER_DATA & ~3 },
      { segments: [0x60, KERNEL_CODE, KERNEL_DATA, 0, 0, 0], vector: 11, error: 0x60 },
    ]
    for (const { segments, vector, error } of cases) {
      const m = machineWith({ code: far(0xea, NEW), segments })
      m.describe(0x60, 0, 0xffff, 0x13)
      expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector, error })
      expect(m.vcpu.registers).toMatchObject({ eip: OTHER, tr: NEW })
    }
  })
})

test('a TSS of 16 bits is saved and loaded in words', () => {
  const m = machineWith({ code: far(0xea, NEW) })
  m.describe(NEW, NEW_TSS, 0x2b, 0x81)
  const words = [OTHER, 2, 0x1111, 0x2222, 0x3333, 0x4444, OTHER_STACK, 6, 7, 8]
  for (const [i, word] of words.entries()) m.memory.writeUint16(NEW_TSS + 0x0e + 2 * i, word)
  for (const [i, word] of [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA, 0].entries()) {
    m.memory.writeUint16(NEW_TSS + 0x22 + 2 * i, word)
  }
  m.vcpu.run(1)
  const { registers } = m.vcpu
  expect([registers.eip, registers.eax & 0xffff, registers.esp & 0xffff]).toEqual([OTHER, 0x1111, OTHER_STACK])
  m.memory.writeBytes(OTHER, Uint8Array.from(far(0xea, OLD)))
  m.vcpu.run(1)
  expect([registers.eip, registers.esp, m.memory.readUint16(NEW_TSS + 0x0e)]).toEqual([CODE + 7, STACK, OTHER + 7])
})

test('the T bit of a TSS is #DB with DR6.BT before its first instruction', () => {
  const m = machineWith({ code: far(0xea, NEW) })
  m.memory.writeUint16(NEW_TSS + TRAP, 1)
  expect(m.vcpu.run(2)).toEqual({ reason: 'exception', vector: 1, error: -1 })
  expect(m.vcpu.registers).toMatchObject({ eip: OTHER, tr: NEW })
})
