import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { disassembleBytes } from '../disassembler.ts'
import { Assembler } from './assembler.ts'
import { far, mem, mem8, mem16, mem32, mem64, memFar, near, registers, short, symbol } from './operands.ts'

const { eax, ecx, edx, ebx, esp, ebp, esi, edi, ax, bx, dx, al, cl, ds, fs, cr0, bp } = registers

/** The bytes that `write` makes, in hexadecimal. */
function bytes(write: (a: Assembler) => unknown, codeSize: 16 | 32 = 32, origin = 0): string {
  const a = new Assembler({ origin, codeSize })
  write(a)
  return Buffer.from(a.assemble().bytes).toString('hex')
}

describe('Assembler', () => {
  it('lets every branch reach its label by the shortest way, whatever stands in between', () => {
    const step = fc.oneof(
      fc.record({ space: fc.oneof(fc.nat(130), fc.nat(40)) }),
      fc.record({ jumpTo: fc.nat(7) }),
      fc.record({ align: fc.constantFrom(2, 8, 16) }),
    )
    const program = fc.array(fc.array(step, { maxLength: 6 }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(program, (blocks) => {
        const a = new Assembler({ origin: 0x1000 })
        const jumps: string[] = []
        blocks.forEach((steps, block) => {
          a.label(`b${block}`)
          for (const one of steps) {
            if ('space' in one) a.space(one.space, 0x90)
            else if ('align' in one) a.align(one.align, 0x90)
            else {
              a.label(`j${jumps.length}`)
              jumps.push(`b${one.jumpTo}`)
              a.jnz(`b${one.jumpTo}`)
              a.label(`after${jumps.length - 1}`)
            }
          }
        })
        const { bytes, symbols } = a.assemble()
        jumps.forEach((target, i) => {
          const at = symbols.get(`j${i}`)!
          const end = symbols.get(`after${i}`)!
          const [line] = disassembleBytes(bytes.subarray(at - 0x1000, end - 0x1000), at, 32)
          expect(line!.text).toBe(`jne 0x${symbols.get(target)!.toString(16)}`)
          expect(line!.bytes.length).toBe(end - at)
          const distance = symbols.get(target)! - (at + 2)
          if (end - at === 6) expect(distance < -128 || distance > 127 - 15).toBe(true)
        })
      }),
      { seed: 6, numRuns: 100 },
    )
  })

  it.each<[string, string, (a: Assembler) => unknown]>([
    ['the short form with eax', '0505000100', (a) => a.add(eax, 0x10005)],
    ['a sign-extended byte', '83c005', (a) => a.add(eax, 5)],
    ['a byte that is −1 as an unsigned number', '83c8ff', (a) => a.or(eax, 0xffff_ffff)],
    ['memory with a displacement', '8b4108', (a) => a.mov(eax, mem32(ecx.plus(8)))],
    ['base, index, scale', '8b448dfc', (a) => a.mov(eax, mem32(ebp.plus(ecx.times(4)).minus(4)))],
    ['esp as base', '89442404', (a) => a.mov(mem32(esp.plus(4)), eax)],
    ['esp given second', '8b0408', (a) => a.mov(eax, mem32(eax.plus(ecx)))],
    ['a segment override', '648b01', (a) => a.mov(eax, mem32(fs.at(ecx)))],
    ['a direct offset', 'a178563412', (a) => a.mov(eax, mem32(0x1234_5678))],
    ['16-bit operands', '6601d8', (a) => a.add(ax, bx)],
    ['a 16-bit address', '678b4604', (a) => a.mov(eax, mem32(bp.plus(4)))],
    ['a string instruction', 'f3a5', (a) => a.rep().movsd()],
    ['a string instruction in another segment', '64ac', (a) => a.segment(fs).lodsb()],
    ['a lock', 'f00fc108', (a) => a.lock().xadd(mem32(eax), ecx)],
    ['a far jump', 'ea000100000800', (a) => a.jmpf(far(8, 0x100))],
    ['a far jump through memory', 'ff28', (a) => a.jmpf(memFar(eax))],
    ['an 8-byte operand', '0fc70e', (a) => a.cmpxchg8b(mem64(esi))],
    ['ports', 'ece680', (a) => [a.in(al, dx), a.out(0x80, al)]],
    ['an interrupt frame', '60cf61', (a) => [a.pusha(), a.iret(), a.popa()]],
    ['shifts', 'd1e0c1e004d3f8', (a) => [a.shl(eax, 1), a.shl(eax, 4), a.sar(eax, cl)]],
    [
      'system instructions',
      '0f22c00f01100fa20f01c1',
      (a) => [a.mov(cr0, eax), a.lgdt(mem(eax)), a.cpuid(), a.vmcall()],
    ],
    ['segment registers', '8ed81e', (a) => [a.mov(ds, ax), a.push(ds)]],
    ['an operand size of its own', '66c3', (a) => a.o16().ret()],
    ['imul in its forms', 'f7e90fafc16bc10a', (a) => [a.imul(ecx), a.imul(eax, ecx), a.imul(eax, ecx, 10)]],
    ['sizes that grow', '0fb6c80fbf11', (a) => [a.movzx(ecx, al), a.movsx(edx, mem16(ecx))]],
    ['one byte', 'c60741', (a) => a.mov(mem8(edi), 0x41)],
    ['an exchange with eax', '93', (a) => a.xchg(ebx, eax)],
  ])('takes %s', (_what, expected, write) => {
    expect(bytes(write)).toBe(expected)
  })

  it('switches between 16- and 32-bit code', () => {
    const code = bytes((a) => {
      a.mov(ax, 0x10)
      a.mov(eax, 1)
      a.use32()
      a.mov(eax, 1)
    }, 16)
    expect(code).toBe('b8100066b801000000b801000000')
  })

  it('knows data, symbols and sums of them, forward and backward', () => {
    const a = new Assembler({ origin: 0x1000 })
    a.jmp(near('end'))
    a.label('text')
    a.asciz('Hi')
    a.align(4)
    a.dd('text', symbol('end').minus('text'), -1)
    a.dw(0x1234)
    a.db(1, 0xff)
    a.mov(ecx, symbol('end').minus('text'))
    a.mov(al, mem8(ebx.plus('text')))
    a.label('end')
    const { bytes, symbols } = a.assemble()
    expect(Buffer.from(bytes).toString('hex')).toBe(
      'e91e000000' + '486900' + '05100000' + '1e000000' + 'ffffffff' + '3412' + '01ff' + 'b91e000000' + '8a8305100000',
    )
    expect([...symbols]).toEqual([
      ['text', 0x1005],
      ['end', 0x1023],
    ])
  })

  it('lists addresses, bytes and text', () => {
    const a = new Assembler({ origin: 0x1000 })
    a.label('start')
    a.mov(eax, 1)
    a.db(1, 2)
    expect(
      a
        .assemble()
        .listing.split('\n')
        .map((line) => line.replace(/ {2,}/g, '  ')),
    ).toEqual(['start:', '00001000  b8 01 00 00 00  mov eax,0x1', '00001005  01 02  data'])
  })

  it('fills up to an address', () => {
    expect(bytes((a) => [a.nop(), a.org(4), a.hlt()])).toBe('90000000f4')
  })

  it.each<[string, (a: Assembler) => unknown]>([
    ['The label "nowhere" is used but not defined.', (a) => a.jmp('nowhere')],
    ['The label "twice" is defined twice.', (a) => [a.label('twice'), a.label('twice')]],
    [
      'jmp short(far): the target is 200 bytes away, and the jump reaches -128 to 127.',
      (a) => [a.jmp(short('far')), a.space(200), a.label('far')],
    ],
    [
      'loop far: the target is 128 bytes away, and the jump reaches -128 to 127.',
      (a) => [a.loop('far'), a.space(128), a.label('far')],
    ],
    ['add al, 0x100: the immediate 0x100 is too wide.', (a) => a.add(al, 0x100)],
    ['mov eax, 0x100000000: the immediate 0x100000000 is too wide.', (a) => a.mov(eax, 2 ** 32)],
    ['push 0x10000: the immediate 0x10000 is too wide.', (a) => [a.use16(), a.push(0x1_0000)]],
    ['int big: the value 0x1000 does not fit into 8 bits.', (a) => [a.int('big'), a.org(0x1000), a.label('big')]],
    ['esp cannot be an index register.', (a) => a.mov(eax, mem32(ecx.plus(esp.times(2))))],
    ['The address adds registers of different sizes: ecx and bx.', (a) => a.mov(eax, mem32(ecx.plus(bx)))],
    ['There is no instruction "mvo".', (a) => a.instruction('mvo', eax)],
    ['mov eax, cl: no form of this instruction takes these operands.', (a) => a.instruction('mov', eax, cl)],
    ['org 0x0 goes back: the program is already at 0x1.', (a) => [a.nop(), a.org(0)]],
    ['The text "é" holds "é", which is not ASCII.', (a) => a.ascii('é')],
  ])('says: %s', (message, write) => {
    expect(() => bytes(write)).toThrow(message)
  })

  it('does not compile when sizes differ', () => {
    const a = new Assembler()
    // @ts-expect-error a byte into a double word
    expect(() => a.mov(eax, cl)).toThrow()
    // @ts-expect-error two memory operands
    expect(() => a.add(mem32(eax), mem32(ecx))).toThrow()
    // @ts-expect-error only CL counts shifts
    expect(() => a.shl(eax, al)).toThrow()
    // @ts-expect-error ports are read into the accumulator
    expect(() => a.in(ecx, dx)).toThrow()
    // @ts-expect-error LEA takes memory
    expect(() => a.lea(eax, ecx)).toThrow()
  })
})
