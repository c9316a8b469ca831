import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guests } from '../../guests/index.ts'
import { BareMachine } from '../cpu/bare-machine.ts'
import { bootKernel, createMachine, MMU_KINDS, type MmuKind, makeMmu } from '../machine.ts'
import { type MmuCounters, newMmuCounters } from './mmu-counters.ts'

const KINDS = MMU_KINDS.filter((kind) => kind !== 'direct')
const CODE = 0x1000
const SLOT = 16
const HANDLER = 0x6000
const DIRECTORY = 0x8000
const TABLE = 0x9000
const OTHER_DIRECTORY = 0xa000
const OTHER_TABLE = 0xb000
/** The handler's log of CR2 and error codes; its first word counts bytes. */
const LOG = 0x7000
const PAGES = [0x3000, 0x4000, 0x5000, 0x40_0000, 0x40_1000, 0x40_2000, 0x40_9000]
const CR0 = 0x8000_0011
const CR0_WP = 0x1_0000

const le = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255]
const store = (at: number, value: number) => [0xc7, 0x05, ...le(at), ...le(value)]
const load = (at: number) => [0xa1, ...le(at)]
const modify = (at: number) => [0x81, 0x05, ...le(at), ...le(0x11)]
const invlpg = (at: number) => [0x0f, 0x01, 0x3d, ...le(at)]
const setCr3 = (value: number) => [0xb8, ...le(value), 0x0f, 0x22, 0xd8]
const setCr0 = (value: number) => [0xb8, ...le(value), 0x0f, 0x22, 0xc0]

const bits = fc.constantFrom(0, 0, 1, 1, 3, 3, 7, 0x21, 0x63, 0x103)
const frame = fc.constantFrom(0x3000, 0x4000, 0x5000, 0xb000, 0x9000, 0x40_0000)
const page = fc.constantFrom(...PAGES)
const flushed = (at: number) => fc.constantFrom(invlpg(at), setCr3(DIRECTORY), setCr3(OTHER_DIRECTORY))

/** One thing that a guest does, as instructions; a write to a table is followed by a flush, as the manual wants it. */
const deed: fc.Arbitrary<number[][]> = fc.oneof(
  { weight: 3, arbitrary: page.map((at) => [load(at + 8)]) },
  { weight: 3, arbitrary: fc.tuple(page, fc.nat(9)).map(([at, n]) => [store(at + 4 * n, 0x1234_0000 + n)]) },
  { weight: 1, arbitrary: page.map((at) => [modify(at + 0xffe)]) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(3, 4, 5), frame, bits)
      .chain(([n, at, more]) => flushed(n * 4096).map((flush) => [store(TABLE + 4 * n, at | more), flush])),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 1, 2, 9), frame, bits)
      .chain(([n, at, more]) =>
        flushed(0x40_0000 + n * 4096).map((flush) => [store(OTHER_TABLE + 4 * n, at | more), flush]),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(TABLE, OTHER_TABLE, DIRECTORY, 0), bits, fc.constantFrom(DIRECTORY, OTHER_DIRECTORY))
      .map(([at, more, directory]) => [store(directory + 4, at | more), setCr3(directory)]),
  },
  { weight: 1, arbitrary: fc.boolean().map((on) => [setCr0(CR0 | (on ? CR0_WP : 0))]) },
)

/** Runs the deeds under an MMU; the page-fault handler logs, and goes on with the next slot. */
function run(kind: MmuKind, deeds: readonly (readonly number[][])[]) {
  const counters: MmuCounters = newMmuCounters()
  const make = makeMmu(kind)
  const machine = new BareMachine(make === undefined ? {} : { mmu: (memory) => make(memory, counters) })
  const slots = deeds.flat()
  const code = slots.flatMap((bytes) => [...bytes, ...new Array<number>(SLOT - bytes.length).fill(0x90)])
  machine.load(CODE, [...code, 0xf4])
  machine.memory.writeBytes(
    HANDLER,
    Uint8Array.from([
      0x50,
      0x53,
      0x8b,
      0x1d,
      ...le(LOG), // push eax, ebx; mov ebx, [LOG]
      0x0f,
      0x20,
      0xd0,
      0x89,
      0x83,
      ...le(LOG + 4), // mov eax, cr2; mov [ebx+LOG+4], eax
      0x8b,
      0x44,
      0x24,
      0x08,
      0x89,
      0x83,
      ...le(LOG + 8), // mov eax, [esp+8]; mov [ebx+LOG+8], eax
      0x83,
      0x05,
      ...le(LOG),
      0x08, // add dword [LOG], 8
      0x83,
      0x64,
      0x24,
      0x0c,
      0xf0,
      0x83,
      0x44,
      0x24,
      0x0c,
      0x10, // and [esp+12], -16; add [esp+12], 16
      0x5b,
      0x58,
      0x83,
      0xc4,
      0x04,
      0xcf, // pop ebx, eax; add esp, 4; iret
    ]),
  )
  machine.gate(14, HANDLER)
  machine.vcpu.registers.esp = 0x2ff0
  for (let gpa = 0; gpa < 0x1_0000; gpa += 4096) machine.memory.writeUint32(OTHER_TABLE + gpa / 1024, gpa | 3)
  machine.memory.writeUint32(OTHER_DIRECTORY, TABLE | 3)
  machine.memory.writeUint32(OTHER_DIRECTORY + 4, OTHER_TABLE | 3)
  machine.memory.writeUint32(DIRECTORY + 4, OTHER_TABLE | 7)
  machine.page(DIRECTORY, 3)
  const exit = machine.vcpu.run(5000)
  const { retired, guestFaults } = machine.vcpu.counters
  return {
    counters,
    seen: {
      exit,
      registers: machine.vcpu.save().registers.slice(0, 16),
      memory: Buffer.from(machine.memory.readBytes(0, 0x1_0000)).toString('latin1'),
      cycles: machine.vcpu.cycles,
      retired,
      guestFaults,
    },
  }
}

describe('a guest sees the same, whichever MMU policy the machine has:', () => {
  test('registers, memory with accessed and dirty bits, faults and time of programs that change their page tables', () => {
    let faults = 0
    const did = newMmuCounters()
    fc.assert(
      fc.property(fc.array(deed, { minLength: 1, maxLength: 40 }), (deeds) => {
        const { seen } = run('direct', deeds)
        faults += seen.guestFaults[14]!
        for (const kind of KINDS) {
          const other = run(kind, deeds)
          expect(other.seen).toEqual(seen)
          for (const name of Object.keys(did) as (keyof MmuCounters)[]) did[name] += other.counters[name]
        }
      }),
      { seed: 12, numRuns: 60 },
    )
    expect(faults).toBeGreaterThan(5)
    for (const count of [did.hiddenFaults, did.trueFaults, did.tracedStores, did.flushes, did.walkReferences]) {
      expect(count).toBeGreaterThan(5)
    }
  })

  test.each(Object.keys(guests))('the guest %s', (name) => {
    const boot = (mmu: MmuKind) => {
      const printed: number[] = []
      const machine = createMachine({ memoryBytes: 2 << 20, mmu, serialSink: (byte) => printed.push(byte) > 0 })
      bootKernel(machine, { name, bytes: guests[name]!().image, commandLine: '', modules: [] })
      machine.host.runUntil(200_000)
      const { cycles, counters } = machine.vm.processors[0]!.vcpu
      return { printed, cycles, retired: counters.retired, status: machine.vm.exitStatus }
    }
    const direct = boot('direct')
    for (const kind of KINDS) expect(boot(kind)).toEqual(direct)
  })
})
