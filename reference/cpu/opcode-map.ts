/**
 * The opcode map of IA-32 (SDM vol. 2D, appendix A): the one table that decoder, disassembler and assembler read.
 *
 * A cell is a mnemonic and its operands, `add Ev,Gv`; `-` is undefined. A letter says where an operand is, as in the
 * manual: E the r/m field, G the reg field, Z the opcode's low three bits, R the r/m field as a register, M as memory;
 * S, C, D the reg field as a segment, control, debug register; I an immediate, sIb a byte that is sign-extended to the
 * operand size; J a displacement from the next instruction; A a far pointer; O a direct offset; X, Y memory at (E)SI
 * and (E)DI; upper-case words are registers (eAX: by operand size). The letter after it is the size: b 1, w 2, d 4,
 * q 8 bytes, v and z the operand size, p a far pointer of it, a two of it (BOUND), s six bytes (GDTR, IDTR).
 * `cbw/cwde` names an instruction by its operand size, 16 or 32.
 */
import { fpuFormOf } from './fpu-map.ts'
import { isFixedRegister, type OpcodeForm, readCell, readRows } from './opcode-form.ts'

const ONE_BYTE = `
00 add Eb,Gb | add Ev,Gv | add Gb,Eb | add Gv,Ev | add AL,Ib | add eAX,Iz | push ES | pop ES
08 or Eb,Gb  | or Ev,Gv  | or Gb,Eb  | or Gv,Ev  | or AL,Ib  | or eAX,Iz  | push CS | -
10 adc Eb,Gb | adc Ev,Gv | adc Gb,Eb | adc Gv,Ev | adc AL,Ib | adc eAX,Iz | push SS | pop SS
18 sbb Eb,Gb | sbb Ev,Gv | sbb Gb,Eb | sbb Gv,Ev | sbb AL,Ib | sbb eAX,Iz | push DS | pop DS
20 and Eb,Gb | and Ev,Gv | and Gb,Eb | and Gv,Ev | and AL,Ib | and eAX,Iz | - | daa
28 sub Eb,Gb | sub Ev,Gv | sub Gb,Eb | sub Gv,Ev | sub AL,Ib | sub eAX,Iz | - | das
30 xor Eb,Gb | xor Ev,Gv | xor Gb,Eb | xor Gv,Ev | xor AL,Ib | xor eAX,Iz | - | aaa
38 cmp Eb,Gb | cmp Ev,Gv | cmp Gb,Eb | cmp Gv,Ev | cmp AL,Ib | cmp eAX,Iz | - | aas
40 inc Zv    | inc Zv    | inc Zv    | inc Zv    | inc Zv    | inc Zv     | inc Zv  | inc Zv
48 dec Zv    | dec Zv    | dec Zv    | dec Zv    | dec Zv    | dec Zv     | dec Zv  | dec Zv
50 push Zv   | push Zv   | push Zv   | push Zv   | push Zv   | push Zv    | push Zv | push Zv
58 pop Zv    | pop Zv    | pop Zv    | pop Zv    | pop Zv    | pop Zv     | pop Zv  | pop Zv
60 pushaw/pushad | popaw/popad | bound Gv,Ma | arpl Ew,Gw | - | - | - | -
68 push Iz | imul Gv,Ev,Iz | push sIb | imul Gv,Ev,sIb | ins Yb,DX | ins Yv,DX | outs DX,Xb | outs DX,Xv
70 jo Jb | jno Jb | jb Jb | jae Jb | je Jb | jne Jb | jbe Jb | ja Jb
78 js Jb | jns Jb | jp Jb | jnp Jb | jl Jb | jge Jb | jle Jb | jg Jb
80 #1 Eb,Ib  | #1 Ev,Iz  | #1 Eb,Ib  | #1 Ev,sIb | test Eb,Gb | test Ev,Gv | xchg Eb,Gb | xchg Ev,Gv
88 mov Eb,Gb | mov Ev,Gv | mov Gb,Eb | mov Gv,Ev | mov Ex,Sw  | lea Gv,M   | mov Sw,Ew  | #1A Ev
90 nop | xchg Zv,eAX | xchg Zv,eAX | xchg Zv,eAX | xchg Zv,eAX | xchg Zv,eAX | xchg Zv,eAX | xchg Zv,eAX
98 cbw/cwde | cwd/cdq | callf Ap | fwait | pushfw/pushfd | popfw/popfd | sahf | lahf
a0 mov AL,Ob | mov eAX,Ov | mov Ob,AL | mov Ov,eAX | movs Yb,Xb | movs Yv,Xv | cmps Xb,Yb | cmps Xv,Yv
a8 test AL,Ib | test eAX,Iz | stos Yb,AL | stos Yv,eAX | lods AL,Xb | lods eAX,Xv | scas AL,Yb | scas eAX,Yv
b0 mov Zb,Ib | mov Zb,Ib | mov Zb,Ib | mov Zb,Ib | mov Zb,Ib | mov Zb,Ib | mov Zb,Ib | mov Zb,Ib
b8 mov Zv,Iz | mov Zv,Iz | mov Zv,Iz | mov Zv,Iz | mov Zv,Iz | mov Zv,Iz | mov Zv,Iz | mov Zv,Iz
c0 #2 Eb,Ib  | #2 Ev,Ib  | ret Iw   | ret       | les Gv,Mp | lds Gv,Mp | #11 Eb,Ib | #11 Ev,Iz
c8 enter Iw,Ib | leave   | retf Iw  | retf      | int3 | int Ib | into | iretw/iretd
d0 #2 Eb,1   | #2 Ev,1   | #2 Eb,CL | #2 Ev,CL  | aam Ib | aad Ib | salc | xlat
d8 fpu E     | fpu E     | fpu E    | fpu E     | fpu E | fpu E | fpu E | fpu E
e0 loopne Jb | loope Jb  | loop Jb  | jcxz Jb   | in AL,Ib | in eAX,Ib | out Ib,AL | out Ib,eAX
e8 call Jz   | jmp Jz    | jmpf Ap  | jmp Jb    | in AL,DX | in eAX,DX | out DX,AL | out DX,eAX
f0 -   | icebp | -   | -   | hlt | cmc | #3b Eb | #3v Ev
f8 clc | stc   | cli | sti | cld | std | #4 Eb  | #5 Ev`

