/**
 * `trapframe run KERNEL`: boots a kernel with the terminal as its serial port.
 *
 * Virtual time goes as fast as the machine can, except that a person at a terminal sees an idle guest's timers in real time.
 */
import { performance } from 'node:perf_hooks'
import type { Command } from 'commander'
import { guests } from '../../../guests/index.ts'
import { CPU_MODELS, DEFAULT_CPU_MODEL } from '../../../reference/cpu/cpuid.ts'
import { encodePng } from '../../../reference/io/png.ts'
import { SerialLine, type SerialPort } from '../../../reference/io/serial-line.ts'
import { screenPicture } from '../../../reference/io/vga-picture.ts'
import { screenText } from '../../../reference/io/vga-screen.ts'
import { type Machine, MMU_KINDS, PC_COSTS } from '../../../reference/machine.ts'
import { saveMachine } from '../../../reference/snapshot.ts'
import { WrongUse } from '../../failures.ts'
import { requireWritable, writeFileAtomically } from '../../files.ts'
import { ENGINES, GUEST_PREFIX, MACHINE_TYPES, type MachineRequest, machineMaker } from '../boot-machine.ts'
import { DISPLAY_HELP, openDisplay } from '../display.ts'
import { Nap } from '../nap.ts'
import { parseCount, parseSeconds, parseSize } from '../numbers.ts'
import { type Ending, report, retiredBy, STATUS_ASLEEP, STATUS_LIMIT, STATUS_TRIPLE_FAULT } from '../run-report.ts'
import { Saving } from '../saving.ts'
import { SERIAL_HELP, type SerialPlace, serialPlace } from '../serial.ts'
import { SmallHeap } from '../small-heap.ts'
import type { PersonEvents } from '../terminal-serial.ts'

/** How long the machine runs between two looks at its serial port, in cycles: 10 ms of virtual time, 1 ms when somebody may answer. */
const SLICE = 1_000_000
const SHORT_SLICE = 100_000
/** The longest nap while the guest is idle, so that a key is never late. */
const MAX_NAP_MS = 20
/** How long after its end a run waits for its last bytes to be read before it says so. */
const PATIENCE_MS = 1000

interface RunOptions extends MachineRequest {
  readonly serial?: string
  readonly display: string
  readonly create?: boolean
  readonly maxInstructions?: number
  readonly save?: string
  /** Seconds of virtual time. */
  readonly saveAt?: number
  /** False: a reset ends the run. */
  readonly reboot: boolean
  readonly screen?: string
  readonly screenshot?: string
  readonly stats?: string
  readonly json?: boolean
}

