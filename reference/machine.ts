/**
 * The reference machine ready to run a kernel: one VM with one vcpu on one pcpu, and the reference's own hypervisor parts.
 * Not in the public index, since it stands on labs' solutions.
 */
import { isLinuxKernel, LINUX_CODE_SELECTOR, LINUX_DATA_SELECTOR, loadLinux } from './boot/linux.ts'
import { writeMpTable } from './boot/mp-table.ts'
import { loadMultiboot, type MultibootModule } from './boot/multiboot.ts'
import { loadRom, ROM_SIZE_BYTES, resetEntryState } from './boot/rom.ts'
import type { CostModel } from './cpu/cost-model.ts'
import { type CpuModel, DEFAULT_CPU_MODEL } from './cpu/cpuid.ts'
import { create as createIdleMonitor } from './cpu/idle.ts'
import type { IdleMonitor } from './cpu/idle-port.ts'
import { CS, DS, ES, FS, GS, SS } from './cpu/instruction.ts'
import type { Registers } from './cpu/registers.ts'
import type { EngineKind } from './cpu/vcpu.ts'
import type { BlockDevice } from './io/block-device.ts'
import type { CharFrontend } from './io/char-backend.ts'
import { create as createFifoBackend } from './io/fifo-backend.ts'
import { FifoLine, type FifoLineOptions } from './io/fifo-line.ts'
import { realFiles } from './io/host-files.ts'
import { NestedMmu } from './mmu/nested-policy.ts'
import { create as createShadowMmu } from './mmu/shadow.ts'
import { ShadowPolicy } from './mmu/shadow-policy.ts'
import { create as createSharing } from './mmu/sharing.ts'
import type { SharingOperations, SharingService } from './mmu/sharing-port.ts'
import { Host } from './sched/host.ts'
import { Chipset, type MachineType } from './vm/chipset.ts'
import type { MakeMmu, Vm } from './vm/vm.ts'

/** One cycle an instruction at 100 MHz: what an interpreter can keep up with, so that a guest's second is about one of ours. */
export const PC_COSTS: CostModel = { name: 'pc', hz: 100_000_000, instruction: 1, events: {} }

/** With many vcpus: how long each runs while others wait, so that none spins for long on a lock that another has. */
const SHARED_QUANTUM = 10_000
const PAGE_BYTES = 4096
const DATA_SEGMENTS = [ES, SS, DS, FS, GS]
const FLAT_LIMIT = 0xffff_ffff
const FLAT_CODE = 0xc09b
const FLAT_DATA = 0xc093
const REAL_CODE = 0x009b
const REAL_DATA = 0x0093
const KERNEL_CODE_SELECTOR = 0x08
const KERNEL_DATA_SELECTOR = 0x10
const CR0_PE = 1
const EFLAGS_RESERVED = 0x2

/** How a guest's addresses become the machine's; whichever it is, the guest sees the same. */
export type MmuKind = 'direct' | 'shadow' | 'nested'
export const MMU_KINDS: readonly MmuKind[] = ['direct', 'shadow', 'nested']

/** What makes the policy of a kind; undefined: the processor's own. */
export function makeMmu(kind: MmuKind): MakeMmu | undefined {
  if (kind === 'shadow') return (memory, counters) => new ShadowPolicy(memory, createShadowMmu, counters)
  return kind === 'nested' ? (memory, counters) => new NestedMmu(memory, counters) : undefined
}

export interface MachineOptions {
  /** Rounded down to whole pages; at least 1 MiB. */
  readonly memoryBytes: number
  readonly serialSink?: (byte: number) => boolean
  readonly costs?: CostModel
  /** What CPUID says; `CPU_MODELS` holds the models by name. */
  readonly cpuid?: CpuModel
  /** Who executes instructions; default `interpreter`. Nothing but the speed depends on it. */
  readonly engine?: EngineKind
  /** Default `direct`: the processor walks the guest's own tables. */
  readonly mmu?: MmuKind
  /** 1 unless told. The first one boots, and starts the others by their local APICs. */
  readonly vcpus?: number
  /** Local APICs, an I/O APIC, and tables that tell of them; on when there is more than one vcpu. */
  readonly apic?: boolean
  /** Default `isapc`. */
  readonly type?: MachineType
  /** At most four: two on each IDE channel. */
  readonly disks?: readonly BlockDevice[]
  /** What a BIOS may read from fw_cfg. Without it there is no such device. */
  readonly firmwareFiles?: Readonly<Record<string, Uint8Array>>
}

export interface Machine {
  readonly host: Host
  readonly vm: Vm
  readonly chipset: Chipset
  readonly monitor: IdleMonitor
  /** What it was made with; a snapshot is restored into a machine with the same. */
  readonly options: MachineOptions
}

export interface KernelImage {
  readonly name: string
  readonly bytes: Uint8Array
  readonly commandLine: string
  readonly modules: readonly MultibootModule[]
}

