/** A flat GDT and an IDT with interrupt gates (SDM vol. 3A §3.4.5 and §6.11). */
import { type Assembler, far, mem, mem16, registers, symbol } from '../../reference/index.ts'

const CODE_SELECTOR = 0x08
const DATA_SELECTOR = 0x10
const VECTORS = 0x30
const GATE_BYTES = 8
/** Present, DPL 0, 32-bit interrupt gate. */
const INTERRUPT_GATE = 0x8e00

const { eax, ax, ds, es, fs, gs, ss } = registers

/** Loads the kernel's own GDT, and all segment registers from it. Changes EAX. */
export function emitLoadGdt(a: Assembler): void {
  a.lgdt(mem('gdt.pointer'))
  const reloaded = a.unique('reloaded')
  a.jmpf(far(CODE_SELECTOR, reloaded))
  a.label(reloaded)
  a.mov(eax, DATA_SELECTOR)
  for (const segment of [ds, es, fs, gs, ss]) a.mov(segment, ax)
}

/** Points gates at handlers, given as labels by vector, and loads the IDT. Changes EAX. */
export function emitLoadIdt(a: Assembler, handlers: Readonly<Record<number, string>>): void {
  for (const [vector, handler] of Object.entries(handlers)) {
    const gate = symbol('idt').plus(Number(vector) * GATE_BYTES)
    a.mov(eax, handler)
    a.mov(mem16(gate), ax)
    a.mov(mem16(gate.plus(2)), CODE_SELECTOR)
    a.mov(mem16(gate.plus(4)), INTERRUPT_GATE)
    a.shr(eax, 16)
    a.mov(mem16(gate.plus(6)), ax)
  }
  a.lidt(mem('idt.pointer'))
}

/** The tables themselves, to be placed among the data. */
export function emitDescriptorTables(a: Assembler): void {
  a.align(8)
  a.label('gdt')
  a.dd(0, 0)
  // Base 0, limit FFFFFh pages: code that can be read, data that can be written.
  a.dw(0xffff, 0, 0x9a00, 0x00cf)
  a.dw(0xffff, 0, 0x9200, 0x00cf)
  a.label('gdt.pointer')
  a.dw(symbol('gdt.pointer').minus('gdt').minus(1))
  a.dd('gdt')
  a.align(8)
  a.label('idt')
  a.space(VECTORS * GATE_BYTES)
  a.label('idt.pointer')
  a.dw(VECTORS * GATE_BYTES - 1)
  a.dd('idt')
}
