/**
 * What a region knows of the arithmetic flags while it is translated: not their values, but the operation that they follow
 * from and the locals that hold its operands. Flags are computed where a condition asks for them, and by
 * {@link writeBack} when a region is left; what nobody asks for is never computed.
 *
 * The rules are those of the interpreter's `flags.ts` and `execute/shifts.ts`.
 */
import { ENGINE_FLAGS, FLAGS, LAZY_MASK } from '../../mmu/layout.ts'
import {
  AF,
  CF,
  getFlags,
  OF,
  PF,
  SF,
  setAddFlags,
  setDecFlags,
  setIncFlags,
  setLogicFlags,
  setResultFlags,
  setSubFlags,
  WITH_BORROW,
  ZF,
} from '../flags.ts'
import type { Local, WasmCode } from './wasm-code.ts'

/** OF SF ZF AF PF CF. */
export const ARITHMETIC = OF | SF | ZF | AF | PF | CF

/** The operation that the flags follow from. */
export const MATERIAL = 0
export const ADD = 1
export const SUB = 2
export const LOGIC = 3
export const INC = 4
export const DEC = 5
export const SHL = 6
export const SHR = 7
export const SAR = 8
/** `first` is 1 when CF and OF are set. */
export const MUL = 9
export const ADC = 10
export const SBB = 11
/** SHLD and SHRD: `first` is OF, `second` is CF. */
export const DOUBLE = 12
/** Since a shift by CL it is known only when the region runs: the local `kind` holds the code. */
export const LATE = 14
/** What stood at the start of a node whose predecessors differ: the local `kind` holds the code. */
export const DYNAMIC = 15

/** What replaced CF, or CF and OF, since then. */
export const NOTHING = 0
export const ROTATED_LEFT = 1
export const ROTATED_RIGHT = 2
export const CARRY_ONLY = 3

export interface FlagState {
  readonly base: number
  /** 32 − width of its operands. */
  readonly shift: number
  /** Of a shift. */
  readonly count: number
  readonly overlay: number
  /** 32 − width of what was rotated. */
  readonly overlayShift: number
}

/** The locals behind a state. */
export interface FlagLocals {
  /** Flags as bits of EFLAGS, for `MATERIAL`. */
  readonly bits: Local
  /** CF as 0 or 1, for `INC` and `DEC`. */
  readonly carry: Local
  /** The first operand, the second (of `SUB`, `ADC` and `SBB`), and the result. */
  readonly first: Local
  readonly second: Local
  readonly result: Local
  /** The result of a rotation, or the new CF of `CARRY_ONLY`. */
  readonly other: Local
  /** The code of the state, for `DYNAMIC`. */
  readonly kind: Local
}

export function stateOf(base: number, shift = 0, count = 0): FlagState {
  return { base, shift, count, overlay: NOTHING, overlayShift: 0 }
}

const SHIFT_BITS = 4
const COUNT_BITS = 9
const OVERLAY_BITS = 14
const OVERLAY_SHIFT_BITS = 16

/** A state as one number. */
export function codeOf(state: FlagState): number {
  return (
    state.base |
    (state.shift << SHIFT_BITS) |
    (state.count << COUNT_BITS) |
    (state.overlay << OVERLAY_BITS) |
    (state.overlayShift << OVERLAY_SHIFT_BITS)
  )
}

/** The bits of a code that tell of an overlay. */
export const OVERLAY_MASK = -1 << OVERLAY_BITS

