/** Flat segments, an interrupt table, and the two 8259A, ready for hardware interrupts (SDM vol. 3A §3.4, §6.10–6.11). */
import { type Assembler, mem, mem16, mem32, registers, symbol } from '../../reference/index.ts'

const { al, ax, eax, edi, ds, es, ss } = registers

const CODE_SELECTOR = 0x08
const DATA_SELECTOR = 0x10

/** Base 0, limit 4 GiB, present, privilege level 0. */
const FLAT_CODE = [0x0000_ffff, 0x00cf_9b00] as const
const FLAT_DATA = [0x0000_ffff, 0x00cf_9300] as const

/** Present, privilege level 0, 32-bit interrupt gate. */
const INTERRUPT_GATE = 0x8e00
const GATE_BYTES = 8

/** The vectors of IRQ 0 and IRQ 8; those below are the processor's. */
const FIRST_IRQ_VECTOR = 0x20
const VECTORS = FIRST_IRQ_VECTOR + 16

const PIC_1 = { command: 0x20, data: 0x21 }
const PIC_2 = { command: 0xa0, data: 0xa1 }
const ICW1_WITH_ICW4 = 0x11
const ICW4_8086_MODE = 0x01
const SECOND_PIC_IRQ = 2
const EOI = 0x20
const ALL_LINES = 0xff

/** Loads segments and tables, and unmasks one line of the first 8259A whose handler is at `label`. IF stays clear. */
export function installHandler(a: Assembler, irq: number, label: string): void {
  a.lgdt(mem('gdtPointer'))
  a.mov(ax, DATA_SELECTOR)
  for (const segment of [ds, es, ss]) a.mov(segment, ax)
  a.lidt(mem('idtPointer'))
  a.mov(eax, label)
  a.mov(edi, (FIRST_IRQ_VECTOR + irq) * GATE_BYTES)
  a.call('setGate')
  for (const [port, value] of [
    [PIC_1.command, ICW1_WITH_ICW4],
    [PIC_1.data, FIRST_IRQ_VECTOR],
    [PIC_1.data, 1 << SECOND_PIC_IRQ],
    [PIC_1.data, ICW4_8086_MODE],
    [PIC_1.data, ALL_LINES & ~(1 << irq)],
    [PIC_2.command, ICW1_WITH_ICW4],
    [PIC_2.data, FIRST_IRQ_VECTOR + 8],
    [PIC_2.data, SECOND_PIC_IRQ],
    [PIC_2.data, ICW4_8086_MODE],
    [PIC_2.data, ALL_LINES],
  ] as const) {
    outByte(a, port, value)
  }
}

/** Tells the first 8259A that the handler is done; AL is used. */
export function endOfInterrupt(a: Assembler): void {
  outByte(a, PIC_1.command, EOI)
}

/** Writes a constant to a port; AL is used. */
export function outByte(a: Assembler, port: number, value: number): void {
  a.mov(al, value)
  a.out(port, al)
}

/** The subroutine and the tables of {@link installHandler}. */
export function interruptTables(a: Assembler): void {
  // EAX: the handler; EDI: the gate's offset in the table.
  a.label('setGate')
  a.mov(mem16(edi.plus('idt')), ax)
  a.mov(mem16(edi.plus('idt').plus(2)), CODE_SELECTOR)
  a.mov(ax, INTERRUPT_GATE)
  a.mov(mem32(edi.plus('idt').plus(4)), eax)
  a.ret()

  a.align(GATE_BYTES)
  a.label('gdt')
  a.dd(0, 0, ...FLAT_CODE, ...FLAT_DATA)
  a.label('gdtEnd')
  a.label('idt')
  a.space(VECTORS * GATE_BYTES)
  a.label('idtEnd')
  a.label('gdtPointer')
  tablePointer(a, 'gdt', 'gdtEnd')
  a.label('idtPointer')
  tablePointer(a, 'idt', 'idtEnd')
}

/** What LGDT and LIDT read: the limit, which is the table's last byte, and the base. */
function tablePointer(a: Assembler, table: string, end: string): void {
  a.dw(symbol(end).minus(table).minus(1))
  a.dd(table)
}