/** @throws RangeError for less than 1 MiB of memory, or more than four disks. */
export function createMachine(options: MachineOptions): Machine {
  const memoryBytes = Math.floor(options.memoryBytes / PAGE_BYTES) * PAGE_BYTES
  if (memoryBytes < 0x10_0000) {
    throw new RangeError(`A machine needs at least 1 MiB of memory; ${options.memoryBytes} bytes are too few.`)
  }
  const monitor = createIdleMonitor()
  const costs = options.costs ?? PC_COSTS
  const vcpus = options.vcpus ?? 1
  const apic = options.apic ?? vcpus > 1
  const mmu = makeMmu(options.mmu ?? 'direct')
  const vm = {
    memoryBytes,
    vcpus,
    apic,
    ...(options.serialSink === undefined ? {} : { serialSink: options.serialSink }),
    ...(options.cpuid === undefined ? {} : { cpuid: options.cpuid }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(mmu === undefined ? {} : { mmu }),
  }
  const host = new Host({ costs, monitor, quantum: vcpus > 1 ? SHARED_QUANTUM : costs.hz, vms: [vm] })
  if (apic) {
    const { signature, features } = options.cpuid ?? DEFAULT_CPU_MODEL
    writeMpTable(host.vms[0]!.memory, { processors: vcpus, signature, features })
  }
  const [machineVm] = host.vms
  const chipset = new Chipset(machineVm!, {
    type: options.type ?? 'isapc',
    disks: options.disks ?? [],
    cycleHz: costs.hz,
    ...(options.firmwareFiles === undefined ? {} : { firmwareFiles: options.firmwareFiles }),
  })
  return { host, vm: machineVm!, chipset, monitor, options }
}

/**
 * Loads a kernel and points the vcpu at it: a raw 64 KiB ROM starts at the reset vector in real mode, a Linux bzImage
 * and a multiboot kernel in flat protected mode.
 * @throws LinuxError or MultibootError for anything else, or when it does not fit
 */
export function bootKernel({ vm }: Pick<Machine, 'vm'>, kernel: KernelImage): void {
  const { registers } = vm.processors[0]!.vcpu
  if (kernel.bytes.length === ROM_SIZE_BYTES) {
    bootRom({ vm }, kernel)
    return
  }
  if (isLinuxKernel(kernel.bytes)) {
    const [initrd] = kernel.modules
    const { entry, esi, gdt } = loadLinux(kernel.bytes, vm.memory, {
      kernelName: kernel.name,
      commandLine: kernel.commandLine,
      ...(initrd === undefined ? {} : { initrd }),
    })
    enterFlat(registers, entry, LINUX_CODE_SELECTOR, LINUX_DATA_SELECTOR)
    registers.gdtr = gdt
    registers.esi = esi
    return
  }
  const { entry, eax, ebx } = loadMultiboot(kernel.bytes, vm.memory, {
    commandLine: kernel.commandLine,
    modules: kernel.modules,
    bootLoaderName: 'trapframe',
    kernelName: kernel.name,
  })
  enterFlat(registers, entry, KERNEL_CODE_SELECTOR, KERNEL_DATA_SELECTOR)
  registers.eax = eax
  registers.ebx = ebx
}

/**
 * Loads a BIOS, or another ROM, and points the vcpu at the reset vector in real mode.
 * @throws RomError when it is no ROM
 */
export function bootRom({ vm }: Pick<Machine, 'vm'>, rom: Pick<KernelImage, 'name' | 'bytes'>): void {
  loadRom(rom.bytes, vm.memory, rom.name)
  enterRealMode(vm.processors[0]!.vcpu.registers)
}

function enterRealMode(registers: Registers): void {
  registers.setSegment(CS, { ...resetEntryState.cs, attributes: REAL_CODE })
  for (const segment of DATA_SEGMENTS) registers.setSegment(segment, { ...resetEntryState.data, attributes: REAL_DATA })
  registers.cr0 = resetEntryState.cr0
  registers.eflags = resetEntryState.eflags
  registers.eip = resetEntryState.eip
}

/** Protected mode without paging; every segment is 4 GiB from 0. */
function enterFlat(registers: Registers, entry: number, codeSelector: number, dataSelector: number): void {
  const flat = { base: 0, limit: FLAT_LIMIT }
  registers.cr0 = registers.cr0 | CR0_PE
  registers.setSegment(CS, { ...flat, selector: codeSelector, attributes: FLAT_CODE })
  for (const segment of DATA_SEGMENTS) {
    registers.setSegment(segment, { ...flat, selector: dataSelector, attributes: FLAT_DATA })
  }
  registers.eflags = EFLAGS_RESERVED
  registers.eip = entry
}

/** A serial port's back end over named pipes of this computer, by the reference's own back end. */
export function createFifoLine(frontend: CharFrontend, place: Pick<FifoLineOptions, 'path' | 'peer'>): FifoLine {
  return new FifoLine(frontend, { ...place, files: realFiles(), create: createFifoBackend })
}

/** The service that shares pages among the VMs of a host, by the reference's own. */
export function createSharingService(host: SharingOperations): SharingService {
  return createSharing(host)
}
