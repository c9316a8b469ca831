/**
 * A virtual machine: guest memory, its processors, and a PC's devices around them (design §3).
 *
 * Every processor has interrupt controllers of its own behind the usual ports; the devices' lines end at processor 0.
 * A vm is told the virtual time and never asks for it: its owner is the {@link Host}.
 */

import type { CostModel } from '../cpu/cost-model.ts'
import type { CpuModel } from '../cpu/cpuid.ts'
import { type EngineKind, Vcpu, type VcpuState } from '../cpu/vcpu.ts'
import { ApicBus } from '../io/apic-bus.ts'
import { PortBus } from '../io/bus.ts'
import { Coprocessor, type CoprocessorState } from '../io/coprocessor.ts'
import { DebugExit, type DebugExitState } from '../io/debug-exit.ts'
import type { AccessSize, Line, PortDevice, TimedDevice } from '../io/device.ts'
import { IoApic, type IoApicState } from '../io/ioapic.ts'
import { type LapicState, LocalApic } from '../io/lapic.ts'
import type { MmioDevice } from '../io/mmio.ts'
import { Pic, type PicState } from '../io/pic.ts'
import { Pit, type PitState } from '../io/pit.ts'
import { Rtc, type RtcState } from '../io/rtc.ts'
import { Uart, type UartState } from '../io/uart.ts'
import { GuestMemory } from '../mmu/guest-memory.ts'
import type { MachineMemory } from '../mmu/machine-memory.ts'
import { type MmuCounters, newMmuCounters } from '../mmu/mmu-counters.ts'
import type { MmuPolicy } from '../mmu/policy.ts'
import type { Cycles } from '../sched/virtual-time.ts'

const PIT_IRQ = 0
const RTC_IRQ = 8
const FPU_IRQ = 13
/** The I/O APIC's input of the timer, as in a PC; the other interrupts keep their numbers. */
const PIT_INPUT = 2
/** As in KVM. */
const APIC_TIMER_HZ = 1_000_000_000
const COM1 = { port: 0x3f8, irq: 4 }

/** 2026-09-01T00:00:00Z: every run of a machine begins on the same day. */
const DEFAULT_START_SECONDS = 1_788_220_800

/** Makes the MMU policy of one vcpu. */
export type MakeMmu = (memory: GuestMemory, counters: MmuCounters) => MmuPolicy

export interface VmOptions {
  readonly machine: MachineMemory
  /** A multiple of 4096. */
  readonly memoryBytes: number
  readonly vcpus: number
  /** The block of machine memory that the first vcpu takes; the others follow it. */
  readonly firstBlock: number
  readonly costs: CostModel
  readonly cpuid?: CpuModel
  /** See {@link Vcpu}. */
  readonly engine?: EngineKind
  /** Makes what answers a vcpu's TLB misses; unless told, it walks the guest's own tables. */
  readonly mmu?: MakeMmu
  /** Takes a byte that the guest sent over COM1; false: not now. Without it bytes are dropped. */
  readonly serialSink?: (byte: number) => boolean
  /** The real-time clock's date at virtual time 0, in seconds since 1970. */
  readonly startSeconds?: number
  /** Local APICs and an I/O APIC; then all vcpus but the first wait for a start-up message. */
  readonly apic?: boolean
}

/** A vcpu with what is wired to it. */
export class Processor {
  readonly vcpu: Vcpu
  readonly pic = new Pic()
  readonly bus = new PortBus()
  readonly coprocessor: Coprocessor
  /** An NMI is latched until it is delivered. */
  nmiPending = false

  /** @param make gives the vcpu; its FERR# pin is the argument */
  constructor(make: (ferr: Line) => Vcpu) {
    const vcpu = make((level) => this.coprocessor.setFerr(level))
    this.vcpu = vcpu
    this.coprocessor = new Coprocessor({
      line: (level) => this.pic.setLine(FPU_IRQ, level),
      ignne: (level) => {
        vcpu.ignoresNumericErrors = level
      },
    })
    this.bus.add(this.pic)
    this.bus.add(this.coprocessor)
  }

  /** The local APIC; undefined in a machine with 8259s alone. */
  lapic: LocalApic | undefined
  /** What it finds at guest physical addresses without memory. */
  readonly mmio: MmioDevice[] = []
  /** It has had an INIT, or was never started, and does nothing until a start-up message. */
  waitsForStartUp = false

  /** The INTR pin. */
  interruptPending(): boolean {
    return (this.lapic ?? this.pic).interruptPending()
  }

  /** The vcpu takes an interrupt: its vector. */
  acknowledge(): number {
    return (this.lapic ?? this.pic).acknowledge()
  }

  /** Something waits that the vcpu would take at once if it could: it ends a HLT (Intel SDM vol. 2A, HLT). */
  get wakes(): boolean {
    if (this.nmiPending && !this.vcpu.nmiBlocked) return true
    return this.interruptPending() && this.vcpu.registers.interruptFlag
  }
}

/** A VM without its memory, as plain data. */
export interface VmState {
  readonly processors: readonly {
    readonly vcpu: VcpuState
    readonly pic: PicState
    readonly coprocessor: CoprocessorState
    readonly lapic: LapicState | null
    readonly nmiPending: boolean
    readonly waitsForStartUp: boolean
  }[]
  readonly ioApic: IoApicState | null
  readonly pit: PitState
  readonly rtc: RtcState
  readonly uart: UartState
  readonly debugExit: DebugExitState
}

export class Vm {
  readonly memory: GuestMemory
  /** What the MMU policy did, for all processors together. */
  readonly mmuCounters = newMmuCounters()
  readonly processors: readonly Processor[]
  readonly pit: Pit
  readonly rtc: Rtc
  readonly uart: Uart
  readonly debugExit: DebugExit
  /** The status that the guest ended with, once it has. */
  exitStatus: number | undefined
  /** The guest has asked for a reset of the machine: it goes no further. */
  resetRequested = false
  readonly #timed: readonly TimedDevice[]
  readonly #ioApic: IoApic | undefined

