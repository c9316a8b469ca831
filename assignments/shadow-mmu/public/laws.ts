/** The laws of the core: sentences that every right shadow MMU obeys, with the guests that put them to the test. */
import * as fc from 'fast-check'
import { type Law, law } from '../../../grader/contract/law.ts'
import type { ShadowMmu } from '../../../reference/index.ts'
import { replaySteps, requireRules } from './judge.ts'
import type { Rule } from './machine.ts'
import { A, D, G, PS } from './oracle.ts'
import { type Context, type Player, playScript } from './run-script.ts'
import { describeScript, type Script, type ScriptShape, type StepName, scripts } from './script.ts'
import type { Variant } from './variant.ts'

export type ShadowLaw = Law<Script, ShadowMmu, Variant>

interface ScriptLaw {
  readonly id: string
  readonly sentence: string
  readonly shape: ScriptShape
  readonly rules: readonly Rule[]
  readonly runs: { readonly public: number; readonly hidden: number }
}

/** Everything that is wrong about a translation. */
export const ALL_RULES: readonly Rule[] = ['stale', 'rights', 'bits', 'fault', 'progress', 'trace', 'flush']
const TRANSLATION: readonly Rule[] = ['stale', 'rights']
const SMALL = { public: 20, hidden: 40 }
const LARGE = { public: 30, hidden: 60 }
const TABLE_STEPS: readonly StepName[] = ['entry', 'entry', 'touch', 'touch', 'touch']
const FLUSHES: readonly StepName[] = ['invlpg', 'load']

function play(script: Script, context: Context): Player {
  const player = playScript(script, context)
  if (player.machine.problems.length === 0) player.readSome()
  return player
}

/** A law over guests of a shape. */
export function shadowLaw({ id, sentence, shape, rules, runs }: ScriptLaw): ShadowLaw {
  return law<Script, ShadowMmu, Variant>({
    id,
    sentence,
    cases: (variant) => scripts(shape, variant),
    runs,
    check: (script, context) => requireRules(play(script, context).machine, rules),
    describe: describeScript,
    replay: (script, context) => replaySteps(play(script, context).machine),
  })
}

/** A law over one guest: an adversarial case that a generator would seldom find. */
export function exampleLaw(declaration: Omit<ScriptLaw, 'shape' | 'runs'>, example: Script): ShadowLaw {
  const made = shadowLaw({ ...declaration, shape: { steps: ['touch'] }, runs: { public: 0, hidden: 1 } })
  return { ...made, cases: () => fc.constant(example) }
}

const translates = shadowLaw({
  id: 'translates',
  sentence: 'Every access goes where the guest’s tables lead, with no more rights than all levels together give.',
  shape: { steps: [...TABLE_STEPS, ...FLUSHES], bits: [A, D] },
  rules: ['rights'],
  runs: LARGE,
})

const goesThrough = shadowLaw({
  id: 'goes-through',
  sentence: 'What the guest may do gets done after a few hidden faults, without a page fault that the guest can see.',
  shape: { steps: [...TABLE_STEPS, 'clear', ...FLUSHES], bits: [A, D] },
  rules: ['progress', 'fault'],
  runs: LARGE,
})

const trueFaults = shadowLaw({
  id: 'true-faults',
  sentence: 'What the guest may not do is a page fault for it, with the error code that the processor would give.',
  shape: {
    steps: ['entry', 'clear', 'touch', 'touch', 'cross', 'invlpg'],
    upper: ['table', 'table', 'large'],
    pse: true,
    lower: ['data', 'data', 'table'],
    tables: [0, 0, 0, 3, 3, 6],
    bits: [PS],
  },
  rules: ['fault'],
  runs: LARGE,
})

const devices = shadowLaw({
  id: 'no-memory',
  sentence: 'Where there is no memory a device answers, or a table reads as absent; nothing is mapped there.',
  shape: {
    steps: ['entry', 'entry', 'touch', 'touch', 'cross', ...FLUSHES],
    upper: ['table', 'table', 'hole'],
    lower: ['data', 'hole', 'hole'],
  },
  rules: ['fault', 'progress', ...TRANSLATION],
  runs: SMALL,
})

const bits = shadowLaw({
  id: 'accessed-dirty',
  sentence: 'Accessed bits are set by accesses that are allowed, dirty bits by writes, and neither by anything else.',
  shape: {
    steps: ['clear', 'clear', 'entry', 'touch', 'touch', 'touch', 'invlpg', 'invlpg', 'load'],
    tables: [0, 3, 3, 3, 6],
    bits: [A, D],
    maxSteps: 24,
  },
  rules: ['bits'],
  runs: LARGE,
})

const flushes = shadowLaw({
  id: 'flushes',
  sentence: 'Behind INVLPG, and behind a load of CR3 but for global pages, nothing old is used.',
  shape: {
    steps: ['entry', 'entry', 'clear', 'touch', 'touch', 'touch', 'invlpg', 'invlpg', 'load'],
    tables: [0, 3, 3, 3, 3, 6, 6],
    bits: [A, D, G],
    maxSteps: 24,
  },
  rules: ['stale'],
  runs: LARGE,
})

const flushPolicy = shadowLaw({
  id: 'flush-policy',
  sentence:
    'When you are told of a write to a table, the TLB loses what is wrong now, or is left alone, as your variant says.',
  shape: { steps: ['entry', 'device', 'device', 'touch', 'touch', 'load'], tables: [0, 3, 3, 6, 6], bits: [A] },
  rules: ['flush'],
  runs: LARGE,
})

