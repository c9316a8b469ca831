import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Vcpu, type VcpuOptions } from '../cpu/vcpu.ts'
import { A20Gate } from '../vm/a20.ts'
import { FrameCounts } from './frame-counts.ts'
import { GuestMemory } from './guest-memory.ts'
import { FRAME_BYTES } from './layout.ts'
import { MachineMemory } from './machine-memory.ts'
import { newWalk, walkPageTables } from './page-walk.ts'

const PAGES = 6
const VMS = 3
/** MOV [EDI], AL in a 16-bit segment, at the start of page 0. */
const STORE = [0x67, 0x88, 0x07]
/** MOV AL, [EDI], behind it. */
const LOAD = [0x67, 0x8a, 0x07]
/** INC byte [EDI]; DEC ECX; JNZ to the start; HLT, in a 32-bit segment. */
const LOOP = [0xfe, 0x07, 0x49, 0x75, 0xfb, 0xf4]
const ROUNDS = 5000
const CODE = { selector: 0, base: 0, limit: 0xffff, attributes: 0x009b }
const DATA = { selector: 0, base: 0, limit: 0xffff, attributes: 0x0093 }
const PRESENT = 1
const ACCESSED = 0x20

interface Guest {
  readonly memory: GuestMemory
  readonly vcpu: Vcpu
  model: Uint8Array | undefined
}

function host(spareFrames = PAGES, options: Partial<VcpuOptions> = {}): { machine: MachineMemory; guests: Guest[] } {
  const machine = new MachineMemory({ frames: VMS * PAGES + spareFrames, vcpus: VMS })
  const guests = Array.from({ length: VMS }, (_, index) => {
    const memory = new GuestMemory(machine, PAGES * FRAME_BYTES)
    memory.writeBytes(0, Uint8Array.from([...STORE, ...LOAD]))
    const vcpu = new Vcpu({ index, machine, memory, ...options })
    vcpu.registers.setSegment(1, CODE)
    vcpu.registers.setSegment(3, DATA)
    return { memory, vcpu, model: memory.readBytes(0, PAGES * FRAME_BYTES) }
  })
  return { machine, guests }
}

/** The ways that a byte gets into a guest's memory. */
const WRITERS: Readonly<Record<string, (guest: Guest, gpa: number, value: number) => void>> = {
  'a processor': ({ vcpu }, gpa, value) => {
    vcpu.registers.eip = STORE.length
    vcpu.registers.edi = gpa
    vcpu.run(1)
    vcpu.registers.eip = 0
    vcpu.registers.eax = value
    vcpu.run(1)
  },
  'a device': ({ memory }, gpa, value) => memory.writeBytes(gpa, Uint8Array.of(value)),
  'the hypervisor': ({ memory }, gpa, value) => memory.writeUint8(gpa, value),
}

function sameBytes(guest: Guest, gfn: number, other: Guest, otherGfn: number): boolean {
  const page = (each: Guest, n: number) => each.model!.subarray(n * FRAME_BYTES, (n + 1) * FRAME_BYTES)
  return Buffer.compare(page(guest, gfn), page(other, otherGfn)) === 0
}

const vm = fc.nat(VMS - 1)
const gfn = fc.nat(PAGES - 1)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      vm,
      by: fc.constantFrom(...Object.keys(WRITERS)),
      gpa: fc.integer({ min: FRAME_BYTES, max: PAGES * FRAME_BYTES - 1 }),
      value: fc.nat(1),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('share' as const), vm, gfn, other: vm, otherGfn: gfn }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), vm }) },
)

