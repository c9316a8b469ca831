import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MachineMemory } from '../../mmu/machine-memory.ts'
import { JumpTable } from './jump-table.ts'
import { WasmCode } from './wasm-code.ts'
import { compile } from './wasm-host.ts'
import { encodeModule } from './wasm-module.ts'

const PAGE_BYTES = 65_536

/** Runs a function (a, b) → i32 of the instructions that `write` writes. */
function run(write: (code: WasmCode) => void, machine = new MachineMemory({ frames: 16, vcpus: 1 })) {
  const code = new WasmCode(2)
  write(code)
  const pages = machine.memory.buffer.byteLength / PAGE_BYTES
  const made = compile(encodeModule(code.finish(), pages), machine.memory, () => 0)
  if (made === undefined) throw new Error('WebAssembly refused the module.')
  return made
}

interface Expression {
  readonly write: (code: WasmCode) => void
  readonly value: (a: number, b: number) => number
}

const OPERATORS = [
  ['i32_add', (x: number, y: number) => (x + y) | 0],
  ['i32_sub', (x: number, y: number) => (x - y) | 0],
  ['i32_mul', (x: number, y: number) => Math.imul(x, y)],
  ['i32_xor', (x: number, y: number) => x ^ y],
  ['i32_and', (x: number, y: number) => x & y],
  ['i32_or', (x: number, y: number) => x | y],
  ['i32_shl', (x: number, y: number) => x << y],
  ['i32_shr_u', (x: number, y: number) => (x >>> y) | 0],
  ['i32_lt_u', (x: number, y: number) => Number(x >>> 0 < y >>> 0)],
  ['i32_lt_s', (x: number, y: number) => Number(x < y)],
] as const

const { expression } = fc.letrec<{ expression: Expression; leaf: Expression }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom<Expression>(
      { write: (code) => code.get(0), value: (a) => a },
      { write: (code) => code.get(1), value: (_, b) => b },
    ),
    fc.integer().map((n) => ({ write: (code: WasmCode) => void code.const(n), value: () => n })),
  ),
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    tie('leaf'),
    fc.tuple(fc.constantFrom(...OPERATORS), tie('expression'), tie('expression')).map(([[name, compute], x, y]) => ({
      write: (code: WasmCode) => {
        x.write(code)
        y.write(code)
        code.op(name)
      },
      value: (a: number, b: number) => compute(x.value(a, b), y.value(a, b)),
    })),
  ),
}))

describe('what is written is what WebAssembly runs', () => {
  test('expressions of constants, locals and operators have their value', () => {
    fc.assert(
      fc.property(expression, fc.integer(), fc.integer(), (e, a, b) => {
        expect(run(e.write)(a, b)).toBe(e.value(a, b))
      }),
      { seed: 1, numRuns: 150 },
    )
  })

  test('labels lead out of blocks and back to loops, however deep', () => {
    const sum = run((code) => {
      const total = code.local()
      const done = code.block()
      const again = code.loop()
      code.get(0).op('i32_eqz').brIf(done)
      code.get(total).get(0).op('i32_add').set(total)
      code.get(0).const(1).op('i32_sub').set(0)
      code.get(1).if()
      code.get(total).const(1).op('i32_add').set(total).br(again)
      code.else().end()
      code.br(again)
      code.end().end()
      code.get(total)
    })
    expect([sum(10, 0), sum(10, 1)]).toEqual([55, 65])
  })

  test('a borrowed local comes back, one for each type', () => {
    const code = new WasmCode(2)
    const first = code.borrow()
    code.giveBack(first)
    expect([code.borrow(), code.borrow() === first]).toEqual([first, false])
  })

  test('more code than the first buffer holds is written whole', () => {
    const count = 5000
    const add = run((code) => {
      code.get(0)
      for (let i = 0; i < count; i++) code.get(1).op('i32_add')
    })
    expect(add(1, 3)).toBe(1 + 3 * count)
  })

  test('a module that is none is refused', () => {
    const machine = new MachineMemory({ frames: 16, vcpus: 1 })
    expect(compile(encodeModule(Uint8Array.of(2, 0, 0x6a), 1), machine.memory, () => 0)).toBe(undefined)
  })
})

test('a jump table finds each of its addresses and nothing else', () => {
  const addresses = fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(
      addresses,
      fc.array(fc.oneof(fc.constantFrom(0, 1, -1), fc.integer()), { maxLength: 20 }),
      (eips, others) => {
        const machine = new MachineMemory({ frames: 16, vcpus: 1 })
        const { start } = machine.tableArea(0)
        const targets = eips.map((eip, i) => ({ eip, addend: i * 4096, entry: i + 1 }))
        const table = JumpTable.make(targets, () => start)!
        table.install(new Int32Array(machine.memory.buffer))
        const find = run((code) => {
          const place = code.local()
          const entry = code.local()
          table.lookUp(code, 0, place)
          code.if()
          table.pushEntry(code, place)
          code.set(entry).end()
          code.get(entry)
        }, machine)
        for (const eip of [...eips, ...others]) expect(find(eip, 0)).toBe(eips.indexOf(eip) + 1)
      },
    ),
    { seed: 5, numRuns: 40 },
  )
})
