import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { disassembleBytes } from './disassembler.ts'

function text(hex: string, codeSize: 16 | 32 = 32, address = 0x1000): string {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  return disassembleBytes(bytes, address, codeSize)
    .map((line) => line.text)
    .join('; ')
}

describe('disassembleBytes', () => {
  it('gives every byte back, in lines without a gap, for any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom<16 | 32>(16, 32), (bytes, codeSize) => {
        const lines = disassembleBytes(bytes, 0xffff_ffe0, codeSize)
        expect(lines.flatMap((line) => [...line.bytes])).toEqual([...bytes])
        let next = 0xffff_ffe0
        for (const line of lines) {
          expect(line.address).toBe(next)
          expect(line.text).not.toMatch(/undefined|NaN|^$/)
          next = (next + line.bytes.length) >>> 0
        }
      }),
      { seed: 1, numRuns: 2000 },
    )
  })

  it.each([
    ['01 d8', 'add eax,ebx'],
    ['66 29 d8', 'sub ax,bx'],
    ['83 c0 ff', 'add eax,0xffffffff'],
    ['8b 41 08', 'mov eax,DWORD PTR [ecx+0x8]'],
    ['8b 44 8d fc', 'mov eax,DWORD PTR [ebp+ecx*4-0x4]'],
    ['8b 04 8d 00 01 00 00', 'mov eax,DWORD PTR [ecx*4+0x100]'],
    ['a1 78 56 34 12', 'mov eax,DWORD PTR ds:0x12345678'],
    ['64 8a 05 10 00 00 00', 'mov al,BYTE PTR fs:0x10'],
    ['67 8b 42 80', 'mov eax,DWORD PTR [bp+si-0x80]'],
    ['f3 a5', 'rep movs DWORD PTR es:[edi],DWORD PTR ds:[esi]'],
    ['f2 ae', 'repnz scas al,BYTE PTR es:[edi]'],
    ['26 ac', 'lods al,BYTE PTR es:[esi]'],
    ['f0 0f c1 08', 'lock xadd DWORD PTR [eax],ecx'],
    ['eb fe', 'jmp 0x1000'],
    ['66 e9 00 f0', 'o16 jmp 0x4'],
    ['0f 84 00 01 00 00', 'je 0x1106'],
    ['67 e2 fd', 'a16 loop 0x1000'],
    ['67 e3 00', 'jcxz 0x1003'],
    ['e3 00', 'jecxz 0x1002'],
    ['ea 78 56 34 12 08 00', 'jmpf 0x8:0x12345678'],
    ['c8 10 00 02', 'enter 0x10,0x2'],
    ['66 98', 'cbw'],
    ['98', 'cwde'],
    ['66 cf', 'iretw'],
    ['66 06', 'o16 push es'],
    ['66 6a ff', 'o16 push 0xffff'],
    ['0f 01 c1', 'vmcall'],
    ['0f 01 10', 'lgdt [eax]'],
    ['0f 01 c2', '(bad)'],
    ['0f 20 c0', 'mov eax,cr0'],
    ['8e d8', 'mov ds,ax'],
    ['8c d8', 'mov eax,ds'],
    ['8c 18', 'mov WORD PTR [eax],ds'],
    ['8e f8', '(bad)'],
    ['0f c7 0e', 'cmpxchg8b QWORD PTR [esi]'],
    ['0f c7 ce', '(bad)'],
    ['f6 d9', 'neg cl'],
    ['d3 e0', 'shl eax,cl'],
    ['d1 e0', 'shl eax,1'],
    ['d7', 'xlat BYTE PTR ds:[ebx]'],
    ['e4 60', 'in al,0x60'],
    ['ef', 'out dx,eax'],
    ['64 90', 'fs nop'],
    ['de d9', 'fcompp'],
    ['dc 44 24 08', 'fadd QWORD PTR [esp+0x8]'],
    ['dd d9', 'fstp st(1)'],
    ['df e0', 'fnstsw ax'],
  ])('%s is %s', (hex, expected) => {
    expect(text(hex)).toBe(expected)
  })

  it('shows 16-bit code', () => {
    expect(text('8b 47 02 66 b8 01 00 00 00 cf', 16)).toBe('mov ax,WORD PTR [bx+0x2]; mov eax,0x1; iretw')
    expect(text('eb fe', 16, 0xfff0)).toBe('jmp 0xfff0')
  })

  it('shows bytes that begin no whole instruction', () => {
    expect(text('90 e8 01')).toBe('nop; db 0xe8; db 0x1')
    expect(text('66'.repeat(15))).toBe(Array(15).fill('db 0x66').join('; '))
  })
})
