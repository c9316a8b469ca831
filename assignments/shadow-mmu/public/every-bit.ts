/** Every combination of the bits of both entries, for every access and both values of CR0.WP: nothing is left to chance. */
import * as fc from 'fast-check'
import { type Law, law } from '../../../grader/contract/law.ts'
import type { ShadowMmu } from '../../../reference/index.ts'
import { requireRules } from './judge.ts'
import { ALL_RULES } from './laws.ts'
import { LARGE_GFN } from './memory.ts'
import { A, type Access, D, P, PS, U, W } from './oracle.ts'
import { type Context, Player } from './run-script.ts'
import { entryAddress, pageAddress } from './script.ts'
import type { Variant } from './variant.ts'
import { bitsText, FIRST_DATA, TABLES } from './words.ts'

/** A directory entry's bits, as the sum of some of {@link PDE_BITS}, with each of a table's entries. */
export interface BitsCase {
  readonly wp: boolean
  readonly pde: number
}

const PDE_BITS = [P, W, U, A, D, PS]
const PTE_BITS = [P, W, U, A, D]
const ACCESSES: readonly Access[] = [false, true].flatMap((user) => [false, true].map((write) => ({ user, write })))
const REGION = 3
const PAGE = 2

/** All sums of some of the bits. */
function subsets(bits: readonly number[]): number[] {
  const all = [0]
  for (const bit of bits) for (const one of [...all]) all.push(one | bit)
  return all
}

function tryCase({ wp, pde }: BitsCase, context: Context): void {
  const player = new Player({ wp, pse: true, pge: false, bits: W, global: false }, context)
  const { machine } = player
  const isLarge = (pde & PS) !== 0
  /** Else the walk ends at the directory, whatever the table holds. */
  const hasTable = !isLarge && (pde & P) !== 0
  const gva = pageAddress(REGION, PAGE)
  for (const pte of subsets(PTE_BITS)) {
    if (!hasTable && pte !== 0) break
    for (const access of ACCESSES) {
      machine.log.length = 0
      const upper = (isLarge ? LARGE_GFN : TABLES[4]!) * 4096 + pde
      machine.say(`the directory’s entry: ${bitsText(pde)}; the table’s: ${bitsText(pte)}`)
      machine.deviceWrites(entryAddress(0, REGION), [upper])
      machine.deviceWrites(entryAddress(7, PAGE), [FIRST_DATA * 4096 + pte])
      machine.invlpg(gva)
      machine.access(gva, access, 1)
      machine.access(gva, access, 2)
      machine.inspect()
      requireRules(machine, ALL_RULES)
    }
  }
}

function describeCase({ wp, pde }: BitsCase): string[] {
  return [
    `CR0.WP = ${Number(wp)}; a directory’s entry with ${bitsText(pde)}; every entry of a table below it; each access twice`,
  ]
}

export const someBits = law<BitsCase, ShadowMmu, Variant>({
  id: 'some-bits',
  sentence: 'Whatever bits both entries have, each access ends as on a real processor, twice.',
  cases: () => fc.record({ wp: fc.boolean(), pde: fc.constantFrom(...subsets(PDE_BITS)) }),
  runs: { public: 12, hidden: 4 },
  check: tryCase,
  describe: describeCase,
})

/** All of them: a case each, in one. */
export const everyBit: Law<readonly BitsCase[], ShadowMmu, Variant> = law<readonly BitsCase[], ShadowMmu, Variant>({
  id: 'every-bit',
  sentence:
    'Every combination of bits of both entries, for every access, with CR0.WP 0 and 1, ends as on a real processor.',
  cases: () => fc.constant([false, true].flatMap((wp) => subsets(PDE_BITS).map((pde) => ({ wp, pde })))),
  runs: { public: 0, hidden: 1 },
  check: (cases, context) => {
    for (const testCase of cases) tryCase(testCase, context)
  },
  describe: (cases) => [
    `${cases.length} directory entries: ${bitsText(cases[0]?.pde ?? 0)} to ${bitsText(cases.at(-1)?.pde ?? 0)}`,
  ],
})
