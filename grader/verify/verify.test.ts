import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AnyLab, Mutant } from '../contract/lab.ts'
import { loadLab } from '../lab/load-lab.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { chooseVariants } from './choose-variants.ts'
import { renderDatasheet } from './datasheet.ts'
import { findLeaks } from './leak-gate.ts'
import { verifyLab } from './verify-lab.ts'

const PART = `
    const eip = (view.eip + view.instructionLength) >>> 0
    const account = this.#settle(vcpu, now)
    if (this.#wakes(view)) return { eip, next: 'run', pollCycles: 0 }
`

describe('the leak gate', () => {
  it('finds a part of the solution wherever it stands, however it is spaced and commented', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.constantFrom(' ', '\n', '\n// note\n', ' /* why */ '),
        (before, after, gap) => {
          const disguised = PART.trim().replaceAll(/ (?=[=+>?:{}])|(?<=[=;,{]) /g, gap)
          const text = `/* ${before.replaceAll('*', '')} */\n${disguised}\n/* ${after.replaceAll('*', '')} */`
          expect(findLeaks([PART], new Map([['a.ts', text]]))).toHaveLength(1)
        },
      ),
      { seed: 1, numRuns: 50 },
    )
  })

  it('does not mind short idioms', () => {
    expect(findLeaks([PART], new Map([['a.ts', 'const eip = (view.eip + 1) >>> 0']]))).toEqual([])
  })
})

describe('verify', () => {
  let lab: AnyLab
  beforeAll(async () => {
    lab = await loadLab('hlt-idle')
  })

  it('chooses variants in which every value of every parameter occurs', () => {
    const chosen = chooseVariants(lab, 2)
    const values = (name: string) => new Set(chosen.map(({ parameters }) => parameters[name]))
    expect(['unit', 'scope', 'place', 'halves', 'pollCycles'].map((name) => values(name).size)).toEqual([3, 2, 2, 2, 4])
    expect(chooseVariants(lab, 9)).toHaveLength(9)
  })

  /** The lab with two laws only, and a rubric for them. */
  const small = (changes: Partial<AnyLab>): AnyLab => {
    const laws = lab.suites.public.filter(({ id }) => ['behind-hlt', 'guest-reads'].includes(id))
    const few = laws.map((law) => ({ ...law, runs: { public: 10, hidden: 20 } }))
    return { ...lab, suites: { public: few, hidden: few }, mutants: [], benign: [], ...changes }
  }
  const RUBRIC: Rubric = {
    lab: 'hlt-idle',
    points: 10,
    items: [
      { id: 'halting', title: 'Halting', points: 6, laws: { 'behind-hlt': 6 } },
      { id: 'guest', title: 'Guest', points: 4, laws: { 'guest-reads': 4 } },
    ],
  }
  const BUDGET = { variants: 1, seeds: 1, repeats: 2, variantsPerMutant: 1 }
  const byId = (id: string) => (lab.mutants as readonly Mutant[]).find((mutant) => mutant.id === id)!

  it('holds for a lab whose mutants are caught in their items', async () => {
    const sheet = await verifyLab(
      small({ mutants: [byId('eip-not-advanced'), byId('halves-swapped')] }),
      RUBRIC,
      BUDGET,
    )
    expect(sheet.problems).toEqual([])
    expect([sheet.repeated, sheet.confined]).toEqual([
      { same: 2, different: 0 },
      { same: 3, different: 0 },
    ])
    expect(sheet.items).toEqual([
      { id: 'halting', kills: ['eip-not-advanced'], alone: ['eip-not-advanced'] },
      { id: 'guest', kills: ['halves-swapped'], alone: ['halves-swapped'] },
    ])
    expect(renderDatasheet(sheet)).toContain('All of it holds.')
  })

  it('says of each thing that does not hold what it is', async () => {
    const harmless: Mutant = { id: 'harmless', item: 'guest', story: 'Nothing is wrong.', edits: [] }
    const sheet = await verifyLab(small({ mutants: [harmless, byId('steal-is-busy')], baseline: 3 }), RUBRIC, BUDGET)
    expect(sheet.problems).toEqual([
      'The untouched starter scores 0, and the lab says that it scores 3.',
      expect.stringMatching(
        /^The mutant harmless loses nothing in "guest" on variant verify-\d+, hidden seed 1000; it scores 10\.$/,
      ),
      expect.stringMatching(/^The mutant steal-is-busy loses nothing in "accounting"/),
      'No mutant loses points in the item "halting".',
      'No mutant loses points in the item "guest".',
    ])
    expect(renderDatasheet(sheet)).toContain('Not all of it holds')
  })
})
