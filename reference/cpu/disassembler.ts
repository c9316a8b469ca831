/**
 * The disassembler: Intel syntax as `objdump -M intel` prints it, from the decoder's result and `opcode-map.ts`.
 *
 * Where that syntax would hide a size, NASM's `o16`, `o32`, `a16` and `a32` stand before the mnemonic; far transfers
 * are `callf` and `jmpf`, as in the manual's opcode map. What the processor does not define is `(bad)`.
 */
import { decodeInstruction, InstructionTooLong } from './decoder.ts'
import {
  type Instruction,
  PREFIX_ADDRESS_SIZE,
  PREFIX_LOCK,
  PREFIX_OPERAND_SIZE,
  PREFIX_REP,
  PREFIX_REPNE,
} from './instruction.ts'
import { isFixedRegister, type OpcodeForm } from './opcode-form.ts'
import { formOf } from './opcode-map.ts'

const REGISTERS_8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh']
const REGISTERS_16 = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']
const REGISTERS_32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi']
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs']
const BAD = '(bad)'

/** These move by the operand size without naming an operand of it. */
const SIZED_BY_PREFIX = new Set(['push', 'pop', 'ret', 'retf', 'leave', 'enter', 'call', 'jmp', 'callf', 'jmpf'])
const TABLE_LOADS = new Set(['sgdt', 'sidt', 'lgdt', 'lidt'])
/** These end by ZF too: their REP prefix has another name. */
const COMPARING = new Set(['cmps', 'scas'])
const COUNTING = new Set(['loop', 'loope', 'loopne'])

/** Sizes of memory operands by the operand code's second letter; v, p and a go by the operand size. */
const SIZE_NAMES: Readonly<Record<string, string>> = {
  b: 'BYTE PTR ',
  w: 'WORD PTR ',
  x: 'WORD PTR ',
  d: 'DWORD PTR ',
  q: 'QWORD PTR ',
  t: 'TBYTE PTR ',
  v16: 'WORD PTR ',
  v32: 'DWORD PTR ',
  p16: 'DWORD PTR ',
  p32: 'FWORD PTR ',
  a16: 'DWORD PTR ',
  a32: 'QWORD PTR ',
}

/** One line of a disassembly. */
export interface DisassembledLine {
  /** Of the first byte. */
  readonly address: number
  readonly bytes: Uint8Array
  readonly text: string
}

/**
 * The text of one instruction, `add eax,DWORD PTR [ebp-0x4]`.
 *
 * @param address of the instruction's first byte: near branches show where they go
 */
export function disassemble(instruction: Instruction, address: number): string {
  const form = formOf(instruction.opcode, instruction.mod, instruction.reg, instruction.rm)
  if (form === undefined) return BAD
  const operands = form.operands.map((code) => operandText(instruction, code, address))
  if (operands.includes(BAD)) return BAD
  if (form.mnemonic === 'xlat') operands.push(baseText(instruction, 'BYTE PTR ', 3))
  const text = `${mnemonicOf(instruction, form)} ${operands.join(',')}`.trimEnd()
  return prefixText(instruction, form, text) + text
}

/**
 * Disassembles all of `bytes`, the first of them at `address`. A byte that begins no whole instruction is a line `db`.
 *
 * @param codeSize CS.D: the default operand and address size
 */
export function disassembleBytes(bytes: Uint8Array, address: number, codeSize: 16 | 32): DisassembledLine[] {
  const lines: DisassembledLine[] = []
  for (let start = 0; start < bytes.length; ) {
    const at = (address + start) >>> 0
    const instruction = tryDecode(bytes.subarray(start), codeSize)
    const length = instruction?.length ?? 1
    const text = instruction ? disassemble(instruction, at) : `db ${hex(bytes[start]!)}`
    lines.push({ address: at, bytes: bytes.slice(start, start + length), text })
    start += length
  }
  return lines
}

class EndOfBytes extends Error {}

function tryDecode(bytes: Uint8Array, codeSize: 16 | 32): Instruction | undefined {
  try {
    return decodeInstruction((offset) => {
      const byte = bytes[offset]
      if (byte === undefined) throw new EndOfBytes()
      return byte
    }, codeSize)
  } catch (error) {
    if (error instanceof EndOfBytes || error instanceof InstructionTooLong) return undefined
    throw error
  }
}

function mnemonicOf(instruction: Instruction, form: OpcodeForm): string {
  if (form.mnemonic === 'jcxz') return instruction.addressSize === 16 ? 'jcxz' : 'jecxz'
  const [name16, name32 = name16] = form.mnemonic.split('/')
  return (instruction.operandSize === 16 ? name16 : name32)!
}

