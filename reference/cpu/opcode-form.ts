/**
 * The notation of the opcode tables: rows of cells, a cell being a mnemonic and its operand codes (see `opcode-map.ts`).
 */

/** One instruction form, or one group of forms, at an opcode. */
export interface OpcodeForm {
  /** Empty for a group. `cbw/cwde` names two by the operand size. */
  readonly mnemonic: string
  /** Operand codes. `Ex` is a register of the operand size or a 16-bit memory operand. */
  readonly operands: readonly string[]
  /** The forms by reg field, when the opcode is a group. */
  readonly group: readonly (OpcodeForm | undefined)[] | undefined
}

/** Splits a table into rows: what stands first in the line, and its cells. */
export function readRows(table: string): [name: string, cells: string[]][] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [name, ...words] = line.split(' ')
      const cells = words.join(' ').split('|')
      return [name!, cells.map((cell) => cell.trim())]
    })
}

/** Reads a cell: `-`, `mnemonic operands`, or `#name operands` for the group of that name. */
export function readCell(cell: string, groups: ReadonlyMap<string, string[]>): OpcodeForm | undefined {
  if (cell === '-') return undefined
  const [name, list = ''] = cell.split(' ')
  const operands = list === '' ? [] : list.split(',')
  if (!name!.startsWith('#')) return { mnemonic: name!, operands, group: undefined }
  const members = groups.get(name!.slice(1))!
  return { mnemonic: '', operands, group: members.map((member) => readMember(member, operands)) }
}

function readMember(member: string, inherited: readonly string[]): OpcodeForm | undefined {
  const form = readCell(member, new Map())
  return form && form.operands.length === 0 ? { ...form, operands: inherited } : form
}

/** True for a code that is a register's name, such as AL, DX or ES. */
export function isFixedRegister(code: string): boolean {
  return /^[ACDEFGS][LSX]$/.test(code)
}
