import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TLB_PAGE, TLB_READ, TLB_WRITE } from './layout.ts'
import { MachineMemory } from './machine-memory.ts'
import { newTranslation, type Translation } from './policy.ts'
import { Tlb } from './tlb.ts'

function translation(parts: Partial<Translation>): Translation {
  return { ...newTranslation(), writable: true, pfn: 20, gpa: 0x5000, ...parts }
}

function setUp() {
  const machine = new MachineMemory({ frames: 64, vcpus: 1 })
  const tlb = new Tlb(machine, 0)
  const has = (gva: number, half = 0) => tlb.words[tlb.index(half, gva) + TLB_PAGE] === (gva & -4096)
  const put = (gva: number, parts: Partial<Translation> = {}, half = 0) =>
    tlb.fill(tlb.index(half, gva), gva, translation(parts))
  return { machine, tlb, has, put, user: tlb.halfWords }
}

const page = fc.nat({ max: 0xf_ffff }).map((n) => n << 12)

describe('the TLB', () => {
  test('an invalidated page is gone from both halves, and pages of other entries stay', () => {
    fc.assert(
      fc.property(page, page, (one, other) => {
        fc.pre(((one ^ other) & 0xf_f000) !== 0)
        const { tlb, has, put, user } = setUp()
        for (const half of [0, user]) {
          put(one, {}, half)
          put(other, {}, half)
        }
        tlb.invalidate(one | 0x123)
        expect([has(one), has(one, user), has(other), has(other, user)]).toEqual([false, false, true, true])
      }),
      { seed: 1, numRuns: 50 },
    )
  })

  test('invalidating one address of a 4 MiB page removes every part of it', () => {
    const { tlb, has, put } = setUp()
    put(0x0040_1000, { large: true })
    put(0x0040_2000, { large: true })
    put(0x0080_3000, { large: true })
    tlb.invalidate(0x0041_0000)
    expect([has(0x0040_1000), has(0x0040_2000), has(0x0080_3000)]).toEqual([false, false, true])
  })

  test('a local flush keeps global pages, a full one keeps none', () => {
    const { tlb, has, put } = setUp()
    put(0x1000, { global: true })
    put(0x2000)
    tlb.flushLocal()
    expect([has(0x1000), has(0x2000)]).toEqual([true, false])
    tlb.flush()
    expect(has(0x1000)).toBe(false)
  })

  test('whatever was filled, invalidated and flushed before, a flush leaves the global pages that are there, or nothing', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('fill' as const), page: fc.nat({ max: 40 }), global: fc.boolean() }),
      fc.record({ kind: fc.constant('invalidate' as const), page: fc.nat({ max: 40 }), global: fc.constant(false) }),
      fc.record({ kind: fc.constant('flushLocal' as const), page: fc.constant(0), global: fc.constant(false) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
        const { tlb, has, put } = setUp()
        const model = new Map<number, boolean>()
        for (const { kind, page: n, global } of steps) {
          if (kind === 'fill') {
            put(n << 12, { global })
            model.set(n, global)
          } else if (kind === 'invalidate') {
            tlb.invalidate(n << 12)
            model.delete(n)
          } else {
            tlb.flushLocal()
            for (const [key, isGlobal] of model) if (!isGlobal) model.delete(key)
          }
        }
        for (let n = 0; n <= 40; n++) expect(has(n << 12)).toBe(model.has(n))
        tlb.flush()
        expect(tlb.save()).toEqual([])
      }),
      { seed: 3, numRuns: 30 },
    )
  })

  test('a write tag stands only for a dirty writable page without decoded code', () => {
    const { machine, tlb, put } = setUp()
    const writeTag = (gva: number) => tlb.words[tlb.index(0, gva) + TLB_WRITE]
    put(0x1000, { writable: false })
    put(0x2000, { pfn: 21 })
    expect([writeTag(0x1000), writeTag(0x2000)]).toEqual([-1, 0x2000])
    machine.codeFrameAt(21 << 12)
    tlb.protectFrame(21 << 12)
    put(0x3000, { pfn: 21 })
    expect([writeTag(0x2000), writeTag(0x3000)]).toEqual([-1, -1])
  })

  test('a page without memory has no tags', () => {
    const { tlb, has, put } = setUp()
    put(0x1000, { pfn: -1 })
    expect(has(0x1000)).toBe(true)
    expect(tlb.words[tlb.index(0, 0x1000) + TLB_READ]).toBe(-1)
  })

  test('what was saved comes back, at the frames of the memory it is restored to', () => {
    const { tlb, put, user } = setUp()
    put(0x1000, { gpa: 0x5000, pfn: 20, global: true })
    put(0x2000, { gpa: 0xf000_0000, pfn: -1 })
    put(0x3000, { gpa: 0x6000, pfn: 21, writable: false }, user)
    const before = [...tlb.words]
    const saved = tlb.save()
    tlb.flush()
    tlb.restore(saved, (gfn) => gfn + 15)
    expect([...tlb.words]).toEqual(before)
  })
})
