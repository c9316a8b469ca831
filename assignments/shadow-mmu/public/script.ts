/** The cases of the lab: how a guest begins, and what it does step by step. Plain data, so that a card can hold them. */
import * as fc from 'fast-check'
import { HOLE_GFN, INNER_TABLE, LARGE_GFN } from './memory.ts'
import { A, D, G, P, PS, U, W } from './oracle.ts'
import type { Variant } from './variant.ts'
import { bitsText, DIRECTORIES, FIRST_DATA, gvaText, KERNEL_TABLE, placeText, TABLES } from './words.ts'

/** The guest's tables that steps write to: directories first. */
export const ALL_TABLES = [...DIRECTORIES, ...TABLES, KERNEL_TABLE]
/** Pages that steps access in each region of 4 MiB. */
export const PAGES = 6

/** What the guest does. Tables are numbered as in {@link ALL_TABLES}, pages by region and page. */
export type Step =
  /** The guest's kernel writes an entry of a table, through its own mapping of low memory. */
  | {
      readonly do: 'entry'
      readonly table: number
      readonly index: number
      readonly gfn: number
      readonly bits: number
    }
  /** A device, or the rest of the hypervisor, writes it, and the same to the entry behind it. */
  | {
      readonly do: 'device'
      readonly table: number
      readonly index: number
      readonly gfn: number
      readonly bits: number
    }
  /** It clears bits of an entry. */
  | { readonly do: 'clear'; readonly table: number; readonly index: number; readonly bits: number }
  | {
      readonly do: 'touch'
      readonly region: number
      readonly page: number
      readonly write: boolean
      readonly user: boolean
    }
  /** A write of two words that lie in two pages: the first word is in the page named. */
  | { readonly do: 'cross'; readonly region: number; readonly page: number; readonly user: boolean }
  | { readonly do: 'invlpg'; readonly region: number; readonly page: number }
  | { readonly do: 'load'; readonly directory: number }
  | { readonly do: 'mode'; readonly wp: boolean; readonly pse: boolean; readonly pge: boolean }
  /** The kernel writes a word of data to a frame, whatever it is. */
  | { readonly do: 'data'; readonly gfn: number }

export type StepName = Step['do']

export interface Script {
  readonly wp: boolean
  readonly pse: boolean
  readonly pge: boolean
  /** Bits of the entries that map a user's pages at the start, beside P and U. */
  readonly bits: number
  /** The kernel's pages are global. */
  readonly global: boolean
  readonly steps: readonly Step[]
}

export interface ScriptShape {
  readonly steps: readonly StepName[]
  readonly maxSteps?: number
  readonly wp?: boolean
  readonly pse?: boolean
  readonly pge?: boolean
  /** What entries of directories lead to; tables unless told. */
  readonly upper?: readonly ('table' | 'directory' | 'large' | 'hole' | 'inner')[]
  /** What entries of tables lead to; data unless told. */
  readonly lower?: readonly ('data' | 'table' | 'directory' | 'hole')[]
  /** Tables that are written to, as numbers in {@link ALL_TABLES}. */
  readonly tables?: readonly number[]
  /** Bits that vary besides P, W and U. */
  readonly bits?: readonly number[]
}

const FRAMES = {
  data: [FIRST_DATA, FIRST_DATA + 1, FIRST_DATA + 2, LARGE_GFN + 1],
  table: TABLES,
  directory: DIRECTORIES,
  large: [0, LARGE_GFN, LARGE_GFN, LARGE_GFN + 1],
  hole: [HOLE_GFN],
  inner: [INNER_TABLE],
} as const
const DEFAULT_TABLES = [0, 1, 3, 3, 3, 4, 5, 6, 6, 7, 8]
/** Some places are visited more often than others, so that what happens to one of them comes together. */
const SOME_REGION = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3)
const SOME_PAGE = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 4, 5)
const DEFAULT_STEPS = 20
const MOSTLY = { weight: 6, more: 1 }

