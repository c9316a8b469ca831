import { describe, expect, test } from 'vitest'
import { BareMachine } from '../bare-machine.ts'
import type { Exit } from '../exit.ts'
import { Vcpu } from '../vcpu.ts'

const CODE = 0x1000
const DATA = 0x3000
const CR0_NE = 0x20

/** fldcw [3000]; fld1; fldz; fdivp: an unmasked division by zero */
const DIVIDE_BY_ZERO = [0xd9, 0x2d, 0, 0x30, 0, 0, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9]

function machineWith(code: readonly number[], cr0 = CR0_NE): BareMachine {
  const m = new BareMachine().load(CODE, code)
  m.vcpu.registers.cr0 = 0x11 | cr0
  m.vcpu.registers.esp = 0x8000
  m.vcpu.intercepts.exceptions = -1
  m.memory.writeUint16(DATA, 0x37b)
  return m
}

/** Runs `count` instructions behind FNINIT. */
function afterInit(code: readonly number[], count: number, cr0 = CR0_NE): { m: BareMachine; exit: Exit } {
  const m = machineWith([0xdb, 0xe3, ...code], cr0)
  return { m, exit: m.vcpu.run(1 + count) }
}

describe('an unmasked exception', () => {
  test('waits for the next waiting instruction, which is #MF with CR0.NE', () => {
    const { m, exit } = afterInit([...DIVIDE_BY_ZERO, 0x90, 0x9b], 6)
    expect(exit).toEqual({ reason: 'exception', vector: 16, error: -1 })
    expect(m.vcpu.registers.eip).toBe(CODE + 2 + DIVIDE_BY_ZERO.length + 1)
  })

  test('does not hold up instructions that do not wait; FNCLEX ends it', () => {
    const fnstswAx = [0xdf, 0xe0]
    const { m, exit } = afterInit([...DIVIDE_BY_ZERO, ...fnstswAx, 0xdb, 0xe2, 0x9b, ...fnstswAx], 8)
    expect(exit.reason).toBe('budget')
    expect(m.vcpu.registers.eax & 0xffff).toBe(0x3000)
  })

  test('leaves operands and stack when it was found before the operation', () => {
    const { m } = afterInit([...DIVIDE_BY_ZERO, 0xdf, 0xe0], 5)
    expect(m.vcpu.registers.eax & 0xffff).toBe(0xb084)
  })

  test('without CR0.NE asserts FERR#, and the next waiting instruction stands still until an interrupt', () => {
    const levels: boolean[] = []
    const m = new BareMachine()
    const vcpu = new Vcpu({ index: 0, machine: m.machine, memory: m.memory, ferr: (level) => levels.push(level) })
    const { registers } = vcpu
    registers.cr0 = 0x11
    for (const [n, attributes] of [0xc093, 0xc09b, 0xc093, 0xc093].entries()) {
      registers.setSegment(n, { selector: 8, base: 0, limit: 0xffff_ffff, attributes })
    }
    m.memory.writeUint16(DATA, 0x37b)
    m.memory.writeBytes(CODE, Uint8Array.from([0xdb, 0xe3, ...DIVIDE_BY_ZERO, 0x9b, 0x40]))
    registers.eip = CODE
    levels.length = 0
    registers.eflags = 0x200
    expect(vcpu.run(100)).toEqual({ reason: 'interruptWindow' })
    expect(registers.eip).toBe(CODE + 14)
    vcpu.requestInterruptWindow(false)
    expect(vcpu.run(100)).toEqual({ reason: 'hlt', length: 0 })
    expect([levels.at(-1), vcpu.halted, registers.eip]).toEqual([true, true, CODE + 14])
    vcpu.halted = false
    vcpu.ignoresNumericErrors = true
    vcpu.run(2)
    expect(registers.eax).toBe(1)
  })
})