/** Writes flags into a vcpu's words, from what a region left behind `ENGINE_FLAGS`: kind, bits, carry, first, second, result, other. */
export function writeBack(r: Int32Array, code: number): void {
  const first = r[ENGINE_FLAGS + 3]!
  const second = r[ENGINE_FLAGS + 4]!
  const result = r[ENGINE_FLAGS + 5]!
  const other = r[ENGINE_FLAGS + 6]!
  const shift = (code >> SHIFT_BITS) & 31
  r[LAZY_MASK] = 0
  switch (code & 15) {
    case ADD:
      setAddFlags(r, first, (result - first) | 0, result, shift)
      break
    case SUB:
      setSubFlags(r, first, (first - result) | 0, result, shift)
      break
    case LOGIC:
      setLogicFlags(r, result, shift)
      break
    case INC:
      r[FLAGS] = (r[FLAGS]! & ~CF) | r[ENGINE_FLAGS + 2]!
      setIncFlags(r, first, result, shift)
      break
    case DEC:
      r[FLAGS] = (r[FLAGS]! & ~CF) | r[ENGINE_FLAGS + 2]!
      setDecFlags(r, first, result, shift)
      break
    case SHL:
    case SHR:
    case SAR:
      setResultFlags(r, result, shift, shiftedFlags(code & 15, first, result, shift, (code >> COUNT_BITS) & 31))
      break
    case MUL:
      setResultFlags(r, result, shift, first !== 0 ? CF | OF : 0)
      break
    case ADC:
      setAddFlags(r, first, second, result, shift)
      break
    case SBB:
      setSubFlags(r, first, second, result, shift | WITH_BORROW)
      break
    case DOUBLE:
      setResultFlags(r, result, shift, second | (first !== 0 ? OF : 0))
      break
    default:
      r[FLAGS] = (r[FLAGS]! & ~ARITHMETIC) | r[ENGINE_FLAGS + 1]!
  }
  const overlay = (code >> OVERLAY_BITS) & 3
  if (overlay === NOTHING) return
  const rotated = other << ((code >> OVERLAY_SHIFT_BITS) & 31)
  const flags = getFlags(r)
  if (overlay === CARRY_ONLY) r[FLAGS] = (flags & ~CF) | (other & 1)
  else {
    const top = rotated >>> 31
    const carry = overlay === ROTATED_LEFT ? other & 1 : top
    const overflow = overlay === ROTATED_LEFT ? carry ^ top : top ^ ((rotated >>> 30) & 1)
    r[FLAGS] = (flags & ~(CF | OF)) | carry | (overflow !== 0 ? OF : 0)
  }
}

/** CF and OF after a shift by 1 to 31. */
function shiftedFlags(base: number, value: number, result: number, shift: number, count: number): number {
  const width = 32 - shift
  if (base === SHL) {
    const carry = count <= width ? (value >>> (width - count)) & 1 : 0
    return carry | ((carry ^ ((result << shift) >>> 31)) !== 0 ? OF : 0)
  }
  if (base === SHR) {
    const v = (value << shift) >>> shift
    return ((v >>> (count - 1)) & 1) | ((v << shift) >>> 31 !== 0 ? OF : 0)
  }
  return (((value << shift) >> shift) >> (count - 1)) & 1
}

/** What a node asks of the flags at its start. */
export const NEEDS_NOTHING = 0
export const NEEDS_CARRY = 1
export const NEEDS_ALL = 2

/** True when the operation is known only at run time. */
export function isUnknown(state: FlagState): boolean {
  return state.base === DYNAMIC || state.base === LATE
}

/** Writes instructions that compute flags. */
export class FlagEmitter {
  readonly #code: WasmCode
  readonly locals: FlagLocals
  /** What was asked of a state that is not known while translating: {@link NEEDS_NOTHING} at first. */
  need = NEEDS_NOTHING
  /** The same, of a state that a shift by CL left. */
  lateNeed = NEEDS_NOTHING

  constructor(code: WasmCode, locals: FlagLocals) {
    this.#code = code
    this.locals = locals
  }

  /** Someone needs so much of the flags in this state. */
  require(state: FlagState, need: number): void {
    if (state.base === DYNAMIC) this.need = Math.max(this.need, need)
    if (state.base === LATE) this.lateNeed = Math.max(this.lateNeed, need)
  }