  constructor(options: VmOptions) {
    const { machine, costs } = options
    this.memory = new GuestMemory(machine, options.memoryBytes)
    this.processors = Array.from(
      { length: options.vcpus },
      (_, i) =>
        new Processor(
          (ferr) =>
            new Vcpu({
              index: options.firstBlock + i,
              machine,
              memory: this.memory,
              costs,
              ferr,
              ...(options.apic === true ? { apicId: i, readLocal: this.#readLocal(i) } : {}),
              ...(options.cpuid === undefined ? {} : { cpuid: options.cpuid }),
              ...(options.engine === undefined ? {} : { engine: options.engine }),
              ...(options.mmu === undefined ? {} : { mmu: options.mmu(this.memory, this.mmuCounters) }),
            }),
        ),
    )
    const cycleHz = costs.hz
    this.#ioApic = options.apic === true ? this.#addApics(cycleHz) : undefined
    this.pit = new Pit({ line: this.line(PIT_IRQ), cycleHz })
    this.rtc = new Rtc({
      line: this.line(RTC_IRQ),
      cycleHz,
      startSeconds: options.startSeconds ?? DEFAULT_START_SECONDS,
    })
    this.rtc.setMemorySize(options.memoryBytes)
    this.uart = new Uart({
      port: COM1.port,
      line: this.line(COM1.irq),
      cycleHz,
      sink: options.serialSink ?? (() => true),
    })
    this.debugExit = new DebugExit({
      onExit: (status) => {
        this.exitStatus ??= status
      },
    })
    const lapics = this.processors.flatMap(({ lapic }) => lapic ?? [])
    this.#timed = [this.pit, this.rtc, this.uart, ...lapics]
    for (const device of [this.pit, this.rtc, this.uart, this.debugExit]) this.addDevice(device)
  }

  /** The machine's interrupt line `irq`, 0–15, at 8259s and I/O APIC. */
  line(irq: number): Line {
    const { pic } = this.processors[0]!
    return (level) => {
      pic.setLine(irq, level)
      this.#ioApic?.setLine(irq === PIT_IRQ ? PIT_INPUT : irq, level)
    }
  }

  /** A device that all processors see. @throws Error when one of its ports is taken */
  addDevice(device: PortDevice): void {
    for (const { bus } of this.processors) bus.add(device)
  }

  /** Processors and the devices that every VM has, without memory. */
  save(): VmState {
    return {
      processors: this.processors.map(({ vcpu, pic, coprocessor, lapic, nmiPending, waitsForStartUp }) => ({
        vcpu: vcpu.save(),
        pic: pic.save(),
        coprocessor: coprocessor.save(),
        lapic: lapic?.save() ?? null,
        nmiPending,
        waitsForStartUp,
      })),
      ioApic: this.#ioApic?.save() ?? null,
      pit: this.pit.save(),
      rtc: this.rtc.save(),
      uart: this.uart.save(),
      debugExit: this.debugExit.save(),
    }
  }

  /** Takes what `save` of a VM with the same processors and APICs gave; its memory has been written before. */
  restore(state: VmState): void {
    for (const [i, saved] of state.processors.entries()) {
      const processor = this.processors[i]!
      processor.pic.restore(saved.pic)
      processor.coprocessor.restore(saved.coprocessor)
      if (saved.lapic !== null) processor.lapic?.restore(saved.lapic)
      processor.nmiPending = saved.nmiPending
      processor.waitsForStartUp = saved.waitsForStartUp
      processor.vcpu.restore(saved.vcpu)
    }
    if (state.ioApic !== null) this.#ioApic?.restore(state.ioApic)
    this.pit.restore(state.pit)
    this.rtc.restore(state.rtc)
    this.uart.restore(state.uart)
    this.debugExit.restore(state.debugExit)
  }

  /** A device wants the machine to be reset, behind the instruction that is executed now. */
  requestReset(): void {
    this.resetRequested = true
  }

  /** Reads of a processor's own local APIC, which need nobody else. */
  #readLocal(index: number): (gpa: number, size: AccessSize) => number | undefined {
    return (gpa, size) => this.processors[index]!.lapic!.readAtOnce(gpa, size)
  }

  /** A local APIC for each processor, and an I/O APIC that all of them see. */
  #addApics(cycleHz: number): IoApic {
    const bus = new ApicBus()
    const ioApic = new IoApic({ id: this.processors.length, bus })
    for (const [id, processor] of this.processors.entries()) {
      const isFirst = id === 0
      processor.waitsForStartUp = !isFirst
      processor.lapic = new LocalApic({
        id,
        bus,
        cyclesPerTick: cycleHz / APIC_TIMER_HZ,
        nmi: () => {
          processor.nmiPending = true
        },
        init: () => {
          processor.vcpu.init()
          processor.waitsForStartUp = !isFirst
        },
        startUp: (page) => {
          if (!processor.waitsForStartUp) return
          processor.vcpu.startUp(page)
          processor.waitsForStartUp = false
        },
        external: processor.pic,
      })
      processor.mmio.push(processor.lapic, ioApic)
    }
    return ioApic
  }

  /** When a device next acts by itself, or `Infinity`. */
  nextEvent(now: Cycles): Cycles {
    let next = Number.POSITIVE_INFINITY
    for (const device of this.#timed) next = Math.min(next, device.nextEvent(now))
    return next
  }

  /** Lets the devices do what is due up to `now`. */
  advance(now: Cycles): void {
    for (const device of this.#timed) device.advance(now)
  }
}