describe('the environment', () => {
  const FNSTENV = [0xd9, 0x35, 0, 0x31, 0, 0]
  /** fld dword [3010] */
  const LOAD = [0xd9, 0x05, 0x10, 0x30, 0, 0]

  test('of 32-bit protected mode has instruction, operand and opcode', () => {
    const { m } = afterInit([...LOAD, ...FNSTENV], 2)
    const words = Array.from({ length: 7 }, (_, i) => m.memory.readUint32(DATA + 0x100 + 4 * i))
    expect(words).toEqual([0xffff_037f, 0xffff_3800, 0xffff_7fff, CODE + 2, 0x0105_0008, DATA + 0x10, 0xffff_0010])
  })

  test('of 16-bit protected mode has words', () => {
    const { m } = afterInit([...LOAD, 0x66, ...FNSTENV], 2)
    const words = Array.from({ length: 7 }, (_, i) => m.memory.readUint16(DATA + 0x100 + 2 * i))
    expect(words).toEqual([0x37f, 0x3800, 0x7fff, CODE + 2, 8, DATA + 0x10, 0x10])
  })

  test('of real mode has linear addresses, in both sizes', () => {
    const m = machineWith([])
    m.vcpu.reset()
    const { registers } = m.vcpu
    registers.setSegment(1, { selector: 0x100, base: 0x1000, limit: 0xffff, attributes: 0x93 })
    registers.setSegment(3, { selector: 0x300, base: 0x3000, limit: 0xffff, attributes: 0x93 })
    // fninit; fld dword [10]; fnstenv [100]; o32 fnstenv [200]
    m.load(CODE, [0xdb, 0xe3, 0xd9, 0x06, 0x10, 0, 0xd9, 0x36, 0, 1, 0x66, 0xd9, 0x36, 0, 2])
    registers.eip = 0
    m.vcpu.run(4)
    const words = Array.from({ length: 7 }, (_, i) => m.memory.readUint16(DATA + 0x100 + 2 * i))
    expect(words).toEqual([0x37f, 0x3800, 0x7fff, CODE + 2, 0x106, DATA + 0x10, 0])
    const long = Array.from({ length: 7 }, (_, i) => m.memory.readUint32(DATA + 0x200 + 4 * i))
    expect(long.slice(3)).toEqual([0xffff_1002, 0x106, 0xffff_3010, 0])
  })

  test('that is loaded with an exception that its control word does not mask makes it wait', () => {
    const { m, exit } = afterInit([...FNSTENV, 0xd9, 0x25, 0, 0x31, 0, 0, 0x9b], 1)
    expect(exit.reason).toBe('budget')
    m.memory.writeUint32(DATA + 0x100, 0x37e)
    m.memory.writeUint32(DATA + 0x104, 1)
    expect(m.vcpu.run(2)).toEqual({ reason: 'exception', vector: 16, error: -1 })
  })

  test('FNSTENV masks all exceptions; FNSAVE leaves the FPU as FNINIT does', () => {
    const { m } = afterInit([0xd9, 0x2d, 0, 0x30, 0, 0, ...FNSTENV, 0xd9, 0x3d, 0x20, 0x30, 0, 0], 3)
    expect([m.memory.readUint16(DATA + 0x100), m.memory.readUint16(DATA + 0x20)]).toEqual([0x37b, 0x37f])
    const saved = afterInit([0xd9, 0x2d, 0, 0x30, 0, 0, 0xd9, 0xe8, 0xdd, 0x35, 0, 0x31, 0, 0, ...FNSTENV], 4)
    expect(saved.m.memory.readUint32(DATA + 0x108) & 0xffff).toBe(0xffff)
  })
})

describe('memory operands', () => {
  test('a store that faults leaves the stack as it was', () => {
    const m = machineWith([0xdb, 0xe3, 0xd9, 0xe8, 0xdb, 0x3d, 0xfa, 0x3f, 0, 0, 0xdf, 0xe0])
    m.page(0xa000, 3)
    m.memory.writeUint32(0xb000 + 4 * 4, 0)
    m.memory.writeUint32(0x3ffa, 0x5555_5555)
    expect(m.vcpu.run(3)).toEqual({ reason: 'exception', vector: 14, error: 2 })
    expect(m.memory.readUint32(0x3ffa)).toBe(0x5555_5555)
    m.vcpu.registers.eip = CODE + 10
    m.vcpu.run(1)
    expect(m.vcpu.registers.eax & 0xffff).toBe(0x3800)
  })

  test('the registers are saved and restored with the vcpu', () => {
    const { m } = afterInit([0xd9, 0xeb, 0xdb, 0x3d, 0, 0x32, 0, 0], 1)
    const state = m.vcpu.save()
    m.vcpu.reset()
    m.vcpu.restore(JSON.parse(JSON.stringify(state)))
    m.vcpu.run(1)
    expect(m.memory.readUint32(0x3200)).toBe(0x2168_c235)
  })
})

test('RESET leaves +0 in every register and all exceptions unmasked', () => {
  const m = machineWith([0xd9, 0x35, 0, 0x31, 0, 0])
  m.vcpu.run(1)
  const words = Array.from({ length: 3 }, (_, i) => m.memory.readUint16(DATA + 0x100 + 4 * i))
  expect(words).toEqual([0x40, 0, 0x5555])
})