function prefixText(
  { prefixes, segmentOverride, operandSize, addressSize }: Instruction,
  form: OpcodeForm,
  text: string,
) {
  const names: string[] = []
  if ((prefixes & PREFIX_LOCK) !== 0) names.push('lock')
  if ((prefixes & PREFIX_REPNE) !== 0) names.push('repnz')
  if ((prefixes & PREFIX_REP) !== 0) names.push(COMPARING.has(form.mnemonic) ? 'repz' : 'rep')
  if ((prefixes & PREFIX_OPERAND_SIZE) !== 0 && hidesOperandSize(form)) names.push(`o${operandSize}`)
  if ((prefixes & PREFIX_ADDRESS_SIZE) !== 0 && COUNTING.has(form.mnemonic)) names.push(`a${addressSize}`)
  const segment = SEGMENTS[segmentOverride]
  if (segment !== undefined && !text.includes(`${segment}:`)) names.push(segment)
  return names.map((name) => `${name} `).join('')
}

function hidesOperandSize({ mnemonic, operands }: OpcodeForm): boolean {
  if (TABLE_LOADS.has(mnemonic)) return true
  return SIZED_BY_PREFIX.has(mnemonic) && !operands.some((code) => code.endsWith('v'))
}

function operandText(instruction: Instruction, code: string, address: number): string {
  const { mod, reg, rm, operandSize, opcode, immediate, immediate2 } = instruction
  const [kind, size = ''] = code
  switch (code) {
    case 'sIb':
      return hex(unsigned(immediate, operandSize))
    case 'Iw':
      return hex(immediate & 0xffff)
    case 'Iz':
      return hex(unsigned(immediate, operandSize))
    case 'Ap':
      return `${hex(immediate2)}:${hex(unsigned(immediate, operandSize))}`
    case 'eAX':
      return registerName(0, 'v', operandSize)
    case 'ST':
      return 'st'
    case 'STi':
      return `st(${rm})`
    case 'Cd':
      return `cr${reg}`
    case 'Dd':
      return `dr${reg}`
    case 'Sw':
      return SEGMENTS[reg] ?? BAD
    case 'Ib':
      // ENTER is the one instruction with two immediates.
      return hex((instruction.opcode === 0xc8 ? immediate2 : immediate) & 0xff)
  }
  if (code === '1' || isFixedRegister(code)) return code.toLowerCase()
  switch (kind) {
    case 'E':
    case 'M':
    case 'R':
      if (mod === 3) return registerName(rm, size, operandSize)
      return addressText(instruction, sizeName(size, operandSize))
    case 'O':
      return addressText(instruction, sizeName(size, operandSize))
    case 'G':
      return registerName(reg, size, operandSize)
    case 'Z':
      return registerName(opcode & 7, size, operandSize)
    case 'J':
      return hex(unsigned(address + instruction.length + immediate, operandSize))
    case 'X':
      return baseText(instruction, sizeName(size, operandSize), 6)
    case 'Y':
      return `${sizeName(size, operandSize)}es:[${registerName(7, 'v', instruction.addressSize)}]`
  }
  throw new Error(`the opcode map has an operand code without a text: ${code}`)
}

function registerName(number: number, size: string, operandSize: 16 | 32): string {
  const isWord = size === 'w' || ((size === 'v' || size === 'x') && operandSize === 16)
  return (size === 'b' ? REGISTERS_8 : isWord ? REGISTERS_16 : REGISTERS_32)[number]!
}

function sizeName(size: string, operandSize: 16 | 32): string {
  return SIZE_NAMES[size] ?? SIZE_NAMES[`${size}${operandSize}`] ?? ''
}

/** A memory operand whose base register the instruction does not encode: (E)SI of string instructions, (E)BX of XLAT. */
function baseText({ segment, addressSize }: Instruction, sizeName: string, base: number): string {
  return `${sizeName}${SEGMENTS[segment]}:[${registerName(base, 'v', addressSize)}]`
}

function addressText(instruction: Instruction, sizeName: string): string {
  const { base, index, scale, displacement, addressSize, segment, segmentOverride } = instruction
  const segmentName = SEGMENTS[segment]!
  if (base < 0 && index < 0) return `${sizeName}${segmentName}:${hex(unsigned(displacement, addressSize))}`
  const terms: string[] = []
  if (base >= 0) terms.push(registerName(base, 'v', addressSize))
  if (index >= 0) terms.push(registerName(index, 'v', addressSize) + (addressSize === 32 ? `*${1 << scale}` : ''))
  const sign = displacement < 0 ? '-' : '+'
  const offset = displacement === 0 ? '' : sign + hex(Math.abs(displacement))
  return `${sizeName}${segmentOverride < 0 ? '' : `${segmentName}:`}[${terms.join('+')}${offset}]`
}

function unsigned(value: number, size: 16 | 32): number {
  return size === 16 ? value & 0xffff : value >>> 0
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
