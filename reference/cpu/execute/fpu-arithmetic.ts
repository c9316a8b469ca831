/**
 * FPU arithmetic, comparisons and functions (Intel SDM vol. 1 §8.3.5–8.3.11; vol. 2A), by mnemonic.
 */
import { FLAGS, FPU_STATUS } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { AF, CF, getFlags, OF, PF, SF, ZF } from '../flags.ts'
import { add, subtract } from '../fpu/add.ts'
import { C0, C1, C2, C3, compare, examine, UNORDERED } from '../fpu/compare.ts'
import { begin, settle, stackFault } from '../fpu/exceptions.ts'
import { type Extended, INDEFINITE, isNan, ONE, withSign, zero } from '../fpu/extended.ts'
import { logarithm, logarithmOfSum, powerOfTwoMinusOne } from '../fpu/logarithm.ts'
import { note, readNumber, type SourceFormat } from '../fpu/memory.ts'
import { divide, multiply, squareRoot } from '../fpu/multiply.ts'
import { extract, remainder, roundToIntegral, scaleBy } from '../fpu/remainder.ts'
import type { Arithmetic } from '../fpu/rounding.ts'
import { isEmpty, pop, readStack, rotate, writeStack } from '../fpu/stack.ts'
import { arctangent, cosine, isOutOfRange, sine, tangent } from '../fpu/trigonometry.ts'
import type { Handler, Op } from '../op.ts'

type Binary = (arithmetic: Arithmetic, a: Extended, b: Extended) => Extended
type Unary = (arithmetic: Arithmetic, a: Extended) => Extended

const subtractReversed: Binary = (arithmetic, a, b) => subtract(arithmetic, b, a)
const divideReversed: Binary = (arithmetic, a, b) => divide(arithmetic, b, a)

/** The six operations; a name with `p` pops, one with `i` takes an integer. */
export const BINARY: Readonly<Record<string, Binary>> = {
  add,
  mul: multiply,
  sub: subtract,
  subr: subtractReversed,
  div: divide,
  divr: divideReversed,
}

function beginNoted(core: Core, op: Op): void {
  begin(core)
  note(core, op)
}

/** ST ← ST op memory. */
export function withMemory(operation: Binary, format: SourceFormat): Handler {
  return (core, op) => {
    begin(core)
    const source = readNumber(core, op, format)
    note(core, op)
    const { r } = core
    if (isEmpty(r, 0)) {
      if (stackFault(core, false)) writeStack(r, 0, INDEFINITE)
      return
    }
    const result = operation(core.arithmetic, readStack(r, 0), source)
    if (settle(core)) writeStack(r, 0, result)
  }
}

/** ST(to) ← ST(to) op ST(from); one of them is 0. */
export function withStack(operation: Binary, toTop: boolean, pops: boolean): Handler {
  return (core, op) => {
    beginNoted(core, op)
    const { r } = core
    const to = toTop ? 0 : op.rm
    const from = toTop ? op.rm : 0
    if (isEmpty(r, 0) || isEmpty(r, op.rm)) {
      if (!stackFault(core, false)) return
      writeStack(r, to, INDEFINITE)
    } else {
      const result = operation(core.arithmetic, readStack(r, to), readStack(r, from))
      if (!settle(core)) return
      writeStack(r, to, result)
    }
    if (pops) pop(r)
  }
}

function setCodes(core: Core, codes: number): void {
  core.r[FPU_STATUS] = (core.r[FPU_STATUS]! & ~(C0 | C2 | C3)) | (codes & (C0 | C2 | C3))
}

/** EFLAGS as FCOMI sets them from condition codes. */
function setEflags(core: Core, codes: number): void {
  const cleared = getFlags(core.r) & ~(OF | SF | ZF | AF | PF | CF)
  core.r[FLAGS] =
    cleared | ((codes & C0) !== 0 ? CF : 0) | ((codes & C2) !== 0 ? PF : 0) | ((codes & C3) !== 0 ? ZF : 0)
}

interface Comparison {
  /** Only a signaling NaN is invalid. */
  readonly quiet?: boolean
  readonly pops?: number
  /** The result goes to EFLAGS. */
  readonly toFlags?: boolean
}

function conclude(core: Core, source: Extended | undefined, comparison: Comparison): void {
  const { r } = core
  const c1 = r[FPU_STATUS]! & C1
  const isFull = !isEmpty(r, 0) && source !== undefined
  const codes = isFull ? compare(core.arithmetic, readStack(r, 0), source, comparison.quiet ?? false) : UNORDERED
  const goesOn = isFull ? settle(core) : stackFault(core, false)
  if (isFull && comparison.toFlags) r[FPU_STATUS] = r[FPU_STATUS]! | c1
  if (!goesOn) return
  if (comparison.toFlags) setEflags(core, codes)
  else setCodes(core, codes)
  for (let i = 0; i < (comparison.pops ?? 0); i++) pop(r)
}

export function compareMemory(format: SourceFormat, pops: number): Handler {
  return (core, op) => {
    begin(core)
    const source = readNumber(core, op, format)
    note(core, op)
    conclude(core, source, { pops })
  }
}

export function compareStack(comparison: Comparison): Handler {
  return (core, op) => {
    beginNoted(core, op)
    conclude(core, isEmpty(core.r, op.rm) ? undefined : readStack(core.r, op.rm), comparison)
  }
}

const test: Handler = (core, op) => {
  beginNoted(core, op)
  conclude(core, zero(0), {})
}