/** Adds the command to the program. */
export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('boot a kernel, with the terminal as its serial port, or as its screen and keyboard')
    .argument(
      '[kernel]',
      `a Linux bzImage, a multiboot kernel, a 64 KiB ROM, or ${GUEST_PREFIX}NAME (${Object.keys(guests).join(', ')})`,
    )
    .option('--append <text>', 'the kernel command line', '')
    .option('--initrd <file>', 'a file that the kernel gets as its RAM disk or first module')
    .option('--mem <size>', 'memory, such as 64M or 512K', parseSize, 64 << 20)
    .option('--cpu <model>', `what CPUID says: ${Object.keys(CPU_MODELS).join(', ')}`, DEFAULT_CPU_MODEL.name)
    .option('--engine <name>', `who executes instructions: ${ENGINES.join(', ')}`, ENGINES[0])
    .option('--mmu <name>', `how a guest's pages are found: ${MMU_KINDS.join(', ')}`, MMU_KINDS[0])
    .option('--smp <n>', 'processors', parseCount, 1)
    .option('--machine <type>', `${MACHINE_TYPES.join(', without PCI, or ')}`, MACHINE_TYPES[0])
    .option('--bios <file>', 'start this ROM of 64 or 128 KiB at the reset vector, in place of a kernel')
    .option('--disk <file>', 'a raw disk image; FILE,snapshot does not change it; up to four', gather, [])
    .option('--restore <file>', 'go on from a snapshot, in place of a kernel; give the same disks')
    .option(
      '--save <file>',
      'write a snapshot when the run ends, unless the guest ended it, and whenever Ctrl-A s is pressed',
    )
    .option('--save-at <seconds>', 'write it at that virtual time too, and go on', parseSeconds)
    .option('--no-reboot', 'end when the guest resets the machine')
    .option('--display <where>', DISPLAY_HELP, 'none')
    .option('--serial <where>', `${SERIAL_HELP} (default: stdio, or none with --display terminal)`)
    .option('--create', 'make the named pipes, or listen at the socket, of --serial')
    .option('--max-instructions <n>', 'stop after so many guest instructions', parseCount)
    .option('--screen <file>', 'write what the VGA shows, as text, when the run ends')
    .option('--screenshot <file>', 'write it as a picture, a PNG of 720 × 400 dots')
    .option('--stats <file>', 'write counters to a JSON file')
    .option('--json', 'print the outcome as JSON, with what the guest printed in it')
    .addHelpText(
      'after',
      `
At a terminal, Ctrl-A x quits, Ctrl-A s writes the snapshot of --save and goes on, and Ctrl-A Ctrl-A sends one Ctrl-A.

--display terminal shows the VGA's text screen where --serial stdio would show the serial port; what is typed goes to the
keyboard, as on a US keyboard, with arrows and function keys. Keys may also come from a pipe; the screen is then printed at the end.

fifo:PATH reads the named pipe PATH.in and writes PATH.out; fifo-peer:PATH is the other end of the same two pipes. unix:PATH
joins the socket PATH, with --create it waits there for a peer. Nothing that a guest sent is dropped: while nobody reads,
its transmitter is not empty, and at its end the run waits for a reader.

Exit status: that of the guest's debug-exit port, (value << 1) | 1, which is always odd; 0 after Ctrl-A x,
and after a reset with --no-reboot; ${STATUS_LIMIT} at the limit of instructions; ${STATUS_TRIPLE_FAULT} after a triple fault, with a dump of the processor's state; ${STATUS_ASLEEP} when the guest sleeps for ever; 2 for wrong use.

Examples:
  trapframe run guest:hello
  trapframe run vmlinuz --append "console=ttyS0 noapic nolapic acpi=off" --initrd initrd.img --mem 40M
  trapframe run --bios bios.bin --disk disk.img,snapshot
  trapframe run kernel.elf --max-instructions 1000000 --save half.snap
  trapframe run --restore half.snap
  trapframe run kernel.elf --display terminal --serial file:boot.log --screenshot end.png
  trapframe run kernel.elf --serial file:boot.log --max-instructions 1000000000 --stats stats.json
  trapframe run guest:hello --serial fifo:/tmp/com1 --create      (and elsewhere: cat /tmp/com1.out)
`,
    )
    .action(async (kernel: string | undefined, options: RunOptions) => {
      process.exitCode = await runKernel(kernel, options)
    })
}

