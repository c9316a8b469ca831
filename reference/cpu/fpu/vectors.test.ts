/**
 * Runs FPU instructions that were measured on a real processor, and says where this machine differs. The state goes in by
 * FRSTOR and comes out by FNSAVE, there as here; the memory operand is at EDI. The fixture holds no comparison and no load
 * with an unmasked exception, where that processor (AMD EPYC) does not what the manual says.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { BareMachine } from '../bare-machine.ts'

interface FpuVector {
  /** The instruction's bytes, in hexadecimal. */
  readonly op: string
  readonly cw: number
  readonly sw: number
  /** ST(0), ST(1), …: sign and exponent, then significand; null: empty. What is missing at the end is empty, too. */
  readonly st: readonly (string | null)[]
  readonly mem?: string
  /** EFLAGS, when the instruction could change them. */
  readonly fl?: number
  readonly out: {
    readonly sw: number
    readonly tw: number
    readonly cw?: number
    readonly st: readonly string[]
    readonly mem?: string
    readonly fl?: number
    readonly ax?: number
  }
}

const CODE = 0x1000
const BEFORE = 0x3000
const AFTER = 0x3200
const OPERAND = 0x3400
const ENVIRONMENT_BYTES = 28
const REGISTER_BYTES = 10
const FRSTOR_BEFORE = [0xdd, 0x25, BEFORE & 0xff, BEFORE >> 8, 0, 0]
const FNSAVE_AFTER = [0xdd, 0x35, AFTER & 0xff, AFTER >> 8, 0, 0]
const ARITHMETIC_FLAGS = 0x8d5
const INSTRUCTIONS = 3

function reversed(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex').reverse())
}

function prepare(vector: FpuVector): BareMachine {
  const m = new BareMachine()
  const code = [...FRSTOR_BEFORE, ...Buffer.from(vector.op, 'hex'), ...FNSAVE_AFTER]
  m.load(CODE, code)
  let tags = 0
  for (let i = 0; i < 8; i++) {
    const value = vector.st[i]
    if (value == null) tags |= 3 << (2 * (((vector.sw >> 11) + i) & 7))
    else m.memory.writeBytes(BEFORE + ENVIRONMENT_BYTES + REGISTER_BYTES * i, reversed(value))
  }
  for (const [i, word] of [vector.cw, vector.sw, tags].entries()) m.memory.writeUint32(BEFORE + 4 * i, word)
  m.memory.writeBytes(OPERAND, Uint8Array.from(Buffer.from(vector.mem ?? '', 'hex')))
  m.vcpu.registers.edi = OPERAND
  m.vcpu.registers.eflags = vector.fl ?? 0
  return m
}

/** F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS: the manual allows an error of one unit in the last place. */
const TRANSCENDENTAL = new Set(['d9f0', 'd9f1', 'd9f2', 'd9f3', 'd9f9', 'd9fb', 'd9fe', 'd9ff'])
const C1 = 0x200

function isNear(a: string, b: string): boolean {
  const distance = BigInt(`0x${a}`) - BigInt(`0x${b}`)
  return distance >= -1n && distance <= 1n
}

/** What differs from the real processor, in words; empty: nothing. */
function differencesOf(vector: FpuVector): string[] {
  const m = prepare(vector)
  const exit = m.vcpu.run(INSTRUCTIONS)
  if (exit.reason !== 'budget' || m.vcpu.registers.eip !== CODE + vector.op.length / 2 + 12) {
    return [`ended with ${exit.reason} at ${m.vcpu.registers.eip.toString(16)}`]
  }
  const { out } = vector
  const isApproximate = TRANSCENDENTAL.has(vector.op)
  const differences: string[] = []
  const check = (name: string, is: number | string, wanted: number | string | undefined) => {
    if (wanted === undefined || is === wanted) return
    const show = (x: number | string) => (typeof x === 'number' ? x.toString(16) : x)
    differences.push(`${name} is ${show(is)}, want ${show(wanted)}`)
  }
  check('CW', m.memory.readUint16(AFTER), out.cw ?? vector.cw)
  const ignored = isApproximate ? C1 : 0
  check('SW', m.memory.readUint16(AFTER + 4) & ~ignored, out.sw & ~ignored)
  check('TW', m.memory.readUint16(AFTER + 8), out.tw)
  for (const [i, wanted] of out.st.entries()) {
    const bytes = m.memory.readBytes(AFTER + ENVIRONMENT_BYTES + REGISTER_BYTES * i, REGISTER_BYTES)
    const is = Buffer.from(bytes).reverse().toString('hex')
    if (!isApproximate || !isNear(is, wanted)) check(`ST${i}`, is, wanted)
  }
  if (vector.mem !== undefined) {
    const bytes = m.memory.readBytes(OPERAND, vector.mem.length / 2)
    check('memory', Buffer.from(bytes).toString('hex'), out.mem ?? vector.mem)
  }
  check('EFLAGS', m.vcpu.registers.eflags & ARITHMETIC_FLAGS, out.fl)
  check('AX', m.vcpu.registers.eax & 0xffff, out.ax)
  return differences
}

const FIXTURE = new URL('../fixtures/ia32-fpu.jsonl.gz', import.meta.url)
const VECTORS = 3535

const vectors = gunzipSync(readFileSync(FIXTURE))
  .toString()
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as FpuVector)

describe("a real processor's FPU", () => {
  test('every instruction measured on it gives the same state here', () => {
    const failed = vectors.flatMap((vector) => {
      const differences = differencesOf(vector)
      return differences.length === 0 ? [] : [`${vector.op} ${JSON.stringify(vector.st)}: ${differences.join(', ')}`]
    })
    expect({ count: vectors.length, failed }).toEqual({ count: VECTORS, failed: [] })
  })

  test('the comparison sees a register, the status word and a byte that differ', () => {
    const vector = vectors.find((v) => v.mem !== undefined && v.st.length > 1 && v.op === 'd807')!
    const { out } = vector
    expect(differencesOf({ ...vector, out: { ...out, sw: out.sw ^ 0x100 } })).toHaveLength(1)
    expect(differencesOf({ ...vector, out: { ...out, st: ['0'.repeat(20), ...out.st.slice(1)] } })).toHaveLength(1)
    expect(differencesOf({ ...vector, out: { ...out, mem: 'ff'.repeat(12) } })).toHaveLength(1)
  })
})
