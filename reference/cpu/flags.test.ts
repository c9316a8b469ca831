import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REGISTER_BYTES } from '../mmu/layout.ts'
import { BareMachine } from './bare-machine.ts'
import {
  condition,
  getFlags,
  setAddFlags,
  setDecFlags,
  setFlags,
  setIncFlags,
  setLogicFlags,
  setSubFlags,
  WITH_BORROW,
} from './flags.ts'

const CF = 1
const PF = 4
const AF = 16
const ZF = 64
const SF = 128
const OF = 2048

const WIDTHS = [8, 16, 32] as const
const operand = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, 1, -1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fff_ffff, -0x8000_0000),
)

/** SF, ZF and PF by counting bits. */
function resultFlags(result: bigint, width: number): number {
  const r = BigInt.asUintN(width, result)
  let ones = 0
  for (let bit = 0n; bit < 8n; bit++) ones += Number((r >> bit) & 1n)
  return (r === 0n ? ZF : 0) | (BigInt.asIntN(width, r) < 0n ? SF : 0) | (ones % 2 === 0 ? PF : 0)
}

/** The flags of a + b + c or a − b − c from their definitions: results that do not fit. */
function arithmeticFlags(a: number, b: number, c: number, width: number, sign: 1n | -1n): number {
  const unsigned = (x: number) => BigInt.asUintN(width, BigInt(x))
  const signed = (x: number) => BigInt.asIntN(width, BigInt(x))
  const exact = unsigned(a) + sign * (unsigned(b) + BigInt(c))
  const exactSigned = signed(a) + sign * (signed(b) + BigInt(c))
  const nibble = (unsigned(a) & 15n) + sign * ((unsigned(b) & 15n) + BigInt(c))
  return (
    resultFlags(exact, width) |
    (exact !== BigInt.asUintN(width, exact) ? CF : 0) |
    (exactSigned !== BigInt.asIntN(width, exactSigned) ? OF : 0) |
    (nibble < 0n || nibble > 15n ? AF : 0)
  )
}

const words = () => new Int32Array(REGISTER_BYTES / 4)

describe('lazy flags are those of the definitions', () => {
  const property = (check: (a: number, b: number, c: number, width: 8 | 16 | 32) => void, seed: number) =>
    fc.assert(fc.property(operand, operand, fc.nat({ max: 1 }), fc.constantFrom(...WIDTHS), check), {
      seed,
      numRuns: 500,
    })

  test('of sums, with and without carry', () => {
    property((a, b, c, width) => {
      const r = words()
      setAddFlags(r, a, b, (a + b + c) | 0, 32 - width)
      expect(getFlags(r)).toBe(arithmeticFlags(a, b, c, width, 1n))
    }, 1)
  })

  test('of differences, with and without borrow', () => {
    property((a, b, c, width) => {
      const r = words()
      setSubFlags(r, a, b, (a - b - c) | 0, (32 - width) | (c === 0 ? 0 : WITH_BORROW))
      expect(getFlags(r)).toBe(arithmeticFlags(a, b, c, width, -1n))
    }, 2)
  })

  test('of INC and DEC, which leave CF', () => {
    property((a, _b, c, width) => {
      const r = words()
      setFlags(r, c)
      setIncFlags(r, a, (a + 1) | 0, 32 - width)
      expect(getFlags(r) & ~2).toBe((arithmeticFlags(a, 1, 0, width, 1n) & ~CF) | c)
      setSubFlags(r, 0, c, -c, 0)
      setDecFlags(r, a, (a - 1) | 0, 32 - width)
      expect(getFlags(r) & ~2).toBe((arithmeticFlags(a, 1, 0, width, -1n) & ~CF) | c)
    }, 3)
  })

  test('of logic: CF and OF are 0', () => {
    property((a, b, _c, width) => {
      const r = words()
      setFlags(r, CF | OF)
      setLogicFlags(r, a & b, 32 - width)
      expect(getFlags(r) & ~2).toBe(resultFlags(BigInt(a & b), width))
    }, 4)
  })

  test('every condition says the same before and after the flags are computed', () => {
    property((a, b, c, width) => {
      for (let code = 0; code < 16; code++) {
        const lazy = words()
        setSubFlags(lazy, a, b, (a - b - c) | 0, (32 - width) | (c === 0 ? 0 : WITH_BORROW))
        const computed = lazy.slice()
        getFlags(computed)
        expect(condition(lazy, code)).toBe(condition(computed, code))
        expect(condition(computed, code)).toBe(!condition(computed, code ^ 1))
      }
    }, 5)
  })
})

describe('products and quotients are those of exact numbers', () => {
  const EAX = 0
  const run = (code: readonly number[], eax: number, edx: number, ecx: number) => {
    const { vcpu } = new BareMachine().load(0x1000, code)
    for (const [n, value] of [eax, ecx, edx].entries()) vcpu.registers.setGeneral(n, value)
    vcpu.intercepts.exceptions = -1
    const exit = vcpu.run(1)
    return {
      fault: exit.reason === 'exception',
      eax: vcpu.registers.general(EAX),
      edx: vcpu.registers.edx,
      cf: vcpu.registers.eflags & CF,
    }
  }
  const u32 = (x: bigint) => Number(BigInt.asUintN(32, x))

  test('MUL and IMUL of 32 bits', () => {
    fc.assert(
      fc.property(operand, operand, (a, b) => {
        const unsigned = BigInt(a >>> 0) * BigInt(b >>> 0)
        const signed = BigInt(a) * BigInt(b)
        const fits = signed === BigInt.asIntN(32, signed)
        expect(run([0xf7, 0xe1], a, 0, b)).toMatchObject({ eax: u32(unsigned), edx: u32(unsigned >> 32n) })
        expect(run([0xf7, 0xe9], a, 0, b)).toMatchObject({
          eax: u32(signed),
          edx: u32(signed >> 32n),
          cf: fits ? 0 : 1,
        })
        expect(run([0x0f, 0xaf, 0xc1], a, 0, b)).toMatchObject({ eax: u32(signed), cf: fits ? 0 : 1 })
      }),
      { seed: 6, numRuns: 100 },
    )
  })

  test('DIV and IDIV of 64 by 32 bits, and #DE when the quotient does not fit', () => {
    const high = fc.oneof(operand, fc.integer({ min: -3, max: 3 }))
    fc.assert(
      fc.property(operand, high, operand, (low, upper, divisor) => {
        const n = (BigInt(upper >>> 0) << 32n) | BigInt(low >>> 0)
        const d = BigInt(divisor >>> 0)
        const fits = d !== 0n && n / d < 2n ** 32n
        expect(run([0xf7, 0xf1], low, upper, divisor)).toMatchObject(
          fits ? { fault: false, eax: u32(n / d), edx: u32(n % d) } : { fault: true },
        )
        const sn = BigInt.asIntN(64, n)
        const sd = BigInt(divisor)
        const signedFits = sd !== 0n && sn / sd === BigInt.asIntN(32, sn / sd)
        expect(run([0xf7, 0xf9], low, upper, divisor)).toMatchObject(
          signedFits ? { fault: false, eax: u32(sn / sd), edx: u32(sn % sd) } : { fault: true },
        )
      }),
      { seed: 7, numRuns: 150 },
    )
  })
})
