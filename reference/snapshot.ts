/**
 * A whole machine in one file, and back: a line that names the format and its version, two lengths, then processors and
 * devices as compressed JSON, and memory, compressed too. What a disk's file holds stays there; what stands over it is saved.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import type { CpuModel } from './cpu/cpuid.ts'
import { OverlayDisk } from './io/block-device.ts'
import type { Machine, MachineOptions } from './machine.ts'
import { FRAME_BYTES } from './mmu/layout.ts'
import type { HostState } from './sched/host.ts'
import type { MachineType } from './vm/chipset.ts'
import type { VmState } from './vm/vm.ts'

const FORMAT = 'trapframe snapshot '
const VERSION = 2
const TITLE = `${FORMAT}${VERSION}\n`
const LENGTHS_BYTES = 8
/** Memory is mostly zeros and code: more effort gains little. */
const EFFORT = { level: 1 }

/** Not a snapshot that can be restored: one sentence for the person who named the file. */
export class SnapshotError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SnapshotError'
  }
}

interface SnapshotHeader {
  readonly memoryBytes: number
  readonly vcpus: number
  readonly apic: boolean
  readonly cpuid: CpuModel | null
  readonly type: MachineType
  /** The sizes of the disks in sectors, and the sectors that stand over each one, in base64. */
  readonly disks: readonly { readonly sectors: number; readonly written: readonly (readonly [number, string])[] }[]
  readonly firmwareFiles: Readonly<Record<string, string>> | null
  readonly host: HostState
  readonly vm: VmState
  readonly chipset: Readonly<Record<string, unknown>>
}

/** What a file held. */
export interface Snapshot {
  readonly header: SnapshotHeader
  readonly memory: Uint8Array
}

/** The machine as it is now, between two instructions. It goes on as if nothing had been. */
export function saveMachine(machine: Machine): Uint8Array {
  const { host, vm, chipset, options } = machine
  const { memory } = vm
  const header: SnapshotHeader = {
    memoryBytes: memory.sizeBytes,
    vcpus: vm.processors.length,
    apic: vm.processors[0]!.lapic !== undefined,
    cpuid: options.cpuid ?? null,
    type: options.type ?? 'isapc',
    disks: (options.disks ?? []).map((disk) => ({
      sectors: disk.sectors,
      written: disk instanceof OverlayDisk ? [...disk.written()].map(([lba, bytes]) => [lba, base64(bytes)]) : [],
    })),
    firmwareFiles:
      options.firmwareFiles === undefined
        ? null
        : Object.fromEntries(Object.entries(options.firmwareFiles).map(([name, bytes]) => [name, base64(bytes)])),
    host: host.save(),
    vm: vm.save(),
    chipset: chipset.save(),
  }
  const contents = new Uint8Array(memory.sizeBytes)
  for (let gfn = 0; gfn < memory.sizeBytes / FRAME_BYTES; gfn++) {
    const at = chipset.a20.frameOf(gfn) * FRAME_BYTES
    contents.set(memory.machine.bytes.subarray(at, at + FRAME_BYTES), gfn * FRAME_BYTES)
  }
  const parts = [gzipSync(JSON.stringify(header), EFFORT), gzipSync(contents, EFFORT)]
  const lengths = Buffer.alloc(LENGTHS_BYTES)
  for (const [i, part] of parts.entries()) lengths.writeUInt32LE(part.length, 4 * i)
  return Buffer.concat([Buffer.from(TITLE), lengths, ...parts])
}

/** @throws SnapshotError when it is none, of another version, or cut short */
export function readSnapshot(file: Uint8Array, name: string): Snapshot {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.subarray(0, FORMAT.length).toString('latin1') !== FORMAT) {
    throw new SnapshotError(`"${name}" is no snapshot of a machine.`)
  }
  const title = bytes.subarray(0, TITLE.length).toString('latin1')
  if (title !== TITLE && !TITLE.startsWith(title)) {
    const version = /^\d*/.exec(bytes.subarray(FORMAT.length, FORMAT.length + 8).toString('latin1'))?.[0]
    throw new SnapshotError(`"${name}" is a snapshot of version ${version}; version ${VERSION} can be restored.`)
  }
  const start = TITLE.length + LENGTHS_BYTES
  const headerBytes = bytes.length < start ? 0 : bytes.readUInt32LE(TITLE.length)
  const memoryBytes = bytes.length < start ? 0 : bytes.readUInt32LE(TITLE.length + 4)
  const end = start + headerBytes + memoryBytes
  if (bytes.length < end || headerBytes === 0) {
    throw new SnapshotError(`"${name}" is cut short: it has ${bytes.length} bytes of ${Math.max(end, start)}.`)
  }
  try {
    const header = JSON.parse(gunzipSync(bytes.subarray(start, start + headerBytes)).toString('utf8')) as SnapshotHeader
    return { header, memory: gunzipSync(bytes.subarray(start + headerBytes, end)) }
  } catch {
    throw new SnapshotError(`"${name}" is damaged: its contents cannot be unpacked.`)
  }
}

/** What a machine must be made with to take the snapshot, besides its disks and its serial port. */
export function optionsOf({ header }: Snapshot): MachineOptions {
  const { memoryBytes, vcpus, apic, type, cpuid, firmwareFiles } = header
  const files = Object.entries(firmwareFiles ?? {}).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const)
  return {
    memoryBytes,
    vcpus,
    apic,
    type,
    ...(cpuid === null ? {} : { cpuid }),
    ...(firmwareFiles === null ? {} : { firmwareFiles: Object.fromEntries(files) }),
  }
}

/**
 * Puts a machine that was made with {@link optionsOf} where the saved one was; it then goes on as that one would have.
 * @throws SnapshotError when the disks are others
 */
export function restoreMachine(machine: Machine, { header, memory }: Snapshot): void {
  const disks = machine.options.disks ?? []
  const sizes = (all: readonly { readonly sectors: number }[]) =>
    all.length === 0 ? 'no disk' : `disks of ${all.map(({ sectors }) => sectors).join(', ')} sectors`
  if (sizes(disks) !== sizes(header.disks)) {
    throw new SnapshotError(`The saved machine has ${sizes(header.disks)}; this one has ${sizes(disks)}.`)
  }
  for (const [i, { written }] of header.disks.entries()) {
    const disk = disks[i]!
    if (disk instanceof OverlayDisk) {
      disk.replaceWritten(new Map(written.map(([lba, text]) => [lba, Buffer.from(text, 'base64')])))
    } else if (written.length > 0) {
      throw new SnapshotError(
        'The saved machine had written to a snapshot of its disk; give the disk as FILE,snapshot.',
      )
    }
  }
  machine.vm.memory.writeBytes(0, memory)
  machine.chipset.restore(header.chipset)
  machine.vm.restore(header.vm)
  machine.host.restore(header.host)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
