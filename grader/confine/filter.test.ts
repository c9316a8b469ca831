import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FilterArchitecture, type FilterOptions, filterBytes, filterProgram, hasFilter } from './filter.ts'
import { ALLOW, type Instruction, KILL_PROCESS, refuse } from './filter-program.ts'
import { ALLOWED_CALLS, DROPPING_CALLS, WRITING_CALLS } from './system-calls.ts'

const RUNS = { seed: 3, numRuns: 500 }
const AUDIT = { x64: 0xc000_003e, arm64: 0xc000_00b7 }
const EPERM = refuse(1)
const ENOSYS = refuse(38)

const architectures = fc.constantFrom<FilterArchitecture>('x64', 'arm64')
const options: fc.Arbitrary<FilterOptions> = fc.record({
  architecture: architectures,
  mayWrite: fc.boolean(),
  dropsRoot: fc.boolean(),
})

/** Runs a program over one call, as the kernel does. */
function decide(program: readonly Instruction[], audit: number, number: number, args: readonly number[] = []): number {
  const record = new Map<number, number>([
    [0, number],
    [4, audit],
    ...args.map((value, index): [number, number] => [16 + 8 * index, value]),
  ])
  let loaded = 0
  for (let at = 0; ; at++) {
    const { code, whenTrue, whenFalse, operand } = program[at]!
    if (code === 0x06) return operand
    if (code === 0x20) loaded = record.get(operand) ?? 0
    else {
      const holds =
        code === 0x15 ? loaded === operand : code === 0x35 ? loaded >= operand : (loaded & operand) >>> 0 !== 0
      at += holds ? whenTrue : whenFalse
    }
  }
}

const x64: FilterOptions = { architecture: 'x64', mayWrite: false, dropsRoot: false }

describe('the filter', () => {
  it('answers every call, of every architecture, by some instruction', () => {
    fc.assert(
      fc.property(
        options,
        fc.nat({ max: 0xffff_ffff }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (chosen, number, args) => {
          const answer = decide(filterProgram(chosen), AUDIT[chosen.architecture], number, args)
          expect([ALLOW, EPERM, ENOSYS]).toContain(answer)
        },
      ),
      RUNS,
    )
  })

  it('kills whoever calls as another architecture', () => {
    fc.assert(
      fc.property(options, fc.nat(), fc.nat({ max: 500 }), (chosen, audit, number) => {
        expect(decide(filterProgram(chosen), audit, number)).toBe(KILL_PROCESS)
      }),
      RUNS,
    )
  })

  it('allows no call of the x32 ABI', () => {
    for (let number = 0; number < 600; number++) {
      expect(decide(filterProgram(x64), AUDIT.x64, 0x4000_0000 + number)).toBe(EPERM)
    }
  })

  it('allows exactly what the tables name', () => {
    fc.assert(
      fc.property(options, (chosen) => {
        const column = chosen.architecture === 'x64' ? 0 : 1
        const tables = [ALLOWED_CALLS, chosen.mayWrite ? WRITING_CALLS : {}, chosen.dropsRoot ? DROPPING_CALLS : {}]
        const named = new Set(tables.flatMap((table) => Object.values(table).map((call) => call[column])))
        const program = filterProgram(chosen)
        const allowed = Array.from({ length: 1000 }, (_, number) => number).filter(
          (number) => decide(program, AUDIT[chosen.architecture], number) === ALLOW,
        )
        expect(allowed).toEqual([...named].filter((number) => number !== null).sort((a, b) => a - b))
      }),
      { seed: 3, numRuns: 8 },
    )
  })

  it('allows a new thread, and no new process', () => {
    const program = filterProgram(x64)
    const glibcThread = 0x003d_0f00
    const sigchld = 17
    expect(decide(program, AUDIT.x64, 56, [glibcThread])).toBe(ALLOW)
    expect(decide(program, AUDIT.x64, 56, [sigchld])).toBe(EPERM)
    const [fork, vfork, clone3] = [57, 58, 435]
    expect([fork, vfork, clone3].map((call) => decide(program, AUDIT.x64, call))).toEqual([EPERM, EPERM, ENOSYS])
  })

  it('lets nobody type into a terminal', () => {
    const [ioctl, tcgets, tiocsti] = [16, 0x5401, 0x5412]
    expect(decide(filterProgram(x64), AUDIT.x64, ioctl, [0, tcgets])).toBe(ALLOW)
    expect(decide(filterProgram(x64), AUDIT.x64, ioctl, [0, tiocsti])).toBe(EPERM)
  })

  it.each([
    [
      'x64',
      { socket: 41, kill: 62, ptrace: 101, mount: 165, bpf: 321, memfd: 319, keyctl: 250, unshare: 272, io: 425 },
    ],
    [
      'arm64',
      { socket: 198, kill: 129, ptrace: 117, mount: 40, bpf: 280, memfd: 279, keyctl: 219, unshare: 97, io: 425 },
    ],
  ] as const)('refuses what no subject needs on %s', (architecture, calls) => {
    const program = filterProgram({ architecture, mayWrite: true, dropsRoot: true })
    for (const number of Object.values(calls)) {
      expect(decide(program, AUDIT[architecture], number)).not.toBe(ALLOW)
    }
  })

  it('is encoded as the kernel reads it', () => {
    const bytes = filterBytes(x64)
    expect(bytes.length).toBe(filterProgram(x64).length * 8)
    expect([...bytes.subarray(0, 16)]).toEqual([0x20, 0, 0, 0, 4, 0, 0, 0, 0x15, 0, 1, 0, 0x3e, 0, 0, 0xc0])
  })

  it('is there for two architectures', () => {
    expect(['x64', 'arm64', 'ia32', 'toString'].map(hasFilter)).toEqual([true, true, false, false])
  })
})
