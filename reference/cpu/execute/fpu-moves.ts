/**
 * FPU loads, stores, exchanges and constants (Intel SDM vol. 1 §8.3.3–8.3.4; vol. 2A).
 */
import { FPU_STATUS } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { condition } from '../flags.ts'
import { C1 } from '../fpu/compare.ts'
import { BCD_INDEFINITE, fromBcd, toBcd, toDouble, toInteger, toSingle } from '../fpu/convert.ts'
import { begin, settle, stackFault } from '../fpu/exceptions.ts'
import { Extended, INDEFINITE, isSignalingNan, ONE, quiet, zero } from '../fpu/extended.ts'
import {
  note,
  readableAt,
  readBytes,
  readExtended,
  readInt64,
  readNumber,
  type SourceFormat,
  writableAt,
  writeBytes,
  writeExtended,
  writeInt64,
} from '../fpu/memory.ts'
import { type Arithmetic, INVALID, OVERFLOW, PRECISION, ROUND_NEAREST, ROUND_UP, UNDERFLOW } from '../fpu/rounding.ts'
import { isEmpty, pop, readStack, rotate, setEmpty, writeStack } from '../fpu/stack.ts'
import { store16, store32 } from '../memory-access.ts'
import type { Handler, Op } from '../op.ts'

const WORD = 4
const EXTENDED_BYTES = 10
const LARGE_ALIGNMENT = 8

/** Pushes what an instruction loaded, unless the stack is full. */
function push(core: Core, x: Extended): void {
  const { r } = core
  let pushed = x
  if (!isEmpty(r, 7)) {
    if (!stackFault(core, true)) return
    pushed = INDEFINITE
  } else if (!settle(core)) return
  rotate(r, -1)
  writeStack(r, 0, pushed)
}

export function loadNumber(format: SourceFormat): Handler {
  return (core, op) => {
    begin(core)
    const x = readNumber(core, op, format)
    note(core, op)
    if (isSignalingNan(x)) core.arithmetic.raised |= INVALID
    push(core, isSignalingNan(x) ? quiet(x) : x)
  }
}

/** A load that converts nothing. */
function loadExact(read: (core: Core, op: Op) => Extended): Handler {
  return (core, op) => {
    begin(core)
    const x = read(core, op)
    note(core, op)
    push(core, x)
  }
}

const loadExtended = loadExact((core, op) => readExtended(core, readableAt(core, op, EXTENDED_BYTES, LARGE_ALIGNMENT)))
const loadInt64 = loadExact(readInt64)
const loadBcd = loadExact((core, op) =>
  fromBcd(readBytes(core, readableAt(core, op, EXTENDED_BYTES, LARGE_ALIGNMENT), EXTENDED_BYTES)),
)

const loadStack: Handler = (core, op) => {
  begin(core)
  note(core, op)
  const { r } = core
  if (isEmpty(r, 7) && isEmpty(r, op.rm)) {
    if (!stackFault(core, false)) return
    rotate(r, -1)
    writeStack(r, 0, INDEFINITE)
    return
  }
  push(core, readStack(r, op.rm))
}

/** log2(10), log2(e), π, log10(2), ln(2): the words, and the unit that rounding up (or down) makes of them. */
const CONSTANTS: Readonly<Record<string, readonly [exponent: number, high: number, low: number, nearest: -1 | 0 | 1]>> =
  {
    fldl2t: [0x4000, 0xd49a_784b, 0xcd1b_8afe, -1],
    fldl2e: [0x3fff, 0xb8aa_3b29, 0x5c17_f0bc, 1],
    fldpi: [0x4000, 0xc90f_daa2, 0x2168_c235, 1],
    fldlg2: [0x3ffd, 0x9a20_9a84, 0xfbcf_f799, 1],
    fldln2: [0x3ffe, 0xb172_17f7, 0xd1cf_79ac, 1],
  }

/** @param nearest 1: the constant was rounded up, −1: down */
function constant(exponent: number, high: number, low: number, nearest: -1 | 0 | 1): Handler {
  const loads = (by: number) => new Extended(0, exponent, high, low + by)
  const atNearest = loads(0)
  const above = nearest === -1 ? loads(1) : atNearest
  const below = nearest === 1 ? loads(-1) : atNearest
  return (core, op) => {
    begin(core)
    note(core, op)
    const { rounding } = core.arithmetic
    push(core, rounding === ROUND_NEAREST ? atNearest : rounding === ROUND_UP ? above : below)
  }
}

/** Writes ST to memory as `convert` made it, unless an unmasked exception forbids that. */
function storeNumber(
  bytes: number,
  pops: boolean,
  convert: (arithmetic: Arithmetic, x: Extended) => (core: Core, at: number) => void,
): Handler {
  return (core, op) => {
    begin(core)
    const at = writableAt(core, op, bytes, bytes === EXTENDED_BYTES ? LARGE_ALIGNMENT : bytes)
    note(core, op)
    const { arithmetic, r } = core
    const wasEmpty = isEmpty(r, 0)
    const write = convert(arithmetic, wasEmpty ? INDEFINITE : readStack(r, 0))
    const fits = (arithmetic.raised & ~arithmetic.masks & (OVERFLOW | UNDERFLOW)) === 0
    if (!fits) arithmetic.raised &= ~PRECISION
    const stores = wasEmpty ? stackFault(core, false) : settle(core)
    if (!stores || !fits) return
    write(core, at)
    if (pops) pop(r)
  }
}

