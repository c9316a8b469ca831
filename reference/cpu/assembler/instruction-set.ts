/** The assembler's instructions and what each takes: Intel's operand order, every size checked by the compiler. */
import type {
  AddressRegister,
  BranchTarget,
  FarPointer,
  Memory,
  MemorySize,
  Register,
  SegmentRegister,
  SystemRegister,
  Value,
} from './operands.ts'

type R8 = Register<8>
type R16 = AddressRegister<16>
type R32 = AddressRegister<32>
type M8 = Memory<8>
type M16 = Memory<16>
type M32 = Memory<32>
type E8 = R8 | M8
type E16 = R16 | M16
type E32 = R32 | M32
type Cl = Register<8, 'cl'>
type Dx = AddressRegister<16, 'dx'>
type Accumulator = Register<8, 'al'> | AddressRegister<16, 'ax'> | AddressRegister<32, 'eax'>
type Target = Value | BranchTarget

/** One general register or memory operand of any size. */
type Single = [operand: E8 | E16 | E32]
/** Two operands of one size, not both in memory. */
type Pair =
  | [to: E8, from: R8 | Value]
  | [to: E16, from: R16 | Value]
  | [to: E32, from: R32 | Value]
  | [to: R8, from: M8]
  | [to: R16, from: M16]
  | [to: R32, from: M32]
type Move = Pair | [to: R16 | R32 | M16, from: SegmentRegister] | [to: SegmentRegister, from: E16]
type SystemMove =
  | [to: R32, from: SystemRegister<'control'> | SystemRegister<'debug'>]
  | [to: SystemRegister<'control'> | SystemRegister<'debug'>, from: R32]
type RegisterSecond = [a: E8, b: R8] | [a: E16, b: R16] | [a: E32, b: R32]
type RegisterFirst = [to: R16, from: E16] | [to: R32, from: E32]
type WordSource = [to: R16 | R32, from: E8] | [to: R32, from: E16]
type BitPlace = [place: E16, bit: R16 | Value] | [place: E32, bit: R32 | Value]
type DoubleShift = [to: E16, from: R16, count: Cl | number] | [to: E32, from: R32, count: Cl | number]
type FarLoad = [to: R16 | R32, from: Memory<'far'>]
type StackOperand = [operand: E16 | E32 | SegmentRegister]
type Limit = [to: R16, from: E16] | [to: R32, from: E16]
type ProductOperands =
  | [from: E8 | E16 | E32]
  | [to: R16, from: E16]
  | [to: R32, from: E32]
  | [to: R16, from: E16, factor: Value]
  | [to: R32, from: E32, factor: Value]

type Method<Operands extends unknown[]> = (...operands: Operands) => void
type Methods<Mnemonic extends string, Operands extends unknown[]> = Readonly<Record<Mnemonic, Method<Operands>>>

/** The condition codes, with all names that Intel gives them. */
export type Condition =
  | ('o' | 'no' | 'b' | 'c' | 'nae' | 'ae' | 'nc' | 'nb' | 'e' | 'z' | 'ne' | 'nz' | 'be' | 'na' | 'a' | 'nbe')
  | ('s' | 'ns' | 'p' | 'pe' | 'np' | 'po' | 'l' | 'nge' | 'ge' | 'nl' | 'le' | 'ng' | 'g' | 'nle')

type StringInstruction = `${'movs' | 'cmps' | 'scas' | 'lods' | 'stos' | 'ins' | 'outs'}${'b' | 'w' | 'd'}`

