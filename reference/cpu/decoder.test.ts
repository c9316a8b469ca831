import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeInstruction, InstructionTooLong } from './decoder.ts'
import { DS, FS, type Instruction, PREFIX_REP, SS } from './instruction.ts'

const VECTORS = new URL('./fixtures/ia32-user.jsonl.gz', import.meta.url)
/** After these EIP may be elsewhere than at the next instruction (an INTO that does not trap ran on into an INT3). */
const TRANSFERS = /^(o16 )?(j|call|ret|loop|iret|into)/

function decode(hex: string, codeSize: 16 | 32 = 32): Instruction {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return decodeInstruction((offset) => {
    if (offset >= bytes.length) throw new RangeError(`read beyond ${hex}`)
    return bytes[offset]!
  }, codeSize)
}

const codeSizes = fc.constantFrom<16 | 32>(16, 32)
const prefixes = fc.array(fc.constantFrom(0x26, 0x2e, 0x64, 0x66, 0x67, 0xf0, 0xf2, 0xf3), { maxLength: 4 })
const opcodes = fc.nat(0x1ff).map((opcode) => (opcode < 0x100 ? [opcode] : [0x0f, opcode & 0xff]))
const tails = fc.uint8Array({ minLength: 20, maxLength: 20 })
const byteStrings = fc
  .tuple(prefixes, opcodes, tails)
  .map(([prefixes, opcode, tail]) => Uint8Array.from([...prefixes, ...opcode, ...tail]))

describe('decodeInstruction', () => {
  it('reads each byte of the instruction once, in order, and none behind it, at most 15', () => {
    fc.assert(
      fc.property(byteStrings, codeSizes, (bytes, codeSize) => {
        let read = 0
        const readByte = (offset: number) => {
          expect(offset).toBe(read++)
          return bytes[offset]!
        }
        expect(decodeInstruction(readByte, codeSize).length).toBe(read)
        expect(read).toBeLessThanOrEqual(15)
      }),
      { seed: 1, numRuns: 3000 },
    )
  })

  it('sees nothing of the bytes behind the instruction', () => {
    fc.assert(
      fc.property(byteStrings, tails, codeSizes, (bytes, others, codeSize) => {
        const first = decodeInstruction((offset) => bytes[offset]!, codeSize)
        const changed = (offset: number) => (offset < first.length ? bytes : others)[offset % 20]!
        const second = decodeInstruction(
          (offset) => (offset < first.length ? bytes[offset]! : changed(offset)),
          codeSize,
        )
        expect(second).toEqual(first)
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  it('lets a fetch fault pass at whatever byte it comes', () => {
    fc.assert(
      fc.property(byteStrings, codeSizes, fc.nat(14), (bytes, codeSize, cut) => {
        const { length } = decodeInstruction((offset) => bytes[offset]!, codeSize)
        const fault = new Error('page fault')
        const run = () =>
          decodeInstruction((offset) => {
            if (offset === cut % length) throw fault
            return bytes[offset]!
          }, codeSize)
        expect(run).toThrow(fault)
      }),
      { seed: 3, numRuns: 500 },
    )
  })

  it('decodes the length that a real processor stepped over', () => {
    const lines = gunzipSync(readFileSync(VECTORS)).toString().trim().split('\n')
    let compared = 0
    for (const line of lines) {
      const vector = JSON.parse(line)
      const steppedOver = vector.out.eip - vector.in.eip
      const isFault = vector.out.exception !== undefined && steppedOver === 0
      if (isFault || TRANSFERS.test(vector.mn)) continue
      const { length } = decode(vector.bytes, vector.mode)
      expect([vector.id, vector.bytes, length]).toEqual([vector.id, vector.bytes, steppedOver])
      compared++
    }
    expect(compared).toBeGreaterThan(lines.length / 2)
  })

  it.each([
    ['90', 1],
    ['b8 78 56 34 12', 5],
    ['66 b8 34 12', 4],
    ['f6 c1 7f', 3],
    ['f6 d1', 2],
    ['f7 c8 01 00 00 00', 6],
    ['66 f7 04 24 34 12', 6],
    ['66 e8 00 10', 4],
    ['c2 08 00', 3],
    ['c8 10 00 02', 4],
    ['ea 78 56 34 12 08 00', 7],
    ['67 a1 34 12', 4],
    ['a1 78 56 34 12', 5],
    ['0f 1f 84 00 00 00 00 00', 8],
    ['0f b9 40 08', 4],
    ['0f ff c0', 3],
    ['0f 0b', 2],
    ['0f 01 c1', 3],
    ['0f c7 08', 3],
    ['0f c9', 2],
    ['0f 34', 2],
    ['0f ba e0 1f', 4],
    ['d6', 1],
    ['f1', 1],
    ['d8 44 24 04', 4],
    ['df e0', 2],
    ['0f 22 05', 3],
    ['0f 04', 2],
  ])('%s has %i bytes', (hex, length) => {
    expect(decode(hex).length).toBe(length)
  })

  it('refuses a sixteenth byte', () => {
    expect(decode(`${'66'.repeat(14)} 90`).length).toBe(15)
    expect(() => decode(`${'66'.repeat(15)} 90`)).toThrow(InstructionTooLong)
  })

  it('reads base, index, scale, displacement and segment', () => {
    expect(decode('8b 44 8d fc')).toMatchObject({ base: 5, index: 1, scale: 2, displacement: -4, segment: SS })
    expect(decode('8b 04 8d 00 00 00 80')).toMatchObject({ base: -1, index: 1, displacement: -(2 ** 31), segment: DS })
    expect(decode('64 8b 04 24')).toMatchObject({ base: 4, index: -1, segmentOverride: FS, segment: FS })
    expect(decode('8b 42 80', 16)).toMatchObject({ base: 5, index: 6, displacement: -128, segment: SS })
    expect(decode('8b 04', 16)).toMatchObject({ base: 6, index: -1, segment: DS })
  })

  it.each([
    ['8b 04 24', 32, SS],
    ['8b 44 24 04', 32, SS],
    ['8b 45 00', 32, SS],
    ['8b 04 65 00 00 00 00', 32, DS],
    ['8b 05 00 00 00 00', 32, DS],
    ['8b 04 28', 32, DS],
    ['8b 02', 16, SS],
    ['8b 46 00', 16, SS],
    ['8b 06 00 00', 16, DS],
    ['8b 05', 16, DS],
  ] as const)('%s in %i-bit code means segment register %i', (hex, codeSize, segment) => {
    expect(decode(hex, codeSize).segment).toBe(segment)
  })

  it('lets the last prefix of a group win', () => {
    expect(decode('f2 f3 26 64 a4')).toMatchObject({ prefixes: PREFIX_REP, segmentOverride: FS })
  })

  it('sign-extends immediates', () => {
    expect(decode('83 c0 80').immediate).toBe(-128)
    expect(decode('66 05 ff ff').immediate).toBe(-1)
    expect(decode('9a 00 00 00 f0 f8 ff')).toMatchObject({ immediate: -(2 ** 28), immediate2: 0xfff8 })
  })
})
