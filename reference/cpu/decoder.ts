/**
 * The instruction decoder (SDM vol. 2A §2.1): prefixes, opcode, ModR/M and SIB, displacement, immediate.
 *
 * It reads bytes strictly in their order and none behind the instruction, so that an instruction which ends at the end
 * of a page never faults on the next one. Which opcodes have a ModR/M byte and an immediate follows from `opcode-map.ts`.
 */
import {
  CS,
  DS,
  ES,
  FS,
  GS,
  type Instruction,
  PREFIX_ADDRESS_SIZE,
  PREFIX_LOCK,
  PREFIX_OPERAND_SIZE,
  PREFIX_REP,
  PREFIX_REPNE,
  SS,
} from './instruction.ts'
import type { OpcodeForm } from './opcode-form.ts'
import { OPCODE_COUNT, OPCODE_FORMS, usesModrm } from './opcode-map.ts'

/** No instruction is longer, in bytes; a longer one is #GP(0). */
export const MAX_INSTRUCTION_LENGTH = 15

const TWO_BYTE_ESCAPE = 0x0f
const TWO_BYTE_OPCODES = 0x100
const NONE = -1
const ESP = 4
const EBP = 5

/** What follows opcode and ModR/M. */
const NO_IMMEDIATE = 0
const BYTE = 1
const WORD = 2
/** 2 or 4 bytes, by operand size. */
const FULL = 3
/** An offset by operand size, then a selector. */
const FAR_POINTER = 4
/** A word, then a byte. */
const ENTER = 5
/** A direct offset, by address size. */
const OFFSET = 6
/** Group 3: members 0 and 1 (TEST) have an immediate, BYTE or FULL by the opcode's low bit; the others none. */
const GROUP_3 = 7

const FIRST_GROUP_3 = 0xf6

const HAS_MODRM = Uint8Array.from({ length: OPCODE_COUNT }, (_, opcode) => (hasModrm(OPCODE_FORMS[opcode]) ? 1 : 0))
const IMMEDIATE = Uint8Array.from({ length: OPCODE_COUNT }, (_, opcode) => immediateOf(opcode, OPCODE_FORMS[opcode]))

/** Base and index registers of the 16-bit address forms, by r/m. */
const BASE_16 = [3, 3, 5, 5, NONE, NONE, 5, 3]
const INDEX_16 = [6, 7, 6, 7, 6, 7, NONE, NONE]

/** MOV to and from control and debug registers: mod is ignored, r/m is always a register. */
const FIRST_MOV_CR = 0x120
const LAST_MOV_DR = 0x123

/** More than 15 bytes: the processor raises #GP(0). */
export class InstructionTooLong extends Error {
  override readonly name = 'InstructionTooLong'

  constructor() {
    super(`an instruction may have at most ${MAX_INSTRUCTION_LENGTH} bytes`)
  }
}

/**
 * Decodes one instruction. An undefined opcode is decoded as far as it is known (`length`: the bytes read), not refused.
 *
 * @param readByte the byte (0–255) `offset` bytes after the start; what it throws (a fetch fault) passes through
 * @param codeSize the default operand and address size of the code segment: CS.D
 * @throws InstructionTooLong beyond 15 bytes
 */
export function decodeInstruction(readByte: (offset: number) => number, codeSize: 16 | 32): Instruction {
  const cursor = new Cursor(readByte)
  const instruction = emptyInstruction(codeSize)
  let opcode = readPrefixes(cursor, instruction, codeSize)
  if (opcode === TWO_BYTE_ESCAPE) opcode = TWO_BYTE_OPCODES | cursor.byte()
  instruction.opcode = opcode
  if (HAS_MODRM[opcode] === 1) readModrm(cursor, instruction)
  readImmediate(cursor, instruction)
  if (instruction.segmentOverride !== NONE) instruction.segment = instruction.segmentOverride
  instruction.length = cursor.offset
  return instruction
}

/** Reads on from the start of the instruction, little-endian; all numbers but `byte` are signed. */
class Cursor {
  offset = 0
  readonly #readByte: (offset: number) => number

  constructor(readByte: (offset: number) => number) {
    this.#readByte = readByte
  }

  byte(): number {
    if (this.offset === MAX_INSTRUCTION_LENGTH) throw new InstructionTooLong()
    const byte = this.#readByte(this.offset)
    this.offset++
    return byte
  }

  int8(): number {
    return (this.byte() << 24) >> 24
  }

  int16(): number {
    const low = this.byte()
    return low | (this.int8() << 8)
  }

  int32(): number {
    const low = this.int16() & 0xffff
    return low | (this.int16() << 16)
  }

  int(size: 16 | 32): number {
    return size === 16 ? this.int16() : this.int32()
  }
}

function emptyInstruction(codeSize: 16 | 32): Instruction {
  return {
    opcode: 0,
    length: 0,
    operandSize: codeSize,
    addressSize: codeSize,
    prefixes: 0,
    segmentOverride: NONE,
    segment: DS,
    hasModrm: false,
    mod: 0,
    reg: 0,
    rm: 0,
    base: NONE,
    index: NONE,
    scale: 0,
    displacement: 0,
    immediate: 0,
    immediate2: 0,
  }
}

