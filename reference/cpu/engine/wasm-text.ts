/**
 * Instructions of a function as text, in the names of WebAssembly's text format (Core Specification 2.0 §6.5), for people
 * who want to see what a translation became.
 */
import {
  BLOCK,
  BR,
  BR_IF,
  BR_TABLE,
  CALL,
  ELSE,
  END,
  I32_CONST,
  I64_CONST,
  IF,
  LOCAL_GET,
  LOCAL_SET,
  LOCAL_TEE,
  LOOP,
  MEMORY_OPCODES,
  OPCODES,
} from './wasm-code.ts'

export interface WasmLine {
  /** Of its first byte. */
  readonly offset: number
  /** How many blocks it stands in. */
  readonly depth: number
  readonly text: string
}

const NAMES = new Map<number, string>(Object.entries(OPCODES).map(([name, code]) => [code, dotted(name)]))
const MEMORY_NAMES = new Map<number, string>(Object.entries(MEMORY_OPCODES).map(([name, code]) => [code, dotted(name)]))
const STRUCTURE = new Map([
  [BLOCK, 'block'],
  [LOOP, 'loop'],
  [IF, 'if'],
])
const WITH_INDEX = new Map([
  [BR, 'br'],
  [BR_IF, 'br_if'],
  [CALL, 'call'],
  [LOCAL_GET, 'local.get'],
  [LOCAL_SET, 'local.set'],
  [LOCAL_TEE, 'local.tee'],
])

/** @param nameOf how a local is called; its number unless told */
export function wasmText(code: Uint8Array, nameOf: (local: number) => string = String): WasmLine[] {
  const lines: WasmLine[] = []
  const reader = new Reader(code)
  let depth = 0
  while (!reader.isAtEnd) {
    const offset = reader.position
    const opcode = reader.byte()
    const structure = STRUCTURE.get(opcode)
    if (opcode === END || opcode === ELSE) depth--
    const text = structure ?? textOf(reader, opcode, nameOf)
    if (structure !== undefined) reader.byte()
    lines.push({ offset, depth, text })
    if (structure !== undefined || opcode === ELSE) depth++
  }
  return lines
}

function textOf(reader: Reader, opcode: number, nameOf: (local: number) => string): string {
  const withIndex = WITH_INDEX.get(opcode)
  if (withIndex !== undefined) {
    const index = reader.unsigned()
    return `${withIndex} ${withIndex.startsWith('local') ? nameOf(index) : index}`
  }
  const memory = MEMORY_NAMES.get(opcode)
  if (memory !== undefined) {
    reader.byte()
    const offset = reader.unsigned()
    return offset === 0 ? memory : `${memory} offset=${offset}`
  }
  switch (opcode) {
    case END:
      return 'end'
    case ELSE:
      return 'else'
    case I32_CONST:
      return `i32.const ${reader.signed()}`
    case I64_CONST:
      return `i64.const ${reader.signed()}`
    case BR_TABLE: {
      const count = reader.unsigned()
      return `br_table ${Array.from({ length: count + 1 }, () => reader.unsigned()).join(' ')}`
    }
    default:
      return NAMES.get(opcode) ?? `byte ${opcode}`
  }
}

/** `i32_add` is `i32.add`. */
function dotted(name: string): string {
  return name.replace(/^(i32|i64)_/, '$1.')
}

class Reader {
  readonly #bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.position >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes[this.position++] ?? 0
  }

  unsigned(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }

  signed(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte >= 0x80) continue
      return shift + 7 < 32 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value
    }
  }
}
