/**
 * Classic BPF, as seccomp runs it over one system call (Linux `Documentation/networking/filter.rst`, seccomp(2)).
 * An instruction is eight bytes: code, jumps when true and false (counted from the next instruction), operand.
 */

export interface Instruction {
  readonly code: number
  readonly whenTrue: number
  readonly whenFalse: number
  readonly operand: number
}

/** Where seccomp's record holds the call's number, the architecture and the lower half of argument `index`. */
export const CALL_NUMBER_OFFSET = 0
export const ARCHITECTURE_OFFSET = 4
export const argumentOffset = (index: number): number => 16 + 8 * index

/** `BPF_LD | BPF_W | BPF_ABS`, `BPF_RET | BPF_K`, and `BPF_JMP | BPF_K` with its comparisons. */
const CODE = { load: 0x20, return: 0x06, equal: 0x15, atLeast: 0x35, anyBit: 0x45 } as const

/** Answers to a call: `SECCOMP_RET_ALLOW`, `_KILL_PROCESS`, `_ERRNO`. */
export const ALLOW = 0x7fff_0000
export const KILL_PROCESS = 0x8000_0000
export const refuse = (errno: number): number => 0x0005_0000 | errno

/** Loads 32 bits of the record. */
export function load(offset: number): Instruction {
  return { code: CODE.load, whenTrue: 0, whenFalse: 0, operand: offset }
}

/** Ends the program with an answer. */
export function answer(action: number): Instruction {
  return { code: CODE.return, whenTrue: 0, whenFalse: 0, operand: action }
}

type Comparison = 'equal' | 'atLeast' | 'anyBit'

/** Answers at once unless the loaded value compares so. */
export function unless(comparison: Comparison, operand: number, action: number): readonly Instruction[] {
  return [{ code: CODE[comparison], whenTrue: 1, whenFalse: 0, operand }, answer(action)]
}

/** Runs `then` when the loaded value compares so, else skips it; `then` ends with an answer and has at most 255 instructions. */
export function when(comparison: Comparison, operand: number, then: readonly Instruction[]): readonly Instruction[] {
  return [{ code: CODE[comparison], whenTrue: 0, whenFalse: then.length, operand }, ...then]
}

/** The bytes that `bwrap --seccomp` reads: little-endian `struct sock_filter`s. */
export function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  program.forEach(({ code, whenTrue, whenFalse, operand }, index) => {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, whenTrue)
    view.setUint8(index * 8 + 3, whenFalse)
    view.setUint32(index * 8 + 4, operand, true)
  })
  return bytes
}
