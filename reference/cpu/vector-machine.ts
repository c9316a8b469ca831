/**
 * A machine on which vectors run at CPL 3 with paging on, as they were measured, or in real mode. Exceptions of protected
 * mode are taken through real gates to a stack of their own, so the state before them can be read from that stack.
 */
import { GuestMemory } from '../mmu/guest-memory.ts'
import { FRAME_BYTES } from '../mmu/layout.ts'
import { MachineMemory } from '../mmu/machine-memory.ts'
import { CR0_AM, CR0_ET, CR0_PE, CR0_PG, CR0_WP } from './control-registers.ts'
import { ATTR_CODE, ATTR_PRESENT, ATTR_SEGMENT, ATTR_WRITABLE } from './descriptor.ts'
import type { SegmentState } from './registers.ts'
import { type EngineKind, Vcpu } from './vcpu.ts'
import { REGISTER_NAMES, SEGMENT_NAMES, type SegmentName, type Vector } from './vector-file.ts'

const RAM_BYTES = 0x80_0000
/** What every mapped byte is that nobody named. */
const BACKGROUND = 0xcc

/** First and last byte of each mapped region; the last one is read-only. */
const REGIONS = [
  [0x0, 0xffff],
  [0x2_0000, 0x5_ffff],
  [0x10_0000, 0x10_1fff],
  [0x20_0000, 0x20_3fff],
  [0x30_0000, 0x30_3fff],
  [0x40_0000, 0x40_0fff],
] as const
const READ_ONLY = 0x40_0000

/** The processor's tables: physical from `SYSTEM` on, linear from `SYSTEM_LINEAR` on, where no vector looks. */
const SYSTEM = 0x60_0000
const SYSTEM_LINEAR = 0xffc0_0000
const SYSTEM_PAGES = 32
const DIRECTORY = SYSTEM
const LOW_TABLES = SYSTEM + 0x1000
const SYSTEM_TABLE = SYSTEM + 0x3000
const GDT = SYSTEM + 0x4000
const IDT = SYSTEM + 0x5000
const LDT = SYSTEM + 0x6000
const TSS = SYSTEM + 0x1_6000
const HANDLERS = SYSTEM + 0x1_7000
const STACK_TOP = SYSTEM + 0x1_a000

const KERNEL_CODE = 0x08
const KERNEL_DATA = 0x10
const USER_CODE = 0x23
const USER_DATA = 0x2b
const GDT_ENTRIES = 6
const DESCRIPTORS: Readonly<Record<number, string>> = {
  [KERNEL_CODE]: 'ffff0000009bcf00',
  [KERNEL_DATA]: 'ffff00000093cf00',
  [USER_CODE & ~3]: 'ffff000000fbcf00',
  [USER_DATA & ~3]: 'ffff000000f3cf00',
}
const UNUSABLE: SegmentState = { selector: 0, base: 0, limit: 0, attributes: 0 }
const FLAT_LIMIT = 0xffff_ffff
const GATE_DPL0 = 0x8e00
const GATE_DPL3 = 0xee00
const TSS_LIMIT = 0x67
const ATTR_DPL_3 = 0x60
/** Vectors of an INTO that does nothing were measured up to the INT3 of the background behind it. */
const INTO_BYTES = /^(?:26|2e|36|3e|64|65|66|67|f2|f3)*ce$/
const LDT_ATTRIBUTES = 0x82
const TSS_ATTRIBUTES = 0x8b

/** Selectors of the 16-bit vectors, and the real-mode segments that stand for them. */
const REAL_SEGMENTS: Readonly<Record<number, number>> = { 7: 0x2000, 15: 0x3000, 23: 0x4000, 31: 0x5000 }
const REAL_IVT = SYSTEM + 0x1_b000
const REAL_HANDLER_SEGMENT = 0x7000

export interface TakenException {
  readonly vector: number
  readonly error: number | null
  readonly cr2: number
}

/** The state after the instruction, before anything was pushed for an exception. */
export interface VectorState {
  readonly registers: readonly number[]
  readonly eip: number
  readonly eflags: number
  readonly segments: Readonly<Record<SegmentName, number>>
  readonly exception: TakenException | null
}

export class VectorMachine {
  readonly #vcpu: Vcpu
  readonly #memory: GuestMemory
  readonly #background = new Uint8Array(FRAME_BYTES).fill(BACKGROUND)
  readonly #touched = new Set<number>()

