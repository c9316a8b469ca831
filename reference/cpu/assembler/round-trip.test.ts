import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeInstruction } from '../decoder.ts'
import { disassemble } from '../disassembler.ts'
import { Assembler } from './assembler.ts'
import { CANDIDATES, type Candidate } from './candidates.ts'
import {
  Address,
  type AddressRegister,
  FarPointer,
  Memory,
  type MemorySize,
  type Operand,
  registers,
  type SegmentRegister,
} from './operands.ts'

const ORIGIN = 0x4000
const all = Object.values(registers)
const generals = (size: 8 | 16 | 32) => all.filter((one) => one.kind === 'register' && one.size === size)
const segments = all.filter((one) => one.kind === 'segment')

/** An operand, and the text that the disassembler has to give it. */
interface Sample {
  readonly operand: Operand
  readonly text: string
}

const named = (choices: readonly (Operand & { name: string })[]): fc.Arbitrary<Sample> =>
  fc.constantFrom(...choices).map((operand) => ({ operand, text: operand.name }))
const hex = (value: number) => `0x${value.toString(16)}`
const unsigned = (value: number, bits: number) => value - Math.floor(value / 2 ** bits) * 2 ** bits

/** Any number that fits so many bits, small ones and borders often. */
const numbers = (bits: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: -128, max: Math.min(255, 2 ** bits - 1) }),
    fc.constantFrom(0, 1, 127, 128 % 2 ** bits, -(2 ** (bits - 1)), 2 ** bits - 1),
    fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** bits - 1 }),
  )
const immediate = (bits: number): fc.Arbitrary<Sample> =>
  numbers(bits).map((value) => ({ operand: value, text: hex(unsigned(value, bits)) }))

const SIZE_NAMES: Readonly<Record<string, string>> = { 8: 'BYTE', 16: 'WORD', 32: 'DWORD', 64: 'QWORD' }

function sizeName(size: MemorySize, operandSize: 16 | 32): string {
  if (size === 0) return ''
  if (size === 'far') return operandSize === 32 ? 'FWORD PTR ' : 'DWORD PTR '
  return `${SIZE_NAMES[size]} PTR `
}

interface Parts {
  readonly base: AddressRegister<16 | 32> | undefined
  readonly index: AddressRegister<16 | 32> | undefined
  readonly scale: 1 | 2 | 4 | 8
  readonly offset: number
  readonly segment: SegmentRegister | undefined
}

const maybe = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
const { bx, bp, si, di, esp } = registers
const registers32 = generals(32) as AddressRegister<32>[]
const segmentChoice = fc.oneof(fc.constant(undefined), maybe(segments))

