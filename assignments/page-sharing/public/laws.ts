/** The lab's laws: sentences that every right sharing service obeys, with the scripts that put them to the test. */
import * as fc from 'fast-check'
import { type Law, law, Violation } from '../../../grader/contract/law.ts'
import type { SharingService } from '../../../reference/index.ts'
import { fewestFrames, replaySteps, requireEqual, requireRules } from './judge.ts'
import { Player, playScript } from './run-script.ts'
import { describeScript, pageOf, type Script, type ScriptShape, type Step, type StepName, scripts } from './script.ts'
import type { Variant } from './variant.ts'
import type { Rule, World } from './world.ts'

export type SharingLaw = Law<Script, SharingService, Variant>
export type Count = (counter: string, amount: number) => void

interface ScriptLaw {
  readonly id: string
  readonly sentence: string
  readonly shape: ScriptShape
  readonly rules: readonly Rule[]
  readonly runs: { readonly public: number; readonly hidden: number }
  readonly also?: (player: Player, count: Count, variant: Variant) => void
}

const SMALL = { public: 15, hidden: 30 }
const LARGE = { public: 30, hidden: 70 }
const LIVELY: readonly StepName[] = ['tick', 'tick', 'write', 'fill', 'touch']
/** What every law wants: nobody sees what another has written. */
const SAFE: readonly Rule[] = ['content', 'fault']
/** More than any host of the suites has pages. */
const EVERYTHING = 64
/** Contents that no script begins with. */
const FIRST_OF_ITS_OWN = 1000
/** Ticks of the law about their order. */
const BUDGETS = [2, 3, 1, 5, 4]
const CALM_BUDGET = 8
/** Pages that are left to share a frame that had more than its count holds. */
const OVERFLOW_LEFT = 12
const MOST_SHOWN = 12

/** A law over scripts of a shape. */
export function sharingLaw(declaration: ScriptLaw): SharingLaw {
  const { id, sentence, shape, rules, runs, also } = declaration
  return law<Script, SharingService, Variant>({
    id,
    sentence,
    cases: () => scripts(shape),
    runs,
    check: (script, context) => {
      const player = playScript(script, context)
      requireRules(player.world, rules)
      also?.(player, context.count, context.variant)
      requireRules(player.world, rules)
    },
    describe: describeScript,
    replay: (script, context) => replaySteps(playScript(script, context).world),
  })
}

/** A law over one script: an adversarial case that a generator would seldom find. */
export function exampleLaw(declaration: Omit<ScriptLaw, 'shape' | 'runs'>, example: Script): SharingLaw {
  const made = sharingLaw({ ...declaration, shape: { steps: ['tick'] }, runs: { public: 0, hidden: 1 } })
  return { ...made, cases: () => fc.constant(example) }
}

/** Nobody writes any more, and the host has had the time to look at every page once. */
export function settle(player: Player, budget = EVERYTHING): void {
  const { world } = player
  const ticks = Math.ceil(world.pages / budget) + (world.variant.scanOrder === 'random' ? 1 : 0)
  for (let n = 0; n < ticks; n++) player.tick(budget)
  player.check()
}

const content = sharingLaw({
  id: 'content',
  sentence:
    'Whatever is shared and whoever writes, a processor, a device or the hypervisor: every VM reads what it wrote, and nothing else.',
  shape: { steps: LIVELY },
  rules: SAFE,
  runs: LARGE,
})

const collisions = sharingLaw({
  id: 'collisions',
  sentence: 'A hash is no proof: pages that hash alike and are not equal are not shared.',
  shape: { steps: LIVELY, hashes: ['constant', 'bit', 'head'] },
  rules: SAFE,
  runs: LARGE,
})

const races = sharingLaw({
  id: 'races',
  sentence: 'A guest may write at any moment, also between your hash, your comparison and your mapping.',
  shape: {
    steps: ['tick', 'tick', 'tick', 'write', 'fill'],
    meddles: true,
    classes: 2,
    hashes: ['good', 'constant', 'head'],
  },
  rules: SAFE,
  runs: { public: 60, hidden: 160 },
})

