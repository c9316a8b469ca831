/**
 * What an instruction of the assembler takes: registers, addresses, memory operands, values with symbols, branch targets.
 * Types carry the sizes, so that `mov(eax, cl)` does not compile.
 */

/** A number, the name of a symbol, or a sum of such. */
export type Value = number | string | Expression

/** A sum of symbols, each with a sign, and a constant: `symbol('end').minus('start').plus(4)`. */
export class Expression {
  readonly kind = 'expression'
  readonly terms: readonly { readonly symbol: string; readonly sign: 1 | -1 }[]
  readonly constant: number

  constructor(terms: Expression['terms'], constant: number) {
    this.terms = terms
    this.constant = constant
  }

  static of(value: Value): Expression {
    if (typeof value === 'number') return new Expression([], value)
    return typeof value === 'string' ? new Expression([{ symbol: value, sign: 1 }], 0) : value
  }

  plus(value: Value): Expression {
    const { terms, constant } = Expression.of(value)
    return new Expression([...this.terms, ...terms], this.constant + constant)
  }

  minus(value: Value): Expression {
    const { terms, constant } = Expression.of(value)
    const negated = terms.map(({ symbol, sign }) => ({ symbol, sign: sign === 1 ? (-1 as const) : (1 as const) }))
    return new Expression([...this.terms, ...negated], this.constant - constant)
  }
}

export function symbol(name: string): Expression {
  return Expression.of(name)
}

/** A general register; `Name` lets a form ask for a certain one, such as CL. */
export class Register<Size extends 8 | 16 | 32, Name extends string = string> {
  readonly kind = 'register'
  readonly size: Size
  readonly number: number
  readonly name: Name

  constructor(size: Size, number: number, name: Name) {
    this.size = size
    this.number = number
    this.name = name
  }
}

/** A general register that addresses may be made of: `ecx.plus(8)`, `ebx.plus(esi.times(4))`. */
export class AddressRegister<Size extends 16 | 32, Name extends string = string> extends Register<Size, Name> {
  plus(term: AddressTerm): Address {
    return Address.of(this).plus(term)
  }

  minus(value: Value): Address {
    return Address.of(this).minus(value)
  }

  /** This register as a scaled index. */
  times(scale: 1 | 2 | 4 | 8): Address {
    return new Address({ index: this, scale })
  }
}

export class SegmentRegister {
  readonly kind = 'segment'
  readonly number: number
  readonly name: string

  constructor(number: number, name: string) {
    this.number = number
    this.name = name
  }

  /** An address in this segment, by an override prefix. */
  at(term: AddressTerm): Address {
    return Address.of(term).in(this)
  }
}

/** CR0–CR7 and DR0–DR7. */
export class SystemRegister<Kind extends 'control' | 'debug'> {
  readonly kind: Kind
  readonly number: number
  readonly name: string

  constructor(kind: Kind, number: number) {
    this.kind = kind
    this.number = number
    this.name = `${kind === 'control' ? 'cr' : 'dr'}${number}`
  }
}

type AnyAddressRegister = AddressRegister<16 | 32>

/** All that may be added up to an address. */
export type AddressTerm = Value | AnyAddressRegister | Address

interface AddressParts {
  readonly base?: AnyAddressRegister | undefined
  readonly index?: AnyAddressRegister | undefined
  readonly scale?: 1 | 2 | 4 | 8
  readonly displacement?: Expression
  readonly segment?: SegmentRegister | undefined
}

/** Base + index × scale + displacement, perhaps in a segment of its own. */
export class Address {
  readonly kind = 'address'
  readonly base: AnyAddressRegister | undefined
  readonly index: AnyAddressRegister | undefined
  readonly scale: 1 | 2 | 4 | 8
  readonly displacement: Expression
  readonly segment: SegmentRegister | undefined

  constructor(parts: AddressParts) {
    this.base = parts.base
    this.index = parts.index
    this.scale = parts.scale ?? 1
    this.displacement = parts.displacement ?? Expression.of(0)
    this.segment = parts.segment
  }

  static of(term: AddressTerm): Address {
    if (term instanceof Address) return term
    return term instanceof AddressRegister
      ? new Address({ base: term })
      : new Address({ displacement: Expression.of(term) })
  }

