import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { add, subtract } from './add.ts'
import { C0, C3, compare } from './compare.ts'
import { fromBcd, fromDouble, fromInteger, fromSingle, toBcd, toDouble, toInteger, toSingle } from './convert.ts'
import { BIAS, Extended, isNan, significandOf } from './extended.ts'
import { logarithm, logarithmOfSum, powerOfTwoMinusOne } from './logarithm.ts'
import { divide, integerRoot, multiply, squareRoot } from './multiply.ts'
import { extract, remainder, roundToIntegral, scaleBy } from './remainder.ts'
import { Arithmetic, DENORMAL, INVALID, OVERFLOW, PRECISION, UNDERFLOW } from './rounding.ts'
import { arctangent, cosine, sine, tangent } from './trigonometry.ts'

const RUNS = { seed: 8087, numRuns: 400 }
/** Control words: all masked, nearest, of 53 and of 64 bits. */
const DOUBLE_PRECISION = 0x27f
const EXTENDED_PRECISION = 0x37f
const view = new DataView(new ArrayBuffer(8))

function arithmeticOf(control: number): Arithmetic {
  const arithmetic = new Arithmetic()
  arithmetic.begin(control)
  return arithmetic
}

function fromNumber(x: number): Extended {
  view.setFloat64(0, x)
  return fromDouble(arithmeticOf(EXTENDED_PRECISION), view.getInt32(0), view.getInt32(4))
}

function toNumber(x: Extended): number {
  const [high, low] = toDouble(arithmeticOf(EXTENDED_PRECISION), x)
  view.setInt32(0, high)
  view.setInt32(4, low)
  return view.getFloat64(0)
}

/** Doubles whose sums, products and quotients stay far from the ends of the double range. */
const moderate = fc.double({ min: -1e100, max: 1e100, noNaN: true }).filter((x) => x === 0 || Math.abs(x) > 1e-100)
const extended = fc
  .tuple(fc.boolean(), fc.integer({ min: 1, max: 0x7ffe }), fc.integer(), fc.integer())
  .map(([negative, exponent, high, low]) => new Extended(negative ? 1 : 0, exponent, high | 0x8000_0000, low))
const near = fc
  .tuple(fc.boolean(), fc.integer({ min: BIAS - 40, max: BIAS + 40 }), fc.integer(), fc.integer())
  .map(([negative, exponent, high, low]) => new Extended(negative ? 1 : 0, exponent, high | 0x8000_0000, low))

describe('with 53 bits', () => {
  const law = (name: string, ours: typeof add, theirs: (a: number, b: number) => number) =>
    test(`${name} gives what a double gives, exactly`, () => {
      fc.assert(
        fc.property(moderate, moderate, (a, b) => {
          const wanted = theirs(a, b)
          fc.pre(Number.isFinite(wanted) && (wanted === 0 || Math.abs(wanted) > 1e-290))
          expect(toNumber(ours(arithmeticOf(DOUBLE_PRECISION), fromNumber(a), fromNumber(b)))).toBe(wanted)
        }),
        RUNS,
      )
    })
  law('an addition', add, (a, b) => a + b)
  law('a subtraction', subtract, (a, b) => a - b)
  law('a multiplication', multiply, (a, b) => a * b)
  law('a division', divide, (a, b) => a / b)

  test('a square root gives what a double gives, exactly', () => {
    fc.assert(
      fc.property(moderate, (a) => {
        const x = Math.abs(a)
        expect(toNumber(squareRoot(arithmeticOf(DOUBLE_PRECISION), fromNumber(x)))).toBe(Math.sqrt(x))
      }),
      RUNS,
    )
  })

  test('a remainder gives what % gives, and an FXTRACT the logarithm', () => {
    fc.assert(
      fc.property(moderate, moderate, (a, b) => {
        fc.pre(b !== 0 && a !== 0 && Math.abs(a / b) < 2 ** 62)
        const arithmetic = arithmeticOf(EXTENDED_PRECISION)
        expect(toNumber(remainder(arithmetic, fromNumber(a), fromNumber(b), false).value)).toBe(a % b)
        const parts = extract(arithmetic, fromNumber(a))
        expect(toNumber(parts.significand) * 2 ** toNumber(parts.exponent)).toBe(a)
      }),
      RUNS,
    )
  })
})

