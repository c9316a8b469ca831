import { describe, expect, test } from 'vitest'
import { BareMachine, KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA } from './bare-machine.ts'

const CODE = 0x1000
const TARGET = 0x2000
const STACK = 0x4000
const KERNEL_STACK = 0x6000
const GATE = 0x33
const CONFORMING = 0x38

function fromUser(code: readonly number[]): BareMachine {
  const m = new BareMachine().load(TARGET, [0xca, 8, 0]).load(CODE, code)
  m.enter(3)
  m.innerStack(0, KERNEL_STACK, KERNEL_DATA)
  m.vcpu.registers.esp = STACK
  m.vcpu.intercepts.exceptions = -1
  return m
}

/** call far selector:offset */
function callFar(selector: number, offset = 0): number[] {
  return [0x9a, offset & 255, offset >> 8, 0, 0, selector & 255, selector >> 8]
}

describe('a call gate to level 0', () => {
  test('switches stacks, copies parameters, and RET n goes back', () => {
    const m = fromUser([0x6a, 0x11, 0x6a, 0x22, ...callFar(GATE)])
    m.callGate(GATE, TARGET, 0xec, KERNEL_CODE, 2)
    m.vcpu.run(3)
    expect(m.vcpu.registers).toMatchObject({ cpl: 0, cs: KERNEL_CODE, eip: TARGET, ss: KERNEL_DATA })
    expect(m.stack(6)).toEqual([CODE + 11, USER_CODE, 0x22, 0x11, STACK - 8, USER_DATA])
    m.vcpu.run(1)
    expect(m.vcpu.registers).toMatchObject({ cpl: 3, cs: USER_CODE, eip: CODE + 11, ss: USER_DATA, esp: STACK })
  })

  test('of 16 bits pushes words', () => {
    const m = fromUser(callFar(GATE))
    m.callGate(GATE, TARGET, 0xe4, KERNEL_CODE, 0)
    m.vcpu.run(1)
    expect(m.vcpu.registers.esp).toBe(KERNEL_STACK - 8)
    expect(m.memory.readUint16(KERNEL_STACK - 8)).toBe(CODE + 7)
  })

  test('of a lower DPL, not present, or to data is refused with its selector', () => {
    const cases = [
      { access: 0x8c, target: KERNEL_CODE, vector: 13, error: GATE & ~3 },
      { access: 0x6c, target: KERNEL_CODE, vector: 11, error: GATE & ~3 },
      { access: 0xec, target: KERNEL_DATA, vector: 13, error: KERNEL_DATA },
      { access: 0xec, target: 0, vector: 13, error: 0 },
    ]
    for (const { access, target, vector, error } of cases) {
      const m = fromUser(callFar(GATE))
      m.callGate(GATE, TARGET, access, target, 0)
      expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector, error })
      expect(m.vcpu.registers).toMatchObject({ cpl: 3, esp: STACK, eip: CODE })
    }
  })

  test('cannot be jumped through to another level', () => {
    const m = fromUser([0xea, 0, 0, 0, 0, GATE, 0])
    m.callGate(GATE, TARGET, 0xec, KERNEL_CODE, 0)
    expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: KERNEL_CODE })
  })

  test('with no room on the inner stack is #SS with its selector', () => {
    const m = fromUser(callFar(GATE))
    m.callGate(GATE, TARGET, 0xec, KERNEL_CODE, 0)
    m.describe(0x40, 0, 0x3, 0x4093)
    m.innerStack(0, 8, 0x40)
    expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 12, error: 0x40 })
  })
})

describe('code segments', () => {
  test('a conforming one keeps the level of its caller', () => {
    const m = fromUser(callFar(CONFORMING, TARGET))
    m.describe(CONFORMING, 0, 0xffff_ffff, 0xc09f)
    m.vcpu.run(1)
    expect(m.vcpu.registers).toMatchObject({ cpl: 3, cs: CONFORMING | 3, eip: TARGET })
  })

  test('level 0 is not reached without a gate, and a return never goes inwards', () => {
    expect(fromUser(callFar(KERNEL_CODE, TARGET)).vcpu.run(1)).toMatchObject({ vector: 13, error: KERNEL_CODE })
    const m = fromUser([0xcb])
    m.memory.writeUint32(STACK, TARGET)
    m.memory.writeUint32(STACK + 4, KERNEL_CODE)
    expect(m.vcpu.run(1)).toMatchObject({ vector: 13, error: KERNEL_CODE })
  })

  test('an offset beyond the limit is #GP(0) and changes nothing', () => {
    const m = fromUser(callFar(0x43, TARGET))
    m.describe(0x40, 0, 0x1fff, 0x40fb)
    expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: 0 })
    expect(m.vcpu.registers).toMatchObject({ eip: CODE, cs: USER_CODE, esp: STACK })
  })

  test('running past the limit is #GP(0) at the instruction that crosses it', () => {
    const m = new BareMachine().load(CODE, [0x90, 0x40, 0xb8, 1, 2, 3, 4])
    m.vcpu.registers.setSegment(1, { selector: 8, base: 0, limit: CODE + 4, attributes: 0x409b })
    m.vcpu.intercepts.exceptions = -1
    expect(m.vcpu.run(10)).toEqual({ reason: 'exception', vector: 13, error: 0 })
    expect(m.vcpu.registers).toMatchObject({ eip: CODE + 2, eax: 1 })
  })
})
