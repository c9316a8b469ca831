/** COM1 by polling (PC16550D data sheet §8): a subroutine that sends a byte, and one that sends a string. */
import { type Assembler, mem8, registers } from '../../reference/index.ts'

export const COM1 = 0x3f8
export const LINE_STATUS = COM1 + 5
const TRANSMITTER_HOLDING_EMPTY = 0x20

const { esi, edx, eax, dx, al } = registers

/** Subroutines, to be placed where control does not run into them: `sendByte` (AL) and `print` (ESI: text with a zero behind it). */
export function emitSerialRoutines(a: Assembler): void {
  a.label('sendByte')
  a.push(edx)
  a.push(eax)
  emitWaitForTransmitter(a)
  a.pop(eax)
  a.mov(dx, COM1)
  a.out(dx, al)
  a.pop(edx)
  a.ret()

  a.label('print')
  a.mov(al, mem8(esi))
  a.test(al, al)
  a.jz('print.done')
  a.call('sendByte')
  a.inc(esi)
  a.jmp('print')
  a.label('print.done')
  a.ret()
}

/** Waits until the transmitter is empty. Changes EAX and EDX. */
export function emitWaitForTransmitter(a: Assembler): void {
  const wait = a.unique('waitForTransmitter')
  a.mov(dx, LINE_STATUS)
  a.label(wait)
  a.in(al, dx)
  a.test(al, TRANSMITTER_HOLDING_EMPTY)
  a.jz(wait)
}

/** Sends the text at `label`. Changes EAX and ESI. */
export function emitPrint(a: Assembler, label: string): void {
  a.mov(esi, label)
  a.call('print')
}
