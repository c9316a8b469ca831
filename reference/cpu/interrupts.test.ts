import { describe, expect, test } from 'vitest'
import { BareMachine, KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA } from './bare-machine.ts'

const CODE = 0x1000
const HANDLER = 0x2000
const STACK = 0x4000
const KERNEL_STACK = 0x6000
const IF = 0x200
const HLT = 0xf4
const UD2 = [0x0f, 0x0b]

/** A machine about to execute `code`; vector handlers stand at HANDLER + 16 × vector and halt. */
function machineWith(code: readonly number[], access = 0x8e): BareMachine {
  const m = new BareMachine().load(HANDLER, new Array(0x400).fill(HLT)).load(CODE, code)
  for (let vector = 0; vector < 64; vector++) m.gate(vector, HANDLER + 16 * vector, access)
  m.vcpu.registers.esp = STACK
  m.innerStack(0, KERNEL_STACK, KERNEL_DATA)
  return m
}

function handlerOf(m: BareMachine): number {
  return (m.vcpu.registers.eip - HANDLER) >> 4
}

describe('delivery at the same level', () => {
  test('pushes EFLAGS, CS and EIP of the faulting instruction, and clears IF and TF', () => {
    const m = machineWith(UD2)
    m.vcpu.registers.eflags = IF | 0x4001
    expect(m.vcpu.run(1)).toEqual({ reason: 'budget' })
    expect(handlerOf(m)).toBe(6)
    expect(m.stack(3)).toEqual([CODE, KERNEL_CODE, 0x1_4203])
    expect(m.vcpu.registers.eflags).toBe(3)
    expect(m.vcpu.counters.guestFaults[6]).toBe(1)
  })

  test('a trap gate leaves IF', () => {
    const m = machineWith(UD2, 0x8f)
    m.vcpu.registers.eflags = IF
    m.vcpu.run(1)
    expect(m.vcpu.registers.interruptFlag).toBe(true)
  })

  test('an error code is pushed last; INT n has none, and returns behind itself', () => {
    const gp = machineWith([0xb8, 0xf8, 0xff, 0, 0, 0x8e, 0xd8])
    gp.vcpu.run(2)
    expect(handlerOf(gp)).toBe(13)
    expect(gp.stack(3)).toEqual([0xfff8, CODE + 5, KERNEL_CODE])
    const int = machineWith([0xcd, 0x20])
    int.vcpu.run(1)
    expect(handlerOf(int)).toBe(32)
    expect(int.stack(2)).toEqual([CODE + 2, KERNEL_CODE])
  })

  test('a 16-bit gate pushes words and cuts the offset', () => {
    const m = machineWith(UD2, 0x86)
    m.vcpu.run(1)
    expect(m.vcpu.registers.esp).toBe(STACK - 6)
    expect(m.memory.readUint16(STACK - 6)).toBe(CODE)
    expect(handlerOf(m)).toBe(6)
  })
})

describe('delivery from level 3', () => {
  const fromUser = (code: readonly number[]) => {
    const m = machineWith(code)
    m.enter(3)
    m.vcpu.registers.eflags = IF
    return m
  }

  test('switches to the stack of the TSS and pushes the old one', () => {
    const m = fromUser(UD2)
    m.vcpu.run(1)
    expect(m.vcpu.registers).toMatchObject({ cpl: 0, cs: KERNEL_CODE, ss: KERNEL_DATA, esp: KERNEL_STACK - 20 })
    expect(m.stack(5)).toEqual([CODE, USER_CODE, 0x1_0202, STACK, USER_DATA])
  })

  test('IRET goes back, and data segments of level 0 become null', () => {
    const m = fromUser(UD2)
    m.memory.writeUint8(HANDLER + 6 * 16, 0xcf)
    m.vcpu.run(1)
    m.vcpu.registers.setSegment(3, { selector: KERNEL_DATA, base: 0, limit: 0xffff_ffff, attributes: 0xc093 })
    m.vcpu.run(1)
    expect(m.vcpu.registers).toMatchObject({ cpl: 3, cs: USER_CODE, ss: USER_DATA, esp: STACK, eip: CODE, ds: 0 })
    expect(m.vcpu.registers.es).toBe(USER_DATA)
    expect(m.vcpu.registers.interruptFlag).toBe(true)
  })

  test('INT n needs a gate of its level; external interrupts do not', () => {
    const refused = fromUser([0xcd, 0x20])
    refused.vcpu.run(1)
    expect([handlerOf(refused), refused.stack(1)[0]]).toEqual([13, 0x20 * 8 + 2])
    const allowed = fromUser([0xcd, 0x20])
    allowed.gate(0x20, HANDLER + 16 * 0x20, 0xee)
    allowed.vcpu.run(1)
    expect(handlerOf(allowed)).toBe(0x20)
    const external = fromUser([0x90])
    external.vcpu.inject({ kind: 'interrupt', vector: 0x21 })
    external.vcpu.run(0)
    expect(handlerOf(external)).toBe(0x21)
  })

  test('HLT is #GP(0) and never an exit', () => {
    const m = fromUser([HLT])
    m.vcpu.intercepts.hlt = true
    expect(m.vcpu.run(1)).toEqual({ reason: 'budget' })
    expect([handlerOf(m), m.stack(1)[0]]).toEqual([13, 0])
  })

  test('a stack that is no writable data segment of level 0 is #TS with its selector', () => {
    const m = fromUser(UD2)
    m.innerStack(0, KERNEL_STACK, USER_DATA)
    m.gate(10, HANDLER + 160, 0x8e, 0x30)
    m.describe(0x30, 0, 0xffff_ffff, 0xc0ff)
    m.vcpu.run(1)
    expect([handlerOf(m), m.stack(1)[0]]).toEqual([10, (USER_DATA & ~3) | 1])
    expect(m.vcpu.registers.cpl).toBe(3)
  })
})

