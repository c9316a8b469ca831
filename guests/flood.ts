/** Sends 256 KiB as fast as the port takes it: 16,384 numbered lines of 16 bytes, each a full transmitter FIFO (PC16550D data sheet §8.6). */
import { mem8, registers, symbol } from '../reference/index.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { COM1, emitWaitForTransmitter } from './support/serial.ts'

const FIFO_CONTROL = COM1 + 2
const FIFOS_ON = 0x01
const LINES = 16_384
const DIGITS = 8
const LINE_BYTES = 16

const { eax, ebx, ecx, edx, esi, edi, al, dl, dx } = registers

/** The line of a number, as the guest prints it. */
export function floodLine(line: number): string {
  return `${line.toString(16).padStart(DIGITS, '0')} flood\r\n`
}

export function buildFlood(): Guest {
  return buildKernel((a) => {
    a.mov(dx, FIFO_CONTROL)
    a.mov(al, FIFOS_ON)
    a.out(dx, al)
    a.xor(ebx, ebx)
    a.label('line')
    a.mov(eax, ebx)
    a.mov(edi, symbol('text').plus(DIGITS))
    a.label('digit')
    a.dec(edi)
    a.mov(edx, eax)
    a.and(edx, 0x0f)
    a.mov(dl, mem8(edx.plus(symbol('digits'))))
    a.mov(mem8(edi), dl)
    a.shr(eax, 4)
    a.cmp(edi, 'text')
    a.ja('digit')
    emitWaitForTransmitter(a)
    a.mov(dx, COM1)
    a.mov(esi, 'text')
    a.mov(ecx, LINE_BYTES)
    a.rep().outsb()
    a.inc(ebx)
    a.cmp(ebx, LINES)
    a.jb('line')
    emitExit(a, 0)
    a.label('digits')
    a.asciz('0123456789abcdef')
    a.label('text')
    a.asciz(floodLine(0))
  })
}