const faults = sharingLaw({
  id: 'write-faults',
  sentence: 'When you have answered a write fault, the page is writable, with its contents, and at most once copied.',
  shape: { steps: ['tick', 'write', 'write', 'fill'], classes: 2 },
  rules: ['content', 'fault', 'short'],
  runs: LARGE,
})

const complete = sharingLaw({
  id: 'complete',
  sentence:
    'Once nobody writes any more and every page has been looked at, each contents stands in one frame, as your variant has it with zeros.',
  shape: { steps: LIVELY, hashes: ['good', 'high'], meddles: true },
  rules: SAFE,
  runs: LARGE,
  also: (player, _, variant) => {
    const { world } = player
    settle(player)
    requireEqual(world, 'frames that the pages take', fewestFrames(world, variant), world.framesInUse())
  },
})

const tableKept = sharingLaw({
  id: 'references',
  sentence:
    'The count of a frame is the number of its pages, in as many bits as your variant has and an overflow table.',
  shape: {
    steps: ['tick', 'tick', 'fill', 'write', 'replace', 'replace', 'exit', 'start'],
    classes: 2,
    maxPages: 14,
    maxVms: 3,
    maxSteps: 12,
  },
  rules: ['table', 'content'],
  runs: SMALL,
})

const overflow = law<Script, SharingService, Variant>({
  id: 'overflow',
  sentence: 'A frame may have more pages than a count holds, and lose them again.',
  cases: ({ countBits }) =>
    scripts({ steps: ['write', 'fill', 'exit', 'start', 'replace', 'tick'], maxVms: 3, maxPages: 6, classes: 2 }).map(
      (script) => ({ ...script, vms: [...script.vms, new Array<number>(manyPages(countBits)).fill(1)] }),
    ),
  runs: { public: 3, hidden: 5 },
  check: (script, context) => {
    const player = new Player(script, context)
    const last = script.vms.length - 1
    player.tick(EVERYTHING)
    settle(player)
    player.replace()
    for (const step of script.steps) if (step.do !== 'exit' || step.vm !== last) player.step(onPage(script, step))
    for (let gfn = 0; gfn < OVERFLOW_LEFT; gfn++) player.fill(last, gfn, 2 + gfn, 'device')
    player.check()
    player.replace()
    player.exit(last)
    player.check()
    player.replace()
    requireRules(player.world, ['table', 'content', 'leak'])
  },
  describe: (script) => describeScript(shortened(script)),
  replay: (script, context) => replaySteps(playScript(script, context).world),
})

const ended = sharingLaw({
  id: 'vms-end',
  sentence: 'A VM that ends gives back every frame that nobody else has, each once; another one may get its number.',
  shape: { steps: ['tick', 'tick', 'exit', 'start', 'fill', 'release'], classes: 2, spare: 4 },
  rules: ['leak', 'content', 'fault'],
  runs: LARGE,
  also: (player) => {
    const { world } = player
    for (const vm of [...world.vms.keys()]) player.exit(vm)
    player.check()
    requireEqual(world, 'free frames once all VMs have ended', world.frames - 1, world.freeFrames)
  },
})

const ballooned = sharingLaw({
  id: 'given-up',
  sentence: 'A page that a guest gives up has no frame; used again, it has one that is all zeros.',
  shape: { steps: ['tick', 'release', 'release', 'touch', 'write', 'fill'], classes: 2 },
  rules: ['missing', 'content', 'leak'],
  runs: SMALL,
})

const pinned = sharingLaw({
  id: 'pinned',
  sentence: 'A page that a device writes to by itself has a writable frame of its own until the device has finished.',
  shape: { steps: ['tick', 'tick', 'pin', 'pin', 'unpin', 'fill', 'pageOut', 'replace'], classes: 2 },
  rules: ['pinned', 'content', 'fault'],
  runs: LARGE,
})

const short = sharingLaw({
  id: 'no-frame',
  sentence: 'When no frame is free, a page that needs one waits, and nothing else does.',
  shape: {
    steps: [
      'tick',
      'tick',
      'hog',
      'hog',
      'relent',
      'write',
      'write',
      'pin',
      'unpin',
      'start',
      'exit',
      'touch',
      'release',
    ],
    classes: 2,
    spare: 2,
  },
  rules: ['short', 'content', 'fault', 'leak'],
  runs: LARGE,
})