const traces = shadowLaw({
  id: 'traces',
  sentence: 'No translation lets the guest write to a table that you trace: no alias, at no level, not in the TLB.',
  shape: {
    steps: ['entry', 'entry', 'device', 'touch', 'touch', 'touch', 'data', 'load', 'invlpg'],
    lower: ['data', 'table', 'table', 'directory'],
    bits: [A, D],
  },
  rules: ['trace'],
  runs: LARGE,
})

const written = shadowLaw({
  id: 'written-by-devices',
  sentence: 'A table that a device or the hypervisor writes to is followed as if the guest had written to it.',
  shape: { steps: ['device', 'device', 'touch', 'touch', ...FLUSHES], lower: ['data', 'data', 'table'], bits: [A, D] },
  rules: [...TRANSLATION, 'bits'],
  runs: LARGE,
})

const sharing = shadowLaw({
  id: 'shared-tables',
  sentence: 'One table in several directories, with rights of their own, gives each what it gives it and no more.',
  shape: {
    steps: ['entry', 'touch', 'touch', 'touch', 'load', 'load', 'clear', 'invlpg'],
    tables: [0, 0, 1, 1, 2, 6],
    bits: [A, D],
  },
  rules: [...TRANSLATION, 'fault'],
  runs: LARGE,
})

const selfMaps = shadowLaw({
  id: 'self-maps',
  sentence:
    'A directory that is its own table, and tables that are pages, stay right when the guest writes through them.',
  shape: {
    steps: ['entry', 'touch', 'touch', 'touch', 'clear', ...FLUSHES],
    upper: ['table', 'directory', 'directory'],
    lower: ['data', 'table', 'directory'],
    bits: [A, D],
  },
  rules: ALL_RULES.filter((rule) => rule !== 'flush'),
  runs: LARGE,
})

const writeProtect = shadowLaw({
  id: 'write-protect',
  sentence:
    'With CR0.WP = 0 the kernel writes where it likes, the user still does not; with 1, or back at 1, nobody does.',
  shape: {
    steps: ['entry', 'mode', 'touch', 'touch', 'touch', 'invlpg'],
    pse: false,
    pge: false,
    tables: [0, 3, 3, 6],
    bits: [A, D],
  },
  rules: [...TRANSLATION, 'fault', 'progress'],
  runs: LARGE,
})

const largePages = shadowLaw({
  id: 'large-pages',
  sentence: 'With CR4.PSE an entry of a directory may be a page of 4 MiB: its rights, bits and reserved bits count.',
  shape: {
    steps: ['entry', 'entry', 'touch', 'touch', 'touch', 'clear', 'clear', 'invlpg', 'invlpg', 'load', 'data'],
    upper: ['large', 'large', 'table', 'inner'],
    lower: ['data', 'table'],
    tables: [0, 0, 0, 0, 1, 3],
    pse: true,
    bits: [A, D, G],
    maxSteps: 28,
  },
  rules: ALL_RULES.filter((rule) => rule !== 'flush'),
  runs: LARGE,
})

const modes = shadowLaw({
  id: 'modes',
  sentence: 'When CR4.PSE or CR4.PGE changes, nothing of what was true before is used.',
  shape: {
    steps: ['entry', 'entry', 'mode', 'touch', 'touch', 'load'],
    upper: ['large', 'table', 'table'],
    tables: [0, 0, 0, 3],
    maxSteps: 30,
    bits: [A, D, G, PS],
  },
  rules: [...TRANSLATION, 'fault'],
  runs: SMALL,
})

const crossing = shadowLaw({
  id: 'two-pages',
  sentence: 'A write across the end of a page is two accesses: the second one may fault, and then only it.',
  shape: { steps: ['entry', 'cross', 'cross', 'touch', 'invlpg'], lower: ['data', 'table'], bits: [A, D] },
  rules: ['fault', 'bits', 'progress'],
  runs: SMALL,
})

const reuse = shadowLaw({
  id: 'tables-come-and-go',
  sentence: 'A frame that was a table and is data again, or a table again, is what it is now.',
  shape: {
    steps: ['entry', 'entry', 'data', 'data', 'touch', 'touch', 'device', ...FLUSHES],
    tables: [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
    lower: ['data', 'table', 'directory'],
    bits: [A, D],
    maxSteps: 30,
  },
  rules: ALL_RULES.filter((rule) => rule !== 'flush'),
  runs: LARGE,
})

const cap = shadowLaw({
  id: 'recycles',
  sentence: 'With as few shadow pages as your variant allows everything is as right as with many.',
  shape: {
    steps: ['entry', 'entry', 'touch', 'touch', 'touch', 'load', 'load', 'mode', 'invlpg'],
    tables: [0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8],
    upper: ['table', 'table', 'table', 'large'],
    lower: ['data', 'data', 'table'],
    bits: [A, D, G],
    maxSteps: 60,
  },
  rules: ALL_RULES.filter((rule) => rule !== 'flush'),
  runs: SMALL,
})

/** The laws of the core. */
export const coreLaws: readonly ShadowLaw[] = [
  translates,
  goesThrough,
  trueFaults,
  devices,
  bits,
  flushes,
  flushPolicy,
  traces,
  written,
  sharing,
  selfMaps,
  writeProtect,
  largePages,
  modes,
  crossing,
  reuse,
  cap,
]
