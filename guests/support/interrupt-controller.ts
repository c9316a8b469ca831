/** The pair of 8259A (Intel data sheet 231468): interrupts at vectors 20h–2Fh, only the wanted lines unmasked. */
import { type Assembler, registers } from '../../reference/index.ts'

/** The vector of line 0. */
export const FIRST_IRQ_VECTOR = 0x20

const MASTER_COMMAND = 0x20
const MASTER_DATA = 0x21
const SLAVE_COMMAND = 0xa0
const SLAVE_DATA = 0xa1
/** Edge triggered, cascaded, ICW4 follows. */
const ICW1 = 0x11
const MASTER_HAS_SLAVE_AT_2 = 0x04
const SLAVE_IS_AT_2 = 0x02
const ICW4_8086 = 0x01
const NON_SPECIFIC_EOI = 0x20

const { al } = registers

/** Changes AL. `lines` are of the master, 0–7. */
export function emitInitInterruptController(a: Assembler, lines: readonly number[]): void {
  const mask = lines.reduce((rest, line) => rest & ~(1 << line), 0xff)
  for (const [port, value] of [
    [MASTER_COMMAND, ICW1],
    [MASTER_DATA, FIRST_IRQ_VECTOR],
    [MASTER_DATA, MASTER_HAS_SLAVE_AT_2],
    [MASTER_DATA, ICW4_8086],
    [SLAVE_COMMAND, ICW1],
    [SLAVE_DATA, FIRST_IRQ_VECTOR + 8],
    [SLAVE_DATA, SLAVE_IS_AT_2],
    [SLAVE_DATA, ICW4_8086],
    [MASTER_DATA, mask],
    [SLAVE_DATA, 0xff],
  ] as const) {
    a.mov(al, value)
    a.out(port, al)
  }
}

/** Tells the master that a handler is done. Changes AL. */
export function emitEndOfInterrupt(a: Assembler): void {
  a.mov(al, NON_SPECIFIC_EOI)
  a.out(MASTER_COMMAND, al)
}