function storeSingle(pops: boolean): Handler {
  return storeNumber(4, pops, (arithmetic, x) => {
    const word = toSingle(arithmetic, x)
    return (core, at) => store32(core, at, word)
  })
}

function storeDouble(pops: boolean): Handler {
  return storeNumber(8, pops, (arithmetic, x) => {
    const [high, low] = toDouble(arithmetic, x)
    return (core, at) => {
      store32(core, at, low)
      store32(core, (at + WORD) | 0, high)
    }
  })
}

const storeExtended = storeNumber(EXTENDED_BYTES, true, (_, x) => (core, at) => writeExtended(core, at, x))

/** The integer of `bits` that x is, or the integer indefinite: the most negative one. */
function integerOf(arithmetic: Arithmetic, x: Extended, bits: number): bigint {
  const value = toInteger(arithmetic, x)
  if (value !== undefined && BigInt.asIntN(bits, value) === value) return value
  arithmetic.raised = INVALID
  return -(1n << BigInt(bits - 1))
}

function storeInteger(bits: 16 | 32 | 64, pops: boolean): Handler {
  return storeNumber(bits >> 3, pops, (arithmetic, x) => {
    const value = integerOf(arithmetic, x, bits)
    if (bits === 64) return (core, at) => writeInt64(core, at, value)
    return (core, at) => (bits === 32 ? store32 : store16)(core, at, Number(value))
  })
}

const storeBcd = storeNumber(EXTENDED_BYTES, true, (arithmetic, x) => {
  const bytes = toBcd(arithmetic, x)
  if (bytes === undefined) arithmetic.raised = INVALID
  return (core, at) => writeBytes(core, at, bytes ?? BCD_INDEFINITE)
})

/** FST and FSTP to a register: no format changes, so no exception but an empty register's. */
function storeStack(pops: boolean): Handler {
  return (core, op) => {
    begin(core)
    note(core, op)
    const { r } = core
    const isFull = !isEmpty(r, 0)
    if (isFull) settle(core)
    else if (!stackFault(core, false)) return
    writeStack(r, op.rm, isFull ? readStack(r, 0) : INDEFINITE)
    if (pops) pop(r)
  }
}

const exchange: Handler = (core, op) => {
  begin(core)
  note(core, op)
  const { r } = core
  const [a, b] = [isEmpty(r, 0), isEmpty(r, op.rm)]
  if (a || b) {
    if (!stackFault(core, false)) return
  } else settle(core)
  const top = a ? INDEFINITE : readStack(r, 0)
  writeStack(r, 0, b ? INDEFINITE : readStack(r, op.rm))
  writeStack(r, op.rm, top)
}

/** FCMOVcc: the conditions B, E, BE, U and their opposites, by reg field and opcode. */
export function moveIf(code: number): Handler {
  return (core, op) => {
    begin(core)
    note(core, op)
    const { r } = core
    if (isEmpty(r, 0) || isEmpty(r, op.rm)) {
      if (stackFault(core, false)) writeStack(r, 0, INDEFINITE)
      return
    }
    if (condition(r, code)) writeStack(r, 0, readStack(r, op.rm))
  }
}

const free: Handler = (core, op) => {
  begin(core)
  note(core, op)
  settle(core)
  setEmpty(core.r, op.rm)
}

const freeAndPop: Handler = (core, op) => {
  free(core, op)
  pop(core.r)
}

/** A store that does not look whether the register is empty: then so is the other. */
const storeUnchecked: Handler = (core, op) => {
  begin(core)
  note(core, op)
  settle(core)
  const { r } = core
  const wasEmpty = isEmpty(r, 0)
  writeStack(r, op.rm, readStack(r, 0))
  if (wasEmpty) setEmpty(r, op.rm)
  pop(r)
}

function turn(by: number): Handler {
  return (core, op) => {
    begin(core)
    note(core, op)
    rotate(core.r, by)
    core.r[FPU_STATUS] = core.r[FPU_STATUS]! & ~C1
  }
}

const nothing: Handler = (core, op) => {
  begin(core)
  note(core, op)
}

/** By mnemonic and operand. */
export const MOVES: Readonly<Record<string, Handler>> = {
  'fld Md': loadNumber('single'),
  'fld Mq': loadNumber('double'),
  'fld Mt': loadExtended,
  'fild Mw': loadNumber('int16'),
  'fild Md': loadNumber('int32'),
  'fild Mq': loadInt64,
  'fbld Mt': loadBcd,
  'fst Md': storeSingle(false),
  'fstp Md': storeSingle(true),
  'fst Mq': storeDouble(false),
  'fstp Mq': storeDouble(true),
  'fstp Mt': storeExtended,
  'fist Mw': storeInteger(16, false),
  'fistp Mw': storeInteger(16, true),
  'fist Md': storeInteger(32, false),
  'fistp Md': storeInteger(32, true),
  'fistp Mq': storeInteger(64, true),
  'fbstp Mt': storeBcd,
  'fld STi': loadStack,
  'fst STi': storeStack(false),
  'fstp STi': storeStack(true),
  'fxch STi': exchange,
  'ffree STi': free,
  'ffreep STi': freeAndPop,
  'fstpnce STi': storeUnchecked,
  fdecstp: turn(-1),
  fincstp: turn(1),
  fnop: nothing,
  fld1: loadExact(() => ONE),
  fldz: loadExact(() => zero(0)),
  ...Object.fromEntries(Object.entries(CONSTANTS).map(([name, words]) => [name, constant(...words)])),
}
