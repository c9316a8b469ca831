/**
 * A machine without firmware, for tests and small experiments: protected mode with flat segments, a GDT, an IDT and a TSS
 * in the last pages of its memory, and helpers to put code and tables there.
 */
import { GuestMemory } from '../mmu/guest-memory.ts'
import { FRAME_BYTES } from '../mmu/layout.ts'
import { MachineMemory } from '../mmu/machine-memory.ts'
import type { MmuPolicy } from '../mmu/policy.ts'
import { CR0_ET, CR0_PE, CR0_PG } from './control-registers.ts'
import type { CostModel } from './cost-model.ts'
import type { CpuModel } from './cpuid.ts'
import { type EngineKind, Vcpu } from './vcpu.ts'

export const KERNEL_CODE = 0x08
export const KERNEL_DATA = 0x10
export const USER_CODE = 0x1b
export const USER_DATA = 0x23
const TSS_SELECTOR = 0x28

/** Where the tables lie, from the end of memory. */
const PAGES_OF_TABLES = 4
const FLAT_LIMIT = 0xffff_ffff
const TSS_LIMIT = 0x67
const TSS_BUSY_ATTRIBUTES = 0x8b
const SEGMENTS: Readonly<Record<number, number>> = {
  [KERNEL_CODE]: 0xc09b,
  [KERNEL_DATA]: 0xc093,
  [USER_CODE]: 0xc0fb,
  [USER_DATA]: 0xc0f3,
}

export interface BareMachineOptions {
  /** Default 64 KiB. */
  readonly memoryBytes?: number
  readonly costs?: CostModel
  readonly cpuid?: CpuModel
  readonly engine?: EngineKind
  readonly hot?: number
  /** Makes what answers TLB misses. */
  readonly mmu?: (memory: GuestMemory) => MmuPolicy
}

export class BareMachine {
  readonly machine: MachineMemory
  readonly memory: GuestMemory
  readonly vcpu: Vcpu
  readonly gdt: number
  readonly idt: number
  readonly tss: number

  constructor(options: BareMachineOptions = {}) {
    const memoryBytes = options.memoryBytes ?? 0x1_0000
    const machine = new MachineMemory({ frames: memoryBytes / FRAME_BYTES, vcpus: 1 })
    this.machine = machine
    this.memory = new GuestMemory(machine, memoryBytes)
    const { memoryBytes: _, mmu, ...rest } = options
    const others = mmu === undefined ? rest : { ...rest, mmu: mmu(this.memory) }
    this.vcpu = new Vcpu({ index: 0, machine, memory: this.memory, ...others })
    this.gdt = memoryBytes - PAGES_OF_TABLES * FRAME_BYTES
    this.idt = this.gdt + 0x800
    this.tss = this.gdt + 0x1000
    for (const [selector, attributes] of Object.entries(SEGMENTS)) {
      this.describe(Number(selector), 0, FLAT_LIMIT, attributes)
    }
    this.describe(TSS_SELECTOR, this.tss, TSS_LIMIT, TSS_BUSY_ATTRIBUTES)
    const { registers } = this.vcpu
    registers.cr0 = CR0_PE | CR0_ET
    registers.gdtr = { base: this.gdt, limit: 0x7ff }
    registers.idtr = { base: this.idt, limit: 0x7ff }
    registers.setSegment(7, {
      selector: TSS_SELECTOR,
      base: this.tss,
      limit: TSS_LIMIT,
      attributes: TSS_BUSY_ATTRIBUTES,
    })
    this.enter(0)
  }

  /** Flat segments for privilege level 0 or 3. */
  enter(cpl: 0 | 3): void {
    const code = cpl === 0 ? KERNEL_CODE : USER_CODE
    const data = cpl === 0 ? KERNEL_DATA : USER_DATA
    const { registers } = this.vcpu
    registers.setSegment(1, { selector: code, base: 0, limit: FLAT_LIMIT, attributes: SEGMENTS[code]! })
    for (const segment of [0, 2, 3, 4, 5]) {
      registers.setSegment(segment, { selector: data, base: 0, limit: FLAT_LIMIT, attributes: SEGMENTS[data]! })
    }
  }

  /** Writes code, and lets the vcpu begin there. */
  load(at: number, code: readonly number[]): this {
    this.memory.writeBytes(at, Uint8Array.from(code))
    this.vcpu.registers.eip = at
    return this
  }

  /** A segment or system descriptor in the GDT. @param limit in bytes; `attributes` has the granularity bit when it is paged */
  describe(selector: number, base: number, limit: number, attributes: number): void {
    const raw = (attributes & 0x8000) !== 0 ? limit >>> 12 : limit
    const at = this.gdt + (selector & ~7)
    this.memory.writeUint32(at, ((base & 0xffff) << 16) | (raw & 0xffff))
    const high = (base & 0xff00_0000) | (raw & 0xf_0000) | ((base >>> 16) & 0xff) | ((attributes & 0xf0ff) << 8)
    this.memory.writeUint32(at + 4, high)
  }

  /** A gate in the IDT. @param access its access byte: 8E interrupt gate, 8F trap gate, EE for DPL 3, 86 and 87 for 16 bits */
  gate(vector: number, offset: number, access = 0x8e, selector = KERNEL_CODE): void {
    this.#writeGate(this.idt + 8 * vector, offset, access, selector, 0)
  }

  /** A call gate in the GDT. @param access EC 32-bit, E4 16-bit, DPL 3 */
  callGate(at: number, offset: number, access: number, selector: number, parameters: number): void {
    this.#writeGate(this.gdt + (at & ~7), offset, access, selector, parameters)
  }

  /** The stack that gates to `cpl` switch to. */
  innerStack(cpl: number, pointer: number, selector: number): void {
    this.memory.writeUint32(this.tss + 4 + 8 * cpl, pointer)
    this.memory.writeUint32(this.tss + 8 + 8 * cpl, selector)
  }

  /** Identity-maps all memory with 4 KiB pages through tables at `directory`, and switches paging on. */
  page(directory: number, bits: number): void {
    const table = directory + FRAME_BYTES
    this.memory.writeUint32(directory, table | 7)
    for (let gpa = 0; gpa < this.memory.sizeBytes; gpa += FRAME_BYTES) {
      this.memory.writeUint32(table + gpa / 1024, gpa | bits)
    }
    this.vcpu.registers.cr3 = directory
    this.vcpu.registers.cr0 = CR0_PE | CR0_ET | CR0_PG
  }

  /** The words on top of the stack, the first one at ESP. */
  stack(words: number): number[] {
    const esp = this.vcpu.registers.esp
    return Array.from({ length: words }, (_, i) => this.memory.readUint32(esp + 4 * i))
  }

  #writeGate(at: number, offset: number, access: number, selector: number, parameters: number): void {
    this.memory.writeUint32(at, (selector << 16) | (offset & 0xffff))
    this.memory.writeUint32(at + 4, (offset & 0xffff_0000) | (access << 8) | parameters)
  }
}