/** Without operands. `pusha`, `popa`, `pushf`, `popf` and `iret` have the code's size, with w and d a size of their own. */
type PlainInstruction =
  | ('aaa' | 'aas' | 'daa' | 'das' | 'cbw' | 'cwde' | 'cwd' | 'cdq' | 'xlat' | 'salc' | 'lahf' | 'sahf')
  | ('pusha' | 'pushaw' | 'pushad' | 'popa' | 'popaw' | 'popad' | 'pushf' | 'pushfw' | 'pushfd')
  | ('popf' | 'popfw' | 'popfd' | 'iret' | 'iretw' | 'iretd' | 'leave' | 'int3' | 'into' | 'icebp' | 'fwait')
  | ('clc' | 'stc' | 'cmc' | 'cld' | 'std' | 'cli' | 'sti' | 'hlt' | 'clts' | 'invd' | 'wbinvd' | 'ud2' | 'rsm')
  | ('cpuid' | 'rdtsc' | 'rdmsr' | 'wrmsr' | 'rdpmc' | 'sysenter' | 'sysexit' | 'vmcall')

export interface InstructionSet
  extends Methods<'add' | 'or' | 'adc' | 'sbb' | 'and' | 'sub' | 'xor' | 'cmp', Pair>,
    Methods<'mov', Move | SystemMove>,
    Methods<'inc' | 'dec' | 'not' | 'neg' | 'mul' | 'div' | 'idiv', Single>,
    Methods<'imul', ProductOperands>,
    Methods<'rol' | 'ror' | 'rcl' | 'rcr' | 'shl' | 'sal' | 'shr' | 'sar', [...Single, count: Cl | number]>,
    Methods<'shld' | 'shrd', DoubleShift>,
    Methods<'test', [a: E8, b: R8 | Value] | [a: E16, b: R16 | Value] | [a: E32, b: R32 | Value]>,
    Methods<'xchg' | 'xadd' | 'cmpxchg', RegisterSecond>,
    Methods<'cmpxchg8b', [place: Memory<64>]>,
    Methods<'bswap', [register: R32]>,
    Methods<'bt' | 'bts' | 'btr' | 'btc', BitPlace>,
    Methods<'bsf' | 'bsr' | `cmov${Condition}`, RegisterFirst>,
    Methods<'ud0' | 'ud1', RegisterFirst>,
    Methods<`set${Condition}`, [to: E8]>,
    Methods<'movzx' | 'movsx', WordSource>,
    Methods<'lea', [to: R16 | R32, address: Memory<MemorySize>]>,
    Methods<'les' | 'lds' | 'lss' | 'lfs' | 'lgs', FarLoad>,
    Methods<'push', StackOperand | [value: Value]>,
    Methods<'pop', StackOperand>,
    Methods<'enter', [sizeBytes: Value, level: Value]>,
    Methods<'bound', [index: R16, limits: M32] | [index: R32, limits: Memory<64>]>,
    Methods<'arpl', [selector: E16, other: R16]>,
    Methods<'aam' | 'aad', [base: Value]>,
    Methods<`j${Condition}` | 'loop' | 'loope' | 'loopz' | 'loopne' | 'loopnz' | 'jcxz' | 'jecxz', [target: Target]>,
    Methods<'call' | 'jmp', [target: Target | E16 | E32]>,
    Methods<'callf' | 'jmpf', [target: FarPointer | Memory<'far'>]>,
    Methods<'ret' | 'retf', [] | [releaseBytes: Value]>,
    Methods<'int', [vector: Value]>,
    Methods<'in', [to: Accumulator, port: Dx | Value]>,
    Methods<'out', [port: Dx | Value, from: Accumulator]>,
    Methods<'sgdt' | 'sidt' | 'lgdt' | 'lidt', [table: Memory<MemorySize>]>,
    Methods<'sldt' | 'str' | 'smsw', [to: R16 | R32 | M16]>,
    Methods<'lldt' | 'ltr' | 'lmsw' | 'verr' | 'verw', [selector: E16]>,
    Methods<'lar' | 'lsl', Limit>,
    Methods<'invlpg', [page: M8]>,
    Methods<StringInstruction | PlainInstruction, []> {
  /** NOP; with an operand the multi-byte one. */
  readonly nop: Method<[] | [operand: E16 | E32]>
}
