/**
 * One decoded IA-32 instruction: plain numbers, made by `decoder.ts`, read by the interpreter, the disassembler and
 * the labs (Intel SDM vol. 2A §2.1, instruction format).
 */

/** Prefix bits of {@link Instruction.prefixes}. Segment overrides are in {@link Instruction.segmentOverride}. */
export const PREFIX_LOCK = 1
export const PREFIX_REPNE = 2
export const PREFIX_REP = 4
export const PREFIX_OPERAND_SIZE = 8
export const PREFIX_ADDRESS_SIZE = 16

/** Segment register numbers as the instruction set encodes them. */
export const ES = 0
export const CS = 1
export const SS = 2
export const DS = 3
export const FS = 4
export const GS = 5

export interface Instruction {
  /** 0x00–0xFF for a one-byte opcode, 0x100–0x1FF for `0F xx`. */
  opcode: number
  /** In bytes, prefixes included, 1–15. */
  length: number
  /** 16 or 32: the effective operand size (byte instructions keep the mode's). */
  operandSize: 16 | 32
  /** 16 or 32: the effective address size. */
  addressSize: 16 | 32
  /** `PREFIX_…` bits. */
  prefixes: number
  /** −1, or the segment register of an override prefix (the last one wins). */
  segmentOverride: number
  /** The segment of the memory operand: the override, or SS for (E)BP- and (E)SP-based addresses, or DS. */
  segment: number
  /** True when a ModR/M byte is present; then `mod`, `reg` and `rm` hold its fields. */
  hasModrm: boolean
  mod: number
  reg: number
  rm: number
  /** Memory operand (mod ≠ 3, or a direct offset of A0–A3): base register 0–7 or −1. */
  base: number
  /** Index register 0–7 or −1. */
  index: number
  /** Shift of the index register: 0–3. */
  scale: number
  /** Signed 32-bit displacement; 16-bit addresses wrap at 64 KiB after adding. */
  displacement: number
  /** The immediate, sign-extended to 32 bits as a signed number (Ib of logic and port numbers: read `& 0xff`). */
  immediate: number
  /** ENTER's level, or the selector of a far pointer. */
  immediate2: number
}
