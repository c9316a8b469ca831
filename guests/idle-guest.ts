/**
 * Guests that sleep: small programs made of steps, with interrupt and NMI handlers, each vcpu its own. They run in flat
 * protected mode without an operating system; what firmware would do is done by {@link bootIdleGuests}.
 */
import type { GuestMemory, Host, Processor } from '../reference/index.ts'

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

class Code {
  readonly bytes: number[] = []
  readonly origin: number
  constructor(origin: number) {
    this.origin = origin
  }
  get here(): number {
    return this.origin + this.bytes.length
  }
  emit(...bytes: number[]): void {
    this.bytes.push(...bytes)
  }
  emit32(value: number): void {
    this.emit(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255)
  }
}

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

function work(code: Code, loops: number): void {
  code.emit(0xb9)
  code.emit32(loops)
  code.emit(0x49, 0x75, 0xfd)
}

function emitOp(code: Code, op: GuestOp, ask: GuestQuestionPlace, vcpu: number): void {
  const question = (number: number, cpuid: boolean) => {
    code.emit(0xb8)
    code.emit32(number)
    code.emit(0xbb)
    code.emit32(0x1111_1111)
    code.emit(0xb9)
    code.emit32(0x2222_2222)
    code.emit(0xba)
    code.emit32(0x3333_3333)
    if (cpuid) code.emit(0x0f, 0xa2)
    else code.emit(0x0f, 0x01, 0xc1)
  }
  switch (op.op) {
    case 'work':
      work(code, op.loops)
      return
    case 'mask':
      code.emit(0xe4, 0x21, 0x0c, 1 << op.irq, 0xe6, 0x21)
      return
    case 'unmask':
      code.emit(0xe4, 0x21, 0x24, ~(1 << op.irq) & 255, 0xe6, 0x21)
      return
    case 'hlt':
      code.emit(0xf4)
      return
    case 'stiHlt':
      code.emit(0xfb, 0xf4)
      return
    case 'stiNopHlt':
      code.emit(0xfb, 0x90, 0xf4)
      return
    case 'cliHlt':
      code.emit(0xfa, 0xf4)
      return
    case 'stiRepHlt':
      code.emit(0xfb, 0xf3, 0xf4)
      return
    case 'sti':
      code.emit(0xfb)
      return
    case 'cli':
      code.emit(0xfa)
      return
    case 'cliIn':
      code.emit(0xfa, 0xe4, 0x21)
      return
    case 'stiWork':
      code.emit(0xfb)
      work(code, WORK_LOOPS)
      return
    case 'userHlt': {
      // mov [continuation], after; mov [esp save], esp; push ss3, esp3, eflags, cs3, eip; iret; user: hlt
      const data = DATA + vcpu * 0x100
      code.emit(0x89, 0x25)
      code.emit32(data + 8)
      code.emit(0xc7, 0x05)
      code.emit32(data + 12)
      const patch = code.bytes.length
      code.emit32(0)
      code.emit(0x6a, 0x23)
      code.emit(0x68)
      code.emit32(USER_STACK + (vcpu + 1) * 0x200)
      code.emit(0x9c)
      code.emit(0x6a, 0x1b)
      code.emit(0x68)
      code.emit32(code.here + 5)
      code.emit(0xcf)
      code.emit(0xf4)
      const after = code.here
      for (let i = 0; i < 4; i++) code.bytes[patch + i] = (after >> (8 * i)) & 255
      return
    }
    case 'ask':
      question(ask.number, ask.place === 'cpuid')
      return
    case 'askOther':
      question(ask.number ^ 1, ask.place === 'cpuid')
      question(ask.place === 'cpuid' ? 0x7b : 0x4000_00f1, ask.place !== 'cpuid')
      return
  }
}

function handlers(code: Code, program: GuestProgram, vcpu: number): { isr: number; nmi: number; gp: number } {
  const data = DATA + vcpu * 0x100
  const wait = (flag: number) => {
    // cmp dword [flag],0; jne skip; inc dword [flag]; sti; hlt; cli; dec dword [flag]; skip:
    code.emit(0x83, 0x3d)
    code.emit32(flag)
    code.emit(0, 0x75, 6 + 3 + 6)
    code.emit(0xff, 0x05)
    code.emit32(flag)
    code.emit(0xfb, 0xf4, 0xfa)
    code.emit(0xff, 0x0d)
    code.emit32(flag)
  }
  const isr = code.here
  code.emit(0x50, 0xb0, 0x20, 0xe6, 0x20)
  if (program.isr === 'waits') wait(data)
  code.emit(0x58, 0xcf)
  const nmi = code.here
  if (program.nmi === 'waits') wait(data + 4)
  code.emit(0xcf)
  const gp = code.here
  code.emit(0x16, 0x1f, 0x16, 0x07)
  code.emit(0x8b, 0x25)
  code.emit32(data + 8)
  code.emit(0xff, 0x25)
  code.emit32(data + 12)
  return { isr, nmi, gp }
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

function boot(
  { vcpu: { registers }, bus }: Processor,
  memory: GuestMemory,
  program: GuestProgram,
  vcpu: number,
  question: GuestQuestionPlace,
): void {
  const code = new Code(CODE + vcpu * CODE_STEP)
  const { isr, nmi, gp } = handlers(code, program, vcpu)
  const entry = code.here
  for (const op of program.ops) emitOp(code, op, question, vcpu)
  code.emit(0xe9)
  code.emit32(entry - (code.here + 4))
  memory.writeBytes(code.origin, Uint8Array.from(code.bytes))

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
