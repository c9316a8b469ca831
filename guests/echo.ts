/** Sends back in upper case what arrives at COM1, by the UART's interrupt, and sleeps in between. Ctrl-D ends it. */
import { mem8, registers } from '../reference/index.ts'
import { emitDescriptorTables, emitLoadGdt, emitLoadIdt } from './support/descriptor-tables.ts'
import { emitEndOfInterrupt, emitInitInterruptController, FIRST_IRQ_VECTOR } from './support/interrupt-controller.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { COM1, emitPrint, emitSerialRoutines, LINE_STATUS } from './support/serial.ts'

const SERIAL_LINE = 4
const INTERRUPT_ENABLE = COM1 + 1
const FIFO_CONTROL = COM1 + 2
const LINE_CONTROL = COM1 + 3
const MODEM_CONTROL = COM1 + 4
const RECEIVED_DATA_INTERRUPT = 0x01
const FIFOS_OFF = 0x00
const EIGHT_BITS = 0x03
/** DTR, RTS, and OUT 2, which lets the interrupt through on a PC's board. */
const READY_WITH_INTERRUPTS = 0x0b
const DATA_READY = 0x01

const CTRL_D = 4
const CARRIAGE_RETURN = 0x0d
const LINE_FEED = 0x0a
const CASE_BIT = 0x20

const { eax, edx, al, dx } = registers

export function buildEcho(): Guest {
  return buildKernel((a) => {
    emitLoadGdt(a)
    emitLoadIdt(a, { [FIRST_IRQ_VECTOR + SERIAL_LINE]: 'onSerial' })
    emitInitInterruptController(a, [SERIAL_LINE])
    for (const [port, value] of [
      [FIFO_CONTROL, FIFOS_OFF],
      [LINE_CONTROL, EIGHT_BITS],
      [MODEM_CONTROL, READY_WITH_INTERRUPTS],
      [INTERRUPT_ENABLE, RECEIVED_DATA_INTERRUPT],
    ] as const) {
      a.mov(dx, port)
      a.mov(al, value)
      a.out(dx, al)
    }
    emitPrint(a, 'prompt')

    a.label('sleep')
    a.cli()
    a.cmp(mem8('done'), 0)
    a.jne('end')
    a.sti()
    a.hlt()
    a.jmp('sleep')
    a.label('end')
    emitPrint(a, 'newline')
    emitExit(a, 0)

    a.label('onSerial')
    a.push(eax)
    a.push(edx)
    a.label('onSerial.next')
    a.mov(dx, LINE_STATUS)
    a.in(al, dx)
    a.test(al, DATA_READY)
    a.jz('onSerial.empty')
    a.mov(dx, COM1)
    a.in(al, dx)
    a.cmp(al, CTRL_D)
    a.jne('onSerial.echo')
    a.mov(mem8('done'), 1)
    a.jmp('onSerial.next')
    a.label('onSerial.echo')
    a.cmp(al, 'a'.charCodeAt(0))
    a.jb('onSerial.send')
    a.cmp(al, 'z'.charCodeAt(0))
    a.ja('onSerial.send')
    a.sub(al, CASE_BIT)
    a.label('onSerial.send')
    a.call('sendByte')
    // A terminal's Enter key sends a carriage return alone.
    a.cmp(al, CARRIAGE_RETURN)
    a.jne('onSerial.next')
    a.mov(al, LINE_FEED)
    a.call('sendByte')
    a.jmp('onSerial.next')
    a.label('onSerial.empty')
    emitEndOfInterrupt(a)
    a.pop(edx)
    a.pop(eax)
    a.iret()

    emitSerialRoutines(a)
    emitDescriptorTables(a)
    a.label('done')
    a.db(0)
    a.label('prompt')
    a.asciz('Type; Ctrl-D ends.\r\n')
    a.label('newline')
    a.asciz('\r\n')
  })
}
