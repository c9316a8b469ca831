import { describe, expect, test } from 'vitest'
import { BareMachine, KERNEL_DATA } from './bare-machine.ts'
import { CPU_MODELS } from './cpuid.ts'

const CODE = 0x1000
const DIRECTORY = 0x7000

function machineWith(code: readonly number[]): BareMachine {
  const m = new BareMachine().load(CODE, code)
  m.vcpu.registers.esp = 0x4000
  m.vcpu.intercepts.exceptions = -1
  return m
}

describe('control registers', () => {
  test('switching paging on and off is seen by the next access', () => {
    // mov cr0,eax; mov ebx,[0x3000]; mov cr0,ecx; mov edx,[0x3000]
    const m = machineWith([
      0x0f, 0x22, 0xc0, 0x8b, 0x1d, 0x00, 0x30, 0x00, 0x00, 0x0f, 0x22, 0xc1, 0x8b, 0x15, 0x00, 0x30, 0x00, 0x00,
    ])
    m.page(DIRECTORY, 3)
    m.memory.writeUint32(DIRECTORY + 0x1000 + 4 * 3, 0x5003)
    m.memory.writeUint32(0x3000, 0x33)
    m.memory.writeUint32(0x5000, 0x55)
    m.vcpu.registers.cr0 = 0x11
    m.vcpu.registers.eax = 0x8000_0011
    m.vcpu.registers.ecx = 0x11
    m.vcpu.run(4)
    expect(m.vcpu.registers).toMatchObject({ ebx: 0x55, edx: 0x33 })
  })

  test('MOV reads back what MOV wrote, in CR2, CR3 and CR4 alike', () => {
    // mov cr2,eax; mov cr3,ebx; mov cr4,ecx; mov esi,cr2; mov edi,cr3; mov ebp,cr4
    const m = machineWith([
      0x0f, 0x22, 0xd0, 0x0f, 0x22, 0xdb, 0x0f, 0x22, 0xe1, 0x0f, 0x20, 0xd6, 0x0f, 0x20, 0xdf, 0x0f, 0x20, 0xe5,
    ])
    Object.assign(m.vcpu.registers, { eax: 0x1234, ebx: 0x5000, ecx: 0x10 })
    m.vcpu.run(6)
    expect(m.vcpu.registers).toMatchObject({ esi: 0x1234, edi: 0x5000, ebp: 0x10, cr2: 0x1234, cr3: 0x5000, cr4: 0x10 })
  })

  test('PG without PE, NW without CD and unknown bits of CR4 are #GP(0)', () => {
    for (const [code, eax] of [
      [[0x0f, 0x22, 0xc0], 0x8000_0000],
      [[0x0f, 0x22, 0xc0], 0x2000_0011],
      [[0x0f, 0x22, 0xe0], 0x8000],
    ] as const) {
      const m = machineWith(code)
      m.vcpu.registers.eax = eax
      expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: 0 })
    }
  })

  test('LMSW sets PE and cannot clear it; SMSW reads it', () => {
    const m = machineWith([0x0f, 0x01, 0xf0, 0x0f, 0x01, 0xe3])
    m.vcpu.registers.eax = 0xe
    m.vcpu.run(2)
    expect(m.vcpu.registers).toMatchObject({ cr0: 0x1f, ebx: 0x1f })
  })

  test('entering protected mode by MOV CR0 and a far jump, from RESET', () => {
    const m = new BareMachine()
    m.vcpu.reset()
    m.vcpu.registers.setSegment(1, { selector: 0, base: 0, limit: 0xffff, attributes: 0x93 })
    m.memory.writeUint16(0x2000, 0x7ff)
    m.memory.writeUint32(0x2002, m.gdt)
    // lgdt [2000]; mov eax,cr0; or al,1; mov cr0,eax; jmp 8:1020; 1020: mov ax,10; mov ds,eax; mov dword [3000],12345678
    m.load(
      CODE,
      [
        0x66, 0x0f, 0x01, 0x16, 0x00, 0x20, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0xea, 0x20, 0x10, 0x08,
        0x00,
      ],
    )
    m.load(CODE + 0x20, [
      0x66,
      0xb8,
      KERNEL_DATA,
      0,
      0x8e,
      0xd8,
      0xc7,
      0x05,
      0x00,
      0x30,
      0x00,
      0x00,
      0x78,
      0x56,
      0x34,
      0x12,
    ])
    m.vcpu.registers.eip = CODE
    m.vcpu.run(8)
    expect(m.memory.readUint32(0x3000)).toBe(0x1234_5678)
  })
})

