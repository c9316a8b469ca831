import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BareMachine, KERNEL_DATA } from './bare-machine.ts'
import type { CostModel } from './cost-model.ts'
import type { Exit } from './exit.ts'
import { Vcpu, type VcpuState } from './vcpu.ts'

/** Across a page boundary. */
const CODE = 0x0fd0
/** A 16-bit code segment, which is not flat. */
const CODE_16 = 0x30
const CODE_BYTES = 96
const HANDLER = 0x2000
const DIRECTORY = 0x8000
const MISSING_PAGE = 0x5000
const HORIZON = 400

/** Everything costs something, so that a wrong account shows. */
const COSTS: CostModel = {
  name: 'test',
  hz: 1000,
  instruction: 2,
  events: { tlbMiss: 5, pageWalkRead: 3, pageFault: 11, exception: 7, interrupt: 13, 'exit.io': 17, 'exit.cpuid': 19 },
}

const reg = fc.nat({ max: 7 })
const near = fc.nat({ max: CODE_BYTES / 2 })

/** Instructions that a random program is made of; any byte may be jumped into. */
const instruction: fc.Arbitrary<number[]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat({ max: 7 }), reg, reg).map(([alu, a, b]) => [(alu << 3) | 1, 0xc0 | (a << 3) | b]),
  },
  { weight: 3, arbitrary: fc.tuple(reg, fc.nat({ max: 0x7fff })).map(([r, v]) => [0xb8 | r, v & 255, v >> 8, 0, 0]) },
  { weight: 2, arbitrary: reg.map((r) => [0x48 | r]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(0x89, 0x8b, 0x01, 0x33), reg, fc.constantFrom(1, 2, 3, 6, 7))
      .map(([o, r, b]) => [o, (r << 3) | b]),
  },
  { weight: 2, arbitrary: fc.tuple(fc.nat({ max: 15 }), near).map(([c, d]) => [0x70 | c, d]) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(0xeb, 0xe2), near).map(([o, d]) => [o, 256 - d]) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(0x50, 0x58), reg).map(([o, r]) => [o | r]) },
  { weight: 3, arbitrary: fc.constantFrom(0xa4, 0xa5, 0xa6, 0xaa, 0xab, 0xad, 0xae).map((o) => [0xf3, o]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<number[][]>(
      [0xfb],
      [0xfa],
      [0x9c],
      [0x9d],
      [0xfd],
      [0xfc],
      [0xe4, 0x60],
      [0xe6, 0x80],
      [0xf3, 0x6c],
      [0xf3, 0x6e],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<number[][]>(
      [0x0f, 0x31],
      [0x0f, 0xa2],
      [0x0f, 0x0b],
      [0xcd, 0x20],
      [0x0f, 0x20, 0xd8],
      [0x0f, 0x22, 0xd8],
      [0x0f, 0x01, 0x38],
      [0xc8, 8, 0, 2],
      [0xc9],
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat({ max: CODE_BYTES }), fc.constantFrom(0x40, 0x90, 0x48, 0xf3, 0xc3))
      .map(([at, byte]) => [0xc6, 0x05, (CODE + at) & 255, (CODE + at) >> 8, 0, 0, byte]),
  },
  { weight: 1, arbitrary: fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 3 }) },
)

const program = fc.record({
  code: fc.array(instruction, { minLength: 5, maxLength: 25 }).map((all) => all.flat().slice(0, CODE_BYTES)),
  registers: fc.array(fc.nat({ max: 0x7fff }), { minLength: 8, maxLength: 8 }),
  user: fc.boolean(),
  wide: fc.boolean(),
})
type Program = typeof program extends fc.Arbitrary<infer T> ? T : never

/** Exceptions go on behind the first byte of the faulting instruction; the handlers change only memory and EIP. */
function prepare({ code, registers, user, wide }: Program): BareMachine {
  const m = new BareMachine({ costs: COSTS })
  for (let vector = 0; vector < 64; vector++) {
    const hasError = vector === 8 || (vector >= 10 && vector <= 14)
    const body = hasError ? [0x83, 0xc4, 4, 0xff, 0x04, 0x24, 0xcf] : [0xff, 0x04, 0x24, 0xcf]
    m.load(HANDLER + 16 * vector, body)
    m.gate(vector, HANDLER + 16 * vector, 0xee)
  }
  m.load(CODE, [...code, 0xeb, 0xfe])
  m.innerStack(0, 0x7000, KERNEL_DATA)
  m.page(DIRECTORY, 7)
  m.memory.writeUint32(DIRECTORY + 0x1000 + (MISSING_PAGE >> 10), 0)
  if (user) m.enter(3)
  if (!wide) {
    const [selector, attributes] = user ? [CODE_16 | 3, 0x00fb] : [CODE_16, 0x009b]
    m.describe(selector, 0, 0xffff, attributes)
    m.vcpu.registers.setSegment(1, { selector, base: 0, limit: 0xffff, attributes })
  }
  for (const [n, value] of registers.entries()) m.vcpu.registers.setGeneral(n, value)
  m.vcpu.registers.esp = 0x4800
  return m
}

