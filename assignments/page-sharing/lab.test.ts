import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnyLaw } from '../../grader/contract/law.ts'
import { expectVariants } from '../../grader/lab/fixtures/expect-variants.ts'
import { connectInProcess } from '../../grader/port/in-process.ts'
import { loadRubric } from '../../grader/rubric/rubric.ts'
import { starterFiles } from '../../grader/starter/starter-files.ts'
import { findLeaks } from '../../grader/verify/leak-gate.ts'
import type { SharingOperations, SharingService } from '../../reference/index.ts'
import { create } from '../../reference/mmu/sharing.ts'
import { SHARING_VARIANT } from '../../reference/mmu/sharing-variant.ts'
import { hiddenLaws } from './hidden/laws.ts'
import lab from './lab.ts'
import { publicLaws } from './public/laws.ts'
import { sharingPort } from './public/port.ts'
import { playScript } from './public/run-script.ts'
import type { Script } from './public/script.ts'
import type { Variant } from './public/variant.ts'

const connect = connectInProcess(sharingPort, (host) => create(host as unknown as SharingOperations))

/** Every order with every way to treat zeros, with different numbers. */
const VARIANTS: readonly Variant[] = (['sequential', 'interleaved', 'random'] as const).flatMap((scanOrder, s) =>
  (['host', 'ordinary', 'private'] as const).map((zeroPages, z) => ({
    scanOrder,
    zeroPages,
    copies: (s + z) % 2 === 0 ? ('host' as const) : ('service' as const),
    hashBits: ([16, 32, 48] as const)[(s + 2 * z) % 3]!,
    countBits: ([4, 6, 8, 16] as const)[(2 * s + z) % 4]!,
  })),
)

const LAWS: readonly AnyLaw<SharingService, Variant>[] = [...publicLaws, ...hiddenLaws]

/** The reference service as this variant asks for it. */
function contextFor(variant: Variant) {
  Object.assign(SHARING_VARIANT, variant)
  return { variant, connect, count: () => {}, directory: () => '' }
}

describe('the reference service obeys every law, in every kind of variant', () => {
  it.each(LAWS.map((law) => [law.sentence, law] as const))('%s', (_, law) => {
    for (const [seed, variant] of VARIANTS.entries()) {
      const context = contextFor(variant)
      fc.assert(
        fc.property(law.cases(variant), (testCase) => law.check(testCase, context)),
        { seed, numRuns: law.runs.public === 0 ? 3 : 8 },
      )
    }
  })
})

/** What happened in the scripts of a law. */
function logOf(id: string, variant: Variant): string {
  const law = publicLaws.find((each) => each.id === id)!
  const context = contextFor(variant)
  return fc
    .sample(law.cases(variant), { seed: 3, numRuns: 60 })
    .flatMap((script) => playScript(script, context).world.log)
    .join('\n')
}

