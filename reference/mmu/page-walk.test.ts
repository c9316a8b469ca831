import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GuestMemory } from './guest-memory.ts'
import { MachineMemory } from './machine-memory.ts'
import { newWalk, type PagingMode, walkPageTables } from './page-walk.ts'

const MEMORY_BYTES = 0x8000
const DIRECTORY = 0x1000
const TABLE = 0x2000
const PAGE = 0x5000
const GVA = 0x0040_3abc
const PDE_AT = DIRECTORY + 4 * (GVA >>> 22)
const PTE_AT = TABLE + 4 * ((GVA >>> 12) & 0x3ff)

const P = 1
const W = 2
const U = 4
const A = 0x20
const D = 0x40
const PS = 0x80
const G = 0x100

function modeWith(options: Partial<PagingMode>): PagingMode {
  return {
    paging: true,
    cr3: DIRECTORY,
    writeProtect: false,
    pageSizeExtensions: false,
    globalPages: false,
    ...options,
  }
}

function tables(pde: number, pte: number): GuestMemory {
  const memory = new GuestMemory(new MachineMemory({ frames: MEMORY_BYTES / 4096, vcpus: 1 }), MEMORY_BYTES)
  memory.writeUint32(PDE_AT, pde)
  memory.writeUint32(PTE_AT, pte)
  return memory
}

/** All 2^n choices of `bits`. */
function subsets(bits: readonly number[]): number[] {
  const all = [0]
  for (const bit of bits) for (const one of [...all]) all.push(one | bit)
  return all
}

/** The rule of SDM vol. 3A §4.6 and §4.7, written anew: the error code, or −1. */
function expected(pde: number, pte: number, write: boolean, user: boolean, wp: boolean): number {
  const code = (write ? 2 : 0) + (user ? 4 : 0)
  if ((pde & P) === 0 || (pte & P) === 0) return code
  const userPage = (pde & U) !== 0 && (pte & U) !== 0
  const writablePage = (pde & W) !== 0 && (pte & W) !== 0
  if (user && !userPage) return code + 1
  if (write && !writablePage && (user || wp)) return code + 1
  return -1
}

describe('a walk of two levels', () => {
  test('all present, writable, user, accessed and dirty bits, for each access and CR0.WP', () => {
    const memory = tables(0, 0)
    const walk = newWalk()
    let checked = 0
    for (const pdeBits of subsets([P, W, U, A])) {
      for (const pteBits of subsets([P, W, U, A, D])) {
        for (const kind of subsets([1, 2, 4])) {
          const [write, user, wp] = [(kind & 1) !== 0, (kind & 2) !== 0, (kind & 4) !== 0]
          const pde = TABLE | pdeBits
          const pte = PAGE | pteBits
          memory.writeUint32(PDE_AT, pde)
          memory.writeUint32(PTE_AT, pte)
          const result = walkPageTables(memory, GVA, write, user, modeWith({ writeProtect: wp }), walk)
          const wanted = expected(pde, pte, write, user, wp)
          const after = [memory.readUint32(PDE_AT), memory.readUint32(PTE_AT)]
          expect([result, ...after]).toEqual(
            wanted === -1 ? [-1, pde | A, pte | A | (write ? D : 0)] : [wanted, pde, pte],
          )
          if (wanted === -1) {
            const mayWrite = expected(pde, pte, true, user, wp) === -1
            expect(walk.gpa).toBe(PAGE)
            expect(walk.writable).toBe(mayWrite && (after[1]! & D) !== 0)
          }
          checked++
        }
      }
    }
    expect(checked).toBe(16 * 32 * 8)
  })

  test('entries read: one when the directory entry ends the walk, otherwise two', () => {
    const walk = newWalk()
    walkPageTables(tables(0, 0), GVA, false, false, modeWith({}), walk)
    expect(walk.reads).toBe(1)
    walkPageTables(tables(TABLE | P, 0), GVA, false, false, modeWith({}), walk)
    expect(walk.reads).toBe(2)
  })

  test('a table outside memory reads as not present', () => {
    const walk = newWalk()
    expect(walkPageTables(tables(0x7fff_f000 | P | W | U, 0), GVA, true, true, modeWith({}), walk)).toBe(6)
  })

  test('global pages count only with CR4.PGE', () => {
    const walk = newWalk()
    const memory = tables(TABLE | P, PAGE | P | G)
    walkPageTables(memory, GVA, false, false, modeWith({}), walk)
    expect(walk.global).toBe(false)
    walkPageTables(memory, GVA, false, false, modeWith({ globalPages: true }), walk)
    expect(walk.global).toBe(true)
  })
})

describe('a 4 MiB page', () => {
  test('gives the address of the 4 KiB part, and has its dirty bit in the directory', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1023 }), fc.boolean(), (frame, write) => {
        const memory = tables(((frame << 22) | PS | P | W) >>> 0, 0)
        const walk = newWalk()
        expect(walkPageTables(memory, GVA, write, false, modeWith({ pageSizeExtensions: true }), walk)).toBe(-1)
        expect(walk.gpa >>> 0).toBe(((frame << 22) | (GVA & 0x3f_f000)) >>> 0)
        expect(walk.large).toBe(true)
        expect(memory.readUint32(PDE_AT) & (A | D)).toBe(write ? A | D : A)
      }),
      { seed: 4, numRuns: 50 },
    )
  })

  test('without CR4.PSE the bit means nothing', () => {
    const walk = newWalk()
    expect(walkPageTables(tables(TABLE | PS | P, PAGE | P), GVA, false, false, modeWith({}), walk)).toBe(-1)
    expect(walk.gpa).toBe(PAGE)
  })

  test('a reserved bit is an error of its own, whatever the rights are', () => {
    const walk = newWalk()
    const mode = modeWith({ pageSizeExtensions: true })
    expect(walkPageTables(tables(0x1000 | PS | P, 0), GVA, true, true, mode, walk)).toBe(1 | 2 | 4 | 8)
    expect(walkPageTables(tables(TABLE | P, PAGE | P | PS), GVA, false, false, mode, walk)).toBe(1 | 8)
  })
})