  /** @param engine `wasm` translates every instruction at its first execution */
  constructor(engine: EngineKind = 'interpreter') {
    const machine = new MachineMemory({ frames: RAM_BYTES / FRAME_BYTES, vcpus: 1 })
    this.#memory = new GuestMemory(machine, RAM_BYTES)
    this.#vcpu = new Vcpu({ index: 0, machine, memory: this.#memory, engine, hot: 1 })
    for (const page of mappedPages()) this.#memory.writeBytes(page, this.#background)
    this.#buildTables()
  }

  /** Runs a vector in protected mode at CPL 3. */
  runProtected(vector: Vector): VectorState {
    this.#prepareMemory(vector)
    this.#loadLdt(vector)
    const { registers } = this.#vcpu
    this.#vcpu.reset()
    const alignment = vector.req?.includes('ac') === true ? CR0_AM : 0
    registers.cr3 = DIRECTORY
    registers.cr0 = CR0_PE | CR0_PG | CR0_WP | CR0_ET | alignment
    registers.gdtr = { base: linear(GDT), limit: GDT_ENTRIES * 8 - 1 }
    registers.idtr = { base: linear(IDT), limit: 256 * 8 - 1 }
    registers.setSegment(6, this.#ldtr)
    registers.setSegment(7, { selector: 0x30, base: linear(TSS), limit: TSS_LIMIT, attributes: TSS_ATTRIBUTES })
    const seg: Partial<Record<SegmentName, number>> = vector.in.seg ?? {}
    for (const [n, name] of SEGMENT_NAMES.entries()) {
      const segment = this.#segment(seg[name] ?? defaultSelector(name), vector)
      registers.setSegment(n, name === 'cs' || name === 'ss' || isLoadable(segment) ? segment : UNUSABLE)
    }
    this.#loadRegisters(vector)
    this.#run(vector)
    return registers.cpl === 0 ? this.#stateAtHandler() : this.#state(null)
  }

  /** Runs a 16-bit vector in real mode: the same linear addresses, other selectors. */
  runReal(vector: Vector): VectorState {
    this.#prepareMemory(vector)
    const { registers } = this.#vcpu
    this.#vcpu.reset()
    registers.idtr = { base: REAL_IVT, limit: 0x3ff }
    for (const [n, name] of SEGMENT_NAMES.entries()) {
      const selector = REAL_SEGMENTS[vector.in.seg?.[name] ?? 0] ?? 0
      registers.setSegment(n, { selector, base: selector << 4, limit: 0xffff, attributes: 0x93 })
    }
    this.#loadRegisters(vector)
    this.#vcpu.intercepts.exceptions = -1
    const exit = this.#run(vector)
    this.#vcpu.intercepts.exceptions = 0
    if (exit !== undefined) return this.#state({ vector: exit.vector, error: null, cr2: 0 })
    return registers.cs === REAL_HANDLER_SEGMENT ? this.#stateAtRealHandler() : this.#state(null)
  }

  /** Bytes that differ from what the vector wants, as [address, is, wanted]. Leaves memory as it was before the vector. */
  compareMemory(vector: Vector): [address: number, is: number, wanted: number][] {
    const differences: [number, number, number][] = []
    const expected = this.#expectedPages(vector)
    for (const page of expected.keys()) this.#touched.add(page)
    const { bytes } = this.#memory.machine
    for (const page of mappedPages()) {
      const start = this.#memory.pfnOf(page / FRAME_BYTES) * FRAME_BYTES
      const wanted = expected.get(page) ?? this.#background
      if (Buffer.compare(bytes.subarray(start, start + FRAME_BYTES), wanted) !== 0) {
        this.#touched.add(page)
        for (let i = 0; i < FRAME_BYTES; i++) {
          const is = bytes[start + i]!
          if (is !== wanted[i] && !isUndefinedByte(vector, page + i)) differences.push([page + i, is, wanted[i]!])
        }
      }
    }
    for (const page of this.#touched) this.#memory.writeBytes(page, this.#background)
    this.#touched.clear()
    return differences
  }

  #run(vector: Vector): { vector: number } | undefined {
    const end = (vector.in.eip + vector.bytes.length / 2) >>> 0
    const taken = this.#step()
    const fellThrough = taken === undefined && this.#vcpu.registers.eip === end && INTO_BYTES.test(vector.bytes)
    return fellThrough ? this.#step() : taken
  }

  /** Until the instruction is complete or an exception was taken; an intercepted exception is the result. */
  #step(): { vector: number } | undefined {
    const vcpu = this.#vcpu
    const before = vcpu.counters.retired
    for (;;) {
      const exit = vcpu.run(1)
      if (exit.reason === 'exception') return { vector: exit.vector }
      if (exit.reason !== 'budget') return undefined
      const left = vcpu.counters.retired !== before
      const isAtHandler = vcpu.registers.cpl === 0 && (vcpu.registers.cr0 & CR0_PE) !== 0
      if (left || isAtHandler) return undefined
    }
  }

