/**
 * Any bytes at all, in every mode: the machine answers as the architecture does, with faults and exits, and never with an
 * error of its own; and how the run is cut changes nothing.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BareMachine, KERNEL_DATA, USER_DATA } from './bare-machine.ts'
import type { Exit } from './exit.ts'

const CODE = 0x1000
const HANDLERS = 0x2000
const DIRECTORY = 0xa000
const STEPS = 60
const VM = 0x2_0000
const IRET = 0xcf
const MODES = ['flat', 'paged', 'user', 'code16', 'real', 'v86'] as const

type Mode = (typeof MODES)[number]

/** Opcodes that have much behind them come more often than chance brings them. */
const byte = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 255 }) },
  { weight: 2, arbitrary: fc.constantFrom(0x0f, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x65) },
  { weight: 2, arbitrary: fc.integer({ min: 0xd8, max: 0xdf }) },
  { weight: 1, arbitrary: fc.constantFrom(0x8e, 0x9a, 0xea, 0xcd, 0xcf, 0xc8, 0x8f, 0xff, 0x9d, 0xcb) },
)
const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.integer({ min: 0, max: 0xffff }),
  fc.constantFrom(0, KERNEL_DATA, USER_DATA, 0x28, 0x48, 0x50, CODE, 0xffff_ffff, 0x8000_0011, 0x4000),
)
const scenario = fc.record({
  code: fc.array(byte, { minLength: 1, maxLength: 64 }),
  registers: fc.array(word, { minLength: 8, maxLength: 8 }),
  flags: fc.integer({ min: 0, max: 0x3f_ffff }),
  handler: fc.array(byte, { maxLength: 8 }),
  tables: fc.array(word, { minLength: 8, maxLength: 8 }),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

function prepare(mode: Mode, { code, registers, flags, handler, tables }: Scenario): BareMachine {
  const m = new BareMachine().load(CODE, code)
  const r = m.vcpu.registers
  for (let vector = 0; vector < 256; vector++) {
    const access = [0x8e, 0xee, 0x8f, 0x86, 0x85, 0xee][vector % 6]!
    m.gate(vector, HANDLERS + 16 * (vector & 63), access, access === 0x85 ? 0x48 : 8)
    m.memory.writeBytes(HANDLERS + 16 * (vector & 63), Uint8Array.from([...handler, IRET]))
  }
  m.innerStack(0, 0x6000, KERNEL_DATA)
  m.describe(0x48, 0x7000, 0x67, 0x89)
  m.callGate(0x53, HANDLERS, 0xec, 8, 2)
  m.describe(0x58, 0x1_0000 - CODE, 0xffff, 0x009b)
  for (const [i, value] of tables.entries()) m.memory.writeUint32(0x7020 + 8 * i, value)
  for (const [i, value] of registers.entries()) r.setGeneral(i, value)
  if (mode === 'paged' || mode === 'user' || mode === 'v86') m.page(DIRECTORY, 7)
  if (mode === 'user') {
    m.enter(3)
    r.cr0 |= 0x4_0000
  }
  r.eflags = (flags & ~VM) | 2
  r.eip = CODE
  if (mode === 'code16') r.setSegment(1, { selector: 0x58, base: 0, limit: 0xffff, attributes: 0x009b })
  if (mode === 'real' || mode === 'v86') {
    const attributes = mode === 'v86' ? 0xf3 : 0x93
    if (mode === 'real') {
      m.vcpu.reset()
      for (const [i, value] of registers.entries()) r.setGeneral(i, value)
      for (let i = 0; i < 256; i++) m.memory.writeUint32(4 * i, 0x0200_0000 + 16 * (i & 63))
    } else r.eflags = (flags & ~0x7000) | VM | 2
    for (let segment = 0; segment < 6; segment++) {
      r.setSegment(segment, { selector: 0x100, base: 0x1000, limit: 0xffff, attributes })
    }
    r.eip = 0
  }
  return m
}

/** Plain answers that follow from the question. */
function answer(m: BareMachine, exit: Exit): void {
  if (exit.reason === 'io' && exit.direction === 'in') m.vcpu.completeIn(exit.port * 0x0101_0101)
  if (exit.reason === 'mmio' && !exit.write) m.vcpu.completeMmioRead(exit.gpa ^ 0x5a5a_5a5a)
  if (exit.reason === 'cpuid') m.vcpu.completeCpuid({ eax: 1, ebx: 2, ecx: 3, edx: exit.leaf })
  if (exit.reason === 'hypercall') m.vcpu.completeHypercall(exit.number ^ 1)
}

/** Runs until `STEPS` cycles are used up, `slice` at a time, and gives every exit on the way. */
function play(m: BareMachine, slice: number): Exit[] {
  const exits: Exit[] = []
  while (m.vcpu.cycles < STEPS) {
    const exit = m.vcpu.run(Math.min(slice, STEPS - m.vcpu.cycles))
    if (exit.reason === 'budget') continue
    exits.push(exit)
    if (exit.reason === 'shutdown' || exit.reason === 'hlt') break
    answer(m, exit)
  }
  return exits
}

function stateOf(m: BareMachine): unknown {
  const { tlb: _, registers, ...others } = m.vcpu.save()
  const r = m.vcpu.registers
  return {
    eip: r.eip,
    eflags: r.eflags,
    cpl: r.cpl,
    registers: registers.slice(0, 9),
    others,
    fpu: registers.slice(80),
  }
}

function memoryOf(m: BareMachine): Uint8Array {
  return m.memory.readBytes(0, 0x1_0000)
}

describe('any bytes', () => {
  for (const mode of MODES) {
    test(`in the mode "${mode}" run, fault or exit, the same whether in one go or step by step`, () => {
      fc.assert(
        fc.property(scenario, (given) => {
          const whole = prepare(mode, given)
          const exits = play(whole, STEPS)
          const sliced = prepare(mode, given)
          expect(play(sliced, 1)).toEqual(exits)
          expect(stateOf(sliced)).toEqual(stateOf(whole))
          expect(Buffer.compare(memoryOf(sliced), memoryOf(whole))).toBe(0)
        }),
        { seed: 1986, numRuns: 100 },
      )
    })
  }

  test('a state that is saved anywhere goes on as if nothing had been', () => {
    fc.assert(
      fc.property(scenario, fc.constantFrom(...MODES), fc.nat(30), (given, mode, cut) => {
        const m = prepare(mode, given)
        m.vcpu.run(cut)
        const saved = JSON.parse(JSON.stringify(m.vcpu.save()))
        const memory = memoryOf(m)
        const copy = new BareMachine()
        copy.memory.writeBytes(0, memory)
        copy.vcpu.restore(saved)
        if (m.vcpu.cycles >= STEPS) return
        expect(play(copy, STEPS)).toEqual(play(m, STEPS))
        expect(stateOf(copy)).toEqual(stateOf(m))
      }),
      { seed: 386, numRuns: 200 },
    )
  })
})