const parts32: fc.Arbitrary<Parts> = fc.record({
  base: maybe(registers32),
  index: maybe(registers32.filter((one) => one !== esp)),
  scale: fc.constantFrom(1, 2, 4, 8),
  offset: fc.oneof(fc.constantFrom(0, 8, -4, 127, -128, 128), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  segment: segmentChoice,
})
const parts16: fc.Arbitrary<Parts> = fc
  .record({
    base: maybe([bx, bp]),
    index: maybe([si, di]),
    scale: fc.constant<1>(1),
    offset: fc.oneof(fc.constantFrom(0, 8, -4, 127, -128, 128), fc.integer({ min: -0x8000, max: 0x7fff })),
    segment: segmentChoice,
  })
  .map((parts) => (parts.base ? parts : { ...parts, base: parts.index, index: undefined }))

function memory(size: MemorySize, operandSize: 16 | 32, codeSize: 16 | 32): fc.Arbitrary<Sample> {
  return fc.oneof(parts32, parts16).map(({ base, index, scale, offset, segment }) => {
    let address = Address.of(offset)
    if (base) address = address.plus(base)
    if (index) address = address.plus(index.times(scale))
    if (segment) address = address.in(segment)
    const name = sizeName(size, operandSize)
    const operand = new Memory(size, address)
    if (!base && !index) {
      return { operand, text: `${name}${segment?.name ?? 'ds'}:${hex(unsigned(offset, codeSize))}` }
    }
    const terms = [
      ...(base ? [base.name] : []),
      ...(index ? [index.name + (index.size === 32 ? `*${scale}` : '')] : []),
    ].join('+')
    const sign = offset < 0 ? '-' : '+'
    const displacement = offset === 0 ? '' : sign + hex(Math.abs(offset))
    return { operand, text: `${name}${segment ? `${segment.name}:` : ''}[${terms}${displacement}]` }
  })
}

/** Direct addresses must fit the code's own address size. */
function fitsCode({ operand }: Sample, codeSize: 16 | 32): boolean {
  if (!(operand instanceof Memory)) return true
  const { base, index, displacement } = operand.address
  return base !== undefined || index !== undefined || codeSize === 32 || Math.abs(displacement.constant) < 0x8000
}

const byLetter = (letter: string, size: 16 | 32): 8 | 16 | 32 =>
  (({ b: 8, w: 16, d: 32 }) as const)[letter as 'b'] ?? size
const memoryByLetter = (letter: string, size: 16 | 32): MemorySize =>
  (({ b: 8, w: 16, x: 16, d: 32, q: 64, p: 'far', a: size === 32 ? 64 : 32, s: 0, '': 0 }) as const)[letter as 'b'] ??
  size

function operand(code: string, size: 16 | 32, codeSize: 16 | 32, opcode: number): fc.Arbitrary<Sample> {
  const [kind, letter = ''] = code
  const target = ORIGIN + 20
  switch (code) {
    case '1':
      return fc.constant({ operand: 1, text: '1' })
    case 'eAX':
      return named(generals(size).slice(0, 1))
    case 'sIb':
      return fc.integer({ min: -128, max: 127 }).map((value) => ({ operand: value, text: hex(unsigned(value, size)) }))
    case 'Ib':
      return immediate(8)
    case 'Iw':
      return immediate(16)
    case 'Iz':
      return immediate(size)
    case 'Jb':
    case 'Jz':
      return fc.constant({ operand: target, text: hex(target) })
    case 'Ap':
      return fc.tuple(numbers(16), numbers(size)).map(([selector, offset]) => ({
        operand: new FarPointer(selector, offset),
        text: `${hex(unsigned(selector, 16))}:${hex(unsigned(offset, size))}`,
      }))
    case 'Sw':
      return named(segments)
    case 'Cd':
      return named(all.filter((one) => one.kind === 'control'))
    case 'Dd':
      return named(all.filter((one) => one.kind === 'debug'))
  }
  const fixed = all.filter((one) => one.name === code.toLowerCase())
  if (fixed.length > 0) return named(fixed)
  const inRegister = () => named(generals(byLetter(letter, size)))
  const inMemory = () => memory(memoryByLetter(letter, size), size, codeSize).filter((one) => fitsCode(one, codeSize))
  switch (kind) {
    case 'E':
      return fc.oneof(inRegister(), inMemory())
    case 'M':
      return inMemory()
    case 'O':
      return inMemory().filter(
        ({ operand }) => operand instanceof Memory && !operand.address.base && !operand.address.index,
      )
    case 'Z':
      return named(generals(byLetter(letter, size)).filter((one) => one.number === (opcode & 7)))
    default:
      return inRegister()
  }
}

/** How the disassembler names what the assembler was asked for. */
const CANONICAL: Readonly<Record<string, string>> = {
  c: 'b',
  nae: 'b',
  nc: 'ae',
  nb: 'ae',
  z: 'e',
  nz: 'ne',
  na: 'be',
  nbe: 'a',
  pe: 'p',
  po: 'np',
  nge: 'l',
  nl: 'ge',
  ng: 'le',
  nle: 'g',
}

function canonical(mnemonic: string): string {
  const match = /^(j|set|cmov)(.+)$/.exec(mnemonic)
  const condition = match ? CANONICAL[match[2]!] : undefined
  if (match && condition) return match[1]! + condition
  return { sal: 'shl', loopz: 'loope', loopnz: 'loopne' }[mnemonic] ?? mnemonic
}

interface Case {
  readonly mnemonic: string
  readonly codeSize: 16 | 32
  readonly samples: readonly Sample[]
}

const isNamed = ({ operands }: Candidate) => operands.some((code) => /[vx]$|eAX/.test(code))

function caseOf(mnemonic: string, candidate: Candidate): fc.Arbitrary<Case> {
  return fc.tuple(fc.constantFrom<16 | 32>(16, 32), fc.boolean()).chain(([codeSize, other]) => {
    const size = isNamed(candidate) && other ? (codeSize === 32 ? 16 : 32) : codeSize
    return fc
      .tuple(...candidate.operands.map((code) => operand(code, size, codeSize, candidate.opcode)))
      .map((samples) => ({ mnemonic, codeSize, samples }))
  })
}

const forms = [...CANDIDATES].flatMap(([mnemonic, candidates]) =>
  candidates.map((one) => ({ mnemonic, candidate: one })),
)
const STRING = /^(movs|cmps|scas|lods|stos|ins|outs)[bwd]$/
const SHIFT = /^(rol|ror|rcl|rcr|shl|sal|shr|sar)$/
const PLAIN_SIZED = /^(pusha|popa|pushf|popf|iret)$/

function expectedText({ mnemonic, samples, codeSize }: Case): string {
  const name = PLAIN_SIZED.test(mnemonic) ? mnemonic + (codeSize === 32 ? 'd' : 'w') : canonical(mnemonic)
  const text = `${name} ${samples.map((sample) => sample.text).join(',')}`.trimEnd()
  return SHIFT.test(mnemonic) ? text.replace(/,0x1$/, ',1') : text
}

function assemble({ mnemonic, codeSize, samples }: Case): Uint8Array {
  const a = new Assembler({ origin: ORIGIN, codeSize })
  a.instruction(mnemonic, ...samples.map((sample) => sample.operand))
  return a.assemble().bytes
}

describe('the assembler, the decoder and the disassembler', () => {
  it.each(forms.map(({ mnemonic, candidate }) => [mnemonic, candidate.operands.join(','), candidate] as const))(
    'agree on %s %s, whatever its operands',
    (mnemonic, _operands, candidate) => {
      fc.assert(
        fc.property(caseOf(mnemonic, candidate), (one) => {
          const bytes = assemble(one)
          const decoded = decodeInstruction((offset) => bytes[offset]!, one.codeSize)
          expect(decoded.length).toBe(bytes.length)
          if (!STRING.test(mnemonic) && mnemonic !== 'xlat') {
            expect(disassemble(decoded, ORIGIN)).toBe(expectedText(one))
          }
        }),
        { seed: 5, numRuns: candidate.operands.length === 0 ? 4 : 40 },
      )
    },
  )
})
