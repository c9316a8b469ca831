/** The laws of large working sets: what is counted there, beside bounds that follow from the guest alone. */
import * as fc from 'fast-check'
import { type Law, law, Violation } from '../../../grader/contract/law.ts'
import type { ShadowMmu } from '../../../reference/index.ts'
import { requireRules } from './judge.ts'
import { ALL_RULES } from './laws.ts'
import { type Machine, TRACE_LINES } from './machine.ts'
import { A, D, W } from './oracle.ts'
import type { Variant } from './variant.ts'
import { MAX_PROCESSES, WorkingSet } from './working-set.ts'

/** How large a guest is. */
export interface Sizes {
  readonly processes: number
  readonly pages: number
  /** Switches, forks or rounds. */
  readonly rounds: number
}

type SizesLaw = Law<Sizes, ShadowMmu, Variant>
type Check = SizesLaw['check']

const RUNS = { public: 4, hidden: 8 }
const PHASES = 3
/** Kernel pages from here on are no table's. */
const FIRST_FREE = 25

function sizesLaw(
  id: string,
  sentence: string,
  limits: Readonly<Record<keyof Sizes, readonly [number, number]>>,
  check: Check,
): SizesLaw {
  const [processes, pages, rounds] = (['processes', 'pages', 'rounds'] as const).map((name) =>
    fc.integer({ min: limits[name][0], max: limits[name][1] }),
  )
  return law<Sizes, ShadowMmu, Variant>({
    id,
    sentence,
    cases: () => fc.record({ processes: processes!, pages: pages!, rounds: rounds! }),
    runs: RUNS,
    check,
    describe: ({ processes, pages, rounds }) => [`${processes} processes with ${pages} pages each, ${rounds} rounds`],
  })
}

/** So many processes have all their shadow pages at once: a directory and a table each, and the kernel's table. */
function fitting({ maxShadowPages }: Variant, processes: number): number {
  return Math.max(1, Math.min(processes, Math.floor((maxShadowPages - 1) / 2)))
}

function requireRight(machine: Machine): void {
  machine.inspect()
  requireRules(machine, ALL_RULES)
}

function requireAtMost(machine: Machine, what: string, value: number, bound: number): void {
  if (value <= bound) return
  throw new Violation({ what, expected: `at most ${bound}`, actual: `${value}` }, machine.log.slice(-TRACE_LINES))
}

const switches = sizesLaw(
  'switches',
  'A process that runs again finds its shadow as it left it: each page faults once, however often CR3 is loaded.',
  { processes: [2, 4], pages: [8, 40], rounds: [4, 12] },
  ({ processes, pages, rounds }, context) => {
    const count = fitting(context.variant, processes)
    const guest = new WorkingSet(context, { processes: count, pages, bits: W })
    const { machine } = guest
    let written = 0
    for (let round = 0; round < rounds; round++) {
      for (let process = 0; process < count; process++) {
        const before = machine.tables.written
        guest.load(process)
        if (round > 0) written += machine.tables.written - before
        guest.touchAll(true)
      }
      requireRight(machine)
    }
    context.count('switchFaults', guest.exits)
    context.count('switchPages', count * pages)
    context.count('switchWrites', written)
    context.count('switches', count * rounds)
  },
)

const growth = sizesLaw(
  'growth',
  'When everything that a guest uses is in its shadow, as many switches again cost not one hidden fault.',
  { processes: [2, 3], pages: [8, 24], rounds: [3, 6] },
  ({ processes, pages, rounds }, context) => {
    const count = fitting(context.variant, processes)
    const guest = new WorkingSet(context, { processes: count, pages, bits: W })
    const run = () => {
      for (let round = 0; round < rounds; round++) {
        for (let process = 0; process < count; process++) {
          guest.load(process)
          guest.touchAll(true)
        }
      }
    }
    run()
    const before = guest.exits
    run()
    requireRight(guest.machine)
    requireAtMost(guest.machine, 'hidden faults of as many switches again', guest.exits - before, 0)
  },
)

const forks = sizesLaw(
  'forks',
  'A table that the kernel rewrites from end to end costs a few exits until it flushes, not one for each entry.',
  { processes: [2, 2], pages: [16, 48], rounds: [2, 4] },
  ({ pages, rounds }, context) => {
    const guest = new WorkingSet(context, { processes: 2, pages, bits: W })
    guest.touchAll(true)
    let exits = 0
    for (let round = 0; round < rounds; round++) {
      for (const on of [true, false]) {
        const before = guest.exits
        guest.protectAll(0, on)
        exits += guest.exits - before
        guest.load(round % 2)
        guest.load(0)
        guest.touchAll(!on)
        requireRight(guest.machine)
      }
    }
    context.count('tableWriteExits', exits)
    context.count('tableEpochs', 2 * rounds)
  },
)

