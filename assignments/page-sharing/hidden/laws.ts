/** The numbers of the paper, and adversarial cases that mutants taught us. */
import * as fc from 'fast-check'
import { law, Violation } from '../../../grader/contract/law.ts'
import type { SharingService } from '../../../reference/index.ts'
import { requireEqual, requireRules } from '../public/judge.ts'
import { exampleLaw, type SharingLaw, settle } from '../public/laws.ts'
import { Player } from '../public/run-script.ts'
import type { Meddle, Script, Step, StepName } from '../public/script.ts'
import type { Variant } from '../public/variant.ts'
import { catalogue, identicalVms, type Mix } from './catalogue.ts'

function step(name: StepName, vm: number, gfn: number, value = 1, more: Partial<Step> = {}): Step {
  return { do: name, vm, gfn, at: 0, value, by: 'processor', meddle: [], ...more }
}

function script(vms: readonly (readonly number[])[], steps: readonly Step[], more: Partial<Script> = {}): Script {
  return { hash: 'good', vms, spare: 8, steps, ...more }
}

/** A write before each of the first operations of a call, to pages that change all the time. */
function storm(pages: readonly (readonly [vm: number, gfn: number])[]): Meddle[] {
  return Array.from({ length: 24 }, (_, n) => {
    const [vm, gfn] = pages[n % pages.length]!
    return {
      before: n + 1,
      vm,
      gfn,
      at: n % 3 === 0 ? 0 : 4095,
      value: n % 2,
      by: n % 4 === 3 ? 'device' : 'processor',
    }
  })
}

/** VMs of the paper, and how many of their pages it says that are given back. */
interface PaperVms {
  readonly vms: () => number[][]
  readonly saved: number
  readonly tolerance: number
  /** Of those given back, pages of zeros. */
  readonly zeros: number
}

/** Pages of a tick: a call must not take long, however busy the computer is. */
const SCAN = 64

/** The paper's table of real mixes, in megabytes. */
const MIXES: Readonly<Record<string, Mix>> = {
  'ten Windows NT VMs (mix A)': { vms: 10, total: 2048, shared: 880, reclaimed: 673, zeros: 0 },
  'nine Linux VMs (mix B)': { vms: 9, total: 1846, shared: 539, reclaimed: 345, zeros: 70 },
  'five Linux VMs (mix C)': { vms: 5, total: 1658, shared: 165, reclaimed: 120, zeros: 25 },
}

const PAPER: Readonly<Record<string, PaperVms>> = {
  'ten identical VMs': { vms: () => identicalVms(10), saved: 603, tolerance: 5, zeros: 0 },
  ...Object.fromEntries(
    Object.entries(MIXES).map(([name, mix]) => [
      name,
      { vms: () => catalogue(mix), saved: mix.reclaimed, tolerance: 0, zeros: mix.zeros },
    ]),
  ),
}

/** What the variant's way with zeros adds to the paper's, in which they share a frame like any others. */
function zerosAdd({ zeros }: PaperVms, { zeroPages }: Variant): number {
  if (zeros === 0 || zeroPages === 'ordinary') return 0
  return zeroPages === 'host' ? 1 : -zeros
}

/** A law over VMs that are too many for a log: scanned to the end, and counted. */
function paperLaw(id: string, sentence: string, names: readonly string[]) {
  return law<string, SharingService, Variant>({
    id,
    sentence,
    cases: () => fc.constantFrom(...names),
    runs: { public: 0, hidden: names.length },
    check: (name, context) => {
      const mix = PAPER[name]!
      const player = new Player(script(mix.vms(), [], { spare: 0 }), context, true)
      const { world } = player
      settle(player, SCAN)
      player.checkStats()
      requireRules(world, ['content', 'leak', 'stats'])
      const wanted = mix.saved + zerosAdd(mix, context.variant)
      const saved = world.pagesWithFrames() - world.framesInUse()
      if (Math.abs(saved - wanted) <= mix.tolerance) return
      const what = `frames that ${name} give back, of ${world.pagesWithFrames()}`
      throw new Violation({ what, expected: `${wanted}`, actual: `${saved}` })
    },
    describe: (name) => [`${name}, ${PAPER[name]!.vms().flat().length} pages, scanned until nothing changes`],
  })
}

const paper = paperLaw(
  'identical-vms',
  'Ten VMs that have 67 % of their pages in common give back 60.3 % of their memory, as the mechanism must.',
  ['ten identical VMs'],
)

const mixes = paperLaw(
  'real-mixes',
  'Accounting: pages as often as in the paper’s three real mixes give back as many frames as the paper says.',
  Object.keys(MIXES),
)

