import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BareMachine } from './bare-machine.ts'
import { P4_672_COSTS } from './cost-model.ts'

const CODE = 0x1000
const OUTSIDE = 0x00ab_c000

function machineWith(code: readonly number[]): BareMachine {
  const m = new BareMachine().load(CODE, code)
  m.vcpu.registers.esp = 0x4000
  return m
}

describe('ports', () => {
  test('IN exits, and completes with the answer in the next run, however small', () => {
    for (const [code, size, eax] of [
      [[0xec], 1, 0xffff_ff42],
      [[0x66, 0xed], 2, 0xffff_8142],
      [[0xed], 4, 0x8182_8142],
    ] as const) {
      const { vcpu } = machineWith(code)
      vcpu.registers.eax = 0xffff_ffff
      vcpu.registers.edx = 0x3f8
      const exit = { reason: 'io', direction: 'in', port: 0x3f8, size, value: 0 }
      expect(vcpu.run(5)).toEqual(exit)
      expect([vcpu.registers.eip, vcpu.cycles]).toEqual([CODE, 0])
      vcpu.completeIn(0x8182_8142)
      expect(vcpu.run(1)).toEqual({ reason: 'budget' })
      expect([vcpu.registers.eax, vcpu.registers.eip, vcpu.cycles]).toEqual([eax, CODE + code.length, 1])
    }
  })

  test('an IN without an answer asks again', () => {
    const { vcpu } = machineWith([0xe4, 0x60])
    expect(vcpu.run(5)).toEqual(vcpu.run(5))
  })

  test('OUT exits with its value when it is complete', () => {
    const { vcpu } = machineWith([0xe6, 0xf4, 0x90])
    vcpu.registers.eax = 0x1234_56ff
    expect(vcpu.run(5)).toEqual({ reason: 'io', direction: 'out', port: 0xf4, size: 1, value: 0xff })
    expect([vcpu.registers.eip, vcpu.cycles]).toEqual([CODE + 2, 1])
    vcpu.run(1)
    expect(vcpu.registers.eip).toBe(CODE + 3)
  })

  test('REP OUTS and REP INS exit once for each element', () => {
    const m = machineWith([0xf3, 0x6e, 0xf3, 0x6d])
    m.memory.writeBytes(0x3000, Uint8Array.from([1, 2, 3]))
    m.vcpu.registers.esi = 0x3000
    m.vcpu.registers.ecx = 3
    const seen = [1, 2, 3].map(() => m.vcpu.run(100))
    expect(seen.map((exit) => exit.reason === 'io' && exit.value)).toEqual([1, 2, 3])
    m.vcpu.registers.ecx = 2
    m.vcpu.registers.edi = 0x3100
    for (const value of [0x1111_1111, 0x2222_2222]) {
      expect(m.vcpu.run(100)).toMatchObject({ reason: 'io', direction: 'in', size: 4 })
      m.vcpu.completeIn(value)
    }
    m.vcpu.run(1)
    expect([m.memory.readUint32(0x3100), m.memory.readUint32(0x3104)]).toEqual([0x1111_1111, 0x2222_2222])
    expect(m.vcpu.registers).toMatchObject({ ecx: 0, edi: 0x3108, eip: CODE + 4 })
    expect(m.vcpu.counters.retired).toBe(2)
  })

  test('INS checks its destination before it reads the port', () => {
    const m = machineWith([0x6c])
    m.page(0x7000, 3)
    m.vcpu.registers.edi = 0x80_0000
    m.vcpu.intercepts.pageFault = true
    expect(m.vcpu.run(5)).toEqual({ reason: 'pageFault', gva: 0x80_0000, error: 2 })
  })

  test('at level 3 the bitmap of the TSS decides, for each of the bytes', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 63 }),
        fc.constantFrom(1, 2, 4),
        fc.bigInt({ min: 0n, max: 2n ** 72n }),
        (port, size, map) => {
          const m = machineWith(size === 1 ? [0xec] : size === 2 ? [0x66, 0xed] : [0xed])
          m.memory.writeUint16(m.tss + 0x66, 0x68)
          for (let i = 0; i < 9; i++) m.memory.writeUint8(m.tss + 0x68 + i, Number((map >> BigInt(8 * i)) & 255n))
          m.vcpu.registers.setSegment(7, { selector: 0x28, base: m.tss, limit: 0x68 + 9, attributes: 0x8b })
          m.enter(3)
          m.vcpu.registers.edx = port
          m.vcpu.intercepts.exceptions = -1
          const refused = ((map >> BigInt(port)) & ((1n << BigInt(size)) - 1n)) !== 0n
          expect(m.vcpu.run(1).reason).toBe(refused ? 'exception' : 'io')
        },
      ),
      { seed: 21, numRuns: 100 },
    )
  })
})