  #prepareMemory(vector: Vector): void {
    for (const [address, hex] of [...vector.in.mem, [codeAddress(vector), vector.bytes] as const]) {
      const bytes = Buffer.from(hex, 'hex')
      this.#memory.writeBytes(address, bytes)
      this.#touched.add(pageOf(address))
      this.#touched.add(pageOf(address + bytes.length - 1))
    }
  }

  #expectedPages(vector: Vector): Map<number, Uint8Array> {
    const pages = new Map<number, Uint8Array>()
    const pieces = [...vector.in.mem, [codeAddress(vector), vector.bytes] as const, ...(vector.out.mem ?? [])]
    for (const [address, hex] of pieces) {
      for (const [i, byte] of Buffer.from(hex, 'hex').entries()) {
        const page = pageOf(address + i)
        const content = pages.get(page) ?? this.#background.slice()
        content[address + i - page] = byte
        pages.set(page, content)
      }
    }
    return pages
  }

  #loadLdt(vector: Vector): void {
    const ldt = vector.in.ldt ?? []
    let limit = 0
    for (const [selector, hex] of ldt) {
      this.#memory.writeBytes(LDT + selector, Buffer.from(hex, 'hex'))
      limit = Math.max(limit, selector + 7)
    }
    this.#ldtr = ldt.length === 0 ? UNUSABLE : { selector: 0x38, base: linear(LDT), limit, attributes: LDT_ATTRIBUTES }
  }

  #ldtr: SegmentState = UNUSABLE

  #loadRegisters(vector: Vector): void {
    const { registers } = this.#vcpu
    for (const [n, name] of REGISTER_NAMES.entries()) registers.setGeneral(n, vector.in[name])
    registers.eip = vector.in.eip
    registers.eflags = vector.in.eflags
  }

  #segment(selector: number, vector: Vector): SegmentState {
    if ((selector & ~3) === 0) return UNUSABLE
    const inLdt = vector.in.ldt?.find(([index]) => index === (selector & ~7))?.[1]
    const hex = (selector & 4) !== 0 ? inLdt : DESCRIPTORS[selector & ~3]
    if (hex === undefined)
      throw new Error(`Vector ${vector.id} begins with selector ${selector}, which has no descriptor.`)
    return segmentFrom(selector, hex)
  }

  #state(exception: TakenException | null): VectorState {
    const { registers } = this.#vcpu
    return {
      registers: REGISTER_NAMES.map((_, n) => registers.general(n)),
      eip: registers.eip,
      eflags: registers.eflags,
      segments: this.#segments(),
      exception,
    }
  }

  #segments(): Record<SegmentName, number> {
    const { es, cs, ss, ds, fs, gs } = this.#vcpu.registers
    return { es, cs, ss, ds, fs, gs }
  }

  /** Reads what the gate pushed: [error] eip cs eflags esp ss. */
  #stateAtHandler(): VectorState {
    const { registers } = this.#vcpu
    const top = registers.esp - SYSTEM_LINEAR + SYSTEM
    const hasError = STACK_TOP - top === 24
    const frame = Array.from({ length: 6 }, (_, i) => this.#memory.readUint32(top + 4 * i))
    const error = hasError ? frame.shift()! : null
    const [eip, cs, eflags, esp, ss] = frame as [number, number, number, number, number]
    const state = this.#state({ vector: registers.eip - linear(HANDLERS), error, cr2: registers.cr2 })
    return {
      ...state,
      registers: state.registers.map((value, n) => (n === 4 ? esp : value)),
      eip,
      eflags,
      segments: { ...state.segments, cs: cs & 0xffff, ss: ss & 0xffff },
    }
  }

  /** INT n of real mode: takes the frame back from the program's own stack. */
  #stateAtRealHandler(): VectorState {
    const { registers } = this.#vcpu
    const sp = registers.esp & 0xffff
    const at = (offset: number) => registers.segment(2).base + ((sp + offset) & 0xffff)
    const [ip, cs, flags] = [0, 2, 4].map((offset) => this.#memory.readUint16(at(offset)))
    for (let i = 0; i < 6; i++) this.#memory.writeUint8(at(i), BACKGROUND)
    const state = this.#state({ vector: registers.eip, error: null, cr2: 0 })
    const esp = ((registers.esp & 0xffff_0000) | ((sp + 6) & 0xffff)) >>> 0
    return {
      ...state,
      registers: state.registers.map((value, n) => (n === 4 ? esp : value)),
      eip: ip!,
      eflags: (state.eflags & 0xffff_0000) | flags!,
      segments: { ...state.segments, cs: cs! },
    }
  }

  #buildTables(): void {
    const memory = this.#memory
    for (const page of mappedPages()) {
      memory.writeUint32(LOW_TABLES + 4 * (page / FRAME_BYTES), page | (page >= READ_ONLY ? 5 : 7))
    }
    for (const [index, table] of [LOW_TABLES, LOW_TABLES + FRAME_BYTES].entries()) {
      memory.writeUint32(DIRECTORY + 4 * index, table | 7)
    }
    memory.writeUint32(DIRECTORY + 4 * (SYSTEM_LINEAR >>> 22), SYSTEM_TABLE | 3)
    for (let i = 0; i < SYSTEM_PAGES; i++) memory.writeUint32(SYSTEM_TABLE + 4 * i, (SYSTEM + i * FRAME_BYTES) | 3)
    for (const [selector, hex] of Object.entries(DESCRIPTORS)) {
      memory.writeBytes(GDT + Number(selector), Buffer.from(hex, 'hex'))
    }
    memory.writeUint32(TSS + 4, linear(STACK_TOP))
    memory.writeUint32(TSS + 8, KERNEL_DATA)
    memory.writeUint16(TSS + 0x66, TSS_LIMIT + 1)
    for (let n = 0; n < 256; n++) {
      const handler = linear(HANDLERS) + n
      memory.writeUint32(IDT + 8 * n, (KERNEL_CODE << 16) | (handler & 0xffff))
      const gate = n === 3 || n === 4 ? GATE_DPL3 : GATE_DPL0
      memory.writeUint32(IDT + 8 * n + 4, (handler & 0xffff_0000) | gate)
      memory.writeUint32(REAL_IVT + 4 * n, (REAL_HANDLER_SEGMENT << 16) | n)
    }
  }
}