  /** @throws RangeError when the sum has more than a base and an index */
  plus(term: AddressTerm): Address {
    const other = Address.of(term)
    const bases = [this.base, other.base].filter((register) => register !== undefined)
    const scaled = [this, other].filter(({ index }) => index !== undefined)
    if (bases.length + scaled.length > 2 || scaled.length > 1) {
      throw new RangeError('An address has at most one base register and one index register.')
    }
    const displacement = this.displacement.plus(other.displacement)
    const segment = this.segment ?? other.segment
    if (scaled[0])
      return new Address({ base: bases[0], index: scaled[0].index, scale: scaled[0].scale, displacement, segment })
    return new Address({ base: bases[0], index: bases[1], displacement, segment })
  }

  minus(value: Value): Address {
    return this.plus(Expression.of(0).minus(value))
  }

  in(segment: SegmentRegister): Address {
    return new Address({ ...this, segment })
  }
}

/** `0`: a place without a size, as LEA and LGDT take it; `far`: a far pointer of the operand size. */
export type MemorySize = 0 | 8 | 16 | 32 | 64 | 'far'

export class Memory<Size extends MemorySize> {
  readonly kind = 'memory'
  readonly size: Size
  readonly address: Address

  constructor(size: Size, term: AddressTerm) {
    this.size = size
    this.address = Address.of(term)
  }
}

export const mem = (address: AddressTerm) => new Memory(0, address)
export const mem8 = (address: AddressTerm) => new Memory(8, address)
export const mem16 = (address: AddressTerm) => new Memory(16, address)
export const mem32 = (address: AddressTerm) => new Memory(32, address)
export const mem64 = (address: AddressTerm) => new Memory(64, address)
export const memFar = (address: AddressTerm) => new Memory('far', address)

/** A selector and an offset of the operand size, for CALLF and JMPF. */
export class FarPointer {
  readonly kind = 'far'
  readonly selector: Value
  readonly offset: Value

  constructor(selector: Value, offset: Value) {
    this.selector = selector
    this.offset = offset
  }
}

export const far = (selector: Value, offset: Value) => new FarPointer(selector, offset)

/** A branch target whose distance has a size of its own; other targets get the shortest that reaches. */
export class BranchTarget {
  readonly kind = 'branch'
  readonly reach: 'short' | 'near'
  readonly target: Value

  constructor(reach: 'short' | 'near', target: Value) {
    this.reach = reach
    this.target = target
  }
}

export const short = (target: Value) => new BranchTarget('short', target)
export const near = (target: Value) => new BranchTarget('near', target)

export type Operand =
  | Value
  | Register<8>
  | Register<16>
  | Register<32>
  | SegmentRegister
  | SystemRegister<'control'>
  | SystemRegister<'debug'>
  | Memory<MemorySize>
  | FarPointer
  | BranchTarget

const r8 = <Name extends string>(number: number, name: Name) => new Register(8, number, name)
const r16 = <Name extends string>(number: number, name: Name) => new AddressRegister(16, number, name)
const r32 = <Name extends string>(number: number, name: Name) => new AddressRegister(32, number, name)
const control = (number: number) => new SystemRegister('control', number)
const debug = (number: number) => new SystemRegister('debug', number)

/** Every register by its name: `const { eax, ecx, cl } = registers`. */
export const registers = {
  al: r8(0, 'al'),
  cl: r8(1, 'cl'),
  dl: r8(2, 'dl'),
  bl: r8(3, 'bl'),
  ah: r8(4, 'ah'),
  ch: r8(5, 'ch'),
  dh: r8(6, 'dh'),
  bh: r8(7, 'bh'),
  ax: r16(0, 'ax'),
  cx: r16(1, 'cx'),
  dx: r16(2, 'dx'),
  bx: r16(3, 'bx'),
  sp: r16(4, 'sp'),
  bp: r16(5, 'bp'),
  si: r16(6, 'si'),
  di: r16(7, 'di'),
  eax: r32(0, 'eax'),
  ecx: r32(1, 'ecx'),
  edx: r32(2, 'edx'),
  ebx: r32(3, 'ebx'),
  esp: r32(4, 'esp'),
  ebp: r32(5, 'ebp'),
  esi: r32(6, 'esi'),
  edi: r32(7, 'edi'),
  es: new SegmentRegister(0, 'es'),
  cs: new SegmentRegister(1, 'cs'),
  ss: new SegmentRegister(2, 'ss'),
  ds: new SegmentRegister(3, 'ds'),
  fs: new SegmentRegister(4, 'fs'),
  gs: new SegmentRegister(5, 'gs'),
  cr0: control(0),
  cr2: control(2),
  cr3: control(3),
  cr4: control(4),
  dr0: debug(0),
  dr1: debug(1),
  dr2: debug(2),
  dr3: debug(3),
  dr6: debug(6),
  dr7: debug(7),
} as const
