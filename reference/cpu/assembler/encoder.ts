/**
 * One instruction to bytes: tries all opcodes of the mnemonic and takes the shortest that its operands fit.
 *
 * A value with symbols always gets the full size, so that no length but a branch's depends on where things lie.
 */
import { isFixedRegister } from '../opcode-form.ts'
import { addressSizeOf, putAddress } from './address-encoding.ts'
import { AssemblyError } from './assembly-error.ts'
import { CANDIDATES, type Candidate } from './candidates.ts'
import { type Encoding, EncodingBuilder, fitsBits, hexValue } from './encoding.ts'
import {
  type Address,
  BranchTarget,
  Expression,
  FarPointer,
  Memory,
  type Operand,
  Register,
  SegmentRegister,
  SystemRegister,
  type Value,
} from './operands.ts'

/** An instruction as the program says it. */
export interface InstructionRequest {
  readonly mnemonic: string
  readonly operands: readonly Operand[]
  readonly codeSize: 16 | 32
  /** LOCK, REP and segment prefixes, in order. */
  readonly prefixes: readonly number[]
  /** Asked for with `o16`, `o32`, `a16`, `a32`. */
  readonly operandSize: 16 | 32 | undefined
  readonly addressSize: 16 | 32 | undefined
}

const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]
const OPERAND_SIZE_PREFIX = 0x66
const ADDRESS_SIZE_PREFIX = 0x67
const TWO_BYTE_ESCAPE = 0x0f

/**
 * The encodings to choose from: one, or for a branch the short one and then the near one.
 * @throws AssemblyError when no form of the instruction takes the operands
 */
export function encode(request: InstructionRequest): Encoding[] {
  const candidates = CANDIDATES.get(request.mnemonic)
  if (candidates === undefined) throw new AssemblyError(`There is no instruction "${request.mnemonic}".`)
  const found = candidates.flatMap((candidate) => {
    const encoding = tryCandidate(candidate, request)
    return encoding === undefined ? [] : [{ encoding, isBranch: candidate.operands[0]?.startsWith('J') ?? false }]
  })
  if (found.length === 0) throw new AssemblyError(whyNot(candidates, request))
  // Stable: of two equally long ones the first of the opcode map.
  found.sort((a, b) => a.encoding.bytes.length - b.encoding.bytes.length)
  return found.every(({ isBranch }) => isBranch) ? found.map(({ encoding }) => encoding) : [found[0]!.encoding]
}

/** The operand as the program would write it. */
export function operandName(operand: Operand): string {
  if (typeof operand === 'number') return hexValue(operand)
  if (typeof operand === 'string') return operand
  switch (operand.kind) {
    case 'expression':
      return operand.terms.map(({ symbol, sign }) => `${sign < 0 ? '-' : ''}${symbol}`).join('+')
    case 'memory':
      return operand.size === 0 ? 'mem' : operand.size === 'far' ? 'memFar' : `mem${operand.size}`
    case 'far':
      return `far(${operandName(operand.selector)}, ${operandName(operand.offset)})`
    case 'branch':
      return `${operand.reach}(${operandName(operand.target)})`
    default:
      return operand.name
  }
}

function whyNot(candidates: readonly Candidate[], request: InstructionRequest): string {
  const names = request.operands.map(operandName).join(', ')
  const text = `${request.mnemonic} ${names}`.trimEnd()
  for (const [i, operand] of request.operands.entries()) {
    if (typeof operand !== 'number') continue
    const operands = request.operands.map((other, j) => (i === j ? 1 : other))
    if (candidates.some((candidate) => tryCandidate(candidate, { ...request, operands }) !== undefined)) {
      return `${text}: the immediate ${hexValue(operand)} is too wide.`
    }
  }
  return `${text}: no form of this instruction takes these operands.`
}

function tryCandidate(candidate: Candidate, request: InstructionRequest): Encoding | undefined {
  if (candidate.operands.length !== request.operands.length) return undefined
  for (const size of operandSizes(candidate, request)) {
    const fits = candidate.operands.every((code, i) => fitsOperand(code, request.operands[i]!, size, candidate.opcode))
    if (fits) return build(candidate, request, size)
  }
  return undefined
}

/** The operand sizes to try, the one without a prefix first. */
function operandSizes({ operands, operandSize }: Candidate, request: InstructionRequest): readonly (16 | 32)[] {
  const usual = request.operandSize ?? request.codeSize
  if (operandSize === 'default') return [usual]
  if (operandSize !== undefined) return [operandSize]
  const isNamed = request.operandSize === undefined && operands.some((code) => /[vx]$|eAX/.test(code))
  return isNamed ? [usual, usual === 32 ? 16 : 32] : [usual]
}

