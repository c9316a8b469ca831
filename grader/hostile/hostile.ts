/**
 * What a hostile submission is: one small object that says what it tries, makes itself for a lab, and says how it must
 * end. Nothing here or in the families' files knows a lab; what an attack needs of one, the kit gives it.
 */
import type { Kit } from './kit.ts'

/** Every family, in the order of reports. */
export const FAMILIES = [
  'denial of service',
  'early exit',
  'patching',
  'forging',
  'reading',
  'escaping',
  'environment and network',
  'time',
  'answers',
  'tree',
  'repository',
  'archive',
  'injection',
] as const
export type Family = (typeof FAMILIES)[number]

/** What is handed in: files as text or bytes, a folder or repository that a function fills, or an archive's bytes. */
export type HandedIn =
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, string | Uint8Array> }
  | { readonly kind: 'directory'; readonly build: (folder: string) => void }
  /** `build` gives the revision to be graded. */
  | { readonly kind: 'repository'; readonly build: (folder: string) => string }
  | { readonly kind: 'archive'; readonly bytes: Uint8Array }

/** How many points are allowed, against those of honest code. */
export type AllowedPoints =
  /** None at all. */
  | 'none'
  /** No more than the same wrong code without the attack. */
  | 'atMostWrong'
  /** All points: right code must not lose by what surrounds it. */
  | 'all'
  /** Right code that may lose what its attack touches. */
  | 'atMostRight'

export interface Expectation {
  /** The outcomes of the submission that are right; mostly one. */
  readonly outcomes: readonly string[]
  readonly points: AllowedPoints
  /** No law may end otherwise; without it, any verdict. */
  readonly verdicts?: readonly string[]
  /** At least one law must end so. */
  readonly some?: string
}

export interface Hostile {
  /** Lower-case words joined by hyphens. */
  readonly id: string
  readonly family: Family
  /** What it tries, in one sentence. */
  readonly tries: string
  submission(kit: Kit): HandedIn
  /** The suites that it is graded by; default: both, for what plays one suite, or law, against another. */
  readonly suites?: 'public' | 'both'
  readonly expect: Expectation
}

/** Puts entries into their family. */
export function inFamily(family: Family, entries: readonly Omit<Hostile, 'family'>[]): readonly Hostile[] {
  return entries.map((entry) => ({ ...entry, family }))
}

/** Entries to which all laws are alike: the public suite shows what the hidden one would, in half the time. */
export function inBrief(entries: readonly Omit<Hostile, 'family'>[]): readonly Omit<Hostile, 'family'>[] {
  return entries.map((entry) => ({ suites: 'public', ...entry }))
}

/** It runs, and gains nothing that wrong code has not; with `some`, a law must end so. */
export function gainsNothing(some?: string): Expectation {
  return { outcomes: ['graded'], points: 'atMostWrong', ...(some === undefined ? {} : { some }) }
}

/** It runs, and no law may hold: each ends in one of these verdicts. */
export function endsIn(...verdicts: readonly string[]): Expectation {
  return { outcomes: ['graded'], points: 'none', verdicts }
}

/** Right code that must keep all of its points. */
export const KEEPS_ALL: Expectation = { outcomes: ['graded'], points: 'all', verdicts: ['held'] }

/** Right code that may lose the checks that its attack touches. */
export const MAY_LOSE: Expectation = { outcomes: ['graded'], points: 'atMostRight' }

/** The compiler stops it. */
export const DOES_NOT_COMPILE: Expectation = { outcomes: ['doesNotCompile'], points: 'none', verdicts: ['notRun'] }

/** An import stops it. */
export const IMPORT_REFUSED: Expectation = { outcomes: ['importRefused'], points: 'none', verdicts: ['notRun'] }

/** It cannot be read as a submission. */
export const NOT_READABLE: Expectation = { outcomes: ['notReadable'], points: 'none', verdicts: ['notRun'] }