const examineTop: Handler = (core, op) => {
  beginNoted(core, op)
  const { r } = core
  const x = readStack(r, 0)
  const codes = isEmpty(r, 0) ? C3 | C0 | (x.sign === 1 ? C1 : 0) : examine(x)
  r[FPU_STATUS] = (r[FPU_STATUS]! & ~C1) | (codes & C1)
  setCodes(core, codes)
}

/** ST ← f(ST). */
function unary(operation: Unary): Handler {
  return (core, op) => {
    beginNoted(core, op)
    const { r } = core
    if (isEmpty(r, 0)) {
      if (stackFault(core, false)) writeStack(r, 0, INDEFINITE)
      return
    }
    const result = operation(core.arithmetic, readStack(r, 0))
    if (settle(core)) writeStack(r, 0, result)
  }
}

/** The same for an angle: C2 tells that it is too large, and then nothing else happens. */
function ofAngle(operation: Unary): Handler {
  const inRange = unary(operation)
  return (core, op) => {
    if (leavesAngle(core, op)) return
    inRange(core, op)
    core.r[FPU_STATUS] = core.r[FPU_STATUS]! & ~C2
  }
}

function leavesAngle(core: Core, op: Op): boolean {
  const { r } = core
  if (isEmpty(r, 0) || !isOutOfRange(readStack(r, 0))) return false
  beginNoted(core, op)
  settle(core)
  r[FPU_STATUS] = r[FPU_STATUS]! | C2
  return true
}

/** ST(1) ← f(ST(1), ST), and pop. */
function ofBoth(operation: Binary): Handler {
  return (core, op) => {
    beginNoted(core, op)
    const { r } = core
    if (isEmpty(r, 0) || isEmpty(r, 1)) {
      if (!stackFault(core, false)) return
      writeStack(r, 1, INDEFINITE)
    } else {
      const result = operation(core.arithmetic, readStack(r, 1), readStack(r, 0))
      if (!settle(core)) return
      writeStack(r, 1, result)
    }
    pop(r)
  }
}

/** ST ← f(ST), and a second result is pushed. */
function pushing(operation: (arithmetic: Arithmetic, a: Extended) => readonly [Extended, Extended]): Handler {
  return (core, op) => {
    beginNoted(core, op)
    const { r } = core
    const overflow = !isEmpty(r, 7)
    let results: readonly [Extended, Extended] = [INDEFINITE, INDEFINITE]
    if (isEmpty(r, 0) || overflow) {
      if (!stackFault(core, overflow && !isEmpty(r, 0))) return
    } else {
      results = operation(core.arithmetic, readStack(r, 0))
      if (!settle(core)) return
    }
    writeStack(r, 0, results[0])
    rotate(r, -1)
    writeStack(r, 0, results[1])
  }
}

function pushingAngle(operation: (arithmetic: Arithmetic, a: Extended) => readonly [Extended, Extended]): Handler {
  const inRange = pushing(operation)
  return (core, op) => {
    if (isEmpty(core.r, 7) && leavesAngle(core, op)) return
    inRange(core, op)
    core.r[FPU_STATUS] = core.r[FPU_STATUS]! & ~C2
  }
}

/** C2 is cleared whatever comes; the quotient's bits only go where there is a quotient. */
function partialRemainder(nearest: boolean): Handler {
  return (core, op) => {
    beginNoted(core, op)
    const { r } = core
    r[FPU_STATUS] = r[FPU_STATUS]! & ~C2
    if (isEmpty(r, 0) || isEmpty(r, 1)) {
      if (stackFault(core, false)) writeStack(r, 0, INDEFINITE)
      return
    }
    const { value, codes } = remainder(core.arithmetic, readStack(r, 0), readStack(r, 1), nearest)
    if (!settle(core)) return
    writeStack(r, 0, value)
    if (codes === undefined) return
    setCodes(core, codes)
    r[FPU_STATUS] = (r[FPU_STATUS]! & ~C1) | (codes & C1)
  }
}

const scale: Handler = (core, op) => {
  beginNoted(core, op)
  const { r } = core
  if (isEmpty(r, 0) || isEmpty(r, 1)) {
    if (stackFault(core, false)) writeStack(r, 0, INDEFINITE)
    return
  }
  const result = scaleBy(core.arithmetic, readStack(r, 0), readStack(r, 1))
  if (settle(core)) writeStack(r, 0, result)
}

/** Instructions without operands of their own. */
export const FUNCTIONS: Readonly<Record<string, Handler>> = {
  fchs: unary((_, a) => withSign(a, a.sign ^ 1)),
  fabs: unary((_, a) => withSign(a, 0)),
  fsqrt: unary(squareRoot),
  frndint: unary(roundToIntegral),
  f2xm1: unary(powerOfTwoMinusOne),
  fsin: ofAngle(sine),
  fcos: ofAngle(cosine),
  fptan: pushingAngle((arithmetic, a) => {
    const result = tangent(arithmetic, a)
    return [result, isNan(result) ? result : ONE]
  }),
  fsincos: pushingAngle((arithmetic, a) => {
    const second = cosine(arithmetic, a)
    return [sine(arithmetic, a), second]
  }),
  fpatan: ofBoth(arctangent),
  fyl2x: ofBoth(logarithm),
  fyl2xp1: ofBoth(logarithmOfSum),
  fprem: partialRemainder(false),
  fprem1: partialRemainder(true),
  fscale: scale,
  fxtract: pushing((arithmetic, a) => {
    const parts = extract(arithmetic, a)
    return [parts.exponent, parts.significand]
  }),
  ftst: test,
  fxam: examineTop,
}