const TWO_BYTE = `
00 #6 Ew | #7 M | lar Gv,Ew | lsl Gv,Ew | - | - | clts | -
08 invd | wbinvd | - | ud2 | - | - | - | -
18 hintnop Ev | hintnop Ev | hintnop Ev | hintnop Ev | hintnop Ev | hintnop Ev | hintnop Ev | nop Ev
20 mov Rd,Cd | mov Rd,Dd | mov Cd,Rd | mov Dd,Rd | - | - | - | -
30 wrmsr | rdtsc | rdmsr | rdpmc | sysenter | sysexit | - | -
40 cmovo Gv,Ev | cmovno Gv,Ev | cmovb Gv,Ev | cmovae Gv,Ev | cmove Gv,Ev | cmovne Gv,Ev | cmovbe Gv,Ev | cmova Gv,Ev
48 cmovs Gv,Ev | cmovns Gv,Ev | cmovp Gv,Ev | cmovnp Gv,Ev | cmovl Gv,Ev | cmovge Gv,Ev | cmovle Gv,Ev | cmovg Gv,Ev
80 jo Jz | jno Jz | jb Jz | jae Jz | je Jz | jne Jz | jbe Jz | ja Jz
88 js Jz | jns Jz | jp Jz | jnp Jz | jl Jz | jge Jz | jle Jz | jg Jz
90 seto Eb | setno Eb | setb Eb | setae Eb | sete Eb | setne Eb | setbe Eb | seta Eb
98 sets Eb | setns Eb | setp Eb | setnp Eb | setl Eb | setge Eb | setle Eb | setg Eb
a0 push FS | pop FS | cpuid | bt Ev,Gv  | shld Ev,Gv,Ib | shld Ev,Gv,CL | - | -
a8 push GS | pop GS | rsm   | bts Ev,Gv | shrd Ev,Gv,Ib | shrd Ev,Gv,CL | - | imul Gv,Ev
b0 cmpxchg Eb,Gb | cmpxchg Ev,Gv | lss Gv,Mp | btr Ev,Gv | lfs Gv,Mp | lgs Gv,Mp | movzx Gv,Eb | movzx Gv,Ew
b8 - | ud1 Gv,Ev | #8 Ev,Ib | btc Ev,Gv | bsf Gv,Ev | bsr Gv,Ev | movsx Gv,Eb | movsx Gv,Ew
c0 xadd Eb,Gb | xadd Ev,Gv | - | - | - | - | - | #9 Mq
c8 bswap Zd | bswap Zd | bswap Zd | bswap Zd | bswap Zd | bswap Zd | bswap Zd | bswap Zd
f8 - | - | - | - | - | - | - | ud0 Gv,Ev`

