/**
 * Single-instruction vectors measured on a real processor: the file format and its loader (JSON lines, plain or gzip).
 *
 * A vector holds the whole state before one instruction, and everything that the instruction changed.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export const REGISTER_NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const
export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const

type RegisterName = (typeof REGISTER_NAMES)[number]
export type SegmentName = (typeof SEGMENT_NAMES)[number]

/** A linear address and bytes from there on, as a hex string. */
type MemoryPiece = readonly [address: number, hex: string]

interface VectorException {
  readonly vector: number
  /** Null: the exception has no error code. */
  readonly error: number | null
  readonly cr2?: number
}

type VectorInput = Readonly<Record<RegisterName, number>> & {
  readonly eip: number
  readonly eflags: number
  readonly mem: readonly MemoryPiece[]
  readonly seg?: Readonly<Partial<Record<SegmentName, number>>>
  /** Selector without RPL and TI, descriptor bytes in memory order. */
  readonly ldt?: readonly MemoryPiece[]
}

/** What changed; an absent register is unchanged. */
type VectorOutput = Readonly<Partial<Record<RegisterName, number>>> & {
  readonly eip: number
  readonly eflags: number
  readonly mem?: readonly MemoryPiece[]
  readonly seg?: Readonly<Partial<Record<SegmentName, number>>>
  readonly exception?: VectorException
}

export interface Vector {
  readonly id: number
  readonly cat: string
  readonly mn: string
  readonly isa: string
  readonly mode: 16 | 32
  readonly bytes: string
  readonly in: VectorInput
  readonly out: VectorOutput
  /** Flags that the manual leaves undefined. */
  readonly undef: number
  readonly undef_regs?: readonly string[]
  readonly undef_reg_bits?: Readonly<Record<string, number>>
  readonly undef_mem?: readonly (readonly [address: number, length: number])[]
  /** What the machine must have or be set to. */
  readonly req?: readonly string[]
}

/** The file cannot be used; the message says where and why. */
export class VectorFileError extends Error {
  override readonly name = 'VectorFileError'
}

const GZIP_MAGIC = [0x1f, 0x8b]

/** @throws VectorFileError when the file cannot be read, is cut off, or has a line that is no vector */
export function loadVectors(file: string): Vector[] {
  const text = readText(file)
  const lines = text.split('\n')
  const endsWithNewline = lines.at(-1) === ''
  if (endsWithNewline) lines.pop()
  if (lines.length === 0) throw new VectorFileError(`${file} holds no vectors.`)
  return lines.map((line, i) => parseLine(line, `${file}:${i + 1}`, !endsWithNewline && i === lines.length - 1))
}

function readText(file: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new VectorFileError(`${file} cannot be read`, { cause: error })
  }
  if (bytes[0] !== GZIP_MAGIC[0] || bytes[1] !== GZIP_MAGIC[1]) return bytes.toString('utf8')
  try {
    return gunzipSync(bytes).toString('utf8')
  } catch (error) {
    throw new VectorFileError(`${file} is truncated or damaged: ${(error as Error).message}`)
  }
}

function parseLine(line: string, where: string, maybeCut: boolean): Vector {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    if (maybeCut) throw new VectorFileError(`${where}: the file is cut off in the middle of a line.`)
    throw new VectorFileError(`${where}: this line is no JSON: ${(error as Error).message}`)
  }
  const problem = problemOf(value)
  if (problem !== undefined) throw new VectorFileError(`${where}: this line is no vector: ${problem}.`)
  return value as Vector
}

/** What keeps a value from being a vector, or undefined. */
function problemOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it is not an object'
  const { id, mode, bytes, undef, in: before, out: after } = value
  if (typeof id !== 'number') return '"id" is not a number'
  if (mode !== 16 && mode !== 32) return '"mode" is neither 16 nor 32'
  if (typeof bytes !== 'string' || !isHex(bytes) || bytes === '') return '"bytes" is not a string of hex digits'
  if (typeof undef !== 'number') return '"undef" is not a number'
  if (!isRecord(before) || !isRecord(after)) return '"in" or "out" is not an object'
  const missing = [...REGISTER_NAMES, 'eip', 'eflags'].find((name) => typeof before[name] !== 'number')
  if (missing !== undefined) return `"in.${missing}" is not a number`
  const { eip, eflags, mem: written = [] } = after
  if (typeof eip !== 'number' || typeof eflags !== 'number') return '"out" lacks eip or eflags'
  const { mem, ldt = [] } = before
  if (![mem, ldt, written].every(isPieces)) return 'a memory list is not [[address, "hex"], …]'
  return undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPieces(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((piece) => Array.isArray(piece) && typeof piece[0] === 'number' && isHex(piece[1]))
  )
}

function isHex(value: unknown): boolean {
  return typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]*$/.test(value)
}
