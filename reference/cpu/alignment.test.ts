import { describe, expect, test } from 'vitest'
import { BareMachine } from './bare-machine.ts'

const CODE = 0x1000
const AM = 0x4_0000
const AC = 0x4_0000
const ALIGNMENT = { reason: 'exception', vector: 17, error: 0 }

function run(
  code: readonly number[],
  edi: number,
  { cpl = 3, am = AM, ac = AC }: { cpl?: 0 | 3; am?: number; ac?: number } = {},
) {
  const m = new BareMachine().load(CODE, code)
  m.enter(cpl)
  m.vcpu.registers.cr0 = 0x11 | am
  m.vcpu.registers.eflags = ac
  m.vcpu.registers.edi = edi
  m.vcpu.registers.esp = edi
  m.vcpu.intercepts.exceptions = -1
  return m.vcpu.run(1)
}

const MOV_WORD = [0x66, 0x8b, 0x07]
const MOV_LONG = [0x89, 0x07]
const MOV_BYTE = [0x8a, 0x07]
const PUSH = [0x50]
const FLD_DOUBLE = [0xdd, 0x07]
const FLD_EXTENDED = [0xdb, 0x2f]
const FNSTENV = [0xd9, 0x37]

describe('alignment is checked at level 3 with CR0.AM and EFLAGS.AC', () => {
  test('by the size of the operand; the FPU has sizes of its own (SDM vol. 3A table 6-7)', () => {
    for (const [code, alignment] of [
      [MOV_BYTE, 1],
      [MOV_WORD, 2],
      [MOV_LONG, 4],
      [PUSH, 4],
      [FLD_DOUBLE, 8],
      [FLD_EXTENDED, 8],
      [FNSTENV, 4],
    ] as const) {
      for (let offset = 0; offset < 16; offset++) {
        const exit = run(code, 0x3000 + offset)
        expect(exit).toEqual(offset % alignment === 0 ? { reason: 'budget' } : ALIGNMENT)
      }
    }
  })

  test('and nowhere else', () => {
    for (const how of [{ cpl: 0 }, { am: 0 }, { ac: 0 }] as const) {
      expect(run(MOV_LONG, 0x3001, how)).toEqual({ reason: 'budget' })
    }
  })
})