describe('memory that is not there', () => {
  test('a load asks, and completes with the answer', () => {
    const { vcpu } = machineWith([0xa1, 0x04, 0xc0, 0xab, 0x00])
    expect(vcpu.run(5)).toEqual({ reason: 'mmio', write: false, gpa: OUTSIDE + 4, size: 4, value: 0 })
    vcpu.completeMmioRead(0xdead_beef)
    vcpu.run(1)
    expect([vcpu.registers.eax, vcpu.cycles]).toEqual([0xdead_beef, 1])
  })

  test('a read-modify-write reads once and writes once, with the flags of one execution', () => {
    // stc; adc byte [OUTSIDE], 1
    const { vcpu } = machineWith([0xf9, 0x80, 0x15, 0x00, 0xc0, 0xab, 0x00, 0x01])
    expect(vcpu.run(5)).toMatchObject({ reason: 'mmio', write: false, size: 1 })
    vcpu.completeMmioRead(0xfe)
    expect(vcpu.run(5)).toEqual({ reason: 'mmio', write: true, gpa: OUTSIDE, size: 1, value: 0 })
    expect(vcpu.registers.eflags & 0x41).toBe(0x41)
    expect(vcpu.counters.retired).toBe(2)
  })

  test('a string instruction between two such places asks and tells in turn', () => {
    const { vcpu } = machineWith([0xf3, 0xa5])
    vcpu.registers.esi = OUTSIDE
    vcpu.registers.edi = OUTSIDE + 0x100
    vcpu.registers.ecx = 2
    const log: unknown[] = []
    for (let i = 0; i < 4; i++) {
      const exit = vcpu.run(100)
      if (exit.reason !== 'mmio') throw new Error(`The exit is ${exit.reason}.`)
      log.push([exit.write, exit.gpa - OUTSIDE, exit.value])
      if (!exit.write) vcpu.completeMmioRead(exit.gpa & 0xff)
    }
    expect(log).toEqual([
      [false, 0, 0],
      [true, 0x100, 0],
      [false, 4, 0],
      [true, 0x104, 4],
    ])
  })

  test('a write across the end of memory exits for the bytes outside', () => {
    const m = machineWith([0xa3, 0xfe, 0xff, 0x00, 0x00])
    m.vcpu.registers.eax = 0x4433_2211
    const exits = [m.vcpu.run(5), m.vcpu.run(0)]
    expect(exits).toEqual([
      { reason: 'mmio', write: true, gpa: 0x1_0000, size: 1, value: 0x33 },
      { reason: 'mmio', write: true, gpa: 0x1_0001, size: 1, value: 0x44 },
    ])
    expect(m.memory.readUint16(0xfffe)).toBe(0x2211)
  })

  test('memory that is taken away or put elsewhere is seen at once', () => {
    const m = machineWith([0xa1, 0x00, 0x30, 0x00, 0x00, 0xeb, 0xf9])
    m.memory.writeUint32(0x3000, 1)
    m.vcpu.run(2)
    const one = m.memory.unmap(3)
    expect(m.vcpu.run(1)).toMatchObject({ reason: 'mmio', gpa: 0x3000 })
    m.memory.map(3, m.memory.pfnOf(4))
    m.memory.writeUint32(0x4000, 2)
    m.vcpu.run(1)
    expect(m.vcpu.registers.eax).toBe(2)
    m.memory.map(3, one)
    m.vcpu.run(2)
    expect(m.vcpu.registers.eax).toBe(1)
  })
})

describe('other exits', () => {
  test('CPUID of a hypervisor leaf and VMCALL stay at the instruction until they are answered', () => {
    const { vcpu } = machineWith([0x0f, 0xa2, 0x0f, 0x01, 0xc1])
    vcpu.registers.eax = 0x4000_0001
    vcpu.registers.ecx = 7
    expect(vcpu.run(5)).toEqual({ reason: 'cpuid', leaf: 0x4000_0001, subleaf: 7 })
    vcpu.completeCpuid({ eax: 5, ebx: 6, ecx: 7, edx: 8 })
    expect(vcpu.registers).toMatchObject({ eip: CODE + 2, eax: 5, ebx: 6 })
    expect(vcpu.run(5)).toEqual({ reason: 'hypercall', number: 5, args: [6, 7, 8, 0, 0] })
    vcpu.completeHypercall(99)
    expect(vcpu.registers).toMatchObject({ eip: CODE + 5, eax: 99 })
    expect(vcpu.cycles).toBe(2)
  })

  test('CR writes and INVLPG exit behind the instruction and do nothing', () => {
    const { vcpu } = machineWith([0x0f, 0x22, 0xd8, 0x0f, 0x01, 0x38])
    vcpu.registers.eax = 0x5000
    vcpu.intercepts.cr = true
    vcpu.intercepts.invlpg = true
    expect(vcpu.run(5)).toEqual({ reason: 'cr', cr: 3, value: 0x5000 })
    expect(vcpu.registers).toMatchObject({ eip: CODE + 3, cr3: 0 })
    expect(vcpu.run(5)).toEqual({ reason: 'invlpg', gva: 0x5000 })
    expect(vcpu.registers.eip).toBe(CODE + 6)
  })

  test('exits cost what the model says', () => {
    const m = new BareMachine({ costs: P4_672_COSTS }).load(CODE, [0xe6, 0x80])
    m.vcpu.run(1)
    expect(m.vcpu.cycles).toBe(1 + 15_826)
  })
})