/** Answers an exit as a hypervisor without devices would. */
function answer(vcpu: Vcpu, exit: Exit): void {
  if (exit.reason === 'io' && exit.direction === 'in') vcpu.completeIn(exit.port * 77)
  if (exit.reason === 'mmio' && !exit.write) vcpu.completeMmioRead(exit.gpa)
  if (exit.reason === 'cpuid') vcpu.completeCpuid({ eax: 1, ebx: 2, ecx: 3, edx: 4 })
  if (exit.reason === 'hypercall') vcpu.completeHypercall(5)
  if (exit.reason === 'hlt') vcpu.halted = false
}

interface Run {
  readonly state: VcpuState
  readonly memory: string
  readonly exits: readonly string[]
}

/** Runs to the horizon in slices; `between` is called at each boundary and may give another vcpu. */
function run(m: BareMachine, slices: readonly number[], between: (vcpu: Vcpu) => Vcpu = (vcpu) => vcpu): Run {
  let { vcpu } = m
  const exits: string[] = []
  for (let i = 0; vcpu.cycles < HORIZON && exits.length < 500; i++) {
    const left = HORIZON - vcpu.cycles
    const exit = vcpu.run(slices.length === 0 ? left : Math.min(left, slices[i % slices.length]!))
    if (exit.reason === 'shutdown') {
      exits.push('shutdown')
      break
    }
    if (exit.reason !== 'budget') exits.push(JSON.stringify(exit))
    answer(vcpu, exit)
    vcpu = between(vcpu)
  }
  return {
    state: vcpu.save(),
    memory: Buffer.from(m.memory.readBytes(0, m.memory.sizeBytes)).toString('latin1'),
    exits,
  }
}

function expectSame(one: Run, other: Run): void {
  expect(other.exits).toEqual(one.exits)
  expect(other.state).toEqual(one.state)
  expect(other.memory === one.memory).toBe(true)
}

describe('for every program', () => {
  test('how the run is sliced into budgets changes nothing', () => {
    const slices = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(program, slices, (p, budgets) => expectSame(run(prepare(p), []), run(prepare(p), budgets))),
      { seed: 11, numRuns: 300 },
    )
  })

  test('saving and restoring at any point, even in another vcpu, changes nothing', () => {
    const slices = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(program, slices, (p, budgets) => {
        const m = prepare(p)
        const moved = run(m, budgets, (vcpu) => {
          const state = JSON.parse(JSON.stringify(vcpu.save())) as VcpuState
          const fresh = new Vcpu({ index: 0, machine: m.memory.machine, memory: m.memory, costs: COSTS })
          fresh.restore(state)
          return fresh
        })
        expectSame(run(prepare(p), []), moved)
      }),
      { seed: 12, numRuns: 200 },
    )
  })

  test('decoded code is never out of date: decoding everything anew at each instruction changes nothing', () => {
    fc.assert(
      fc.property(program, (p) => {
        const m = prepare(p)
        const anew = run(m, [1], (vcpu) => {
          for (const page of [0x0000, 0x1000, HANDLER]) m.memory.writeBytes(page, m.memory.readBytes(page, 0x1000))
          return vcpu
        })
        expectSame(run(prepare(p), []), anew)
      }),
      { seed: 15, numRuns: 200 },
    )
  })

  test('the same run twice is the same run', () => {
    fc.assert(
      fc.property(program, (p) => expectSame(run(prepare(p), []), run(prepare(p), []))),
      { seed: 13, numRuns: 50 },
    )
  })

  test('a budget is exceeded by one instruction and its events at most, and never by another instruction', () => {
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 100 }), (p, budget) => {
        const { vcpu } = prepare(p)
        const exit = vcpu.run(budget)
        fc.pre(exit.reason === 'budget')
        expect(vcpu.cycles).toBeGreaterThanOrEqual(budget)
        const one = prepare(p).vcpu
        let before = 0
        while (one.cycles < budget) {
          before = one.cycles
          if (one.run(1).reason !== 'budget') return
        }
        expect(before).toBeLessThan(budget)
        expect(one.cycles).toBe(vcpu.cycles)
      }),
      { seed: 14, numRuns: 100 },
    )
  })
})
