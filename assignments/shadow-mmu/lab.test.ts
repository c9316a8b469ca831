import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Violation } from '../../grader/contract/law.ts'
import { expectVariants } from '../../grader/lab/fixtures/expect-variants.ts'
import { connectInProcess } from '../../grader/port/in-process.ts'
import { loadRubric } from '../../grader/rubric/rubric.ts'
import { starterFiles } from '../../grader/starter/starter-files.ts'
import { benignFiles, solutionFiles } from '../../grader/submission/solution-files.ts'
import { findLeaks } from '../../grader/verify/leak-gate.ts'
import type { ShadowMachine } from '../../reference/index.ts'
import { create } from '../../reference/mmu/shadow.ts'
import { SHADOW_VARIANT } from '../../reference/mmu/shadow-variant.ts'
import { hiddenLaws } from './hidden/laws.ts'
import lab from './lab.ts'
import { publicPart } from './public/index.ts'
import { coreLaws } from './public/laws.ts'
import { ModelMemory } from './public/memory.ts'
import { P, U, W } from './public/oracle.ts'
import { shadowPort } from './public/port.ts'
import { playScript } from './public/run-script.ts'
import type { Script } from './public/script.ts'
import type { Variant } from './public/variant.ts'

const connect = connectInProcess(shadowPort, (machine) => create(machine as unknown as ShadowMachine))

/** Every policy with and without large and global entries, with different numbers. */
const VARIANTS: readonly Variant[] = (['eager', 'lazy'] as const).flatMap((flush, f) =>
  [false, true].flatMap((largeEntries, l) =>
    [false, true].map((globalEntries, g) => ({
      flush,
      largeEntries,
      globalEntries,
      maxShadowPages: [6, 8, 10, 12][(f + 2 * l + g) % 4]!,
      prefetch: ([4, 8, 16] as const)[(f + l + g) % 3]!,
    })),
  ),
)
const [PLAIN] = VARIANTS as [Variant]

/** The reference as this variant asks for it. */
function contextFor(variant: Variant) {
  Object.assign(SHADOW_VARIANT, variant)
  return { variant, connect, count: () => {}, directory: () => '' }
}

describe('the reference obeys every law, in every kind of variant', () => {
  it.each([...publicPart.laws, ...hiddenLaws].map((law) => [law.sentence, law] as const))('%s', (_, law) => {
    for (const [seed, variant] of (law.id === 'every-bit' ? VARIANTS.slice(0, 1) : VARIANTS).entries()) {
      const context = contextFor(variant)
      fc.assert(
        fc.property(law.cases(variant) as fc.Arbitrary<never>, (testCase) => law.check(testCase, context)),
        { seed, numRuns: law.id === 'every-bit' ? 1 : 4 },
      )
    }
  })
})

/** What happened in the scripts of a law. */
function logOf(id: string, variant: Variant): string {
  const law = coreLaws.find((each) => each.id === id)!
  const context = contextFor(variant)
  return fc
    .sample(law.cases(variant), { seed: 3, numRuns: 40 })
    .flatMap((script) => playScript(script, context).machine.log)
    .join('\n')
}

