/** Counter 0 of the 8254 (Intel 8254 data sheet, modes 0 and 2): the timer behind IRQ 0. */
import { type Assembler, mem32, registers } from '../../reference/index.ts'
import { emitEndOfInterrupt } from './interrupt-controller.ts'

/** The interrupt line of counter 0. */
export const TIMER_LINE = 0
/** How often the counter counts in a second. */
export const TIMER_HZ = 1_193_182
/** Control words for counter 0, low byte then high byte: one interrupt when the count runs out, or one each time. */
export const ONE_SHOT = 0x30
export const PERIODIC = 0x34

const COUNTER_0 = 0x40
const CONTROL = 0x43

const { al, ah, eax } = registers

/** Starts the timer with a count of 1 to 65,535, known now or in AX. Changes EAX. */
export function emitStartTimer(a: Assembler, mode: number, count: number | 'ax'): void {
  if (count === 'ax') a.push(eax)
  a.mov(al, mode)
  a.out(CONTROL, al)
  if (count === 'ax') a.pop(eax)
  else a.mov(eax, count)
  a.out(COUNTER_0, al)
  a.mov(al, ah)
  a.out(COUNTER_0, al)
}

/** An interrupt handler that counts its interrupts in the doubleword at `counter`. */
export function emitCountingHandler(a: Assembler, label: string, counter: string): void {
  a.label(label)
  a.push(eax)
  a.inc(mem32(counter))
  emitEndOfInterrupt(a)
  a.pop(eax)
  a.iret()
}
