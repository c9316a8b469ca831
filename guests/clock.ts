/** Sleeps from tick to tick of a 100 Hz timer, and prints a dot for each of ten ticks. */
import { mem32, registers } from '../reference/index.ts'
import { emitDescriptorTables, emitLoadGdt, emitLoadIdt } from './support/descriptor-tables.ts'
import { emitEndOfInterrupt, emitInitInterruptController, FIRST_IRQ_VECTOR } from './support/interrupt-controller.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { emitPrint, emitSerialRoutines } from './support/serial.ts'

const TIMER_LINE = 0
const TIMER_COUNTER_0 = 0x40
const TIMER_CONTROL = 0x43
/** Counter 0, low byte then high byte, mode 2: a pulse each time the count runs out. */
const RATE_GENERATOR = 0x34
const TIMER_HZ = 1_193_182
const TICKS_PER_SECOND = 100
const TICKS_TO_COUNT = 10

const { eax, ecx, al } = registers

export function buildClock(): Guest {
  return buildKernel((a) => {
    const divisor = Math.round(TIMER_HZ / TICKS_PER_SECOND)
    emitLoadGdt(a)
    emitLoadIdt(a, { [FIRST_IRQ_VECTOR + TIMER_LINE]: 'onTick' })
    emitInitInterruptController(a, [TIMER_LINE])
    a.mov(al, RATE_GENERATOR)
    a.out(TIMER_CONTROL, al)
    a.mov(al, divisor & 0xff)
    a.out(TIMER_COUNTER_0, al)
    a.mov(al, divisor >> 8)
    a.out(TIMER_COUNTER_0, al)

    a.mov(ecx, 0)
    a.label('sleep')
    a.cli()
    a.cmp(mem32('ticks'), ecx)
    a.jne('ticked')
    // STI takes effect behind HLT: no tick can slip in between and be slept through.
    a.sti()
    a.hlt()
    a.jmp('sleep')
    a.label('ticked')
    a.sti()
    a.inc(ecx)
    a.mov(al, '.'.charCodeAt(0))
    a.call('sendByte')
    a.cmp(ecx, TICKS_TO_COUNT)
    a.jb('sleep')
    emitPrint(a, 'newline')
    emitExit(a, 0)

    a.label('onTick')
    a.push(eax)
    a.inc(mem32('ticks'))
    emitEndOfInterrupt(a)
    a.pop(eax)
    a.iret()

    emitSerialRoutines(a)
    emitDescriptorTables(a)
    a.label('ticks')
    a.dd(0)
    a.label('newline')
    a.asciz('\r\n')
  })
}