/** The opcode extensions: the reg field chooses. A member without operands of its own has those of the opcode's cell. */
const GROUPS = `
1  add  | or  | adc | sbb | and | sub | xor | cmp
1A pop  | -   | -   | -   | -   | -   | -   | -
2  rol  | ror | rcl | rcr | shl | shr | sal | sar
3b test Eb,Ib | test Eb,Ib | not | neg | mul | imul | div | idiv
3v test Ev,Iz | test Ev,Iz | not | neg | mul | imul | div | idiv
4  inc  | dec | -   | -   | -   | -   | -   | -
5  inc  | dec | call | callf Mp | jmp | jmpf Mp | push | -
6  sldt Ex | str Ex | lldt | ltr | verr | verw | - | -
7  sgdt Ms | sidt Ms | lgdt Ms | lidt Ms | smsw Ex | - | lmsw Ew | invlpg Mb
8  -    | -   | -   | -   | bt | bts | btr | btc
9  -    | cmpxchg8b | - | - | - | - | - | -
11 mov  | -   | -   | -   | -   | -   | -   | -`

/** Number of opcodes: 256 of one byte, then 256 of `0F xx`. */
export const OPCODE_COUNT = 0x200

/** The form at each opcode, numbered as `Instruction.opcode`; `undefined` for prefixes and undefined opcodes. */
export const OPCODE_FORMS: readonly (OpcodeForm | undefined)[] = readMap()

const VMCALL: OpcodeForm = { mnemonic: 'vmcall', operands: [], group: undefined }
const GROUP_7 = 0x101
const FIRST_FPU = 0xd8
const LAST_FPU = 0xdf

/** The form of an instruction whose ModR/M fields are known; `undefined` when the processor does not define it. */
export function formOf(opcode: number, mod: number, reg: number, rm: number): OpcodeForm | undefined {
  if (opcode >= FIRST_FPU && opcode <= LAST_FPU) return fpuFormOf(opcode, mod, reg, rm)
  if (opcode === GROUP_7 && mod === 3 && reg === 0 && rm === 1) return VMCALL
  const cell = OPCODE_FORMS[opcode]
  const form = cell?.group ? cell.group[reg] : cell
  const isMemoryOnly = form?.operands.some((operand) => operand.startsWith('M')) ?? false
  return isMemoryOnly && mod === 3 ? undefined : form
}

/** True when the operand lives in the ModR/M byte. */
export function usesModrm(operand: string): boolean {
  return !isFixedRegister(operand) && /^[EGRMSCD]/.test(operand)
}

function readMap(): (OpcodeForm | undefined)[] {
  const groups = new Map(readRows(GROUPS))
  const forms: (OpcodeForm | undefined)[] = Array.from({ length: OPCODE_COUNT }, () => undefined)
  const fill = (first: number, table: string) => {
    for (const [start, cells] of readRows(table)) {
      for (const [column, cell] of cells.entries()) {
        forms[first + Number.parseInt(start, 16) + column] = readCell(cell, groups)
      }
    }
  }
  fill(0x000, ONE_BYTE)
  fill(0x100, TWO_BYTE)
  return forms
}