function linear(physical: number): number {
  return physical - SYSTEM + SYSTEM_LINEAR
}

function* mappedPages(): Generator<number> {
  for (const [first, last] of REGIONS) for (let page = first; page <= last; page += FRAME_BYTES) yield page
}

function pageOf(address: number): number {
  return address - (address % FRAME_BYTES)
}

function defaultSelector(name: SegmentName): number {
  if (name === 'cs') return USER_CODE
  return name === 'fs' || name === 'gs' ? 0 : USER_DATA
}

function segmentFrom(selector: number, hex: string): SegmentState {
  const d = Buffer.from(hex, 'hex')
  const low = d.readUInt32LE(0)
  const high = d.readUInt32LE(4)
  const limit = (low & 0xffff) | (high & 0xf_0000)
  return {
    selector,
    base: ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff00_0000)) >>> 0,
    limit: (high & 0x80_0000) !== 0 ? ((limit << 12) | 0xfff) & FLAT_LIMIT : limit,
    attributes: (high >>> 8) & 0xf0ff,
  }
}

/** Data, or readable code, that is present and for CPL 3. Where it was measured, a register with any other became null. */
function isLoadable({ attributes }: SegmentState): boolean {
  const isReadable = (attributes & ATTR_CODE) === 0 || (attributes & ATTR_WRITABLE) !== 0
  const needed = ATTR_PRESENT | ATTR_SEGMENT | ATTR_DPL_3
  return isReadable && (attributes & needed) === needed
}

/** Where a vector's instruction lies: the base of its code segment + EIP. */
function codeAddress(vector: Vector): number {
  const selector = vector.in.seg?.cs ?? USER_CODE
  const hex = (selector & 4) !== 0 ? vector.in.ldt?.find(([index]) => index === (selector & ~7))?.[1] : undefined
  return hex === undefined ? vector.in.eip : segmentFrom(selector, hex).base + vector.in.eip
}

function isUndefinedByte(vector: Vector, address: number): boolean {
  return (vector.undef_mem ?? []).some(([first, length]) => address >= first && address < first + length)
}
