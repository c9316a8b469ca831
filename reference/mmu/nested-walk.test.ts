import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type GuestTables, NestedTables, walkTwoDimensions } from './nested-walk.ts'

const BITS = 4

/** Guest frame g is host frame 1000 − g; table frames are 10, 20, 30, … from the first level on, and every entry leads to the next. */
function space(guestLevels: number, hostLevels: number, largeAt = 0) {
  const nested = new NestedTables(hostLevels, BITS)
  const top = 2 ** (BITS * hostLevels)
  for (let gfn = 0; gfn < Math.min(256, top); gfn++) nested.map(gfn, 1000 - gfn)
  const guest: GuestTables = {
    levels: guestLevels,
    root: 1,
    entry: (_, level, index) => ({
      gfn: level === 1 || level === largeAt ? 7 : 1 + (index % 3),
      large: level === largeAt,
    }),
  }
  return { guest, nested }
}

describe('a walk of n guest levels over m host levels', () => {
  test('reads nm + n + m entries', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.nat(15), (n, m, index) => {
        const { guest, nested } = space(n, m)
        const { result, references } = walkTwoDimensions(guest, nested, new Array(n).fill(index))
        expect(result).toEqual({ kind: 'frame', pfn: 993 })
        expect(references).toHaveLength(n * m + n + m)
        expect(references.filter((reference) => reference.space === 'guest')).toHaveLength(n)
      }),
      { seed: 1, numRuns: 100 },
    )
  })

  test.each([
    [2, 2, 8],
    [2, 3, 11],
    [2, 4, 14],
    [3, 3, 15],
    [3, 4, 19],
    [4, 3, 19],
    [4, 4, 24],
    [5, 5, 35],
  ])('(%i, %i): %i', (n, m, count) => {
    const { guest, nested } = space(n, m)
    expect(walkTwoDimensions(guest, nested, new Array(n).fill(0)).references).toHaveLength(count)
  })

  test('reads a table of the guest behind all levels of the host', () => {
    const { guest, nested } = space(2, 2)
    const { references } = walkTwoDimensions(guest, nested, [3, 5])
    expect(references.map(({ space, level }) => `${space} ${level}`)).toEqual([
      'host 2',
      'host 1',
      'guest 2',
      'host 2',
      'host 1',
      'guest 1',
      'host 2',
      'host 1',
    ])
  })

  test('a large page of the guest ends it a level early: (2, 2) is 5', () => {
    const { guest, nested } = space(2, 2, 2)
    const { result, references } = walkTwoDimensions(guest, nested, [0, 0], 9)
    expect(references).toHaveLength(5)
    expect(result).toEqual({ kind: 'frame', pfn: 1000 - 16 })
  })

  test('a large page of the host saves a reference for each walk of its tables', () => {
    const { guest, nested } = space(2, 2)
    nested.map(0, 500, 2)
    const { result, references } = walkTwoDimensions(guest, nested, [0, 0])
    expect(references).toHaveLength(5)
    expect(result).toEqual({ kind: 'frame', pfn: 507 })
  })

  test('tells a violation of a table from one of the page, and both from a fault of the guest', () => {
    const { guest, nested } = space(2, 2)
    const absent: GuestTables = {
      ...guest,
      entry: (pfn, level, index) => (level === 1 ? undefined : guest.entry(pfn, level, index)),
    }
    expect(walkTwoDimensions(absent, nested, [0, 0]).result).toEqual({ kind: 'guestFault', level: 1 })
    const far: GuestTables = { ...guest, entry: (_, level) => ({ gfn: level === 1 ? 255 : 2 }) }
    nested.clear()
    nested.map(1, 900)
    nested.map(2, 800)
    expect(walkTwoDimensions(far, nested, [0, 0]).result).toEqual({
      kind: 'violation',
      gfn: 255,
      duringGuestWalk: false,
    })
    expect(walkTwoDimensions({ ...far, root: 3 }, nested, [0, 0]).result).toEqual({
      kind: 'violation',
      gfn: 3,
      duringGuestWalk: true,
    })
  })
})
