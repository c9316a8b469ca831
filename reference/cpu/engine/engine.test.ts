import { describe, expect, test } from 'vitest'
import { BareMachine } from '../bare-machine.ts'

const CODE = 0x1000
const MOST_REGIONS = 1000
const FUNCTION = 0x2000

/** mov ecx,COUNT; call FUNCTION; dec ecx; jnz the call; inc ebx; mov [FUNCTION+1],ebx; jmp to the first */
const PATCHING_LOOP = [
  0xb9, 200, 0, 0, 0, 0xe8, 0xf6, 0x0f, 0, 0, 0x49, 0x75, 0xf8, 0x43, 0x89, 0x1d, 1, 0x20, 0, 0, 0xeb, 0xea,
]
/** mov eax,imm32; add edx,eax; ret */
const PATCHED = [0xb8, 0, 0, 0, 0, 0x01, 0xc2, 0xc3]

function machine(engine: 'wasm' | 'interpreter', hot = 20): BareMachine {
  const m = new BareMachine({ engine, hot })
  m.vcpu.registers.esp = 0x6000
  return m
}

describe('translated code', () => {
  test('takes over what runs often, and is counted', () => {
    const m = machine('wasm').load(CODE, [0x40, 0x01, 0xc3, 0x4a, 0xeb, 0xfa])
    m.vcpu.run(10_000)
    const { regions, instructions, retired, callouts, failed } = m.vcpu.engineStatistics!
    expect({ regions, instructions, callouts, failed }).toEqual({ regions: 1, instructions: 4, callouts: 0, failed: 0 })
    expect(retired).toBeGreaterThan(9_800)
    expect(m.vcpu.counters.retired).toBe(10_000)
  })

  test('is not there when the interpreter was asked for', () => {
    expect(machine('interpreter').vcpu.engineStatistics).toBe(undefined)
  })

  test('of a patched immediate is made once: the immediate is read when the code runs', () => {
    const runs = (['wasm', 'interpreter'] as const).map((engine) => {
      const m = machine(engine).load(FUNCTION, PATCHED).load(CODE, PATCHING_LOOP)
      m.vcpu.run(200_000)
      return m
    })
    const [translated, interpreted] = runs.map(({ vcpu }) => [
      vcpu.registers.edx,
      vcpu.registers.ebx,
      vcpu.registers.eip,
    ])
    expect(translated).toEqual(interpreted)
    expect(runs[0]!.vcpu.engineStatistics!.regions).toBeLessThan(12)
    expect(runs[1]!.vcpu.counters.decodedInstructions).toBeLessThan(100)
  })

  test('is dropped when it is written to, by whomever', () => {
    const m = machine('wasm').load(CODE, [0x40, 0xeb, 0xfd])
    m.vcpu.run(10_000)
    const before = m.vcpu.registers.eax
    m.memory.writeUint8(CODE, 0x48)
    m.vcpu.run(10_000)
    expect(m.vcpu.registers.eax).toBe(before - 5000)
    expect(m.vcpu.engineStatistics!.invalidated).toBe(1)
  })

  test('stays bounded for a guest that makes code for ever', () => {
    // Copies a loop of its own to ever other places of its memory, and runs it there.
    const loop = [0xb9, 60, 0, 0, 0, 0x40, 0x49, 0x75, 0xfc, 0xc3]
    const m = machine('wasm', 5)
    m.load(0x3000, loop)
    m.load(CODE, [
      ...[0xbf, 0x00, 0x80, 0, 0],
      ...[0xbe, 0x00, 0x30, 0, 0, 0x57, 0xb9, loop.length, 0, 0, 0, 0xf3, 0xa4, 0x58, 0x83, 0xc7, 6, 0xff, 0xd0],
      ...[0x81, 0xff, 0x00, 0xb0, 0, 0, 0x72, 0xe3, 0xeb, 0xdc],
    ])
    for (let i = 0; i < 20; i++) m.vcpu.run(20_000)
    const { regions, invalidated } = m.vcpu.engineStatistics!
    expect(regions).toBeGreaterThan(100)
    expect(regions - invalidated).toBeLessThan(MOST_REGIONS)
  })
})
