/** Sleeps from tick to tick of a 100 Hz timer, and prints a dot for each of ten ticks. */
import { mem32, registers } from '../reference/index.ts'
import { emitDescriptorTables, emitLoadGdt, emitLoadIdt } from './support/descriptor-tables.ts'
import { emitInitInterruptController, FIRST_IRQ_VECTOR } from './support/interrupt-controller.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { emitPrint, emitSerialRoutines } from './support/serial.ts'
import { emitCountingHandler, emitStartTimer, PERIODIC, TIMER_HZ, TIMER_LINE } from './support/timer.ts'

const TICKS_PER_SECOND = 100
const TICKS_TO_COUNT = 10

const { ecx, al } = registers

export function buildClock(): Guest {
  return buildKernel((a) => {
    const divisor = Math.round(TIMER_HZ / TICKS_PER_SECOND)
    emitLoadGdt(a)
    emitLoadIdt(a, { [FIRST_IRQ_VECTOR + TIMER_LINE]: 'onTick' })
    emitInitInterruptController(a, [TIMER_LINE])
    emitStartTimer(a, PERIODIC, divisor)

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

    emitCountingHandler(a, 'onTick', 'ticks')

    emitSerialRoutines(a)
    emitDescriptorTables(a)
    a.label('ticks')
    a.dd(0)
    a.label('newline')
    a.asciz('\r\n')
  })
}