const diverged = sharingLaw({
  id: 'diverged',
  sentence: 'When every page has become another, every page has a frame, and the last one to write needed no copy.',
  shape: { steps: ['tick', 'tick', 'fill'], classes: 2 },
  rules: ['content', 'fault', 'saved', 'short'],
  runs: SMALL,
  also: (player, count) => {
    const { world } = player
    settle(player)
    const copied = world.counters.copied
    const owed = player.copiesOwed
    let contents = FIRST_OF_ITS_OWN
    for (const [vm, { model }] of world.vms)
      for (const gfn of model.keys()) player.fill(vm, gfn, contents++, 'processor')
    player.check()
    requireEqual(world, 'frames that the pages take', world.pagesWithFrames(), world.framesInUse())
    count('copies', world.counters.copied - copied)
    count('copiesOwed', player.copiesOwed - owed)
  },
})

const zeros = sharingLaw({
  id: 'zeros',
  sentence: 'Pages of zeros share the host’s frame, or a frame of theirs, or none, as your variant says.',
  shape: { steps: ['tick', 'fill', 'write', 'touch', 'release', 'replace'], classes: 2, hashes: ['good', 'high'] },
  rules: ['content', 'fault'],
  runs: LARGE,
  also: (player, _, variant) => {
    const { world } = player
    settle(player)
    requireEqual(world, 'frames that the pages take', fewestFrames(world, variant), world.framesInUse())
  },
})

const pageOut = sharingLaw({
  id: 'page-out',
  sentence: 'Before a page goes to disk you try to share it, whatever the scan is about, and say whether it is shared.',
  shape: { steps: ['tick', 'fill', 'pageOut', 'pageOut', 'write'], classes: 2, hashes: ['good', 'high'] },
  rules: ['saved', 'content', 'fault'],
  runs: LARGE,
  also: (player, _, variant) => {
    const { world } = player
    for (const [vm, { model }] of world.vms) for (const gfn of model.keys()) player.pageOut(vm, gfn)
    player.check()
    requireEqual(world, 'frames that the pages take', fewestFrames(world, variant), world.framesInUse())
  },
})

const order = sharingLaw({
  id: 'scan-order',
  sentence:
    'A scan goes through the pages in the order of your variant, goes on where it was, and looks at no more than it may.',
  shape: { steps: ['touch'], maxPages: 7, maxSteps: 1 },
  rules: SAFE,
  runs: SMALL,
  also: (player, _, variant) => {
    const { world } = player
    let contents = FIRST_OF_ITS_OWN
    for (const [vm, { model }] of world.vms) for (const gfn of model.keys()) player.fill(vm, gfn, contents++, 'device')
    const pages = pagesInOrder(world, variant)
    let next = 0
    for (const budget of BUDGETS) {
      world.hashedFrames.length = 0
      world.drawn.length = 0
      player.tick(budget)
      const most = variant.scanOrder === 'random' ? budget : Math.min(budget, pages.length)
      const looked = world.hashedFrames.length
      if (looked > most) {
        const what = `pages that tick(${budget}) looks at`
        throw new Violation({ what, expected: `at most ${most}`, actual: `${looked}` }, world.trace())
      }
      const numbers = variant.scanOrder === 'random' ? world.drawn : Array.from({ length: most }, (_, i) => next + i)
      next += most
      const wanted = [...new Set(numbers.map((n) => pages[n % pages.length]!))].join(', ')
      const actual = [...new Set(world.hashedFrames)].join(', ')
      if (wanted !== actual) {
        const what = `frames of the pages that tick(${budget}) looks at, in their order`
        throw new Violation({ what, expected: wanted, actual }, world.trace())
      }
      if (wanted === '') {
        const what = `numbers that tick(${budget}) draws`
        throw new Violation({ what, expected: `${budget}`, actual: 'none' }, world.trace())
      }
    }
  },
})

