/**
 * How fast the interpreter runs: millions of guest instructions a second, for a few loops (see `bench/README.md`).
 *
 * Wall-clock time is measured here and nowhere else. Run: `npm run build && node dist/bench/interpreter.js`.
 */
import { Vcpu } from '../reference/cpu/vcpu.ts'
import { GuestMemory } from '../reference/mmu/guest-memory.ts'
import { MachineMemory } from '../reference/mmu/machine-memory.ts'

const MEMORY_BYTES = 1 << 20
const CODE = 0x1000
const STACK_TOP = 0x9000
const DIRECTORY = 0x8_0000
const TABLE = 0x8_1000
const CYCLES = 40_000_000
const ROUNDS = 3
const INSTRUCTIONS_PER_LOOP = 5

const CR0_FLAT = 0x11
const CR0_FLAT_PAGED = 0x8000_0011
const CODE_SEGMENT = { selector: 0x08, base: 0, limit: 0xffff_ffff, attributes: 0xc09b }
const DATA_SEGMENT = { selector: 0x10, base: 0, limit: 0xffff_ffff, attributes: 0xc093 }

interface Workload {
  readonly name: string
  readonly paging: boolean
  /** Machine code of an endless loop. */
  readonly code: readonly number[]
}

/** add eax,ecx; xor edx,eax; lea ebx,[eax+edx*4+5]; dec ecx; jnz to the first; jmp to the first */
const REGISTER_LOOP = [0x01, 0xc8, 0x31, 0xc2, 0x8d, 0x5c, 0x90, 0x05, 0x49, 0x75, 0xf5, 0xeb, 0xf3]
/** mov eax,[esi+ecx*4]; add eax,edx; mov [edi+ecx*4],eax; add ecx,1; and ecx,0x3ff; jmp to the first */
const MEMORY_LOOP = [
  0x8b, 0x04, 0x8e, 0x01, 0xd0, 0x89, 0x04, 0x8f, 0x83, 0xc1, 0x01, 0x81, 0xe1, 0xff, 0x03, 0x00, 0x00, 0xeb, 0xed,
]
/** call +3; jmp to the first; nop; push ebp; mov ebp,esp; add eax,1; pop ebp; ret */
const CALL_LOOP = [0xe8, 0x03, 0x00, 0x00, 0x00, 0xeb, 0xf9, 0x90, 0x55, 0x89, 0xe5, 0x83, 0xc0, 0x01, 0x5d, 0xc3]
/** mov esi,0x20000; mov edi,0x30000; mov ecx,0x1000; rep movsd; jmp to the first */
const COPY_LOOP = [
  0xbe, 0x00, 0x00, 0x02, 0x00, 0xbf, 0x00, 0x00, 0x03, 0x00, 0xb9, 0x00, 0x10, 0x00, 0x00, 0xf3, 0xa5, 0xeb, 0xed,
]

const WORKLOADS: readonly Workload[] = [
  { name: 'register loop', paging: false, code: REGISTER_LOOP },
  { name: 'register loop, paging on', paging: true, code: REGISTER_LOOP },
  { name: 'memory loop', paging: false, code: MEMORY_LOOP },
  { name: 'memory loop, paging on', paging: true, code: MEMORY_LOOP },
  { name: 'call and return, paging on', paging: true, code: CALL_LOOP },
  { name: 'REP MOVSD, paging on (elements)', paging: true, code: COPY_LOOP },
]

function prepare({ paging, code }: Workload): Vcpu {
  const machine = new MachineMemory({ frames: MEMORY_BYTES / 4096, vcpus: 1 })
  const memory = new GuestMemory(machine, MEMORY_BYTES)
  memory.writeBytes(CODE, Uint8Array.from(code))
  memory.writeUint32(DIRECTORY, TABLE | 3)
  for (let page = 0; page < MEMORY_BYTES; page += 4096) memory.writeUint32(TABLE + page / 1024, page | 3)
  const vcpu = new Vcpu({ index: 0, machine, memory })
  const { registers } = vcpu
  registers.cr3 = DIRECTORY
  registers.cr0 = paging ? CR0_FLAT_PAGED : CR0_FLAT
  registers.setSegment(1, CODE_SEGMENT)
  for (const data of [0, 2, 3, 4, 5]) registers.setSegment(data, DATA_SEGMENT)
  registers.eip = CODE
  registers.esp = STACK_TOP
  registers.esi = 0x2_0000
  registers.edi = 0x3_0000
  return vcpu
}

/** Millions of instructions (or repetitions) a second: the best of some rounds. */
function measure(workload: Workload): number {
  const vcpu = prepare(workload)
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    vcpu.run(CYCLES)
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    best = Math.max(best, CYCLES / seconds / 1e6)
  }
  return best
}

/** The register loop written in JavaScript, as millions of its instructions a second: the yardstick of the same run. */
function measureYardstick(): number {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    let [eax, ecx, edx, ebx] = [0, 0, 0, 0]
    const start = process.hrtime.bigint()
    for (let i = 0; i < CYCLES; i++) {
      eax = (eax + ecx) | 0
      edx ^= eax
      ebx = (eax + edx * 4 + 5) | 0
      ecx = (ecx - 1) | 0
    }
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    if (Number.isFinite(ebx)) best = Math.max(best, (CYCLES * INSTRUCTIONS_PER_LOOP) / seconds / 1e6)
  }
  return best
}

function microsecondsPerMachine(): number {
  const count = 500
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) {
    const machine = new MachineMemory({ frames: 16, vcpus: 1 })
    new Vcpu({ index: 0, machine, memory: new GuestMemory(machine, 16 * 4096) })
  }
  return Number(process.hrtime.bigint() - start) / 1e3 / count
}

const yardstick = measureYardstick()
process.stdout.write(`${'the register loop in JavaScript'.padEnd(34)} ${yardstick.toFixed(0).padStart(5)} million/s\n`)
for (const workload of WORKLOADS) {
  const rate = measure(workload)
  const ratio = `1 : ${(yardstick / rate).toFixed(1)}`
  process.stdout.write(`${workload.name.padEnd(34)} ${rate.toFixed(0).padStart(5)} million/s  ${ratio}\n`)
}
process.stdout.write(
  `${'a machine of 64 KiB is made in'.padEnd(34)} ${microsecondsPerMachine().toFixed(0).padStart(5)} µs\n`,
)