/** Boots and runs to the end; answers with the exit status. */
async function runKernel(kernel: string | undefined, options: RunOptions): Promise<number> {
  for (const file of [options.stats, options.save, options.screen, options.screenshot]) {
    if (file !== undefined) requireWritable(file)
  }
  if (options.saveAt !== undefined && options.save === undefined) {
    throw new WrongUse('--save-at tells when; name the file with --save FILE.')
  }
  const makeMachine = machineMaker(kernel, options)
  const place = serialPlace({ ...options, serial: serialOf(options) })
  let quit = false
  const started = performance.now()
  const nap = new Nap()
  let line: SerialLine | undefined
  let machine = makeMachine((byte) => line!.send(byte))
  line = new SerialLine(portOf(() => machine, nap))
  const saving = new Saving(options, () => nap.end())
  const person: PersonEvents = {
    onQuit: () => {
      quit = true
      nap.end()
    },
    ...(options.save === undefined ? {} : { onSave: () => saving.ask() }),
    onInput: () => nap.end(),
  }
  line.attach(await place.connect(line, person))
  const display = openDisplay(options.display, () => machine, person)
  const realTime = place.realTime || display.realTime

  const heap = new SmallHeap()
  const limit = options.maxInstructions ?? Number.POSITIVE_INFINITY
  let ending: Ending | undefined
  let before = 0
  while (ending === undefined) {
    const { host, vm } = machine
    const left = limit - before - retiredBy(machine)
    host.runUntil(saving.before(host.now, host.now + Math.min(realTime ? SHORT_SLICE : SLICE, Math.max(1, left))))
    line.flush()
    display.update()
    saving.look(machine)
    heap.look()
    if (quit) ending = 'quit'
    else if (vm.exitStatus !== undefined) ending = 'debugExit'
    else if (vm.resetRequested && options.reboot) {
      before += retiredBy(machine)
      machine = makeMachine((byte) => line!.send(byte))
    } else if (vm.resetRequested) ending = 'reset'
    else if (host.ended) ending = 'tripleFault'
    else if (before + retiredBy(machine) >= limit) ending = 'limit'
    else if (isOff(machine)) ending = 'asleep'
    else if (host.asleep && !line.backend.mayReceive && !display.mayReceive && line.waiting === 0) ending = 'asleep'
    else if (host.asleep) await nap.begin()
    else if (realTime && host.idleUntil !== undefined) {
      await nap.begin(Math.min(MAX_NAP_MS, ((host.idleUntil - host.now) / PC_COSTS.hz) * 1000))
    } else await new Promise((resolve) => setImmediate(resolve))
  }
  if (!quit) await drain(line, place, nap)
  line.close()
  display.close()
  if (saving.missed) process.stderr.write('trapframe: the run ended before --save-at; nothing was saved then.\n')
  if (options.save !== undefined && (ending === 'limit' || ending === 'quit')) {
    writeFileAtomically(options.save, saveMachine(machine))
  }
  const { vm, chipset } = machine
  if (options.screen !== undefined) {
    writeFileAtomically(options.screen, `${screenText(vm.memory, chipset.vga.page).join('\n')}\n`)
  }
  if (options.screenshot !== undefined) {
    writeFileAtomically(options.screenshot, encodePng(screenPicture(vm.memory, chipset.vga.page)))
  }
  return report(machine, ending, options, place.captured?.(), performance.now() - started)
}

/** The terminal is either the serial port or the screen. @throws WrongUse when it should be both */
function serialOf({ serial, display }: RunOptions): string {
  if (display === 'terminal' && serial === 'stdio') {
    throw new WrongUse('The terminal is the screen with --display terminal, or the serial port with --serial stdio.')
  }
  return serial ?? (display === 'terminal' ? 'none' : 'stdio')
}

/** Every processor has halted with interrupts off: how software turns off a PC without power management. */
function isOff({ host, vm }: Machine): boolean {
  if (host.idleUntil === undefined) return false
  return vm.processors.every(
    ({ vcpu, nmiPending, waitsForStartUp }) => waitsForStartUp || (!vcpu.registers.interruptFlag && !nmiPending),
  )
}

/** The machine's end of its serial line; whatever comes from there ends a nap. */
function portOf(machine: () => Machine, nap: Nap): SerialPort {
  return {
    get canReceive() {
      return machine().vm.uart.canReceive
    },
    receive: (byte: number) => {
      const { host, vm } = machine()
      nap.end()
      return host.receiveSerial(vm, byte)
    },
    receiveBreak: () => {
      const { host, vm } = machine()
      const taken = vm.uart.receiveBreak(host.now)
      host.resumeSerial(vm)
      nap.end()
      return taken
    },
    resume: () => {
      const { host, vm } = machine()
      host.resumeSerial(vm)
      nap.end()
    },
  }
}

/** The guest has ended: what it sent still goes where it was sent to. */
async function drain(line: SerialLine, { reader }: SerialPlace, nap: Nap): Promise<void> {
  const since = performance.now()
  let told = false
  for (line.flush(); line.waiting > 0; line.flush()) {
    await nap.begin(MAX_NAP_MS)
    if (told || performance.now() - since < PATIENCE_MS) continue
    told = true
    process.stderr.write(`trapframe: ${line.waiting} bytes wait for ${reader ?? 'the output'}; Ctrl-C drops them.\n`)
  }
}

function gather(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