const racing = exampleLaw(
  {
    id: 'write-storm',
    sentence:
      'A storm of writes from processors and devices between all your operations changes nothing that is shared.',
    rules: ['content', 'fault', 'leak'],
  },
  script(
    [
      [1, 1, 1, 0, 0],
      [1, 1, 1, 0, 0],
      [1, 1, 0, 0, 1],
    ],
    Array.from({ length: 24 }, (_, n) =>
      step('tick', 0, 0, 3 + (n % 9), {
        meddle: storm([
          [n % 3, n % 5],
          [(n + 1) % 3, (n + 2) % 5],
          [(n + 2) % 3, n % 5],
        ]),
      }),
    ),
    { hash: 'head' },
  ),
)

const numbers = exampleLaw(
  {
    id: 'numbers-again',
    sentence: 'A VM that gets the number of one that has ended is not taken for it, however often that happens.',
    rules: ['content', 'fault', 'leak'],
  },
  script(
    [
      [1, 2, 3, 4],
      [4, 3, 2, 1],
      [1, 1, 2, 2],
    ],
    Array.from({ length: 10 }, (_, n) => [
      step('tick', 0, 0, 3),
      step('exit', n % 3, 0),
      step('start', n % 3, 0),
      step('fill', n % 3, n % 4, 2),
      step('tick', 0, 0, 12),
      step('write', (n + 1) % 3, 0, 2, { by: 'device' }),
    ]).flat(),
  ),
)

const keyChanges = exampleLaw(
  {
    id: 'key-changes',
    sentence: 'What is shared is found again by what it holds now, also if that changed while you were looking.',
    rules: ['content', 'fault'],
    also: ({ world }) => requireEqual(world, 'frames that the pages take', 1, world.framesInUse()),
  },
  script(
    [[1], [1], [1], [9]],
    [
      step('tick', 0, 0, 4, {
        meddle: [0, 1, 2].map((vm) => ({ before: 2, vm, gfn: 0, at: 2048, value: 2, by: 'device' })),
      }),
      step('fill', 3, 0, 1),
      step('write', 3, 0, 2, { at: 2048 }),
      step('tick', 0, 0, 8),
    ],
  ),
)

const staleHint = exampleLaw(
  {
    id: 'stale-hint',
    sentence: 'A hint that is no longer true costs nothing but a comparison: what is equal is found in the same scan.',
    rules: ['content', 'fault'],
    also: (player) => {
      settle(player)
      requireEqual(player.world, 'frames that the pages take', 2, player.world.framesInUse())
    },
  },
  script([[1, 1, 1, 1]], [step('tick', 0, 0, 1), step('fill', 0, 0, 2)]),
)

const fullHost = exampleLaw(
  {
    id: 'full-host',
    sentence: 'On a host without a free frame, shared pages wait for one, and the last of them needs none.',
    rules: ['content', 'fault', 'short', 'leak', 'saved'],
  },
  script(
    [
      [1, 1, 1],
      [5, 6],
    ],
    [
      step('tick', 0, 0, 3),
      step('start', 1, 0),
      step('write', 0, 0),
      step('pin', 0, 1),
      step('exit', 1, 0),
      step('write', 0, 0),
      step('write', 0, 1),
      step('write', 0, 2),
      step('start', 1, 0),
    ],
    { spare: -2 },
  ),
)

const longLife = exampleLaw(
  {
    id: 'long-life',
    sentence: 'After a long life of sharing, writing, giving up, pinning and replacing, the books are still right.',
    rules: ['content', 'fault', 'leak', 'missing', 'pinned', 'short', 'table', 'stats'],
    also: (player) => {
      settle(player)
      player.checkStats()
      player.replace()
      for (const vm of [...player.world.vms.keys()]) player.exit(vm)
      player.check()
    },
  },
  script(
    [
      [1, 1, 0, 0, 2, 2],
      [1, 1, 0, 0, 2, 2],
      [1, 1, 0, 0, 3, 3],
    ],
    Array.from({ length: 20 }, (_, n) => [
      step('tick', 0, 0, 5 + (n % 7)),
      step('fill', n % 3, n % 6, n % 3, { by: n % 2 === 0 ? 'device' : 'host' }),
      step('release', (n + 1) % 3, (n + 2) % 6),
      step('pin', n % 3, (n + 3) % 6),
      step('tick', 0, 0, 18),
      step('touch', (n + 1) % 3, (n + 2) % 6),
      step('write', (n + 2) % 3, n % 6, 1),
      step('unpin', n % 3, (n + 3) % 6),
      ...(n % 4 === 3 ? [step('replace', 0, 0)] : []),
    ]).flat(),
  ),
)

export const hiddenLaws: readonly (SharingLaw | typeof paper)[] = [
  racing,
  keyChanges,
  staleHint,
  numbers,
  fullHost,
  longLife,
  paper,
  mixes,
]