describe('the scripts reach what their laws are about', () => {
  const [HOST, ORDINARY] = VARIANTS as [Variant, Variant]
  it.each<[string, string, RegExp, Variant]>([
    ['content', 'a shared page', /you map\(\d+, \d+, \d+, "read-only"\)\n {2}you flush\(\d+\)\n {2}you free/, ORDINARY],
    ['content', 'a write fault', /host: writeFault/, ORDINARY],
    ['collisions', 'a comparison of unequal frames', /you compare\(\d+, \d+\) → false/, ORDINARY],
    ['races', 'a write that lands between two operations', /meanwhile a .*, in frame \d+\n {2}you compare/, ORDINARY],
    ['races', 'a write that has to wait', /read-only, so that waits/, ORDINARY],
    ['write-faults', 'a copy', /you (copy|read)\(/, ORDINARY],
    ['zeros', 'the zero frame', /you compare\(\d+, 0\) → true/, HOST],
    ['vms-end', 'a number that comes back', /host: vmExited\((\d+)\)(.|\n)*host: vmStarted\(\1,/, ORDINARY],
    ['given-up', 'a page that comes back', /host: pageMissing/, ORDINARY],
    ['pinned', 'a pinned page', /host: pin\(\d+, \d+, true\)/, ORDINARY],
    ['no-frame', 'a host that is full', /you allocate\(\) → -1/, ORDINARY],
    ['page-out', 'a page about to go to disk', /host: pageOut/, ORDINARY],
    ['replaced', 'another service', /host: restore/, ORDINARY],
  ])('%s: %s', (id, _, wanted, variant) => {
    expect(logOf(id, variant)).toMatch(wanted)
  })
})

describe('a script', () => {
  it('runs the same way each time', () => {
    const context = contextFor(VARIANTS[4]!)
    for (const script of fc.sample(publicLaws[2]!.cases(VARIANTS[4]!), { seed: 11, numRuns: 20 })) {
      expect(playScript(script, context).world.log).toEqual(playScript(script, context).world.log)
    }
  })

  it('is told to a person line by line, and is plain data', () => {
    for (const law of LAWS) {
      for (const script of fc.sample(law.cases(VARIANTS[0]!), { seed: 5, numRuns: 3 })) {
        expect(JSON.parse(JSON.stringify(script))).toEqual(script)
        expect(law.describe(script, VARIANTS[0]!).join('\n')).not.toContain('undefined')
      }
    }
  })
})

describe('a wrong service', () => {
  const script: Script = {
    hash: 'constant',
    vms: [[1], [2]],
    spare: 4,
    steps: [{ do: 'tick', vm: 0, gfn: 0, at: 0, value: 2, by: 'host', meddle: [] }],
  }
  const check = (change: (host: SharingOperations) => Partial<SharingOperations>, of = script) => {
    const wrong = connectInProcess(sharingPort, (operations) => {
      const host = operations as unknown as SharingOperations
      return create({ ...host, ...change(host) })
    })
    const law = publicLaws.find(({ id }) => id === 'collisions')!
    try {
      law.check(of, { ...contextFor(VARIANTS[1]!), connect: wrong })
    } catch (error) {
      return error
    }
    return undefined
  }

  it('is shown the first byte that it let a VM see, and who maps what', () => {
    expect(check(() => ({}))).toBeUndefined()
    const error = check(() => ({ compare: () => true }))
    expect(error).toMatchObject({
      difference: { what: 'byte 3 of page 0 of VM 1, in frame 1', expected: '2', actual: '1' },
      trace: expect.arrayContaining([
        'who maps what:',
        '  frame 1 [00 00 00 01 … 0 … 1]: VM 0 page 0, VM 1 page 0',
      ]) as string[],
    })
  })

  it.each<[string, string, (host: SharingOperations) => Partial<SharingOperations>]>([
    [
      'frees a mapped frame',
      'free([1]) is refused: frame 1 is mapped at page 0 of VM 0',
      (host) => ({
        compare: (one, other) => {
          host.free([Math.min(one, other)])
          return true
        },
      }),
    ],
    [
      'frees twice',
      'free([3]) is refused: frame 3 is free',
      (host) => ({
        flush: () => {
          const pfn = host.allocate()
          host.free([pfn])
          host.free([pfn])
        },
      }),
    ],
    [
      'maps a free frame',
      'map(1, 0, 4, false) is refused: frame 4 is free',
      (host) => ({ map: (vm, gfn) => host.map(vm, gfn, 4, false) }),
    ],
    [
      'maps a frame that there is not',
      'map(1, 0, 999, false) is refused: the host has no frame 999',
      (host) => ({ map: (vm, gfn) => host.map(vm, gfn, 999, false) }),
    ],
    [
      'makes a shared frame writable',
      'map(1, 0, 1, true) is refused: frame 1 is mapped at page 0 of VM 0 too, so it must not be writable',
      (host) => ({ compare: () => true, map: (vm, gfn, pfn) => host.map(vm, gfn, pfn, vm === 1 && pfn === 1) }),
    ],
    [
      'writes to the zero frame',
      'clear(0) is refused: nobody may write to the zero frame',
      (host) => ({ flush: () => host.clear(0) }),
    ],
    [
      'frees what a TLB still has',
      'free([2]) is refused: a processor of VM 1 has it for page 0 in its TLB: flush(1) first',
      () => ({ compare: () => true, flush: () => {} }),
    ],
    [
      'asks for a VM that there is not',
      'flush(9) is refused: there is no VM 9',
      (host) => ({ flush: () => host.flush(9) }),
    ],
  ])('that %s is refused, with a sentence', (_, actual, change) => {
    expect(check(change)).toMatchObject({ difference: { actual: `${actual}.` } })
  })
})

describe('the sharing curve', () => {
  it.each(VARIANTS)('reaches what the mechanism must give, $scanOrder with zeros $zeroPages', (variant) => {
    const [drawing] = lab.explain!(contextFor(variant))
    const words = drawing!.shapes.flatMap((shape) => (shape.kind === 'text' ? [shape.text] : []))
    const [shared, reclaimed] = { host: [67, 57], ordinary: [67, 57], private: [57, 47] }[variant.zeroPages]
    expect(words.slice(-2)).toEqual([`${shared} %`, `${reclaimed} %`])
  })
})

describe('the variants', () => {
  it('are what the schema allows, and a seed can reach every value', () => {
    expectVariants(lab, { hashBits: 3, scanOrder: 3, zeroPages: 3, copies: 2, countBits: 3 })
  })
})

describe('the starter', () => {
  it('holds no part of the solution', () => {
    const { files, stripped } = starterFiles(lab, loadRubric(lab), 'lab-test')
    expect(stripped.length).toBeGreaterThan(20)
    expect(findLeaks(stripped, files)).toEqual([])
  })
})