  /** Pushes CF as 0 or 1. */
  carry(state: FlagState): void {
    const code = this.#code
    const { bits, carry, first, second, result, other } = this.locals
    const { shift } = state
    if (state.overlay === ROTATED_RIGHT) {
      this.#shifted(other, state.overlayShift)
      code.const(31).op('i32_shr_u')
      return
    }
    if (state.overlay !== NOTHING) {
      code.get(other).const(1).op('i32_and')
      return
    }
    switch (state.base) {
      case ADD:
        this.#shifted(result, shift)
        this.#shifted(first, shift)
        code.op('i32_lt_u')
        break
      case SUB:
        this.#shifted(first, shift)
        this.#shifted(second, shift)
        code.op('i32_lt_u')
        break
      case LOGIC:
        code.const(0)
        break
      case INC:
      case DEC:
        code.get(carry)
        break
      case SHL:
        if (state.count > 32 - shift) code.const(0)
        else
          code
            .get(first)
            .const(32 - shift - state.count)
            .op('i32_shr_u')
            .const(1)
            .op('i32_and')
        break
      case SHR:
        this.#shifted(first, shift)
        code
          .const(shift)
          .op('i32_shr_u')
          .const(state.count - 1)
          .op('i32_shr_u')
          .const(1)
          .op('i32_and')
        break
      case SAR:
        this.#shifted(first, shift)
        code
          .const(shift)
          .op('i32_shr_s')
          .const(state.count - 1)
          .op('i32_shr_s')
          .const(1)
          .op('i32_and')
        break
      case MUL:
        code.get(first)
        break
      case DOUBLE:
        code.get(second)
        break
      case ADC:
      case SBB:
        this.#carries(state)
        code.const(31).op('i32_shr_u')
        break
      case DYNAMIC:
      case LATE:
        this.require(state, NEEDS_CARRY)
        code.get(carry)
        break
      default:
        code.get(bits).const(CF).op('i32_and')
    }
  }

  /** Pushes 0 or 1: the condition that the low four bits of an opcode name (SDM vol. 1 appendix B). */
  condition(state: FlagState, condition: number): void {
    if (state.base === SUB && state.overlay === NOTHING && this.#comparison(state, condition)) return
    this.#plain(state, condition >> 1)
    if ((condition & 1) !== 0) this.#code.op('i32_eqz')
  }

  /** Sets the local `bits` to all arithmetic flags. */
  materialise(state: FlagState): void {
    const code = this.#code
    const { bits, first, second, result } = this.locals
    this.require(state, NEEDS_ALL)
    if (state.base === MATERIAL && state.overlay === NOTHING) return
    this.carry(state)
    for (const [push, bit] of [
      [() => this.#parity(state), PF],
      [() => this.#zero(state), ZF],
      [() => this.#sign(state), SF],
      [() => this.#overflow(state), OF],
    ] as const) {
      push()
      code
        .const(31 - Math.clz32(bit))
        .op('i32_shl')
        .op('i32_or')
    }
    switch (state.base) {
      case ADD:
      case INC:
      case DEC:
        // The second operand is result − first or first − result: the same in bit 4 of the exclusive or.
        if (state.base === ADD) code.get(result).get(first).op('i32_sub')
        else code.const(1)
        code.get(first).op('i32_xor').get(result).op('i32_xor').const(AF).op('i32_and').op('i32_or')
        break
      case SUB:
      case ADC:
      case SBB:
        code.get(second).get(first).op('i32_xor')
        code.get(result).op('i32_xor').const(AF).op('i32_and').op('i32_or')
        break
      case MATERIAL:
        code.get(bits).const(AF).op('i32_and').op('i32_or')
        break
    }
    code.set(bits)
  }

  /** A comparison's outcome straight from its operands. */
  #comparison(state: FlagState, condition: number): boolean {
    const name = (
      {
        2: 'i32_lt_u',
        3: 'i32_ge_u',
        4: 'i32_eq',
        5: 'i32_ne',
        6: 'i32_le_u',
        7: 'i32_gt_u',
        12: 'i32_lt_s',
        13: 'i32_ge_s',
        14: 'i32_le_s',
        15: 'i32_gt_s',
      } as const
    )[condition]
    if (name === undefined) return false
    this.#shifted(this.locals.first, state.shift)
    this.#shifted(this.locals.second, state.shift)
    this.#code.op(name)
    return true
  }

  /** O, B, Z, BE, S, P, L, LE. */
  #plain(state: FlagState, pair: number): void {
    const code = this.#code
    switch (pair) {
      case 0:
        this.#overflow(state)
        break
      case 1:
        this.carry(state)
        break
      case 2:
        this.#zero(state)
        break
      case 3:
        this.carry(state)
        this.#zero(state)
        code.op('i32_or')
        break
      case 4:
        this.#sign(state)
        break
      case 5:
        this.#parity(state)
        break
      case 6:
        this.#less(state)
        break
      default:
        if (state.base === LOGIC && state.overlay === NOTHING) {
          this.#shifted(this.locals.result, state.shift)
          code.const(0).op('i32_le_s')
          return
        }
        this.#zero(state)
        this.#less(state)
        code.op('i32_or')
    }
  }

  #less(state: FlagState): void {
    this.#sign(state)
    if (state.base === LOGIC && state.overlay === NOTHING) return
    this.#overflow(state)
    this.#code.op('i32_xor')
  }

  #zero(state: FlagState): void {
    this.require(state, NEEDS_ALL)
    if (state.base === MATERIAL) this.#bit(ZF)
    else {
      this.#shifted(this.locals.result, state.shift)
      this.#code.op('i32_eqz')
    }
  }

  #sign(state: FlagState): void {
    this.require(state, NEEDS_ALL)
    if (state.base === MATERIAL) this.#bit(SF)
    else {
      this.#shifted(this.locals.result, state.shift)
      this.#code.const(31).op('i32_shr_u')
    }
  }

