/** What a person wants to see of a processor that shut down: its registers, its instruction, and the faults that led there. */
import { type DisassembledLine, disassembleBytes } from '../../reference/cpu/disassembler.ts'
import type { Vcpu } from '../../reference/cpu/vcpu.ts'
import type { GuestMemory } from '../../reference/mmu/guest-memory.ts'
import { newWalk, walkPageTables } from '../../reference/mmu/page-walk.ts'
import { TRANSLATED } from '../../reference/mmu/policy.ts'

const CS = 1
const ATTR_BIG = 0x4000
const CR0_PG = 0x8000_0000
const CR4_PSE = 0x10
const LONGEST_INSTRUCTION = 15
const OFFSET_MASK = 0xfff
const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'] as const
const EXCEPTION_NAMES: readonly string[] =
  '#DE #DB NMI #BP #OF #BR #UD #NM #DF CSO #TS #NP #SS #GP #PF 15 #MF #AC #MC'.split(' ')

/** Several lines, without a newline at the end. */
export function dumpState(vcpu: Vcpu, memory: GuestMemory): string {
  const { registers: r } = vcpu
  const general = (['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp'] as const).map(
    (name) => [name, r[name]] as const,
  )
  const control = (['eip', 'eflags', 'cr0', 'cr2', 'cr3', 'cr4'] as const).map((name) => [name, r[name]] as const)
  const segments = SEGMENT_NAMES.map((name, number) => {
    const { selector, base, limit, attributes } = r.segment(number)
    return `${name.padEnd(4)} ${hex(selector, 4)} base ${hex(base)} limit ${hex(limit)} attributes ${hex(attributes, 4)}`
  })
  return [
    `faults: ${chainText(vcpu)}`,
    `instruction: ${instructionText(vcpu, memory)}`,
    ...[general.slice(0, 4), general.slice(4), control.slice(0, 3), control.slice(3)].map((row) =>
      row.map(([name, value]) => `${name.toUpperCase()}=${hex(value)}`).join(' '),
    ),
    ...segments,
    ...[['GDTR', r.gdtr] as const, ['IDTR', r.idtr] as const].map(
      ([name, { base, limit }]) => `${name} base ${hex(base)} limit ${hex(limit, 4)}`,
    ),
  ].join('\n')
}

function chainText(vcpu: Vcpu): string {
  const faults = vcpu.faultChain.map(({ vector, error }) => {
    const name = EXCEPTION_NAMES[vector] ?? `interrupt ${hex(vector, 2)}`
    return error < 0 ? name : `${name}(${hex(error, 4)})`
  })
  return [...faults, 'shutdown'].join(' → ')
}

function instructionText(vcpu: Vcpu, memory: GuestMemory): string {
  const { base, attributes } = vcpu.registers.segment(CS)
  const at = (base + vcpu.registers.eip) >>> 0
  const first = instructionAt(vcpu, memory, at, (attributes & ATTR_BIG) !== 0 ? 32 : 16)
  if (first === undefined) return `none can be read at ${hex(at)}`
  return `${hex(at)}: ${[...first.bytes].map((byte) => hex(byte, 2)).join(' ')}  ${first.text}`
}

/** The instruction at a linear address; undefined where nothing can be read. */
export function instructionAt(
  vcpu: Vcpu,
  memory: GuestMemory,
  at: number,
  codeSize: 16 | 32,
): DisassembledLine | undefined {
  const bytes: number[] = []
  for (let i = 0; i < LONGEST_INSTRUCTION; i++) {
    const gpa = physical(vcpu, memory, at + i)
    if (gpa === undefined || gpa >= memory.sizeBytes) break
    bytes.push(memory.readUint8(gpa))
  }
  return disassembleBytes(Uint8Array.from(bytes), at, codeSize)[0]
}

/** Where a linear address lies, as a supervisor reads it; undefined: nowhere. */
function physical({ registers: r }: Vcpu, memory: GuestMemory, gva: number): number | undefined {
  if ((r.cr0 & CR0_PG) === 0) return gva >>> 0
  const walk = newWalk()
  const mode = {
    paging: true,
    cr3: r.cr3 | 0,
    writeProtect: false,
    pageSizeExtensions: (r.cr4 & CR4_PSE) !== 0,
    globalPages: false,
  }
  if (walkPageTables(memory, gva | 0, false, false, mode, walk) !== TRANSLATED) return undefined
  return ((walk.gpa >>> 0) & ~OFFSET_MASK) + (gva & OFFSET_MASK)
}

function hex(value: number, digits = 8): string {
  return (value >>> 0).toString(16).padStart(digits, '0')
}
