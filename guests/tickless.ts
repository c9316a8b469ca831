/** A tickless kernel: no periodic timer, each sleep arms the timer once for as long as it wants to sleep. */
import { mem32, registers } from '../reference/index.ts'
import { emitDescriptorTables, emitLoadGdt, emitLoadIdt } from './support/descriptor-tables.ts'
import { emitInitInterruptController, FIRST_IRQ_VECTOR } from './support/interrupt-controller.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { emitPrint, emitSerialRoutines } from './support/serial.ts'
import { emitCountingHandler, emitStartTimer, ONE_SHOT, TIMER_LINE } from './support/timer.ts'

/** In timer counts of 838 ns: 1 ms, and twice as long each time. */
const FIRST_SLEEP = 1193
const SLEEPS = 6

const { eax, ebx, ecx } = registers

export function buildTickless(): Guest {
  return buildKernel((a) => {
    emitLoadGdt(a)
    emitLoadIdt(a, { [FIRST_IRQ_VECTOR + TIMER_LINE]: 'onTimer' })
    emitInitInterruptController(a, [TIMER_LINE])
    a.mov(ebx, FIRST_SLEEP)
    a.mov(ecx, SLEEPS)
    a.label('next')
    a.mov(mem32('fired'), 0)
    a.mov(eax, ebx)
    emitStartTimer(a, ONE_SHOT, 'ax')
    a.label('sleep')
    a.cli()
    a.cmp(mem32('fired'), 0)
    a.jne('awake')
    a.sti()
    a.hlt()
    a.jmp('sleep')
    a.label('awake')
    a.sti()
    emitPrint(a, 'text')
    a.add(ebx, ebx)
    a.dec(ecx)
    a.jnz('next')
    emitExit(a, 0)

    emitCountingHandler(a, 'onTimer', 'fired')

    emitSerialRoutines(a)
    emitDescriptorTables(a)
    a.label('fired')
    a.dd(0)
    a.label('text')
    a.asciz('slept\r\n')
  })
}