describe('with 64 bits', () => {
  test('a product is the true one, cut, or one unit more', () => {
    fc.assert(
      fc.property(near, near, (a, b) => {
        const product = significandOf(a) * significandOf(b)
        const shift = product >> 127n === 1n ? 64n : 63n
        const down = multiply(arithmeticOf(0xf7f), a, b)
        expect(significandOf(down)).toBe(product >> shift)
        const up = multiply(arithmeticOf(a.sign === b.sign ? 0xb7f : 0x77f), a, b)
        const isExact = (product >> shift) << shift === product
        const distance = BigInt(up.exponent - down.exponent) * (1n << 63n) + significandOf(up) - significandOf(down)
        expect(distance === 0n).toBe(isExact)
      }),
      RUNS,
    )
  })

  test('what is divided and multiplied again differs by one unit at most; an exact quotient comes back', () => {
    fc.assert(
      fc.property(near, fc.integer({ min: 1, max: 0xffff }), (a, n) => {
        const arithmetic = arithmeticOf(EXTENDED_PRECISION)
        const factor = fromInteger(BigInt(n))
        const short = new Extended(a.sign, a.exponent, a.high, 0)
        expect(divide(arithmetic, multiply(arithmetic, short, factor), factor)).toEqual(short)
      }),
      RUNS,
    )
  })

  test('rounding down, to nearest and up never change places', () => {
    fc.assert(
      fc.property(near, near, fc.constantFrom(add, subtract, multiply, divide), (a, b, operation) => {
        const [nearest, down, up] = [0x37f, 0x77f, 0xb7f].map((control) => operation(arithmeticOf(control), a, b))
        const order = (x: Extended, y: Extended) => compare(arithmeticOf(EXTENDED_PRECISION), x, y, true)
        expect([C0, C3]).toContain(order(down!, nearest!))
        expect([0, C3]).toContain(order(up!, nearest!))
      }),
      RUNS,
    )
  })

  test('x − x is 0, and x + y is y + x, over the whole range', () => {
    fc.assert(
      fc.property(extended, extended, (a, b) => {
        const arithmetic = arithmeticOf(EXTENDED_PRECISION)
        expect(subtract(arithmetic, a, a)).toEqual(new Extended(0, 0, 0, 0))
        expect(add(arithmetic, a, b)).toEqual(add(arithmetic, b, a))
      }),
      RUNS,
    )
  })

  test('an integer root is the largest whose square is not larger', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 450n }), (n) => {
        const root = integerRoot(n)
        expect(root * root <= n && (root + 1n) * (root + 1n) > n).toBe(true)
      }),
      RUNS,
    )
  })
})

describe('conversions', () => {
  test('every double and every single comes back as it was', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.float({ noNaN: true }), (double, single) => {
        expect(toNumber(fromNumber(double))).toBe(double)
        view.setFloat32(0, single)
        const word = view.getInt32(0)
        const arithmetic = arithmeticOf(EXTENDED_PRECISION)
        expect(toSingle(arithmetic, fromSingle(arithmetic, word))).toBe(word)
      }),
      RUNS,
    )
  })

  test('to single as the host does it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (x) => {
        const is = toSingle(arithmeticOf(EXTENDED_PRECISION), fromNumber(x))
        view.setFloat32(0, x)
        expect(is).toBe(view.getInt32(0))
      }),
      RUNS,
    )
  })

  test('64-bit integers and 18 decimal digits come back', () => {
    const arithmetic = arithmeticOf(EXTENDED_PRECISION)
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (n) => {
        expect(toInteger(arithmetic, fromInteger(n))).toBe(n)
        const digits = n % 10n ** 18n
        const bytes = toBcd(arithmetic, fromInteger(digits))!
        expect(toInteger(arithmetic, fromBcd(bytes))).toBe(digits)
      }),
      RUNS,
    )
  })

  test('FRNDINT rounds as the control word says', () => {
    const rounded = (x: number, control: number) => toNumber(roundToIntegral(arithmeticOf(control), fromNumber(x)))
    expect([2.5, -2.5, 3.5, 0.4, -0.5].map((x) => rounded(x, 0x37f))).toEqual([2, -2, 4, 0, -0])
    expect([2.5, -2.5].map((x) => rounded(x, 0x77f))).toEqual([2, -3])
    expect([2.5, -2.5].map((x) => rounded(x, 0xb7f))).toEqual([3, -2])
    expect([2.5, -2.5].map((x) => rounded(x, 0xf7f))).toEqual([2, -2])
  })
})