const stats = sharingLaw({
  id: 'stats',
  sentence: 'You can always say how many pages are shared, and how many frames that has brought.',
  shape: { steps: [...LIVELY, 'release', 'exit', 'start', 'replace'], classes: 2 },
  rules: ['stats'],
  runs: SMALL,
  also: (player) => {
    player.checkStats()
    settle(player)
    player.checkStats()
  },
})

const replaced = sharingLaw({
  id: 'replaced',
  sentence: 'A service that takes over from another with its frame table goes on as that one would have.',
  shape: { steps: [...LIVELY, 'replace', 'replace', 'pin', 'exit'], classes: 2, hashes: ['good', 'high'] },
  rules: [...SAFE, 'leak', 'pinned'],
  runs: LARGE,
  also: (player, _, variant) => {
    const { world } = player
    settle(player)
    requireEqual(world, 'frames that the pages take', fewestFrames(world, variant), world.framesInUse())
  },
})

const calm = sharingLaw({
  id: 'little-work',
  sentence: 'What is shared already costs nothing more, and sharing a page costs one look and one comparison.',
  shape: { steps: ['touch'], maxVms: 4, maxPages: 12, classes: 6, maxSteps: 1 },
  rules: SAFE,
  runs: SMALL,
  also: (player, count, variant) => {
    const { world } = player
    const { counters } = world
    const pages = world.pagesWithFrames()
    const ticks = Math.ceil(pages / CALM_BUDGET) + (variant.scanOrder === 'random' ? 1 : 0)
    const hashed = counters.hashed
    const [compared, flushed] = [counters.compared, counters.flushed]
    for (let n = 0; n < ticks; n++) player.tick(CALM_BUDGET)
    player.check()
    const fewest = fewestFrames(world, variant)
    requireEqual(
      world,
      `frames that the pages take after ${ticks} ticks of ${CALM_BUDGET} pages`,
      fewest,
      world.framesInUse(),
    )
    const saved = pages - fewest
    const zeros = privateZeros(world, variant)
    count('hashed', counters.hashed - hashed)
    count('hashedAllowed', ticks * CALM_BUDGET + saved)
    count('compared', counters.compared - compared)
    count('comparedAllowed', saved + 2 * zeros)
    count('flushed', counters.flushed - flushed)
    count('flushedAllowed', 3 * saved + 2 * zeros)
    const again = counters.hashed
    for (let n = 0; n < ticks; n++) player.tick(CALM_BUDGET)
    count('hashedAgain', counters.hashed - again)
    count('hashedAgainAllowed', Math.min(ticks * CALM_BUDGET, fewest + zeros + ticks))
  },
})

/** The laws of both suites. */
export const publicLaws: readonly SharingLaw[] = [
  content,
  collisions,
  races,
  faults,
  complete,
  diverged,
  zeros,
  order,
  tableKept,
  overflow,
  stats,
  ended,
  ballooned,
  pinned,
  short,
  pageOut,
  replaced,
  calm,
]

/** More pages than a count of so many bits holds; a count of sixteen bits is not exceeded here. */
function manyPages(countBits: Variant['countBits']): number {
  return countBits === 16 ? 40 : 2 ** countBits + 6
}

function onPage(script: Script, step: Step): Step {
  return pageOf(script.vms, step)
}

/** The large VM in a few words. */
function shortened(script: Script): Script {
  return { ...script, vms: script.vms.map((classes) => classes.slice(0, MOST_SHOWN)) }
}

/** The frames of all pages as a scan goes through them. */
function pagesInOrder({ vms }: World, { scanOrder }: Variant): number[] {
  const pages = [...vms].flatMap(([vm, { memory, model }]) =>
    [...model.keys()].map((gfn) => ({ vm, gfn, pfn: memory.pfnOf(gfn) })),
  )
  if (scanOrder === 'interleaved') pages.sort((a, b) => a.gfn - b.gfn || a.vm - b.vm)
  return pages.map(({ pfn }) => pfn)
}

function privateZeros({ vms }: World, { zeroPages }: Variant): number {
  if (zeroPages !== 'private') return 0
  let zeros = 0
  for (const { model } of vms.values())
    for (const page of model) if (page?.every((byte) => byte === 0) === true) zeros++
  return zeros
}
