/** A tickless kernel: no periodic timer, each sleep arms the timer once for as long as it wants to sleep. */
import { mem32, registers } from '../reference/index.ts'
import { emitDescriptorTables, emitLoadGdt, emitLoadIdt } from './support/descriptor-tables.ts'
import { emitEndOfInterrupt, emitInitInterruptController, FIRST_IRQ_VECTOR } from './support/interrupt-controller.ts'
import { buildKernel, emitExit, type Guest } from './support/kernel.ts'
import { emitPrint, emitSerialRoutines } from './support/serial.ts'

const TIMER_LINE = 0
const TIMER_COUNTER_0 = 0x40
const TIMER_CONTROL = 0x43
/** Counter 0, low byte then high byte, mode 0: one interrupt when the count runs out. */
const ONE_SHOT = 0x30
/** In timer counts of 838 ns: 1 ms, and twice as long each time. */
const FIRST_SLEEP = 1193
const SLEEPS = 6

const { al, ah, eax, ebx, ecx } = registers

export function buildTickless(): Guest {
  return buildKernel((a) => {
    emitLoadGdt(a)
    emitLoadIdt(a, { [FIRST_IRQ_VECTOR + TIMER_LINE]: 'onTimer' })
    emitInitInterruptController(a, [TIMER_LINE])
    a.mov(ebx, FIRST_SLEEP)
    a.mov(ecx, SLEEPS)
    a.label('next')
    a.mov(mem32('fired'), 0)
    a.mov(al, ONE_SHOT)
    a.out(TIMER_CONTROL, al)
    a.mov(eax, ebx)
    a.out(TIMER_COUNTER_0, al)
    a.mov(al, ah)
    a.out(TIMER_COUNTER_0, al)
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

    a.label('onTimer')
    a.push(eax)
    a.inc(mem32('fired'))
    emitEndOfInterrupt(a)
    a.pop(eax)
    a.iret()

    emitSerialRoutines(a)
    emitDescriptorTables(a)
    a.label('fired')
    a.dd(0)
    a.label('text')
    a.asciz('slept\r\n')
  })
}