describe('transcendental functions', () => {
  const close = (is: Extended, wanted: number) => {
    if (wanted === 0) expect(toNumber(is)).toBeCloseTo(0, 12)
    else expect(Math.abs(toNumber(is) / wanted - 1)).toBeLessThan(1e-14)
  }
  const small = fc.double({ min: -0.999, max: 0.999, noNaN: true }).filter((x) => Math.abs(x) > 1e-200)
  const angle = fc.double({ min: -100, max: 100, noNaN: true }).filter((x) => Math.abs(x) > 1e-200)
  const arithmetic = arithmeticOf(EXTENDED_PRECISION)

  test('agree with the host wherever that is exact enough', () => {
    fc.assert(
      fc.property(small, angle, moderate, (x, y, z) => {
        close(powerOfTwoMinusOne(arithmetic, fromNumber(x)), Math.expm1(x * Math.LN2))
        close(logarithmOfSum(arithmetic, fromNumber(1), fromNumber(x * 0.29)), Math.log1p(x * 0.29) / Math.LN2)
        if (z !== 0 && z !== 1)
          close(logarithm(arithmetic, fromNumber(1), fromNumber(Math.abs(z))), Math.log2(Math.abs(z)))
        close(arctangent(arithmetic, fromNumber(y), fromNumber(x)), Math.atan2(y, x))
        expect(toNumber(sine(arithmetic, fromNumber(y)))).toBeCloseTo(Math.sin(y), 12)
        expect(toNumber(cosine(arithmetic, fromNumber(y)))).toBeCloseTo(Math.cos(y), 12)
        if (Math.abs(Math.cos(y)) > 0.01) close(tangent(arithmetic, fromNumber(y)), Math.tan(y))
      }),
      { seed: 80387, numRuns: 100 },
    )
  })

  test('the sine of π is what is missing of it, to all 64 bits', () => {
    const pi = new Extended(0, 0x4000, 0xc90f_daa2, 0x2168_c235)
    expect(toNumber(sine(arithmetic, pi))).toBe(-(2 ** -66) * 4)
  })
})

describe('exceptions', () => {
  const raisedBy = (control: number, run: (arithmetic: Arithmetic) => Extended) => {
    const arithmetic = arithmeticOf(control)
    const result = run(arithmetic)
    return { raised: arithmetic.raised, result }
  }
  const largest = new Extended(0, 0x7ffe, -1, -1)
  const smallest = new Extended(0, 1, 0x8000_0000, 0)

  test('an overflow gives infinity, or the largest number when it is cut; unmasked, the exponent is wrapped', () => {
    const twice = (control: number) => raisedBy(control, (arithmetic) => add(arithmetic, largest, largest))
    expect(twice(0x37f)).toEqual({ raised: OVERFLOW | PRECISION, result: new Extended(0, 0x7fff, 0x8000_0000, 0) })
    expect(twice(0xf7f)).toEqual({ raised: OVERFLOW | PRECISION, result: largest })
    expect(twice(0x377)).toEqual({ raised: OVERFLOW, result: new Extended(0, 0x7fff - 24576, -1, -1) })
  })

  test('an underflow is told when it is inexact, or unmasked', () => {
    const half = (control: number, x: Extended) =>
      raisedBy(control, (arithmetic) => scaleBy(arithmetic, x, fromNumber(-1)))
    expect(half(0x37f, smallest)).toEqual({ raised: 0, result: new Extended(0, 0, 0x4000_0000, 0) })
    const odd = new Extended(0, 1, 0x8000_0000, 1)
    expect(half(0x37f, odd)).toEqual({ raised: UNDERFLOW | PRECISION, result: new Extended(0, 0, 0x4000_0000, 0) })
    expect(half(0x36f, smallest)).toEqual({ raised: UNDERFLOW, result: new Extended(0, 24576, 0x8000_0000, 0) })
  })

  test('denormals are told of, and an invalid operation alone', () => {
    const tiny = new Extended(0, 0, 0, 1)
    expect(raisedBy(0x37f, (arithmetic) => add(arithmetic, tiny, tiny)).raised).toBe(DENORMAL)
    const negative = new Extended(1, 0, 0, 1)
    const root = raisedBy(0x37f, (arithmetic) => squareRoot(arithmetic, negative))
    expect([root.raised, isNan(root.result)]).toEqual([INVALID, true])
  })
})
