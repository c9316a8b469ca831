import { describe, expect, it } from 'vitest'
import { disassembleIdleGuest, type GuestOp, type GuestProgram } from './idle-guest.ts'

const CPUID = { place: 'cpuid', number: 0x4000_0003 } as const
const HYPERCALL = { place: 'hypercall', number: 0x71 } as const
const PLAIN_STEPS = [
  ...(['hlt', 'stiHlt', 'stiNopHlt', 'cliHlt', 'stiRepHlt', 'sti', 'cli', 'cliIn', 'stiWork', 'userHlt'] as const),
  ...(['ask', 'askOther'] as const),
]
const STEPS: readonly GuestOp[] = [
  { op: 'work', loops: 7 },
  { op: 'mask', irq: 3 },
  { op: 'unmask', irq: 5 },
  ...PLAIN_STEPS.map((op) => ({ op })),
]

function program(...ops: GuestOp[]): GuestProgram {
  return { ops, isr: 'plain', nmi: 'plain' }
}

/** The instructions alone. */
function texts(lines: readonly string[]): string[] {
  return lines.map((line) => line.slice(32))
}

describe('disassembleIdleGuest', () => {
  it('shows address, bytes and text of each instruction of the loop', () => {
    expect(disassembleIdleGuest(program({ op: 'stiRepHlt' }, { op: 'work', loops: 3 }), CPUID)).toEqual([
      '00002018  fb                    sti',
      '00002019  f3f4                  rep hlt',
      '0000201b  b903000000            mov ecx,0x3',
      '00002020  49                    dec ecx',
      '00002021  75fd                  jne 0x2020',
      '00002023  e9f0ffffff            jmp 0x2018',
    ])
  })

  it.each([0, 1, 3])('is a loop without a gap, whatever its steps, on vcpu %i', (vcpu) => {
    for (const question of [CPUID, HYPERCALL]) {
      const lines = disassembleIdleGuest(program(...STEPS), question, vcpu)
      const first = Number.parseInt(lines[0]!.slice(0, 8), 16)
      let next = first
      for (const line of lines) {
        expect(Number.parseInt(line.slice(0, 8), 16)).toBe(next)
        next += line.slice(10, 30).trim().length / 2
      }
      expect(first >> 12).toBe(2 + vcpu)
      expect(texts(lines).at(-1)).toBe(`jmp 0x${first.toString(16)}`)
      expect(texts(lines).join()).not.toContain('(bad)')
    }
  })

  it('asks where the hypervisor of the variant answers, and what means nothing to it in the other place', () => {
    const asked = (question: typeof CPUID | typeof HYPERCALL, op: 'ask' | 'askOther') =>
      texts(disassembleIdleGuest(program({ op }), question)).filter((text) => /eax|cpuid|vmcall/.test(text))
    expect(asked(CPUID, 'ask')).toEqual(['mov eax,0x40000003', 'cpuid'])
    expect(asked(HYPERCALL, 'ask')).toEqual(['mov eax,0x71', 'vmcall'])
    expect(asked(CPUID, 'askOther')).toEqual(['mov eax,0x40000002', 'cpuid', 'mov eax,0x7b', 'vmcall'])
    expect(asked(HYPERCALL, 'askOther')).toEqual(['mov eax,0x70', 'vmcall', 'mov eax,0x400000f1', 'cpuid'])
  })
})