describe('copy-on-write', () => {
  test('whatever is shared and whoever writes, every VM reads what it wrote; frames are conserved, and nothing leaks', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const { machine, guests } = host()
        const frames = machine.freeFrames + VMS * PAGES
        for (const each of steps) {
          const guest = guests[each.vm]!
          if (guest.model === undefined) continue
          if (each.do === 'write') {
            WRITERS[each.by]!(guest, each.gpa, each.value)
            guest.model[each.gpa] = each.value
          } else if (each.do === 'end') {
            guest.memory.release()
            guest.model = undefined
          } else {
            const other = guests[each.other]!
            if (other.model === undefined || !sameBytes(guest, each.gfn, other, each.otherGfn)) continue
            const pfn = other.memory.pfnOf(each.otherGfn)
            other.memory.share(each.otherGfn, pfn)
            guest.memory.share(each.gfn, pfn)
          }
          const mappings = new Map<number, number>()
          for (const { memory, model } of guests) {
            if (model === undefined) continue
            expect(Buffer.compare(memory.readBytes(0, model.length), model)).toBe(0)
            for (let n = 0; n < PAGES; n++) mappings.set(memory.pfnOf(n), (mappings.get(memory.pfnOf(n)) ?? 0) + 1)
          }
          for (const [pfn, count] of mappings) expect(machine.references(pfn)).toBe(count)
          expect(machine.freeFrames).toBe(frames - mappings.size)
        }
        for (const { memory, model } of guests) if (model !== undefined) memory.release()
        expect(machine.freeFrames).toBe(frames)
      }),
      { seed: 5, numRuns: 60 },
    )
  })

  test('the last sharer keeps the frame without a copy; any other needs a free one', () => {
    const { machine, guests } = host(0)
    const [one, two] = guests as [Guest, Guest]
    const pfn = one.memory.pfnOf(2)
    one.memory.share(2, pfn)
    two.memory.share(2, pfn)
    const last = machine.allocateFrame()
    expect(() => one.memory.writeUint8(0x2000, 1)).toThrow(/no free frame/)
    expect(one.memory.pfnOf(2)).toBe(pfn)
    machine.freeFrame(last)
    one.memory.writeUint8(0x2000, 1)
    expect(machine.freeFrames).toBe(0)
    two.memory.writeUint8(0x2000, 2)
    expect(two.memory.pfnOf(2)).toBe(pfn)
  })

  test('a page walk that sets an accessed bit in a shared table sets it for its own VM only', () => {
    const { guests } = host()
    const [one, two] = guests as [Guest, Guest]
    for (const { memory } of [one, two]) {
      memory.writeUint32(0x1000, 0x2000 | PRESENT)
      memory.writeUint32(0x2000, 0x3000 | PRESENT)
    }
    for (const n of [1, 2]) {
      const pfn = one.memory.pfnOf(n)
      one.memory.share(n, pfn)
      two.memory.share(n, pfn)
    }
    const mode = { paging: true, cr3: 0x1000, writeProtect: false, pageSizeExtensions: false, globalPages: false }
    walkPageTables(one.memory, 0, false, false, mode, newWalk())
    expect([one, two].flatMap(({ memory }) => [memory.readUint32(0x1000), memory.readUint32(0x2000)])).toEqual([
      0x2000 | PRESENT | ACCESSED,
      0x3000 | PRESENT | ACCESSED,
      0x2000 | PRESENT,
      0x3000 | PRESENT,
    ])
  })

  test('a table that maps itself keeps both of its bits when it is shared', () => {
    const { guests } = host()
    const [one, two] = guests as [Guest, Guest]
    for (const { memory } of [one, two]) memory.writeUint32(0x1000, 0x1000 | PRESENT | 2)
    const pfn = one.memory.pfnOf(1)
    one.memory.share(1, pfn)
    two.memory.share(1, pfn)
    const mode = { paging: true, cr3: 0x1000, writeProtect: false, pageSizeExtensions: false, globalPages: false }
    walkPageTables(one.memory, 0, true, false, mode, newWalk())
    expect([one.memory.readUint32(0x1000), two.memory.readUint32(0x1000)]).toEqual([0x1063, 0x1003])
  })

  test('a page that was written through the TLB is seen once it is shared', () => {
    const { guests } = host()
    const [one, two] = guests as [Guest, Guest]
    WRITERS['a processor']!(one, 0x2000, 0)
    const pfn = one.memory.pfnOf(2)
    one.memory.share(2, pfn)
    two.memory.share(2, pfn)
    WRITERS['a processor']!(one, 0x2000, 9)
    expect([one.memory.readUint8(0x2000), two.memory.readUint8(0x2000)]).toEqual([9, 0])
  })

  test('code in a shared frame is decoded anew for the VM that a device writes it for, and for no other', () => {
    const { guests } = host()
    const [one, two] = guests as [Guest, Guest]
    const pfn = one.memory.pfnOf(0)
    one.memory.share(0, pfn)
    two.memory.share(0, pfn)
    for (const guest of [one, two]) WRITERS['a processor']!(guest, 0x3000, 5)
    one.memory.writeBytes(0, Uint8Array.of(0x67, 0x88, 0x27))
    for (const guest of [one, two]) WRITERS['a processor']!(guest, 0x3000, 0x0607)
    expect([one.memory.readUint8(0x3000), two.memory.readUint8(0x3000)]).toEqual([6, 7])
  })

  test.each(['interpreter', 'wasm'] as const)(
    'a loop of stores sees its page shared in between, by the %s',
    (engine) => {
      const { machine, guests } = host(PAGES, { engine, hot: 2 })
      const frames = machine.freeFrames
      for (const { memory, vcpu } of guests) {
        memory.writeBytes(0, Uint8Array.from(LOOP))
        vcpu.registers.setSegment(1, { ...CODE, attributes: 0x409b })
        vcpu.registers.setSegment(3, { ...DATA, attributes: 0x4093 })
        vcpu.registers.ecx = ROUNDS
        vcpu.registers.edi = 0x2000
        vcpu.registers.eip = 0
      }
      for (const cycles of [1000, 301, 2, 5000]) {
        for (const { vcpu } of guests) vcpu.run(cycles)
        for (const n of [0, 2]) {
          const pfn = guests[0]!.memory.pfnOf(n)
          for (const { memory } of guests) memory.share(n, pfn)
        }
        expect(machine.freeFrames).toBe(frames + 2 * (VMS - 1))
      }
      for (const [index, { memory, vcpu }] of guests.entries()) {
        memory.writeUint8(0x2000, memory.readUint8(0x2000) + index)
        expect(vcpu.run(100 * ROUNDS).reason).toBe('hlt')
      }
      expect(guests.map(({ memory }) => memory.readUint8(0x2000))).toEqual([0, 1, 2].map((n) => (ROUNDS + n) & 0xff))
    },
  )

  test('a hypervisor that breaks copy-on-write itself is asked once for each fault, and must make the page writable', () => {
    const { machine, guests } = host()
    const { memory } = guests[0]!
    memory.share(1, memory.pfnOf(1))
    const faults: number[] = []
    memory.onWriteFault = (n) => {
      faults.push(n)
      memory.map(n, memory.pfnOf(n))
    }
    memory.writeUint32(0x1ffe, 0xffff_ffff)
    expect(faults).toEqual([1])
    memory.share(1, memory.pfnOf(1))
    memory.onWriteFault = () => {}
    expect(() => memory.writeUint8(0x1000, 1)).toThrow(/read-only still/)
    expect(machine.references(memory.pfnOf(1))).toBe(1)
  })
})

