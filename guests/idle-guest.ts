/**
 * Guests that sleep: small programs made of steps, with interrupt and NMI handlers, each vcpu its own. They run in flat
 * protected mode without an operating system; what firmware would do is done by {@link bootIdleGuests}.
 */
import {
  Assembler,
  type DisassembledLine,
  disassembleBytes,
  type GuestMemory,
  type Host,
  mem32,
  registers as names,
  near,
  type Processor,
} from '../reference/index.ts'

/** The lines of the interrupt controllers that the guests have handlers for. */
export const GUEST_IRQS = [3, 4, 5] as const

export type GuestOp =
  | { readonly op: 'work'; readonly loops: number }
  | { readonly op: 'mask' | 'unmask'; readonly irq: number }
  | {
      readonly op:
        | 'hlt'
        | 'stiHlt'
        | 'stiNopHlt'
        | 'cliHlt'
        | 'stiRepHlt'
        | 'sti'
        | 'cli'
        | 'cliIn'
        | 'stiWork'
        | 'oneShotHlt'
        | 'startTicks'
        | 'userHlt'
        | 'ask'
        | 'askOther'
    }

export interface GuestProgram {
  /** What it does, over and over again. */
  readonly ops: readonly GuestOp[]
  /** `waits`: the handler executes STI; HLT itself, unless it interrupted itself. */
  readonly isr: 'plain' | 'waits'
  readonly nmi: 'plain' | 'waits'
}

/** How the guests ask for their idle time. */
export interface GuestQuestionPlace {
  readonly place: 'cpuid' | 'hypercall'
  readonly number: number
}

const { al, eax, ebx, ecx, edx, esp, ds, es, ss } = names

const CODE = 0x2000
const CODE_STEP = 0x1000
const STACK_TOP = 0x9000
const STACK_STEP = 0x1000
const GDT = 0x800
const IDT = 0x1000
const DATA = 0xc000
const TSS = 0xd000
const USER_STACK = 0xe000

const WORK_LOOPS = 20

/** The first interrupt controller: EOI goes to its command port, masks are at its data port. */
const PIC_COMMAND = 0x20
const PIC_DATA = 0x21
const EOI = 0x20

/** The timer's counter 0 (its line ends at vcpu 0): mode 0 fires once, mode 2 again and again; low byte, then high byte. */
const TIMER_COUNTER_0 = 0x40
const TIMER_CONTROL = 0x43
const ONE_SHOT = 0x30
const PERIODIC = 0x34
/** About 38,000 and 95,000 cycles of a 3.8 GHz clock. */
const ONE_SHOT_COUNT = 12
const TICK_COUNT = 30

/** Selectors with their privilege level, and a hypercall and a leaf that mean nothing to the hypervisor. */
const USER_CODE = 0x1b
const USER_DATA = 0x23
const OTHER_LEAF = 0x4000_00f1
const OTHER_HYPERCALL = 0x7b

/** A vcpu's variables, at DATA + 0x100 × its number. */
const ISR_WAITS = 0
const NMI_WAITS = 4
const SAVED_ESP = 8
const CONTINUATION = 12

/** Where a vcpu's program lies, and where its parts begin. */
interface IdleCode {
  readonly origin: number
  readonly bytes: Uint8Array
  readonly isr: number
  readonly nmi: number
  readonly gp: number
  /** The loop of the program's steps, up to the end. */
  readonly entry: number
}

function assemble(program: GuestProgram, question: GuestQuestionPlace, vcpu: number): IdleCode {
  const a = new Assembler({ origin: CODE + vcpu * CODE_STEP })
  handlers(a, program, vcpu)
  a.label('entry')
  for (const op of program.ops) step(a, op, question, vcpu)
  a.jmp(near('entry'))
  const { origin, bytes, symbols } = a.assemble()
  const at = (name: string) => symbols.get(name)!
  return { origin, bytes, isr: at('isr'), nmi: at('nmi'), gp: at('gp'), entry: at('entry') }
}

