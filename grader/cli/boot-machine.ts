/** What `trapframe run` makes a machine of: its kernel or BIOS, its disks, its kind; and what can be wrong with them. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { guests } from '../../guests/index.ts'
import { LinuxError } from '../../reference/boot/linux.ts'
import { MultibootError } from '../../reference/boot/multiboot-image.ts'
import { RomError } from '../../reference/boot/rom.ts'
import { CPU_MODELS } from '../../reference/cpu/cpuid.ts'
import type { EngineKind } from '../../reference/cpu/vcpu.ts'
import { type BlockDevice, OverlayDisk } from '../../reference/io/block-device.ts'
import { FileDisk } from '../../reference/io/file-disk.ts'
import { littleEndian } from '../../reference/io/fw-cfg.ts'
import {
  bootKernel,
  bootRom,
  createMachine,
  type KernelImage,
  type Machine,
  MMU_KINDS,
  type MmuKind,
} from '../../reference/machine.ts'
import { optionsOf, readSnapshot, restoreMachine, SnapshotError } from '../../reference/snapshot.ts'
import type { MachineType } from '../../reference/vm/chipset.ts'
import { WrongUse } from '../failures.ts'
import { errorCode, reasonOf } from '../files.ts'

/** Before the name of one of our own guests, in place of a file. */
export const GUEST_PREFIX = 'guest:'
export const MACHINE_TYPES: readonly MachineType[] = ['isapc', 'pc']
/** `auto` is the faster one. */
export const ENGINES: readonly (EngineKind | 'auto')[] = ['auto', 'wasm', 'interpreter']
const SNAPSHOT_SUFFIX = ',snapshot'
const MOST_DISKS = 4
/** The I/O APIC's number follows theirs, and has four bits (82093AA data sheet, "IOAPICID"). */
const MOST_PROCESSORS = 15
const LARGE_FILE_BYTES = 8 << 20
const COM1_PORT = 0x3f8
const WRONG_INPUT = [LinuxError, MultibootError, RomError, SnapshotError, RangeError]

export interface MachineRequest {
  readonly append: string
  readonly initrd?: string
  readonly bios?: string
  /** A snapshot to go on from, in place of a kernel or a BIOS. */
  readonly restore?: string
  readonly disk: readonly string[]
  readonly machine: string
  readonly cpu: string
  /** `auto`, or an engine by name. */
  readonly engine: string
  /** Unless told, `direct`. */
  readonly mmu?: string
  readonly smp: number
  /** Bytes. */
  readonly mem: number
}

/** Makes the machine that was asked for, as often as it is called; the disks stay the same. */
export type MachineMaker = (serialSink: (byte: number) => boolean) => Machine

/**
 * Reads everything that a request names.
 * @param kernel undefined when a BIOS boots, or a snapshot goes on
 * @throws WrongUse, with one sentence that says what to do, here or when a machine is made
 */
export function machineMaker(kernel: string | undefined, request: MachineRequest): MachineMaker {
  const { bios, restore } = request
  if ([kernel, bios, restore].filter((each) => each !== undefined).length !== 1) {
    throw new WrongUse(
      'Name a kernel, or a BIOS with --bios FILE, or a snapshot with --restore FILE; one of the three.',
    )
  }
  if (request.disk.length > MOST_DISKS) throw new WrongUse(`A machine has at most ${MOST_DISKS} disks.`)
  if (request.smp > MOST_PROCESSORS) throw new WrongUse(`A machine has at most ${MOST_PROCESSORS} processors.`)
  if (restore !== undefined) return snapshotMaker(restore, request)
  const cpuid = CPU_MODELS[request.cpu]
  if (cpuid === undefined) {
    throw new WrongUse(`There is no CPU model "${request.cpu}"; there are ${Object.keys(CPU_MODELS).join(', ')}.`)
  }
  const engine = engineOf(request)
  const mmu = mmuOf(request)
  const type = MACHINE_TYPES.find((each) => each === request.machine)
  if (type === undefined) {
    throw new WrongUse(`There is no machine "${request.machine}"; there are ${MACHINE_TYPES.join(' and ')}.`)
  }
  const image: KernelImage = kernel === undefined ? readImage(bios!, request) : readKernel(kernel, request)
  const disks = request.disk.map(openDisk)
  return (serialSink) =>
    refusing(() => {
      const machine = createMachine({
        memoryBytes: request.mem,
        vcpus: request.smp,
        serialSink,
        cpuid,
        engine,
        mmu,
        type,
        disks,
        ...(bios === undefined ? {} : { firmwareFiles: { 'etc/sercon-port': littleEndian(COM1_PORT, 8) } }),
      })
      if (bios === undefined) bootKernel(machine, image)
      else bootRom(machine, image)
      return machine
    })
}