function fitsOperand(code: string, operand: Operand, size: 16 | 32, opcode: number): boolean {
  switch (code) {
    case 'sIb':
      return typeof operand === 'number' && fitsBits(operand, size) && isSignedByte(signed(operand, size))
    case 'Ib':
      return isValue(operand, 8)
    case 'Iw':
      return isValue(operand, 16)
    case 'Iz':
      return isValue(operand, size)
    case 'Jb':
      return isTarget(operand, 'short')
    case 'Jz':
      return isTarget(operand, 'near')
    case 'Ap':
      return operand instanceof FarPointer && isValue(operand.selector, 16) && isValue(operand.offset, size)
    case '1':
      return operand === 1
    case 'eAX':
      return operand instanceof Register && operand.size === size && operand.number === 0
    case 'Sw':
      return operand instanceof SegmentRegister
    case 'Cd':
      return operand instanceof SystemRegister && operand.kind === 'control'
    case 'Dd':
      return operand instanceof SystemRegister && operand.kind === 'debug'
    case 'M':
    case 'Ms':
      return operand instanceof Memory
  }
  if (isFixedRegister(code)) {
    return (operand instanceof Register || operand instanceof SegmentRegister) && operand.name === code.toLowerCase()
  }
  const [kind, letter = ''] = code
  if (operand instanceof Register) {
    if (!'EGRZ'.includes(kind!)) return false
    if (kind === 'Z' && operand.number !== (opcode & 7)) return false
    return operand.size === registerSize(letter, size)
  }
  if (operand instanceof Memory) {
    if (kind === 'O') return isDirect(operand.address) && operand.size === registerSize(letter, size)
    return (kind === 'E' || kind === 'M') && operand.size === memorySize(letter, size)
  }
  return false
}

function registerSize(letter: string, size: 16 | 32): number {
  return { b: 8, w: 16, d: 32 }[letter] ?? size
}

function memorySize(letter: string, size: 16 | 32): number | string {
  return { b: 8, w: 16, x: 16, d: 32, q: 64, p: 'far', a: 2 * size }[letter] ?? size
}

function isDirect({ base, index }: Address): boolean {
  return base === undefined && index === undefined
}

function isValue(operand: Operand, bits: number): boolean {
  if (typeof operand === 'number') return fitsBits(operand, bits)
  return typeof operand === 'string' || operand instanceof Expression
}

function isTarget(operand: Operand, reach: 'short' | 'near'): boolean {
  return operand instanceof BranchTarget ? operand.reach === reach : isValue(operand, 32)
}

function isSignedByte(value: number): boolean {
  return value >= -128 && value <= 127
}

function signed(value: number, bits: 16 | 32): number {
  return bits === 32 ? value | 0 : (value << 16) >> 16
}

function build(candidate: Candidate, request: InstructionRequest, operandSize: 16 | 32): Encoding {
  const { codeSize, operands } = request
  const memory = operands.find((operand) => operand instanceof Memory)
  const usualAddressSize = request.addressSize ?? codeSize
  const addressSize =
    candidate.addressSize ?? (memory ? addressSizeOf(memory.address, usualAddressSize) : usualAddressSize)
  const builder = new EncodingBuilder()
  builder.bytes.push(...request.prefixes)
  if (memory?.address.segment) builder.bytes.push(SEGMENT_PREFIXES[memory.address.segment.number]!)
  const needsOperandSize =
    candidate.operandSize !== undefined || usesOperandSize(candidate) || request.operandSize !== undefined
  if (needsOperandSize && operandSize !== codeSize) builder.bytes.push(OPERAND_SIZE_PREFIX)
  if (addressSize !== codeSize) builder.bytes.push(ADDRESS_SIZE_PREFIX)
  if (candidate.opcode > 0xff) builder.bytes.push(TWO_BYTE_ESCAPE)
  builder.bytes.push(candidate.opcode & 0xff)
  putModrm(builder, candidate, operands, addressSize)
  candidate.operands.forEach((code, i) => {
    putImmediate(builder, code, operands[i]!, operandSize, addressSize)
  })
  return builder
}

function usesOperandSize({ operands }: Candidate): boolean {
  return operands.some((code) => /[vxzpa]$|eAX|sIb/.test(code))
}

function putModrm(
  builder: EncodingBuilder,
  candidate: Candidate,
  operands: readonly Operand[],
  addressSize: 16 | 32,
): void {
  let reg = candidate.extension
  let rm = candidate.rm
  let address: Address | undefined
  candidate.operands.forEach((code, i) => {
    const operand = operands[i]!
    if (operand instanceof Memory && !code.startsWith('O')) address = operand.address
    else if (isFixedRegister(code)) return
    else if (/^[GSCD]/.test(code)) reg = numberOf(operand)
    else if (/^[ER]/.test(code)) rm = numberOf(operand)
  })
  if (address !== undefined) putAddress(builder, Math.max(reg, 0), address, addressSize)
  else if (rm >= 0) builder.bytes.push(0xc0 | (Math.max(reg, 0) << 3) | rm)
}

function numberOf(operand: Operand): number {
  return operand instanceof Register || operand instanceof SegmentRegister || operand instanceof SystemRegister
    ? operand.number
    : -1
}

function putImmediate(
  builder: EncodingBuilder,
  code: string,
  operand: Operand,
  operandSize: 16 | 32,
  addressSize: 16 | 32,
): void {
  const full = operandSize === 32 ? 4 : 2
  switch (code) {
    case 'sIb':
      builder.put(signed(operand as number, operandSize), 1)
      break
    case 'Ib':
      builder.put(operand as Value, 1)
      break
    case 'Iw':
      builder.put(operand as Value, 2)
      break
    case 'Iz':
      builder.put(operand as Value, full)
      break
    case 'Jb':
    case 'Jz':
      builder.put(operand instanceof BranchTarget ? operand.target : (operand as Value), code === 'Jb' ? 1 : full, true)
      break
    case 'Ap':
      if (!(operand instanceof FarPointer)) break
      builder.put(operand.offset, full)
      builder.put(operand.selector, 2)
      break
    case 'Ob':
    case 'Ov':
      if (operand instanceof Memory) builder.put(operand.address.displacement, addressSize === 32 ? 4 : 2)
      break
  }
}