describe('translations', () => {
  /** mov eax,[3000]; then what `code` does; mov ebx,[3000] */
  const around = (code: readonly number[]) => {
    const m = machineWith([0xa1, 0, 0x30, 0, 0, ...code, 0x8b, 0x1d, 0, 0x30, 0, 0])
    m.page(DIRECTORY, 3)
    m.memory.writeUint32(0x3000, 1)
    m.memory.writeUint32(0x5000, 2)
    m.vcpu.run(1)
    m.memory.writeUint32(DIRECTORY + 0x1000 + 4 * 3, 0x5003)
    m.vcpu.registers.ecx = 0x3000
    m.vcpu.registers.edx = DIRECTORY
    return m
  }

  test('are kept until INVLPG or a CR3 load', () => {
    for (const [code, ebx] of [
      [[0x90], 1],
      [[0x0f, 0x01, 0x39], 2],
      [[0x0f, 0x22, 0xda], 2],
    ] as const) {
      const m = around(code)
      m.vcpu.run(2)
      expect(m.vcpu.registers.ebx).toBe(ebx)
    }
  })

  test('of global pages outlive a CR3 load, with CR4.PGE', () => {
    const m = machineWith([0xa1, 0, 0x30, 0, 0, 0x0f, 0x22, 0xda, 0x8b, 0x1d, 0, 0x30, 0, 0])
    m.page(DIRECTORY, 0x103)
    m.vcpu.registers.cr4 = 0x80
    m.memory.writeUint32(0x3000, 1)
    m.vcpu.run(1)
    m.memory.writeUint32(DIRECTORY + 0x1000 + 4 * 3, 0x5103)
    m.vcpu.registers.edx = DIRECTORY
    m.vcpu.run(2)
    expect(m.vcpu.registers.ebx).toBe(1)
  })

  test('a first write to a clean page sets the dirty bit, also after a read', () => {
    const m = machineWith([0xa1, 0, 0x30, 0, 0, 0xa3, 0, 0x30, 0, 0])
    m.page(DIRECTORY, 3)
    const pte = DIRECTORY + 0x1000 + 4 * 3
    m.vcpu.run(1)
    expect(m.memory.readUint32(pte)).toBe(0x3023)
    m.vcpu.run(1)
    expect(m.memory.readUint32(pte)).toBe(0x3063)
  })

  test('misses, reads and faults are counted', () => {
    const m = around([0x90])
    const before = m.vcpu.counters
    m.vcpu.run(2)
    expect(m.vcpu.counters.tlbMisses).toBe(before.tlbMisses)
    expect(before.tlbMisses).toBe(2)
    expect(before.pageWalkReads).toBe(4)
  })
})

describe('time and identity', () => {
  test('RDTSC counts the instructions before it, wherever they stand; WRMSR sets it', () => {
    const m = machineWith([0x90, 0x90, 0x0f, 0x31, 0x0f, 0x30, 0x90, 0x0f, 0x32])
    m.vcpu.run(3)
    expect(m.vcpu.registers).toMatchObject({ eax: 2, edx: 0 })
    m.vcpu.registers.ecx = 0x10
    m.vcpu.registers.edx = 7
    m.vcpu.registers.eax = 0xffff_ffff
    m.vcpu.run(3)
    expect(m.vcpu.registers).toMatchObject({ eax: 1, edx: 8 })
  })

  test('with CR4.TSD RDTSC is for level 0; other MSRs do not exist', () => {
    const user = machineWith([0x0f, 0x31])
    user.vcpu.registers.cr4 = 4
    user.enter(3)
    expect(user.vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: 0 })
    expect(machineWith([0x0f, 0x32]).vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: 0 })
  })

  test('CPUID names the vendor and tells of a hypervisor', () => {
    const m = machineWith([0x0f, 0xa2, 0x40, 0x0f, 0xa2])
    m.vcpu.run(1)
    const { ebx, ecx, edx } = m.vcpu.registers
    expect(Buffer.from(Uint32Array.of(ebx, edx, ecx).buffer).toString()).toBe('GenuineIntel')
    m.vcpu.registers.eax = 0
    m.vcpu.run(2)
    expect(m.vcpu.registers.ecx >>> 31).toBe(1)
  })
})

