/**
 * The assembler as a typed TypeScript language: one method for each instruction, labels, data, 16- and 32-bit code.
 *
 *     const a = new Assembler({ origin: 0x1000, codeSize: 32 })
 *     const { eax, ecx } = registers
 *     a.label('loop')
 *     a.add(eax, mem32(ecx.plus(8)))
 *     a.jnz('loop')
 *     const { bytes, symbols, listing } = a.assemble()
 */
import { disassembleBytes } from '../disassembler.ts'
import { AssemblyError } from './assembly-error.ts'
import { CANDIDATES } from './candidates.ts'
import { encode, operandName } from './encoder.ts'
import { EncodingBuilder } from './encoding.ts'
import type { InstructionSet } from './instruction-set.ts'
import { type Item, layOut, type PlacedItem } from './layout.ts'
import type { Operand, SegmentRegister, Value } from './operands.ts'

export interface AssemblerOptions {
  /** The address of the first byte. Default 0. */
  readonly origin?: number
  /** CS.D of the code at the start. Default 32. */
  readonly codeSize?: 16 | 32
}

export interface Program {
  /** The address of the first byte. */
  readonly origin: number
  readonly bytes: Uint8Array
  /** Each label's address. */
  readonly symbols: ReadonlyMap<string, number>
  /** Addresses, bytes and text, one line an instruction. */
  readonly listing: string
}

/** How a listing and counterexamples show a program: at most so many data bytes a line. */
const DATA_BYTES_A_LINE = 8
const LOCK = 0xf0
const REPNE = 0xf2
const REP = 0xf3
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]

class AssemblerCore {
  readonly #origin: number
  readonly #items: Item[] = []
  #codeSize: 16 | 32
  #unique = 0
  #prefixes: number[] = []
  #operandSize: 16 | 32 | undefined
  #addressSize: 16 | 32 | undefined

  constructor(options: AssemblerOptions = {}) {
    this.#origin = options.origin ?? 0
    this.#codeSize = options.codeSize ?? 32
  }

  /**
   * Any instruction by its mnemonic; the methods of {@link InstructionSet} say which there are.
   * @throws AssemblyError when no form of it takes the operands
   */
  instruction(mnemonic: string, ...operands: Operand[]): void {
    const encodings = encode({
      mnemonic,
      operands,
      codeSize: this.#codeSize,
      prefixes: this.#prefixes,
      operandSize: this.#operandSize,
      addressSize: this.#addressSize,
    })
    const name = `${mnemonic} ${operands.map(operandName).join(', ')}`.trimEnd()
    this.#items.push({ kind: 'code', name, codeSize: this.#codeSize, encodings })
    this.#prefixes = []
    this.#operandSize = undefined
    this.#addressSize = undefined
  }

  /** The instructions that follow are for 16-bit code segments. */
  use16(): void {
    this.#codeSize = 16
  }

  /** The instructions that follow are for 32-bit code segments. */
  use32(): void {
    this.#codeSize = 32
  }

  /** LOCK for the next instruction: `a.lock().xadd(…)`. */
  lock(): this {
    return this.#prefix(LOCK)
  }

  /** REP for the next string instruction; REPE when it compares. */
  rep(): this {
    return this.#prefix(REP)
  }

  repe(): this {
    return this.#prefix(REP)
  }

  repne(): this {
    return this.#prefix(REPNE)
  }

  /** A segment override for the next instruction, where no operand can carry it: `a.segment(fs).lodsb()`. */
  segment(register: SegmentRegister): this {
    return this.#prefix(SEGMENT_PREFIXES[register.number]!)
  }

  /** A 16-bit operand size for the next instruction, where no operand says it: `a.o16().ret()`. */
  o16(): this {
    this.#operandSize = 16
    return this
  }

  o32(): this {
    this.#operandSize = 32
    return this
  }

  /** A 16-bit address size for the next instruction, where no operand says it: `a.a16().loop('again')`. */
  a16(): this {
    this.#addressSize = 16
    return this
  }

  a32(): this {
    this.#addressSize = 32
    return this
  }