describe('the scripts reach what their laws are about', () => {
  const wide: Variant = { ...PLAIN, largeEntries: true }
  it.each<[string, string, RegExp, Variant]>([
    ['translates', 'a hidden fault', /you answer retry/, PLAIN],
    ['true-faults', 'a reserved bit', /you answer inject (9|1[13-5])/, PLAIN],
    ['true-faults', 'a protection fault', /you answer inject [57]/, PLAIN],
    ['no-memory', 'a device', /you answer mmio/, PLAIN],
    ['accessed-dirty', 'a dirty bit set', /setBits .* D/, PLAIN],
    ['flush-policy', 'a write that is told', /you: guestWrote/, PLAIN],
    ['traces', 'an emulated write', /you answer emulate/, PLAIN],
    ['large-pages', 'an entry of 4 MiB', /setEntries .*\+PS/, wide],
    ['recycles', 'a page given back', /free\(page/, PLAIN],
    ['write-protect', 'a change of CR0.WP', /CR0.WP = 0/, PLAIN],
  ])('%s: %s', (id, _, wanted, variant) => {
    expect(logOf(id, variant)).toMatch(wanted)
  })
})

describe('a script', () => {
  const touches: Script = {
    wp: true,
    pse: false,
    pge: false,
    bits: W,
    global: false,
    steps: [
      { do: 'touch', region: 0, page: 0, write: false, user: true },
      { do: 'touch', region: 0, page: 0, write: true, user: true },
    ],
  }

  it('runs the same way each time, and is plain data that is told line by line', () => {
    for (const law of coreLaws) {
      for (const script of fc.sample(law.cases(PLAIN), { seed: 5, numRuns: 2 })) {
        const context = contextFor(PLAIN)
        expect(playScript(script, context).machine.log).toEqual(playScript(script, context).machine.log)
        expect(JSON.parse(JSON.stringify(script))).toEqual(script)
        expect(law.describe(script, PLAIN).join('\n')).not.toContain('undefined')
      }
    }
  })

  it('marks what a wrong MMU does, with the way that led to it', () => {
    const careless = connectInProcess(shadowPort, (operations) => {
      const machine = operations as unknown as ShadowMachine
      const setEntries: ShadowMachine['setEntries'] = (writes) =>
        machine.setEntries(
          writes.map((write) => ({ ...write, value: write.value === 0 ? 0 : (write.value | W) >>> 0 })),
        )
      return create({ ...machine, setEntries })
    })
    let thrown: unknown
    try {
      const bits = coreLaws.find(({ id }) => id === 'accessed-dirty')!
      bits.check(touches, { ...contextFor(PLAIN), connect: careless })
    } catch (error) {
      thrown = error
    }
    const { difference, trace } = thrown as Violation
    expect(difference).toMatchObject({ expected: 'accessed and dirty', actual: 'not set' })
    expect(trace.at(-1)).toMatch(/^▶ write by the user at/)
  })

  it.each<[string, (machine: ShadowMachine, root: number) => void, RegExp]>([
    [
      'a frame outside the guest',
      (machine) => machine.setEntries([{ page: machine.allocate(1), index: 0, value: 0x7_7000 | P }]),
      /frame 77h does not belong to the guest/,
    ],
    ['a wrong level', (machine) => machine.setRoot(machine.allocate(1)), /is of level 1/],
    [
      'a page of level 2 in an entry of level 2',
      (machine, root) => machine.setEntries([{ page: root, index: 0, value: machine.allocate(2) * 4096 + P }]),
      /of level 2, too/,
    ],
    [
      'a page freed twice',
      (machine) => {
        const page = machine.allocate(1)
        machine.free(page)
        machine.free(page)
      },
      /is not allocated/,
    ],
    [
      'a write through a freed page',
      (machine) => {
        const page = machine.allocate(1)
        machine.free(page)
        machine.setEntries([{ page, index: 0, value: 0 }])
      },
      /is not allocated/,
    ],
    ['the root given back', (machine, root) => machine.free(root), /is the root/],
    [
      'a page given back that is linked',
      (machine, root) => {
        const page = machine.allocate(1)
        machine.setEntries([{ page: root, index: 0, value: page * 4096 + (P | U) }])
        machine.free(page)
      },
      /still points to/,
    ],
    [
      'more pages than there may be',
      (machine) => {
        for (;;) machine.allocate(1)
      },
      /there may be 6 shadow pages/,
    ],
    [
      'bits that are reserved',
      (machine) =>
        machine.setEntries([{ page: machine.allocate(1), index: 0, value: (ModelMemory.frameOf(11) << 12) | 0x81 }]),
      /bit 7 is reserved/,
    ],
    [
      'bits of the guest that nobody may set',
      (machine) => machine.setBits([{ gpa: 0x4000, bits: 2 }]),
      /only accessed and dirty/,
    ],
  ])('is refused %s, by a sentence that names operation and rule', (_, act, wanted) => {
    const wrong = connectInProcess(shadowPort, (operations) => {
      const machine = operations as unknown as ShadowMachine
      return {
        setMode: () => {},
        loadCr3: () => {
          const root = machine.allocate(2)
          machine.setRoot(root)
          act(machine, root)
        },
        invlpg: () => {},
        pageFault: () => ({ do: 'retry' as const }),
        guestWrote: () => {},
      }
    })
    const run = () => playScript(touches, { ...contextFor({ ...PLAIN, maxShadowPages: 6 }), connect: wrong })
    expect(run).toThrow(wanted)
  })
})

describe('the variants', () => {
  it('are what the schema allows, and a seed can reach every value', () => {
    expectVariants(lab, { maxShadowPages: 4, flush: 2, largeEntries: 2, globalEntries: 2, prefetch: 3 })
  })
})

describe('the benign variants', () => {
  it.each(lab.benign)('$id is the solution with other texts', (variant) => {
    const solution = solutionFiles(lab, PLAIN).get('src/shadow.ts')
    expect(benignFiles(lab, PLAIN, variant).get('src/shadow.ts')).not.toBe(solution)
  })
})

describe('the starter', () => {
  it('holds no part of the solution', () => {
    const { files, stripped } = starterFiles(lab, loadRubric(lab), 'lab-test')
    expect(stripped.length).toBeGreaterThan(5)
    expect(findLeaks(stripped, files)).toEqual([])
    expect([...files.keys()].some((path) => path.includes('shadow-cache'))).toBe(false)
  })
})
