/** ModR/M, SIB and displacement of a memory operand, the shortest that says it (SDM vol. 2A tables 2-1 to 2-3). */
import { AssemblyError } from './assembly-error.ts'
import { type EncodingBuilder, fitsBits, hexValue } from './encoding.ts'
import type { Address } from './operands.ts'

const ESP = 4
const EBP = 5
/** In r/m: a SIB byte follows. In SIB: no index. */
const SIB = 4
/** With mod = 0, in r/m or as SIB's base: a displacement alone. */
const NO_BASE = 5
const NO_BASE_16 = 6

/** r/m of the 16-bit forms, by the registers' numbers in ascending order. */
const RM_16: Readonly<Record<string, number>> = {
  '3+6': 0,
  '3+7': 1,
  '5+6': 2,
  '5+7': 3,
  '6': 4,
  '7': 5,
  '5': 6,
  '3': 7,
}

/** The address size that the registers ask for; `defaultSize` when there are none. */
export function addressSizeOf({ base, index }: Address, defaultSize: 16 | 32): 16 | 32 {
  const sizes = [base?.size, index?.size].filter((size) => size !== undefined)
  if (sizes.length === 2 && sizes[0] !== sizes[1]) {
    throw new AssemblyError(`The address adds registers of different sizes: ${base?.name} and ${index?.name}.`)
  }
  return sizes[0] ?? defaultSize
}

/** Puts the operand with `reg` in the reg field. */
export function putAddress(builder: EncodingBuilder, reg: number, address: Address, addressSize: 16 | 32): void {
  if (addressSize === 16) putAddress16(builder, reg, address)
  else putAddress32(builder, reg, address)
}

function putAddress16(builder: EncodingBuilder, reg: number, address: Address): void {
  const { base, index, scale } = address
  const numbers = [base?.number, index?.number].filter((number) => number !== undefined)
  if (numbers.length === 0) {
    builder.bytes.push(modrm(0, reg, NO_BASE_16))
    putDisplacement(builder, address, 2)
    return
  }
  const rm = RM_16[numbers.sort((a, b) => a - b).join('+')]
  if (rm === undefined || scale !== 1) {
    throw new AssemblyError('A 16-bit address is made of bx or bp, si or di, and a displacement, without a scale.')
  }
  const mod = modeFor(address, 16, rm === NO_BASE_16)
  builder.bytes.push(modrm(mod, reg, rm))
  if (mod !== 0) putDisplacement(builder, address, mod === 1 ? 1 : 2)
}

function putAddress32(builder: EncodingBuilder, reg: number, address: Address): void {
  const { scale } = address
  let { base, index } = address
  if (index?.number === ESP && scale === 1 && base?.number !== ESP) [base, index] = [index, base]
  if (index?.number === ESP) throw new AssemblyError('esp cannot be an index register.')
  if (base === undefined && index === undefined) {
    builder.bytes.push(modrm(0, reg, NO_BASE))
    putDisplacement(builder, address, 4)
    return
  }
  const mod = base === undefined ? 0 : modeFor(address, 32, base.number === EBP)
  if (index === undefined && base?.number !== ESP) builder.bytes.push(modrm(mod, reg, base?.number ?? NO_BASE))
  else {
    builder.bytes.push(modrm(mod, reg, SIB))
    builder.bytes.push((Math.log2(scale) << 6) | ((index?.number ?? SIB) << 3) | (base?.number ?? NO_BASE))
  }
  if (base === undefined) putDisplacement(builder, address, 4)
  else if (mod !== 0) putDisplacement(builder, address, mod === 1 ? 1 : 4)
}

/** 0: no displacement, 1: a signed byte, 2: of the address size. */
function modeFor({ displacement }: Address, bits: 16 | 32, needsDisplacement: boolean): 0 | 1 | 2 {
  if (displacement.terms.length > 0) return 2
  const value = signed(displacement.constant, bits)
  if (value === 0 && !needsDisplacement) return 0
  return value >= -128 && value <= 127 ? 1 : 2
}

function putDisplacement(builder: EncodingBuilder, { displacement }: Address, sizeBytes: 1 | 2 | 4): void {
  if (displacement.terms.length > 0) builder.put(displacement, sizeBytes)
  else builder.put(signed(displacement.constant, sizeBytes === 4 ? 32 : 16), sizeBytes)
}

function signed(value: number, bits: 16 | 32): number {
  if (!fitsBits(value, bits))
    throw new AssemblyError(`The displacement ${hexValue(value)} does not fit into ${bits} bits.`)
  return bits === 32 ? value | 0 : (value << 16) >> 16
}

function modrm(mod: number, reg: number, rm: number): number {
  return (mod << 6) | (reg << 3) | rm
}