const sequential = sizesLaw(
  'sequential',
  'A walk through pages that were all used before faults once for each block of neighbours.',
  { processes: [1, 1], pages: [32, 120], rounds: [1, 1] },
  ({ pages }, context) => {
    const guest = new WorkingSet(context, { processes: 1, pages, bits: W | A | D })
    guest.touchAll(true)
    requireRight(guest.machine)
    context.count('sequentialFaults', guest.exits)
    context.count('sequentialBound', Math.ceil(pages / context.variant.prefetch) + 2)
  },
)

const large = sizesLaw(
  'large-working-sets',
  'A page of 4 MiB costs one hidden fault where the machine can map it whole, and else one for each block of neighbours.',
  { processes: [1, 1], pages: [64, 120], rounds: [1, 1] },
  ({ pages }, context) => {
    const guest = new WorkingSet(context, { processes: 1, pages: 1, bits: W })
    guest.mapLarge()
    const before = guest.exits
    for (let page = 0; page < pages; page++) guest.touchLarge(page)
    requireRight(guest.machine)
    const { largeEntries, prefetch } = context.variant
    context.count('largeFaults', guest.exits - before)
    context.count('largeBound', largeEntries ? 2 : Math.ceil(pages / prefetch) + 2)
  },
)

const storms = sizesLaw(
  'storms',
  'Frames that were tables once and are written to as data soon cost no exits any more.',
  { processes: [2, 2], pages: [8, 8], rounds: [48, 120] },
  ({ pages, rounds }, context) => {
    const guest = new WorkingSet(context, { processes: 2, pages, bits: W })
    guest.load(1)
    guest.touchAll(true)
    guest.load(0)
    guest.touchAll(true)
    const before = guest.exits
    guest.reuse(1, rounds)
    requireRight(guest.machine)
    context.count('stormExits', guest.exits - before)
    context.count('storms', 2)
  },
)

const thrash = sizesLaw(
  'thrash',
  'With more processes than shadow pages, those that are used most keep theirs: little more is made anew than by LRU.',
  { processes: [6, MAX_PROCESSES], pages: [4, 4], rounds: [40, 60] },
  ({ processes, pages, rounds }, context) => {
    const guest = new WorkingSet(context, { processes, pages, bits: W })
    const { machine } = guest
    const order = Array.from({ length: rounds }, (_, n) => (n % 2 === 0 ? hotAt(n, rounds) : (n * 7) % processes))
    for (const process of order) {
      guest.load(process)
      guest.touchAll(true)
      guest.touchKernel(1)
    }
    requireRight(machine)
    context.count('shadowPages', machine.tables.allocated)
    context.count('shadowPagesByLru', lruMisses(order, context.variant.maxShadowPages))
  },
)

/** Two processes run most, and others of them as time goes on. */
function hotAt(n: number, rounds: number): number {
  return 2 * Math.floor((PHASES * n) / rounds) + ((n / 2) % 2)
}

/** How often LRU makes a page: each turn uses a process's directory, its table and the kernel's table. */
function lruMisses(order: readonly number[], capacity: number): number {
  const kept: string[] = []
  let misses = 0
  for (const process of order) {
    for (const page of [`directory ${process}`, `table ${process}`, 'kernel']) {
      const at = kept.indexOf(page)
      if (at >= 0) kept.splice(at, 1)
      else misses++
      kept.push(page)
      if (kept.length > capacity) kept.shift()
    }
  }
  return misses
}

const globals = sizesLaw(
  'globals-survive',
  'With CR4.PGE the kernel’s global pages are still in the TLB behind a load of CR3, where the processor has a G bit.',
  { processes: [2, 2], pages: [2, 4], rounds: [3, 6] },
  ({ pages, rounds }, context) => {
    const guest = new WorkingSet(context, { processes: 2, pages, bits: W, globalKernel: true })
    const { machine } = guest
    const touch = () => {
      for (let page = 0; page < 6; page++) guest.touchKernel(FIRST_FREE + page)
    }
    touch()
    for (let round = 0; round < rounds; round++) {
      guest.load((round + 1) % 2)
      const before = machine.counts.misses
      touch()
      const misses = machine.counts.misses - before
      requireRight(machine)
      if (context.variant.globalEntries) {
        requireAtMost(machine, 'walks for global pages behind a load of CR3', misses, 0)
      }
    }
  },
)

/** What is counted, and what the counts mean: the second part of the lab. */
export const largeLaws = [switches, growth, forks, sequential, large, storms, thrash, globals] as const