  #parity(state: FlagState): void {
    this.require(state, NEEDS_ALL)
    if (state.base === MATERIAL) this.#bit(PF)
    else {
      const code = this.#code
      code.get(this.locals.result).const(0xff).op('i32_and').op('i32_popcnt')
      code.const(1).op('i32_and').const(1).op('i32_xor')
    }
  }

  #overflow(state: FlagState): void {
    const code = this.#code
    const { first, second, result, other } = this.locals
    const { shift } = state
    if (state.overlay === ROTATED_LEFT || state.overlay === ROTATED_RIGHT) {
      this.#shifted(other, state.overlayShift)
      code.const(31).op('i32_shr_u')
      if (state.overlay === ROTATED_LEFT) code.get(other)
      else {
        this.#shifted(other, state.overlayShift)
        code.const(30).op('i32_shr_u')
      }
      code.op('i32_xor').const(1).op('i32_and')
      return
    }
    this.require(state, NEEDS_ALL)
    switch (state.base) {
      case ADD:
        // (first ^ result) & (second ^ result), with second = result − first
        code.get(first).get(result).op('i32_xor').get(result).get(first).op('i32_sub').get(result).op('i32_xor')
        code.op('i32_and')
        this.#topOf(shift)
        break
      case SUB:
        code.get(first).get(second).op('i32_xor').get(first).get(result).op('i32_xor').op('i32_and')
        this.#topOf(shift)
        break
      case LOGIC:
        code.const(0)
        break
      case INC:
        this.#shifted(result, shift)
        code.const(0x8000_0000).op('i32_eq')
        break
      case DEC:
        this.#shifted(first, shift)
        code.const(0x8000_0000).op('i32_eq')
        break
      case SHL:
        this.carry(state)
        this.#sign(state)
        code.op('i32_xor')
        break
      case SHR:
        this.#shifted(first, shift)
        code.const(31).op('i32_shr_u')
        break
      case SAR:
        code.const(0)
        break
      case MUL:
      case DOUBLE:
        code.get(first)
        break
      case ADC:
      case SBB: {
        const carries = code.borrow()
        this.#carries(state)
        code.tee(carries).const(1).op('i32_shl').get(carries).op('i32_xor').const(31).op('i32_shr_u')
        code.giveBack(carries)
        break
      }
      default:
        this.#bit(OF)
    }
  }

  /** The carries out of each bit, those of the top bit in bit 31. */
  #carries(state: FlagState): void {
    const code = this.#code
    const { first, second, result } = this.locals
    const isSubtraction = state.base === SBB
    const complement = (local: Local, yes: boolean) => {
      code.get(local)
      if (yes) code.const(-1).op('i32_xor')
    }
    complement(first, isSubtraction)
    code.get(second).op('i32_and')
    complement(first, isSubtraction)
    code.get(second).op('i32_or')
    complement(result, !isSubtraction)
    code.op('i32_and').op('i32_or')
    if (state.shift !== 0) code.const(state.shift).op('i32_shl')
  }

  #bit(flag: number): void {
    this.#code
      .get(this.locals.bits)
      .const(31 - Math.clz32(flag))
      .op('i32_shr_u')
      .const(1)
      .op('i32_and')
  }

  #shifted(local: Local, shift: number): void {
    this.#code.get(local)
    if (shift !== 0) this.#code.const(shift).op('i32_shl')
  }

  /** The operand's top bit of the number on the stack, as 0 or 1. */
  #topOf(shift: number): void {
    this.#code
      .const(31 - shift)
      .op('i32_shr_u')
      .const(1)
      .op('i32_and')
  }
}
