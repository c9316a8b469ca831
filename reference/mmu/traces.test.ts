import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BareMachine } from '../cpu/bare-machine.ts'
import { FRAME_BYTES, FRAME_SHIFT } from './layout.ts'

const CODE = 0x1000
const DATA = 0x5000
const DIRECTORY = 0x8000

/** A machine that runs `code` at 1000h with ESI = 4000h and EDI = the data page, and all stores to that page as they are told. */
function traced(code: readonly number[], paging = false) {
  const machine = new BareMachine()
  const told: [number, number][] = []
  const pfn = machine.memory.pfnOf(DATA / FRAME_BYTES)
  machine.machine.addTracer((offset, length) => told.push([offset - (pfn << FRAME_SHIFT), length]))
  machine.load(CODE, [...code, 0xf4])
  if (paging) machine.page(DIRECTORY, 3)
  const { registers } = machine.vcpu
  registers.edi = DATA
  registers.esi = 0x4000
  registers.esp = DATA + 0x800
  return { machine, told, pfn }
}

describe('a traced frame', () => {
  test.each([
    ['MOV [EDI], EAX', [0x89, 0x07], [[0, 4]]],
    [
      'MOV [EDI], EAX; MOV [EDI], AX; MOV [EDI], AL',
      [0x89, 0x07, 0x66, 0x89, 0x07, 0x88, 0x07],
      [
        [0, 4],
        [0, 2],
        [0, 1],
      ],
    ],
    ['PUSH EAX', [0x50], [[0x7fc, 4]]],
    ['LOCK INC dword [EDI]', [0xf0, 0xff, 0x07], [[0, 4]]],
    ['XCHG [EDI], EAX', [0x87, 0x07], [[0, 4]]],
    [
      'MOV ECX, 3; REP MOVSD',
      [0xb9, 3, 0, 0, 0, 0xf3, 0xa5],
      [
        [0, 4],
        [4, 4],
        [8, 4],
      ],
    ],
    [
      'MOV ECX, 2; REP STOSD',
      [0xb9, 2, 0, 0, 0, 0xf3, 0xab],
      [
        [0, 4],
        [4, 4],
      ],
    ],
  ] as const)('tells of each store of %s, behind it', (_, code, wanted) => {
    for (const paging of [false, true]) {
      const { machine, told, pfn } = traced(code, paging)
      machine.machine.trace(pfn, true)
      machine.vcpu.run(100)
      expect(told).toEqual(wanted)
    }
  })

  test('tells of stores by devices and loaders, in order and with their lengths', () => {
    const { machine, told, pfn } = traced([])
    machine.machine.trace(pfn, true)
    machine.memory.writeBytes(DATA - 4, new Uint8Array(8))
    machine.memory.writeUint8(DATA + 9, 1)
    expect(told).toEqual([
      [0, 4],
      [9, 1],
    ])
  })

  test('is traced even when the TLB let stores through before, and no longer once everybody has let it go', () => {
    const store = [0x89, 0x07]
    const { machine, told, pfn } = traced([...store, ...store, ...store, ...store], true)
    machine.vcpu.run(1)
    machine.machine.trace(pfn, true)
    machine.machine.trace(pfn, true)
    machine.vcpu.run(1)
    machine.machine.trace(pfn, false)
    machine.vcpu.run(1)
    machine.machine.trace(pfn, false)
    machine.vcpu.run(1)
    expect(told).toHaveLength(2)
  })

  test('tells of accessed and dirty bits that the processor sets in it', () => {
    const { machine, told } = traced([0x89, 0x07], true)
    const tablePfn = machine.memory.pfnOf(DIRECTORY / FRAME_BYTES + 1)
    machine.machine.trace(tablePfn, true)
    machine.vcpu.run(100)
    const base = (tablePfn - machine.memory.pfnOf(DATA / FRAME_BYTES)) << FRAME_SHIFT
    expect(told).toContainEqual([base + (DATA / FRAME_BYTES) * 4, 4])
  })

  test('nobody hears of stores elsewhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff - 4 }), (gpa) => {
        const { machine, told, pfn } = traced([])
        machine.machine.trace(pfn, true)
        machine.memory.writeUint32(gpa, 7)
        const inside = [0, 1, 2, 3].filter((i) => (gpa + i) >>> FRAME_SHIFT === DATA / FRAME_BYTES).length
        expect(told).toHaveLength(inside)
      }),
      { seed: 3, numRuns: 100 },
    )
  })
})