function engineOf({ engine }: MachineRequest): EngineKind {
  const chosen = ENGINES.find((each) => each === engine)
  if (chosen === undefined) throw new WrongUse(`There is no engine "${engine}"; there are ${ENGINES.join(', ')}.`)
  return chosen === 'auto' ? 'wasm' : chosen
}

function mmuOf({ mmu = 'direct' }: MachineRequest): MmuKind {
  const chosen = MMU_KINDS.find((each) => each === mmu)
  if (chosen === undefined) throw new WrongUse(`There is no MMU "${mmu}"; there are ${MMU_KINDS.join(', ')}.`)
  return chosen
}

/** A machine like the saved one, put where that one was. */
function snapshotMaker(file: string, request: MachineRequest): MachineMaker {
  const snapshot = refusing(() => readSnapshot(readWithProgress(file), basename(file)))
  const disks = request.disk.map(openDisk)
  const engine = engineOf(request)
  const mmu = mmuOf(request)
  return (serialSink) =>
    refusing(() => {
      const machine = createMachine({ ...optionsOf(snapshot), engine, mmu, disks, serialSink })
      restoreMachine(machine, snapshot)
      return machine
    })
}

/** @throws WrongUse for what is wrong with the files and numbers that a user gave */
function refusing<Result>(make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    if (WRONG_INPUT.some((kind) => error instanceof kind)) {
      throw new WrongUse(error instanceof Error ? error.message : String(error))
    }
    throw error
  }
}

/** `FILE`, or `FILE,snapshot`: then nothing is written to the file. */
function openDisk(text: string): BlockDevice {
  const isSnapshot = text.endsWith(SNAPSHOT_SUFFIX)
  const path = isSnapshot ? text.slice(0, -SNAPSHOT_SUFFIX.length) : text
  try {
    statSync(path)
    if (!isSnapshot) accessSync(path, constants.W_OK)
  } catch (error) {
    const code = errorCode(error)
    const isReadOnly = code === 'EACCES' || code === 'EROFS'
    if (isReadOnly && !isSnapshot) {
      throw new WrongUse(`The disk ${path} is read-only; ${path}${SNAPSHOT_SUFFIX} keeps what is written in memory.`)
    }
    throw new WrongUse(`Cannot open the disk ${path}: ${reasonOf(error)}.`)
  }
  try {
    const disk = new FileDisk(path, !isSnapshot)
    return isSnapshot ? new OverlayDisk(disk) : disk
  } catch (error) {
    if (error instanceof RangeError) throw new WrongUse(error.message)
    throw new WrongUse(`Cannot open the disk ${path}: ${reasonOf(error)}.`)
  }
}

function readKernel(kernel: string, request: MachineRequest): KernelImage {
  if (!kernel.startsWith(GUEST_PREFIX)) return readImage(kernel, request)
  const name = kernel.slice(GUEST_PREFIX.length)
  const guest = guests[name]
  if (guest === undefined) {
    throw new WrongUse(`There is no guest "${name}"; there are ${Object.keys(guests).join(', ')}.`)
  }
  return { name, bytes: guest().image, commandLine: request.append, modules: readModules(request) }
}

function readImage(file: string, request: MachineRequest): KernelImage {
  return {
    name: basename(file),
    bytes: readWithProgress(file),
    commandLine: request.append,
    modules: readModules(request),
  }
}

function readModules({ initrd }: MachineRequest): KernelImage['modules'] {
  return initrd === undefined ? [] : [{ name: basename(initrd), bytes: readWithProgress(initrd) }]
}

function readWithProgress(file: string): Uint8Array {
  let sizeBytes: number
  try {
    sizeBytes = statSync(file).size
  } catch (error) {
    throw new WrongUse(`Cannot read ${file}: ${reasonOf(error)}.`)
  }
  if (sizeBytes >= LARGE_FILE_BYTES && process.stderr.isTTY) {
    process.stderr.write(`loading ${basename(file)}, ${(sizeBytes / (1 << 20)).toFixed(1)} MiB …\n`)
  }
  try {
    return readFileSync(file)
  } catch (error) {
    throw new WrongUse(`Cannot read ${file}: ${reasonOf(error)}.`)
  }
}