/** Scripts of a shape. */
export function scripts(shape: ScriptShape, _variant: Variant): fc.Arbitrary<Script> {
  const choose = (fixed: boolean | undefined) => (fixed === undefined ? fc.boolean() : fc.constant(fixed))
  const tables = shape.tables ?? DEFAULT_TABLES
  const mostly = (bit: number) =>
    fc.oneof({ weight: MOSTLY.weight, arbitrary: fc.constant(bit) }, { weight: MOSTLY.more, arbitrary: fc.constant(0) })
  const bits = fc
    .tuple(mostly(P), fc.constantFrom(W, W, 0), mostly(U), ...(shape.bits ?? []).map((bit) => fc.constantFrom(0, bit)))
    .map((all) => all.reduce((sum, bit) => sum | bit, 0))
  const target = (table: number) => {
    const kinds = table < DIRECTORIES.length ? (shape.upper ?? ['table']) : (shape.lower ?? ['data'])
    return fc
      .constantFrom(...kinds)
      .chain((kind) =>
        fc.record({ gfn: fc.constantFrom(...FRAMES[kind]), extra: fc.constant(kind === 'large' ? PS : 0) }),
      )
  }
  const entry = (name: 'entry' | 'device') =>
    fc
      .constantFrom(...tables)
      .chain((table) =>
        fc
          .tuple(table < DIRECTORIES.length ? SOME_REGION : SOME_PAGE, target(table), bits)
          .map(([index, { gfn, extra }, some]): Step => ({ do: name, table, index, gfn, bits: some | extra })),
      )
  const place = { region: SOME_REGION, page: SOME_PAGE }
  const makers: Readonly<Record<StepName, fc.Arbitrary<Step>>> = {
    entry: entry('entry'),
    device: entry('device'),
    clear: fc.constantFrom(...tables).chain((table) =>
      fc.record({
        do: fc.constant('clear' as const),
        table: fc.constant(table),
        index: table < DIRECTORIES.length ? SOME_REGION : SOME_PAGE,
        bits: fc.constantFrom(A, D, A | D, W, U, P),
      }),
    ),
    touch: fc.record({ do: fc.constant('touch' as const), ...place, write: fc.boolean(), user: fc.boolean() }),
    cross: fc.record({ do: fc.constant('cross' as const), ...place, user: fc.boolean() }),
    invlpg: fc.record({ do: fc.constant('invlpg' as const), ...place }),
    load: fc.record({ do: fc.constant('load' as const), directory: fc.constantFrom(0, 0, 1, 2) }),
    mode: fc.record({
      do: fc.constant('mode' as const),
      wp: choose(undefined),
      pse: choose(shape.pse),
      pge: choose(shape.pge),
    }),
    data: fc.record({
      do: fc.constant('data' as const),
      gfn: fc.constantFrom(...DIRECTORIES, ...TABLES, FIRST_DATA),
    }),
  }
  return fc.record({
    wp: choose(shape.wp),
    pse: choose(shape.pse),
    pge: choose(shape.pge),
    bits: fc.constantFrom(W, W | A | D, W | A, 0),
    global: fc.boolean(),
    steps: fc.array(
      fc.constantFrom(...shape.steps).chain((name) => makers[name]),
      {
        minLength: 1,
        maxLength: shape.maxSteps ?? DEFAULT_STEPS,
        size: 'max',
      },
    ),
  })
}

/** The address of a page that steps name. */
export function pageAddress(region: number, page: number): number {
  return ((region << 22) | (page << 12)) >>> 0
}

/** Where an entry is that steps name. */
export function entryAddress(table: number, index: number): number {
  return ALL_TABLES[table]! * 4096 + 4 * index
}

/** A step in words. */
export function stepText(step: Step): string {
  switch (step.do) {
    case 'entry':
      return `the kernel writes ${entryText(step.table, step.index)}: ${placeText(step.gfn * 4096)}, ${bitsText(step.bits)}`
    case 'device':
      return `a device writes ${entryText(step.table, step.index)} and the one behind it: ${placeText(step.gfn * 4096)}, ${bitsText(step.bits)}`
    case 'clear':
      return `the kernel clears ${bitsText(step.bits)} in ${entryText(step.table, step.index)}`
    case 'touch':
      return `the ${step.user ? 'user' : 'kernel'} ${step.write ? 'writes' : 'reads'} ${gvaText(pageAddress(step.region, step.page))}`
    case 'cross':
      return `the ${step.user ? 'user' : 'kernel'} writes across the end of the page at ${gvaText(pageAddress(step.region, step.page))}`
    case 'invlpg':
      return `INVLPG ${gvaText(pageAddress(step.region, step.page))}`
    case 'load':
      return `CR3 = directory ${step.directory + 1}`
    case 'mode':
      return `CR0.WP = ${Number(step.wp)}, CR4.PSE = ${Number(step.pse)}, CR4.PGE = ${Number(step.pge)}`
    case 'data':
      return `the kernel writes data to ${placeText(step.gfn * 4096)}`
  }
}

/** A script for a person. */
export function describeScript({ wp, pse, pge, bits, global, steps }: Script): string[] {
  return [
    `a guest with CR0.WP = ${Number(wp)}, CR4.PSE = ${Number(pse)}, CR4.PGE = ${Number(pge)}; CR3 = directory 1`,
    `directory n has table n at region 0 and table 4 at region 1; pages ${bitsText(P | U | bits)}; the kernel’s ${bitsText(global ? P | W | G : P | W)}`,
    ...steps.map((step, index) => `${index + 1}. ${stepText(step)}`),
  ]
}

function entryText(table: number, index: number): string {
  const place = placeText(ALL_TABLES[table]! * 4096)
  return `${place} entry ${index}`
}
