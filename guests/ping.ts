/**
 * Talks to the guest `echo` on another machine: waits for its prompt, sends a sentence byte by byte, and looks whether each
 * comes back in upper case. Ends with 0 when all did, with 1 at the first that did not. Polling only.
 */
import { mem8, registers } from '../reference/index.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { COM1, emitSerialRoutines, LINE_STATUS } from './support/serial.ts'

const FIFO_CONTROL = COM1 + 2
const FIFOS_ON = 0x01
const DATA_READY = 0x01
const LINE_FEED = 0x0a
const CTRL_D = 4
const SENTENCE = 'a trap frame, please'

const { esi, edx, al, dx } = registers

export function buildPing(): Guest {
  return buildKernel((a) => {
    a.mov(dx, FIFO_CONTROL)
    a.mov(al, FIFOS_ON)
    a.out(dx, al)
    a.label('prompt')
    a.call('receiveByte')
    a.cmp(al, LINE_FEED)
    a.jne('prompt')
    a.mov(esi, 'sentence')
    a.label('next')
    a.mov(al, mem8(esi))
    a.test(al, al)
    a.jz('done')
    a.call('sendByte')
    a.call('receiveByte')
    a.cmp(al, mem8(esi.plus(SENTENCE.length + 1)))
    a.jne('wrong')
    a.inc(esi)
    a.jmp('next')
    a.label('done')
    a.mov(al, CTRL_D)
    a.call('sendByte')
    emitExit(a, 0)
    a.label('wrong')
    emitExit(a, 1)

    a.label('receiveByte')
    a.push(edx)
    a.mov(dx, LINE_STATUS)
    a.label('receiveByte.wait')
    a.in(al, dx)
    a.test(al, DATA_READY)
    a.jz('receiveByte.wait')
    a.mov(dx, COM1)
    a.in(al, dx)
    a.pop(edx)
    a.ret()

    emitSerialRoutines(a)
    a.label('sentence')
    a.asciz(SENTENCE)
    a.asciz(SENTENCE.toUpperCase())
  })
}