describe('faults while delivering', () => {
  test('a gate that is not present is #NP, one beyond the limit #GP, both with the vector and EXT', () => {
    const np = machineWith(UD2, 0x8e)
    np.gate(6, HANDLER, 0x0e)
    np.vcpu.run(1)
    expect([handlerOf(np), np.stack(1)[0]]).toEqual([11, 6 * 8 + 3])
    const beyond = machineWith([0xcd, 0xff])
    beyond.vcpu.registers.idtr = { base: beyond.idt, limit: 0x1ff }
    beyond.vcpu.run(1)
    expect([handlerOf(beyond), beyond.stack(1)[0]]).toEqual([13, 0xff * 8 + 2])
  })

  test('a second contributory exception is #DF with error code 0', () => {
    const m = machineWith([0xb8, 0xf8, 0xff, 0, 0, 0x8e, 0xd8])
    m.gate(13, HANDLER, 0x8e, 0xfff8)
    m.vcpu.run(2)
    expect([handlerOf(m), m.stack(2)]).toEqual([8, [0, CODE + 5]])
  })

  test('a benign exception first makes no double fault', () => {
    const m = machineWith(UD2)
    m.gate(6, HANDLER, 0x8e, 0xfff8)
    m.vcpu.run(1)
    expect([handlerOf(m), m.stack(1)[0]]).toEqual([13, 0xfff8 | 1])
  })

  test('a fault of the double fault is shutdown', () => {
    const m = machineWith(UD2)
    m.vcpu.registers.idtr = { base: 0, limit: 0 }
    expect(m.vcpu.run(5)).toEqual({ reason: 'shutdown' })
    expect(m.vcpu.counters.exits.shutdown).toBe(1)
  })
})

describe('interrupts and shadows', () => {
  /** sti; nop; nop; cli */
  const STI = [0xfb, 0x90, 0x90, 0xfa]

  test('STI holds interrupts off for one instruction, if IF was 0', () => {
    const m = machineWith(STI)
    const { vcpu } = m
    vcpu.run(1)
    expect([vcpu.interruptShadow, vcpu.interruptible]).toEqual([true, false])
    expect(() => vcpu.inject({ kind: 'interrupt', vector: 32 })).toThrow(/cannot take one/)
    vcpu.run(1)
    expect([vcpu.interruptShadow, vcpu.interruptible]).toEqual([false, true])
    const again = machineWith(STI)
    again.vcpu.registers.eflags = IF
    again.vcpu.run(1)
    expect(again.vcpu.interruptShadow).toBe(false)
  })

  test('MOV SS and POP SS hold them off, too', () => {
    for (const code of [
      [0x8e, 0xd0, 0x90],
      [0x17, 0x90],
    ]) {
      const m = machineWith(code)
      m.vcpu.registers.eax = KERNEL_DATA
      m.vcpu.registers.eflags = IF
      m.memory.writeUint32(STACK, KERNEL_DATA)
      m.vcpu.run(1)
      expect(m.vcpu.interruptShadow).toBe(true)
      m.vcpu.run(1)
      expect(m.vcpu.interruptible).toBe(true)
    }
  })

  test('the window exits as soon as an interrupt can be taken, however the budget is cut', () => {
    for (const budgets of [[100], [1, 100], [1, 1, 100], [2, 100]]) {
      const { vcpu } = machineWith(STI)
      vcpu.requestInterruptWindow(true)
      const exits = budgets.map((budget) => vcpu.run(budget).reason)
      expect(exits).toContain('interruptWindow')
      expect([vcpu.registers.eip, vcpu.cycles]).toEqual([CODE + 2, 2])
    }
  })

  test('an injection wakes a halted vcpu; until then it costs nothing to run it', () => {
    const { vcpu } = machineWith([0xfb, HLT, 0x90])
    expect(vcpu.run(10)).toEqual({ reason: 'hlt', length: 1 })
    const { cycles } = vcpu
    expect([vcpu.halted, vcpu.registers.eip]).toEqual([true, CODE + 2])
    expect(vcpu.run(10).reason).toBe('hlt')
    expect(vcpu.cycles).toBe(cycles)
    expect(vcpu.counters.exits.hlt).toBe(1)
    vcpu.inject({ kind: 'interrupt', vector: 32 })
    expect(() => vcpu.inject({ kind: 'nmi', vector: 2 })).toThrow(/queued/)
    vcpu.run(0)
    expect(vcpu.halted).toBe(false)
    expect(vcpu.counters.interruptsDelivered).toBe(1)
  })

  test('an intercepted HLT leaves EIP at it', () => {
    const { vcpu } = machineWith([0x2e, HLT])
    vcpu.intercepts.hlt = true
    expect(vcpu.run(10)).toEqual({ reason: 'hlt', length: 2 })
    expect([vcpu.registers.eip, vcpu.halted, vcpu.cycles]).toEqual([CODE, false, 0])
  })

  test('NMIs are blocked until IRET', () => {
    const m = machineWith([0x90])
    m.memory.writeUint8(HANDLER + 2 * 16, 0xcf)
    m.vcpu.inject({ kind: 'nmi', vector: 2 })
    m.vcpu.run(0)
    expect([handlerOf(m), m.vcpu.nmiBlocked]).toEqual([2, true])
    expect(() => m.vcpu.inject({ kind: 'nmi', vector: 2 })).toThrow(/blocked/)
    m.vcpu.run(1)
    expect([m.vcpu.nmiBlocked, m.vcpu.registers.eip]).toEqual([false, CODE])
  })

  test('an injected exception has its error code, and is not intercepted', () => {
    const m = machineWith([0x90])
    m.vcpu.intercepts.exceptions = -1
    m.vcpu.registers.cr2 = 0x1234
    m.vcpu.inject({ kind: 'exception', vector: 14, error: 2 })
    m.vcpu.run(0)
    expect([handlerOf(m), m.stack(2), m.vcpu.registers.cr2]).toEqual([14, [2, CODE], 0x1234])
  })
})

