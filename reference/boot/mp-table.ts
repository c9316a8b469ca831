/**
 * The tables by which a kernel finds processors, APICs and how interrupts are wired (Intel MultiProcessor Specification 1.4, ch. 4).
 */
import type { GuestMemory } from '../mmu/guest-memory.ts'

/** In the BIOS area, where the specification lets kernels look. */
const POINTER_AT = 0xf_5a40
const TABLE_AT = 0xf_5a60
const LAPIC_BASE = 0xfee0_0000
const IOAPIC_BASE = 0xfec0_0000
const LAPIC_VERSION = 0x14
const IOAPIC_VERSION = 0x11
const SPEC_REVISION = 4
const POINTER_BYTES = 16
const HEADER_BYTES = 44
const LENGTH_OFFSET = 4
const CHECKSUM_OFFSET = 7
const POINTER_CHECKSUM_OFFSET = 10

/** The BIOS data area: kernels look for the pointer at the end of base memory, too, and must find where that is. */
const BASE_MEMORY_WORD = 0x413
const BASE_MEMORY_KIB = 639

/** Types of entries, and of interrupts in them. */
const PROCESSOR = 0
const BUS = 1
const IO_APIC = 2
const IO_INTERRUPT = 3
const LOCAL_INTERRUPT = 4
const VECTORED = 0
const NMI = 1
const EXTERNAL = 3
const ENABLED = 1
const BOOTSTRAP = 2
const ALL_APICS = 0xff

const ISA_BUS = 0
const ISA_IRQS = 16
const CASCADE_IRQ = 2
/** The timer's IRQ 0 ends at the input that the cascade leaves free. */
const TIMER_INPUT = 2

export interface MpTableOptions {
  /** Their local APICs are 0, 1, …; the I/O APIC's ID is this number. */
  readonly processors: number
  /** As CPUID leaf 1 gives them: EAX and EDX. */
  readonly signature: number
  readonly features: number
}

function text(value: string, length: number): number[] {
  return [...value.padEnd(length)].map((character) => character.charCodeAt(0))
}

function word(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
}

/** What makes the sum of all bytes 0. */
function checksum(bytes: readonly number[]): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 255
}

function entriesOf({ processors, signature, features }: MpTableOptions): number[][] {
  const ioApic = processors
  const interrupts = Array.from({ length: ISA_IRQS }, (_, irq) => irq).filter((irq) => irq !== CASCADE_IRQ)
  return [
    ...Array.from({ length: processors }, (_, id) => [
      PROCESSOR,
      id,
      LAPIC_VERSION,
      id === 0 ? ENABLED | BOOTSTRAP : ENABLED,
      ...word(signature),
      ...word(features),
      ...word(0),
      ...word(0),
    ]),
    [BUS, ISA_BUS, ...text('ISA', 6)],
    [IO_APIC, ioApic, IOAPIC_VERSION, ENABLED, ...word(IOAPIC_BASE)],
    ...interrupts.map((irq) => [IO_INTERRUPT, VECTORED, 0, 0, ISA_BUS, irq, ioApic, irq === 0 ? TIMER_INPUT : irq]),
    [LOCAL_INTERRUPT, EXTERNAL, 0, 0, ISA_BUS, 0, 0, 0],
    [LOCAL_INTERRUPT, NMI, 0, 0, ISA_BUS, 0, ALL_APICS, 1],
  ]
}

/** Writes the floating pointer and the configuration table into the BIOS area. */
export function writeMpTable(memory: GuestMemory, options: MpTableOptions): void {
  const entries = entriesOf(options)
  const body = entries.flat()
  const length = HEADER_BYTES + body.length
  const table = [
    ...text('PCMP', LENGTH_OFFSET),
    length & 255,
    length >> 8,
    SPEC_REVISION,
    0,
    ...text('TRAPFRAM', 8),
    ...text('PC', 12),
    ...word(0),
    0,
    0,
    entries.length,
    0,
    ...word(LAPIC_BASE),
    ...word(0),
    ...body,
  ]
  table[CHECKSUM_OFFSET] = checksum(table)
  const pointer = [...text('_MP_', 4), ...word(TABLE_AT), POINTER_BYTES / 16, SPEC_REVISION, 0, 0, ...word(0)]
  pointer[POINTER_CHECKSUM_OFFSET] = checksum(pointer)
  memory.writeUint16(BASE_MEMORY_WORD, BASE_MEMORY_KIB)
  memory.writeBytes(POINTER_AT, Uint8Array.from(pointer))
  memory.writeBytes(TABLE_AT, Uint8Array.from(table))
}