function step(a: Assembler, op: GuestOp, { place, number }: GuestQuestionPlace, vcpu: number): void {
  switch (op.op) {
    case 'work':
      work(a, op.loops)
      return
    case 'mask':
      a.in(al, PIC_DATA)
      a.or(al, 1 << op.irq)
      a.out(PIC_DATA, al)
      return
    case 'unmask':
      a.in(al, PIC_DATA)
      a.and(al, ~(1 << op.irq) & 0xff)
      a.out(PIC_DATA, al)
      return
    case 'hlt':
      a.hlt()
      return
    case 'stiHlt':
      a.sti()
      a.hlt()
      return
    case 'stiNopHlt':
      a.sti()
      a.nop()
      a.hlt()
      return
    case 'cliHlt':
      a.cli()
      a.hlt()
      return
    case 'stiRepHlt':
      a.sti()
      a.rep().hlt()
      return
    case 'sti':
      a.sti()
      return
    case 'cli':
      a.cli()
      return
    case 'cliIn':
      a.cli()
      a.in(al, PIC_DATA)
      return
    case 'stiWork':
      a.sti()
      work(a, WORK_LOOPS)
      return
    case 'oneShotHlt':
      startTimer(a, ONE_SHOT, ONE_SHOT_COUNT)
      a.sti()
      a.hlt()
      return
    case 'startTicks':
      startTimer(a, PERIODIC, TICK_COUNT)
      return
    case 'userHlt':
      userHlt(a, vcpu)
      return
    case 'ask':
      ask(a, number, place)
      return
    case 'askOther':
      ask(a, number ^ 1, place)
      if (place === 'cpuid') ask(a, OTHER_HYPERCALL, 'hypercall')
      else ask(a, OTHER_LEAF, 'cpuid')
      return
  }
}

function startTimer(a: Assembler, mode: number, count: number): void {
  a.mov(al, mode)
  a.out(TIMER_CONTROL, al)
  a.mov(al, count & 0xff)
  a.out(TIMER_COUNTER_0, al)
  a.mov(al, count >> 8)
  a.out(TIMER_COUNTER_0, al)
}

function work(a: Assembler, loops: number): void {
  const again = a.unique('again')
  a.mov(ecx, loops)
  a.label(again)
  a.dec(ecx)
  a.jnz(again)
}

/** HLT at privilege level 3 is #GP, and the handler goes on behind it at level 0. */
function userHlt(a: Assembler, vcpu: number): void {
  const data = DATA + vcpu * 0x100
  const user = a.unique('user')
  const after = a.unique('after')
  a.mov(mem32(data + SAVED_ESP), esp)
  a.mov(mem32(data + CONTINUATION), after)
  a.push(USER_DATA)
  a.push(USER_STACK + (vcpu + 1) * 0x200)
  a.pushf()
  a.push(USER_CODE)
  a.push(user)
  a.iret()
  a.label(user)
  a.hlt()
  a.label(after)
}

function ask(a: Assembler, number: number, place: GuestQuestionPlace['place']): void {
  a.mov(eax, number)
  a.mov(ebx, 0x1111_1111)
  a.mov(ecx, 0x2222_2222)
  a.mov(edx, 0x3333_3333)
  if (place === 'cpuid') a.cpuid()
  else a.vmcall()
}

function handlers(a: Assembler, program: GuestProgram, vcpu: number): void {
  const data = DATA + vcpu * 0x100
  a.label('isr')
  a.push(eax)
  a.mov(al, EOI)
  a.out(PIC_COMMAND, al)
  if (program.isr === 'waits') waitOnce(a, data + ISR_WAITS)
  a.pop(eax)
  a.iret()
  a.label('nmi')
  if (program.nmi === 'waits') waitOnce(a, data + NMI_WAITS)
  a.iret()
  a.label('gp')
  for (const segment of [ds, es]) {
    a.push(ss)
    a.pop(segment)
  }
  a.mov(esp, mem32(data + SAVED_ESP))
  a.jmp(mem32(data + CONTINUATION))
}

/** Sleeps with interrupts on, unless this handler interrupted itself: then the flag is set. */
function waitOnce(a: Assembler, flag: number): void {
  const skip = a.unique('skip')
  a.cmp(mem32(flag), 0)
  a.jne(skip)
  a.inc(mem32(flag))
  a.sti()
  a.hlt()
  a.cli()
  a.dec(mem32(flag))
  a.label(skip)
}

