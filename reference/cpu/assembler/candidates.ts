/** The opcode map turned round: from a mnemonic to all opcodes that it may be encoded with. */
import type { OpcodeForm } from '../opcode-form.ts'
import { OPCODE_FORMS } from '../opcode-map.ts'

/** One way to encode a mnemonic. */
export interface Candidate {
  /** Numbered as `Instruction.opcode`. */
  readonly opcode: number
  /** The reg field of an opcode extension; −1 when an operand has that field or there is no ModR/M byte. */
  readonly extension: number
  /** The r/m field, a register's, when the mnemonic has it; −1 otherwise. */
  readonly rm: number
  /** Operand codes: see `opcode-map.ts`. */
  readonly operands: readonly string[]
  /** The operand size that the mnemonic names; `default`: only the one that needs no prefix. */
  readonly operandSize: 16 | 32 | 'default' | undefined
  /** The address size that the mnemonic names. */
  readonly addressSize: 16 | 32 | undefined
}

/** Printed by the disassembler, never made: SAL is SHL, and 0F 18–1E are NOPs only until they mean something. */
const NOT_ASSEMBLED = new Set(['sal', 'hintnop', 'fpu'])

const CONDITION_ALIASES: Readonly<Record<string, readonly string[]>> = {
  b: ['c', 'nae'],
  ae: ['nc', 'nb'],
  e: ['z'],
  ne: ['nz'],
  be: ['na'],
  a: ['nbe'],
  p: ['pe'],
  np: ['po'],
  l: ['nge'],
  ge: ['nl'],
  le: ['ng'],
  g: ['nle'],
}

const bare: Candidate = {
  opcode: 0,
  extension: -1,
  rm: -1,
  operands: [],
  operandSize: undefined,
  addressSize: undefined,
}

/** Each mnemonic's candidates, in the order of the opcode map. */
export const CANDIDATES: ReadonlyMap<string, readonly Candidate[]> = collect()

function collect(): Map<string, Candidate[]> {
  const map = new Map<string, Candidate[]>()
  const add = (mnemonic: string, candidate: Candidate) => {
    map.set(mnemonic, [...(map.get(mnemonic) ?? []), candidate])
  }
  OPCODE_FORMS.forEach((form, opcode) => {
    if (form === undefined) return
    const forms = form.group ?? [form]
    forms.forEach((member, extension) => {
      if (member === undefined || NOT_ASSEMBLED.has(member.mnemonic)) return
      addForm(add, member, opcode, form.group ? extension : -1)
    })
  })
  addAliases(map)
  map.set('vmcall', [{ ...bare, opcode: 0x101, extension: 0, rm: 1 }])
  return map
}

function addForm(
  add: (mnemonic: string, candidate: Candidate) => void,
  { mnemonic, operands }: OpcodeForm,
  opcode: number,
  extension: number,
): void {
  const candidate: Candidate = { ...bare, opcode, extension, operands }
  if (mnemonic === 'jcxz') {
    add('jcxz', { ...candidate, addressSize: 16 })
    add('jecxz', { ...candidate, addressSize: 32 })
    return
  }
  if (operands.some((code) => code.startsWith('X') || code.startsWith('Y'))) {
    const isByte = operands.some((code) => code === 'Xb' || code === 'Yb')
    if (isByte) add(`${mnemonic}b`, { ...candidate, operands: [] })
    else {
      add(`${mnemonic}w`, { ...candidate, operands: [], operandSize: 16 })
      add(`${mnemonic}d`, { ...candidate, operands: [], operandSize: 32 })
    }
    return
  }
  const [name16, name32] = mnemonic.split('/')
  if (name32 === undefined) {
    add(mnemonic, candidate)
    return
  }
  add(name16!, { ...candidate, operandSize: 16 })
  add(name32, { ...candidate, operandSize: 32 })
  const stem = name32.slice(0, -1)
  if (name16 === `${stem}w`) add(stem, { ...candidate, operandSize: 'default' })
}

function addAliases(map: Map<string, Candidate[]>): void {
  for (const [condition, aliases] of Object.entries(CONDITION_ALIASES)) {
    for (const alias of aliases) {
      for (const prefix of ['j', 'set', 'cmov']) map.set(`${prefix}${alias}`, map.get(`${prefix}${condition}`)!)
    }
  }
  map.set('loopz', map.get('loope')!)
  map.set('loopnz', map.get('loopne')!)
  map.set('sal', map.get('shl')!)
}