/** Reads prefixes and answers with the first byte that is none. Of each group the last prefix wins. */
function readPrefixes(cursor: Cursor, instruction: Instruction, codeSize: 16 | 32): number {
  const otherSize = codeSize === 32 ? 16 : 32
  for (;;) {
    const byte = cursor.byte()
    switch (byte) {
      case 0x26:
        instruction.segmentOverride = ES
        break
      case 0x2e:
        instruction.segmentOverride = CS
        break
      case 0x36:
        instruction.segmentOverride = SS
        break
      case 0x3e:
        instruction.segmentOverride = DS
        break
      case 0x64:
        instruction.segmentOverride = FS
        break
      case 0x65:
        instruction.segmentOverride = GS
        break
      case 0x66:
        instruction.prefixes |= PREFIX_OPERAND_SIZE
        instruction.operandSize = otherSize
        break
      case 0x67:
        instruction.prefixes |= PREFIX_ADDRESS_SIZE
        instruction.addressSize = otherSize
        break
      case 0xf0:
        instruction.prefixes |= PREFIX_LOCK
        break
      case 0xf2:
        instruction.prefixes = (instruction.prefixes & ~PREFIX_REP) | PREFIX_REPNE
        break
      case 0xf3:
        instruction.prefixes = (instruction.prefixes & ~PREFIX_REPNE) | PREFIX_REP
        break
      default:
        return byte
    }
  }
}

function readModrm(cursor: Cursor, instruction: Instruction): void {
  const modrm = cursor.byte()
  const ignoresMod = instruction.opcode >= FIRST_MOV_CR && instruction.opcode <= LAST_MOV_DR
  instruction.hasModrm = true
  instruction.mod = ignoresMod ? 3 : modrm >> 6
  instruction.reg = (modrm >> 3) & 7
  instruction.rm = modrm & 7
  if (instruction.mod === 3) return
  if (instruction.addressSize === 16) readAddress16(cursor, instruction)
  else readAddress32(cursor, instruction)
}

/** SDM vol. 2A table 2-1. */
function readAddress16(cursor: Cursor, instruction: Instruction): void {
  const { mod, rm } = instruction
  if (mod === 0 && rm === 6) {
    instruction.displacement = cursor.int16()
    return
  }
  instruction.base = BASE_16[rm]!
  instruction.index = INDEX_16[rm]!
  if (instruction.base === NONE) {
    instruction.base = instruction.index
    instruction.index = NONE
  }
  if (instruction.base === EBP) instruction.segment = SS
  if (mod === 1) instruction.displacement = cursor.int8()
  if (mod === 2) instruction.displacement = cursor.int16()
}

/** SDM vol. 2A tables 2-2 and 2-3. */
function readAddress32(cursor: Cursor, instruction: Instruction): void {
  const { mod, rm } = instruction
  let base = rm
  if (rm === ESP) {
    const sib = cursor.byte()
    const index = (sib >> 3) & 7
    instruction.scale = sib >> 6
    instruction.index = index === ESP ? NONE : index
    base = sib & 7
  }
  if (mod === 0 && base === EBP) {
    instruction.displacement = cursor.int32()
    return
  }
  instruction.base = base
  if (base === ESP || base === EBP) instruction.segment = SS
  if (mod === 1) instruction.displacement = cursor.int8()
  if (mod === 2) instruction.displacement = cursor.int32()
}

function readImmediate(cursor: Cursor, instruction: Instruction): void {
  switch (IMMEDIATE[instruction.opcode]) {
    case BYTE:
      instruction.immediate = cursor.int8()
      break
    case WORD:
      instruction.immediate = cursor.int16()
      break
    case FULL:
      instruction.immediate = cursor.int(instruction.operandSize)
      break
    case FAR_POINTER:
      instruction.immediate = cursor.int(instruction.operandSize)
      instruction.immediate2 = cursor.int16() & 0xffff
      break
    case ENTER:
      instruction.immediate = cursor.int16()
      instruction.immediate2 = cursor.byte()
      break
    case OFFSET:
      instruction.displacement = cursor.int(instruction.addressSize)
      break
    case GROUP_3:
      if (instruction.reg > 1) break
      instruction.immediate = instruction.opcode === FIRST_GROUP_3 ? cursor.int8() : cursor.int(instruction.operandSize)
      break
  }
}

function hasModrm(form: OpcodeForm | undefined): boolean {
  return form?.operands.some(usesModrm) ?? false
}

function immediateOf(opcode: number, form: OpcodeForm | undefined): number {
  if (opcode === FIRST_GROUP_3 || opcode === FIRST_GROUP_3 + 1) return GROUP_3
  const operands = form?.operands.join(',') ?? ''
  if (operands === 'Iw,Ib') return ENTER
  if (/Ib|Jb/.test(operands)) return BYTE
  if (operands.includes('Iw')) return WORD
  if (/[IJ]z/.test(operands)) return FULL
  if (operands.includes('Ap')) return FAR_POINTER
  return /O[bv]/.test(operands) ? OFFSET : NO_IMMEDIATE
}