describe('processor models', () => {
  const MOV_CR4_EAX = [0x0f, 0x22, 0xe0]
  const RDMSR = [0x0f, 0x32]
  const CMOVE = [0x0f, 0x44, 0xc1]
  const FCMOVE = [0xda, 0xc9]
  const outcome = (name: string, code: readonly number[], eax = 0, ecx = 0) => {
    const m = new BareMachine({ cpuid: CPU_MODELS[name]! }).load(CODE, code)
    m.vcpu.intercepts.exceptions = -1
    m.vcpu.registers.eax = eax
    m.vcpu.registers.ecx = ecx
    const exit = m.vcpu.run(1)
    return exit.reason === 'exception' ? exit.vector : 'done'
  }

  test('CPUID tells what a model has, and only that works', () => {
    for (const [name, hasCmov] of [
      ['pentium', false],
      ['pentium+cmov', true],
      ['trapframe', true],
    ] as const) {
      const m = new BareMachine({ cpuid: CPU_MODELS[name]! }).load(CODE, [0x0f, 0xa2])
      m.vcpu.registers.eax = 1
      m.vcpu.run(1)
      expect((m.vcpu.registers.edx >> 15) & 1).toBe(hasCmov ? 1 : 0)
      expect([outcome(name, CMOVE), outcome(name, FCMOVE)]).toEqual(hasCmov ? ['done', 'done'] : [6, 6])
      for (const [bit, feature] of [
        [3, 2],
        [4, 3],
        [6, 7],
        [7, 13],
      ] as const) {
        const has = ((m.vcpu.registers.edx >> feature) & 1) !== 0
        expect([name, bit, outcome(name, MOV_CR4_EAX, 1 << bit)]).toEqual([name, bit, has ? 'done' : 13])
      }
      expect(outcome(name, MOV_CR4_EAX, 1)).toBe(13)
    }
  })

  test('a Pentium has registers for machine checks, a P6 for microcode; what neither has is #GP', () => {
    expect(['pentium', 'trapframe'].map((name) => outcome(name, RDMSR, 0, 1))).toEqual(['done', 13])
    expect(['pentium', 'trapframe'].map((name) => outcome(name, RDMSR, 0, 0x8b))).toEqual([13, 'done'])
    expect(outcome('pentium', RDMSR, 0, 0xc000_0080)).toBe(13)
  })
})

describe('the FPU', () => {
  test('is #NM while CR0.EM or TS is set; WAIT looks at MP and TS', () => {
    const vectorOf = (code: readonly number[], cr0: number) => {
      const m = machineWith(code)
      m.vcpu.registers.cr0 = 0x11 | cr0
      const exit = m.vcpu.run(1)
      return exit.reason === 'exception' ? exit.vector : -1
    }
    const fninit = [0xdb, 0xe3]
    expect([vectorOf(fninit, 0), vectorOf(fninit, 4), vectorOf(fninit, 8)]).toEqual([-1, 7, 7])
    expect([vectorOf([0x9b], 0), vectorOf([0x9b], 8), vectorOf([0x9b], 10)]).toEqual([-1, -1, 7])
  })
})

describe('task register and LDT', () => {
  test('LTR makes the TSS busy, and refuses a busy one', () => {
    const m = machineWith([0x0f, 0x00, 0xd8, 0x0f, 0x00, 0xcb, 0x0f, 0x00, 0xd8])
    m.describe(0x48, m.tss, 0x67, 0x89)
    m.vcpu.registers.eax = 0x48
    m.vcpu.run(2)
    expect([m.vcpu.registers.tr, m.vcpu.registers.ebx & 0xffff]).toEqual([0x48, 0x48])
    expect(m.memory.readUint8(m.gdt + 0x48 + 5)).toBe(0x8b)
    expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: 0x48 })
  })

  test('LLDT takes an LDT of the GDT, and selectors then find its descriptors', () => {
    const m = machineWith([0x0f, 0x00, 0xd0, 0x8e, 0xd9])
    m.describe(0x48, 0x3000, 0xf, 0x82)
    m.memory.writeBytes(0x3008, m.memory.readBytes(m.gdt + KERNEL_DATA, 8))
    m.vcpu.registers.eax = 0x48
    m.vcpu.registers.ecx = 0x0c
    m.vcpu.run(2)
    expect(m.vcpu.registers).toMatchObject({ ldtr: 0x48, ds: 0x0c })
    m.vcpu.registers.eip = CODE
    m.vcpu.registers.eax = KERNEL_DATA
    expect(m.vcpu.run(1)).toEqual({ reason: 'exception', vector: 13, error: KERNEL_DATA })
  })
})