describe('a pinned page', () => {
  test('has a frame of its own and is not shared', () => {
    const { guests } = host()
    const [one, two] = guests as [Guest, Guest]
    const pfn = two.memory.pfnOf(1)
    two.memory.share(1, pfn)
    one.memory.share(1, pfn)
    one.memory.pin(1, true)
    expect(one.memory.pfnOf(1)).not.toBe(pfn)
    expect(() => one.memory.share(1, pfn)).toThrow(/pinned/)
    one.memory.pin(1, false)
    one.memory.share(1, pfn)
    expect(one.memory.pfnOf(1)).toBe(pfn)
  })

  test('is what the A20 gate makes of both megabytes while it is closed', () => {
    const memory = new GuestMemory(new MachineMemory({ frames: 513, vcpus: 0 }), 0x20_0000)
    memory.share(0, memory.pfnOf(0))
    const gate = new A20Gate(memory, [true])
    gate.vote(0, false)
    memory.writeUint8(0x10_0000, 3)
    expect([memory.readUint8(0), memory.isPinned(0), memory.isPinned(256)]).toEqual([3, true, true])
    gate.vote(0, true)
    expect([memory.readUint8(0x10_0000), memory.isPinned(0)]).toEqual([0, false])
  })
})

test('counts beyond sixteen bits overflow into a table and come back', () => {
  const counts = new FrameCounts(4)
  const many = 65_540
  for (let n = 0; n < many; n++) counts.add(2)
  expect(counts.of(2)).toBe(many)
  for (let n = many - 1; n >= 0; n--) expect(counts.remove(2)).toBe(n)
  expect(() => counts.remove(2)).toThrow(/Frame 2 is not allocated/)
  expect(counts.of(3)).toBe(0)
})