function descriptor(base: number, limit: number, access: number, flags: number): number[] {
  return [
    limit & 255,
    (limit >> 8) & 255,
    base & 255,
    (base >> 8) & 255,
    (base >> 16) & 255,
    access,
    ((limit >> 16) & 15) | (flags << 4),
    (base >> 24) & 255,
  ]
}

function gate(handler: number): number[] {
  return [handler & 255, (handler >> 8) & 255, 0x08, 0, 0, 0x8e, (handler >> 16) & 255, (handler >> 24) & 255]
}

/** Loads a program for each vcpu, and leaves all of them at their first instruction with interrupts off. */
export function bootIdleGuests(
  host: Host,
  vms: readonly (readonly GuestProgram[])[],
  question: GuestQuestionPlace,
): void {
  vms.forEach((programs, vm) => {
    const { memory, processors } = host.vms[vm]!
    programs.forEach((program, vcpu) => {
      boot(processors[vcpu]!, memory, program, vcpu, question)
    })
  })
}

/**
 * What a vcpu executes over and over again, a line an instruction: `00002013  fb              sti`.
 *
 * @param vcpu its number in its VM, which says where its program lies
 */
export function disassembleIdleGuest(program: GuestProgram, question: GuestQuestionPlace, vcpu = 0): string[] {
  const { origin, bytes, entry } = assemble(program, question, vcpu)
  return disassembleBytes(bytes.subarray(entry - origin), entry, 32).map(lineText)
}

function lineText({ address, bytes, text }: DisassembledLine): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${address.toString(16).padStart(8, '0')}  ${hex.padEnd(20)}  ${text}`
}

function boot(
  { vcpu: { registers }, bus }: Processor,
  memory: GuestMemory,
  program: GuestProgram,
  vcpu: number,
  question: GuestQuestionPlace,
): void {
  const { origin, bytes, isr, nmi, gp, entry } = assemble(program, question, vcpu)
  memory.writeBytes(origin, bytes)

  const stack = STACK_TOP + vcpu * STACK_STEP
  const tss = TSS + vcpu * 0x100
  const gdt = GDT + vcpu * 0x80
  const idt = IDT + vcpu * 0x400
  memory.writeBytes(
    gdt,
    Uint8Array.from([
      ...new Array<number>(8).fill(0),
      ...descriptor(0, 0xf_ffff, 0x9b, 0xc),
      ...descriptor(0, 0xf_ffff, 0x93, 0xc),
      ...descriptor(0, 0xf_ffff, 0xfb, 0xc),
      ...descriptor(0, 0xf_ffff, 0xf3, 0xc),
      ...descriptor(tss, 0x67, 0x8b, 0),
    ]),
  )
  const tssBytes = new Uint8Array(0x68)
  new DataView(tssBytes.buffer).setUint32(4, stack, true)
  new DataView(tssBytes.buffer).setUint32(8, 0x10, true)
  memory.writeBytes(tss, tssBytes)
  memory.writeBytes(idt + 2 * 8, Uint8Array.from(gate(nmi)))
  memory.writeBytes(idt + 13 * 8, Uint8Array.from(gate(gp)))
  for (let irq = 0; irq < 8; irq++) memory.writeBytes(idt + (0x20 + irq) * 8, Uint8Array.from(gate(isr)))

  registers.cr0 |= 1
  registers.gdtr = { base: gdt, limit: 0x2f }
  registers.idtr = { base: idt, limit: 0x17f }
  registers.setSegment(1, { selector: 0x08, base: 0, limit: 0xffff_ffff, attributes: 0xc09b })
  for (const segment of [0, 2, 3, 4, 5]) {
    registers.setSegment(segment, { selector: 0x10, base: 0, limit: 0xffff_ffff, attributes: 0xc093 })
  }
  registers.setSegment(7, { selector: 0x28, base: tss, limit: 0x67, attributes: 0x008b })
  registers.esp = stack
  registers.eflags = 2
  registers.eip = entry
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 0x04],
    [0x21, 0x01],
    [0xa0, 0x11],
    [0xa1, 0x28],
    [0xa1, 0x02],
    [0xa1, 0x01],
  ] as const) {
    bus.write(port, 1, value, 0)
  }
}
