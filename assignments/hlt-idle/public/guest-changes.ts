/** What a guest changed between two looks at it: registers, flags and memory, for a replay. */
import type { Host } from '../../../reference/index.ts'

const REGISTERS = ['eax', 'ebx', 'ecx', 'edx', 'esp', 'ebp', 'esi', 'edi', 'eip'] as const
const FLAGS = { CF: 0, PF: 2, AF: 4, ZF: 6, SF: 7, TF: 8, IF: 9, DF: 10, OF: 11 } as const
/** More bytes than these are counted, not shown. */
const MAX_BYTES = 6

interface Look {
  readonly registers: readonly number[]
  readonly eflags: number
}

/** Remembers how each vcpu and each VM's memory looked. */
export class GuestChanges {
  readonly #host: Host
  readonly #looks = new Map<number, Look>()
  readonly #memories: Uint8Array[]

  constructor(host: Host) {
    this.#host = host
    this.#memories = host.vms.map(({ memory }) => memory.readBytes(0, memory.sizeBytes))
    for (let vcpu = 0; vcpu < host.vcpuCount; vcpu++) this.#looks.set(vcpu, this.#look(vcpu))
  }

  /** What changed since the last look: the registers and flags of one vcpu, and the memory of all VMs. */
  since(vcpu: number): string[] {
    const before = this.#looks.get(vcpu)!
    const now = this.#look(vcpu)
    this.#looks.set(vcpu, now)
    const registers = REGISTERS.flatMap((name, i) =>
      now.registers[i] === before.registers[i]
        ? []
        : [`${name.toUpperCase()} ${hex(before.registers[i]!)} → ${hex(now.registers[i]!)}`],
    )
    const flags = Object.entries(FLAGS).flatMap(([name, bit]) => {
      const [old, value] = [(before.eflags >> bit) & 1, (now.eflags >> bit) & 1]
      return old === value ? [] : [`${name} ${old} → ${value}`]
    })
    return [...registers, ...flags, ...this.#memories.flatMap((_, vm) => this.#memoryChanges(vm))]
  }

  #look(vcpu: number): Look {
    const { registers } = this.#host.processor(vcpu).vcpu
    return { registers: REGISTERS.map((name) => registers[name] >>> 0), eflags: registers.eflags }
  }

  #memoryChanges(vm: number): string[] {
    const { memory } = this.#host.vms[vm]!
    const now = memory.readBytes(0, memory.sizeBytes)
    const before = this.#memories[vm]!
    this.#memories[vm] = now
    const changed: string[] = []
    let more = 0
    for (let gpa = 0; gpa < now.length; gpa++) {
      if (now[gpa] === before[gpa]) continue
      if (changed.length < MAX_BYTES) changed.push(`[${hex(gpa)}] ${hex(before[gpa]!)} → ${hex(now[gpa]!)}`)
      else more++
    }
    return more === 0 ? changed : [...changed, `${more} more bytes`]
  }
}

function hex(value: number): string {
  return `${value.toString(16)}h`
}