  /** Names this place. */
  label(name: string): void {
    this.#items.push({ kind: 'label', name })
  }

  /** A name for a label that nobody else has, for building blocks that may be used more than once. */
  unique(hint: string): string {
    this.#unique++
    return `${hint}.${this.#unique}`
  }

  /** Bytes; a string is the name of a symbol: for text see {@link ascii}. */
  db(...values: Value[]): void {
    this.#data(values, 1)
  }

  /** 16-bit words, little-endian. */
  dw(...values: Value[]): void {
    this.#data(values, 2)
  }

  /** 32-bit words, little-endian. */
  dd(...values: Value[]): void {
    this.#data(values, 4)
  }

  bytes(bytes: Iterable<number>): void {
    this.#items.push({ kind: 'data', encoding: { bytes: [...bytes], patches: [] } })
  }

  /**
   * Text, a byte a character.
   * @throws AssemblyError for a character that is not ASCII
   */
  ascii(text: string): void {
    const stranger = [...text].find((character) => character.charCodeAt(0) > 0x7f)
    if (stranger !== undefined) throw new AssemblyError(`The text "${text}" holds "${stranger}", which is not ASCII.`)
    this.bytes([...text].map((character) => character.charCodeAt(0)))
  }

  /** Text with a zero byte behind it. */
  asciz(text: string): void {
    this.ascii(`${text}\0`)
  }

  /** Fills up to a multiple of `boundary`. */
  align(boundary: number, fill = 0): void {
    if (!Number.isInteger(boundary) || boundary < 1) {
      throw new AssemblyError(`align takes a whole number of at least 1, not ${boundary}.`)
    }
    this.#items.push({ kind: 'align', boundary, fill })
  }

  /** So many bytes of `fill`. */
  space(sizeBytes: number, fill = 0): void {
    this.bytes(new Uint8Array(sizeBytes).fill(fill))
  }

  /** Zero bytes up to `address`, which must not lie behind. */
  org(address: number): void {
    this.#items.push({ kind: 'org', address })
  }

  /** @throws AssemblyError: an undefined or doubled label, a jump out of reach, a value too wide */
  assemble(): Program {
    const { placed, symbols } = layOut(this.#items, this.#origin)
    const bytes = Uint8Array.from(placed.flatMap((item) => [...item.bytes]))
    return {
      origin: this.#origin,
      bytes,
      symbols,
      // Disassembled when asked for: a guest that is assembled for each run of a law seldom is.
      get listing() {
        return placed.flatMap(listingLines).join('\n')
      },
    }
  }

  #prefix(byte: number): this {
    this.#prefixes.push(byte)
    return this
  }

  #data(values: readonly Value[], sizeBytes: 1 | 2 | 4): void {
    const encoding = new EncodingBuilder()
    for (const value of values) encoding.put(value, sizeBytes)
    this.#items.push({ kind: 'data', encoding })
  }
}

for (const mnemonic of CANDIDATES.keys()) {
  Object.defineProperty(AssemblerCore.prototype, mnemonic, {
    value(this: AssemblerCore, ...operands: Operand[]): void {
      this.instruction(mnemonic, ...operands)
    },
  })
}

/** See the head of this file. Instructions may throw an {@link AssemblyError} at once, which points at their line. */
export type Assembler = AssemblerCore & InstructionSet
export const Assembler = AssemblerCore as new (options?: AssemblerOptions) => Assembler

function listingLines({ item, address, bytes }: PlacedItem): string[] {
  if (item.kind === 'label') return [`${item.name}:`]
  if (item.kind === 'code') {
    return disassembleBytes(bytes, address, item.codeSize).map((line) =>
      listingLine(line.address, line.bytes, line.text),
    )
  }
  const lines: string[] = []
  for (let start = 0; start < bytes.length; start += DATA_BYTES_A_LINE) {
    lines.push(listingLine(address + start, bytes.subarray(start, start + DATA_BYTES_A_LINE), 'data'))
  }
  return lines
}

function listingLine(address: number, bytes: Uint8Array, text: string): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `${address.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * DATA_BYTES_A_LINE)} ${text}`
}