describe('single steps', () => {
  test('TF traps behind each instruction, with DR6.BS', () => {
    const m = machineWith([0x90, 0x90])
    m.vcpu.registers.eflags = 0x100
    m.vcpu.run(1)
    expect([handlerOf(m), m.stack(3)]).toEqual([1, [CODE + 1, KERNEL_CODE, 0x102]])
  })

  test('POPF that sets TF traps behind the instruction after it; behind MOV SS there is no trap', () => {
    const m = machineWith([0x6a, 0, 0x68, 0, 1, 0, 0, 0x9d, 0x8e, 0xd0, 0x40])
    m.vcpu.registers.eax = KERNEL_DATA
    m.vcpu.run(5)
    expect([handlerOf(m), m.stack(1)[0]]).toEqual([1, CODE + 11])
  })

  test('INT n does not trap behind itself', () => {
    const m = machineWith([0xcd, 0x20])
    m.vcpu.registers.eflags = 0x100
    m.vcpu.run(1)
    expect(handlerOf(m)).toBe(0x20)
  })
})

describe('intercepted exceptions', () => {
  test('exit before the guest sees them', () => {
    const m = machineWith(UD2)
    m.vcpu.intercepts.exceptions = 1 << 6
    expect(m.vcpu.run(5)).toEqual({ reason: 'exception', vector: 6, error: -1 })
    expect([m.vcpu.registers.eip, m.vcpu.registers.esp]).toEqual([CODE, STACK])
  })

  test('a page fault tells address and error, and leaves CR2', () => {
    const m = machineWith([0xa3, 0, 0, 0x80, 0])
    m.page(0x7000, 3)
    m.vcpu.intercepts.pageFault = true
    expect(m.vcpu.run(5)).toEqual({ reason: 'pageFault', gva: 0x80_0000, error: 2 })
    expect(m.vcpu.registers.cr2).toBe(0)
    m.vcpu.intercepts.pageFault = false
    m.vcpu.run(1)
    expect([handlerOf(m), m.stack(2), m.vcpu.registers.cr2]).toEqual([14, [2, CODE], 0x80_0000])
  })
})

describe('real mode', () => {
  test('INT goes through the vector table and IRET returns', () => {
    const m = new BareMachine()
    m.vcpu.reset()
    const { registers } = m.vcpu
    registers.setSegment(1, { selector: 0x100, base: 0x1000, limit: 0xffff, attributes: 0x93 })
    m.load(0x1000, [0xcd, 0x21, HLT]).load(0x2345, [0xcf])
    m.memory.writeUint32(0x21 * 4, 0x0200_0345)
    registers.eip = 0
    registers.esp = 0x8000
    registers.eflags = IF
    m.vcpu.run(1)
    expect(registers).toMatchObject({ cs: 0x200, eip: 0x345, esp: 0x7ffa, interruptFlag: false })
    expect([m.memory.readUint16(0x7ffa), m.memory.readUint16(0x7ffc)]).toEqual([2, 0x100])
    m.vcpu.run(1)
    expect(registers).toMatchObject({ cs: 0x100, eip: 2, esp: 0x8000, interruptFlag: true })
  })
})
