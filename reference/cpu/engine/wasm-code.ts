/**
 * Writes WebAssembly: the instructions of one function (WebAssembly Core Specification 2.0 §5.4), with labels instead of
 * branch depths and locals that are handed out by name.
 */

/** Numeric instructions without immediates, by their names in the text format. */
export const OPCODES = {
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_lt_u: 0x49,
  i32_gt_s: 0x4a,
  i32_gt_u: 0x4b,
  i32_le_s: 0x4c,
  i32_le_u: 0x4d,
  i32_ge_s: 0x4e,
  i32_ge_u: 0x4f,
  i64_ne: 0x52,
  i32_clz: 0x67,
  i32_ctz: 0x68,
  i32_popcnt: 0x69,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_mul: 0x6c,
  i32_div_s: 0x6d,
  i32_div_u: 0x6e,
  i32_rem_s: 0x6f,
  i32_rem_u: 0x70,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_s: 0x75,
  i32_shr_u: 0x76,
  i32_rotl: 0x77,
  i32_rotr: 0x78,
  i64_mul: 0x7e,
  i64_div_s: 0x7f,
  i64_div_u: 0x80,
  i64_rem_s: 0x81,
  i64_rem_u: 0x82,
  i64_or: 0x84,
  i64_shl: 0x86,
  i64_shr_u: 0x88,
  i32_wrap_i64: 0xa7,
  i64_extend_i32_s: 0xac,
  i64_extend_i32_u: 0xad,
  i32_extend8_s: 0xc0,
  i32_extend16_s: 0xc1,
  select: 0x1b,
  drop: 0x1a,
  unreachable: 0x00,
  return: 0x0f,
} as const
export type Opcode = keyof typeof OPCODES

/** Loads and stores, by their names in the text format. */
export const MEMORY_OPCODES = {
  i32_load: 0x28,
  i32_load8_s: 0x2c,
  i32_load8_u: 0x2d,
  i32_load16_s: 0x2e,
  i32_load16_u: 0x2f,
  i32_store: 0x36,
  i32_store8: 0x3a,
  i32_store16: 0x3b,
} as const
export type MemoryOpcode = keyof typeof MEMORY_OPCODES

export const BLOCK = 0x02
export const LOOP = 0x03
export const IF = 0x04
export const ELSE = 0x05
export const END = 0x0b
export const BR = 0x0c
export const BR_IF = 0x0d
export const BR_TABLE = 0x0e
export const CALL = 0x10
export const LOCAL_GET = 0x20
export const LOCAL_SET = 0x21
export const LOCAL_TEE = 0x22
export const I32_CONST = 0x41
export const I64_CONST = 0x42
export const NO_RESULT = 0x40
export const TYPE_I32 = 0x7f
export const TYPE_I64 = 0x7e

/** Where a branch goes: behind the end of a block, or to the start of a loop. */
export interface Label {
  readonly depth: number
}

/** An index of a local variable. */
export type Local = number

/** The instructions of a function. */
export class WasmCode {
  #bytes = new Uint8Array(4096)
  #length = 0
  #depth = 0
  readonly #parameters: number
  readonly #types: number[] = []
  readonly #free = new Map<number, Local[]>()

  /** @param parameters of the function, which are its first locals */
  constructor(parameters: number) {
    this.#parameters = parameters
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** A point to which {@link reset} can go back, outside of blocks that were opened since. */
  mark(): number {
    return this.#length
  }

  reset(mark: number): void {
    this.#length = mark
  }

  /** A new local variable, all zero at the start. */
  local(type: typeof TYPE_I32 | typeof TYPE_I64 = TYPE_I32): Local {
    this.#types.push(type)
    return this.#parameters + this.#types.length - 1
  }

  /** A local for a short time; it holds anything. */
  borrow(type: typeof TYPE_I32 | typeof TYPE_I64 = TYPE_I32): Local {
    return this.#free.get(type)?.pop() ?? this.local(type)
  }

  giveBack(local: Local): void {
    const type = this.#types[local - this.#parameters] ?? TYPE_I32
    const free = this.#free.get(type)
    if (free === undefined) this.#free.set(type, [local])
    else free.push(local)
  }

  op(name: Opcode): this {
    this.#byte(OPCODES[name])
    return this
  }

  const(value: number): this {
    this.#byte(I32_CONST)
    this.#signed(value | 0)
    return this
  }

  /** A 64-bit constant that a signed 32-bit number can hold. */
  const64(value: number): this {
    this.#byte(I64_CONST)
    this.#signed(value | 0)
    return this
  }

  get(local: Local): this {
    this.#byte(LOCAL_GET)
    this.#unsigned(local)
    return this
  }

  set(local: Local): this {
    this.#byte(LOCAL_SET)
    this.#unsigned(local)
    return this
  }

  tee(local: Local): this {
    this.#byte(LOCAL_TEE)
    this.#unsigned(local)
    return this
  }

  /** A load from, or a store to, the address on the stack + `offset`; without any promise of alignment. */
  memory(name: MemoryOpcode, offset: number): this {
    this.#byte(MEMORY_OPCODES[name])
    this.#byte(0)
    this.#unsigned(offset)
    return this
  }

  block(): Label {
    return this.#open(BLOCK)
  }

  loop(): Label {
    return this.#open(LOOP)
  }

  if(): Label {
    return this.#open(IF)
  }

  else(): this {
    this.#byte(ELSE)
    return this
  }

  end(): this {
    this.#byte(END)
    this.#depth--
    return this
  }

  br(label: Label): this {
    this.#byte(BR)
    this.#unsigned(this.#depth - label.depth)
    return this
  }

  brIf(label: Label): this {
    this.#byte(BR_IF)
    this.#unsigned(this.#depth - label.depth)
    return this
  }

  /** Takes an index from the stack; beyond the last label it goes to `otherwise`. */
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.#byte(BR_TABLE)
    this.#unsigned(labels.length)
    for (const label of [...labels, otherwise]) this.#unsigned(this.#depth - label.depth)
    return this
  }

  call(functionIndex: number): this {
    this.#byte(CALL)
    this.#unsigned(functionIndex)
    return this
  }

  /** The instructions so far. */
  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** The function's body as a module's code section has it, with its locals. */
  finish(): Uint8Array {
    const locals = new ByteList()
    locals.unsigned(this.#types.length)
    for (const type of this.#types) {
      locals.unsigned(1)
      locals.byte(type)
    }
    const body = new ByteList()
    body.unsigned(locals.length + this.#length + 1)
    body.append(locals.bytes)
    body.append(this.#bytes.subarray(0, this.#length))
    body.byte(END)
    return body.bytes
  }

  #open(kind: number): Label {
    this.#byte(kind)
    this.#byte(NO_RESULT)
    this.#depth++
    return { depth: this.#depth }
  }

  #byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = value
  }

  #unsigned(value: number): void {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.#byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.#byte(rest)
  }

  #signed(value: number): void {
    let rest = value
    while (rest < -64 || rest > 63) {
      this.#byte((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    this.#byte(rest & 0x7f)
  }
}

/** A growing list of bytes, with the format's numbers. */
export class ByteList {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }

  byte(value: number): this {
    this.#bytes.push(value)
    return this
  }

  append(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }

  /** LEB128 (§5.2.2). */
  unsigned(value: number): this {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.#bytes.push((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    return this.byte(rest)
  }

  /** Its length in bytes, then the text in UTF-8. */
  name(text: string): this {
    const bytes = new TextEncoder().encode(text)
    return this.unsigned(bytes.length).append(bytes)
  }
}
