/** Prints one line to COM1 and ends: the smallest guest that shows that a machine works. */
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { emitPrint, emitSerialRoutines } from './support/serial.ts'

export function buildHello(): Guest {
  return buildKernel((a) => {
    emitPrint(a, 'greeting')
    emitExit(a, 0)
    emitSerialRoutines(a)
    a.label('greeting')
    a.asciz('Hello from the guest.\r\n')
  })
}
