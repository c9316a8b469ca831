/**
 * Asks its hypervisor for its idle time before and after ten ticks of a timer, the first of which comes when the timer is
 * set, by CPUID leaf 40000010h: upper half in EDX, lower half in EAX. It prints the difference in cycles, in hexadecimal.
 */
import { mem32, registers } from '../reference/index.ts'
import { emitDescriptorTables, emitLoadGdt, emitLoadIdt } from './support/descriptor-tables.ts'
import { emitInitInterruptController, FIRST_IRQ_VECTOR } from './support/interrupt-controller.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { emitPrint, emitSerialRoutines } from './support/serial.ts'
import { emitCountingHandler, emitStartTimer, PERIODIC, TIMER_LINE } from './support/timer.ts'

const IDLE_TIME_LEAF = 0x4000_0010
/** About 10 ms. */
const TICK_COUNT = 11_932
const TICKS = 10

const { al, eax, ebx, ecx, edx, esi, edi } = registers

export function buildIdleTime(): Guest {
  return buildKernel((a) => {
    emitLoadGdt(a)
    emitLoadIdt(a, { [FIRST_IRQ_VECTOR + TIMER_LINE]: 'onTick' })
    emitInitInterruptController(a, [TIMER_LINE])
    emitStartTimer(a, PERIODIC, TICK_COUNT)

    a.mov(eax, IDLE_TIME_LEAF)
    a.cpuid()
    a.mov(esi, eax)
    a.mov(edi, edx)
    a.label('sleep')
    a.cli()
    a.cmp(mem32('ticks'), TICKS)
    a.jae('slept')
    a.sti()
    a.hlt()
    a.jmp('sleep')
    a.label('slept')
    a.mov(eax, IDLE_TIME_LEAF)
    a.cpuid()
    a.sub(eax, esi)
    a.sbb(edx, edi)
    a.mov(edi, eax)
    a.mov(ebx, edx)
    emitPrint(a, 'text')
    a.call('printHex')
    a.mov(ebx, edi)
    a.call('printHex')
    emitPrint(a, 'newline')
    emitExit(a, 0)

    // Prints EBX as eight hexadecimal digits.
    a.label('printHex')
    a.mov(ecx, 8)
    a.label('digit')
    a.rol(ebx, 4)
    a.mov(eax, ebx)
    a.and(eax, 0xf)
    a.cmp(al, 10)
    a.jb('decimal')
    a.add(al, 'a'.charCodeAt(0) - '0'.charCodeAt(0) - 10)
    a.label('decimal')
    a.add(al, '0'.charCodeAt(0))
    a.push(ecx)
    a.call('sendByte')
    a.pop(ecx)
    a.dec(ecx)
    a.jnz('digit')
    a.ret()

    emitCountingHandler(a, 'onTick', 'ticks')

    emitSerialRoutines(a)
    emitDescriptorTables(a)
    a.label('ticks')
    a.dd(0)
    a.label('text')
    a.asciz('idle cycles: ')
    a.label('newline')
    a.asciz('\r\n')
  })
}
