/** The cases of the lab: VMs, what stands in their pages, and what happens step by step. Plain data, so that a card can hold them. */
import * as fc from 'fast-check'
import type { HashKind } from './contents.ts'

export type StepName =
  | 'tick'
  | 'write'
  | 'fill'
  | 'release'
  | 'touch'
  | 'pin'
  | 'unpin'
  | 'pageOut'
  | 'exit'
  | 'start'
  | 'replace'
  | 'hog'
  | 'relent'

/** `host`: the hypervisor itself, as it answers for a device or loads a page. */
export type Writer = 'processor' | 'device' | 'host'

/** A write that comes in the middle of a call: just before the service's operation number `before`. */
export interface Meddle {
  readonly before: number
  readonly vm: number
  readonly gfn: number
  readonly at: number
  readonly value: number
  readonly by: Writer
}

/** `value`: a tick's budget; a byte to write; the class of contents to fill a page with. */
export interface Step {
  readonly do: StepName
  readonly vm: number
  readonly gfn: number
  readonly at: number
  readonly value: number
  readonly by: Writer
  readonly meddle: readonly Meddle[]
}

export interface Script {
  readonly hash: HashKind
  /** The class of each page of each VM; VMs that start later have the same ones. */
  readonly vms: readonly (readonly number[])[]
  /** Frames that are free when all VMs have started; below 0, the last ones do not fit. */
  readonly spare: number
  readonly steps: readonly Step[]
}

export interface ScriptShape {
  readonly steps: readonly StepName[]
  readonly hashes?: readonly HashKind[]
  readonly maxVms?: number
  readonly maxPages?: number
  readonly maxSteps?: number
  readonly classes?: number
  readonly spare?: number
  /** Guests write in the middle of ticks. */
  readonly meddles?: boolean
  readonly writers?: readonly Writer[]
}

const DEFAULTS = { maxVms: 3, maxPages: 6, maxSteps: 16, classes: 3, spare: 8 }
const MAX_BUDGET = 12
const SMALL_BUDGET = 3
/** The operations of a call that sharing one page may take, and some more. */
const MAX_OPERATIONS = 14
/** Where bytes are written: both ends of a page, and its middle. */
const PLACES = [0, 2048, 4095] as const
const VALUES = 2
const WRITERS: readonly Writer[] = ['processor', 'device', 'host']

export function scripts(shape: ScriptShape): fc.Arbitrary<Script> {
  const { maxVms, maxPages, maxSteps, classes, spare } = { ...DEFAULTS, ...shape }
  const vm = fc.nat(maxVms - 1)
  const gfn = fc.nat(maxPages - 1)
  const write = {
    vm,
    gfn,
    at: fc.constantFrom(...PLACES),
    value: fc.nat(VALUES),
    by: fc.constantFrom(...(shape.writers ?? WRITERS)),
  }
  const meddle = fc.record({ ...write, before: fc.integer({ min: 1, max: MAX_OPERATIONS }) })
  const none = fc.constant([])
  const step = fc.constantFrom(...shape.steps).chain((name) =>
    fc.record({
      ...write,
      do: fc.constant(name),
      value: valueFor(name, classes),
      meddle: name === 'tick' && shape.meddles === true ? fc.array(meddle, { maxLength: 5 }) : none,
    }),
  )
  return fc.record({
    hash: fc.constantFrom(...(shape.hashes ?? ['good'])),
    vms: fc.array(fc.array(fc.nat(classes - 1), { minLength: 1, maxLength: maxPages }), {
      minLength: 1,
      maxLength: maxVms,
    }),
    spare: fc.constant(spare),
    steps: fc.array(step, { minLength: 1, maxLength: maxSteps }),
  })
}

function valueFor(name: StepName, classes: number): fc.Arbitrary<number> {
  if (name === 'tick')
    return fc.oneof(fc.integer({ min: 1, max: SMALL_BUDGET }), fc.integer({ min: 1, max: MAX_BUDGET }))
  return name === 'fill' ? fc.nat(classes - 1) : fc.nat(VALUES)
}

const DEEDS: Readonly<Record<StepName, (step: Step) => string>> = {
  tick: ({ value }) => `the host has time for ${value} pages`,
  write: ({ vm, gfn, at, value, by }) => `${writerText(by)} writes ${value} at byte ${at} of page ${gfn} of VM ${vm}`,
  fill: ({ vm, gfn, value, by }) => `${writerText(by)} fills page ${gfn} of VM ${vm} with contents ${value}`,
  release: ({ vm, gfn }) => `VM ${vm} gives up page ${gfn}`,
  touch: ({ vm, gfn }) => `VM ${vm} reads page ${gfn}`,
  pin: ({ vm, gfn }) => `a device is about to write to page ${gfn} of VM ${vm}: it is pinned`,
  unpin: ({ vm, gfn }) => `page ${gfn} of VM ${vm} is pinned no longer`,
  pageOut: ({ vm, gfn }) => `page ${gfn} of VM ${vm} is about to be written to disk`,
  exit: ({ vm }) => `VM ${vm} ends`,
  start: ({ vm }) => `VM ${vm} starts`,
  replace: () => 'the service is replaced: save, a fresh one, restore',
  hog: () => 'the host needs all free frames for something else',
  relent: () => 'the host has no more use for the frames that it took',
}

/** A step in words. */
export function stepText(step: Step): string {
  return DEEDS[step.do](step)
}

export function writerText(by: Writer): string {
  return by === 'host' ? 'the hypervisor' : `a ${by}`
}

/** A page that there is, for any numbers. */
export function pageOf<Of extends { readonly vm: number; readonly gfn: number }>(vms: Script['vms'], of: Of): Of {
  const vm = of.vm % vms.length
  return { ...of, vm, gfn: of.gfn % vms[vm]!.length }
}

/** The steps, each about a page that there is. */
export function stepsOf({ vms, steps }: Script): Step[] {
  return steps.map((step) => ({ ...pageOf(vms, step), meddle: step.meddle.map((each) => pageOf(vms, each)) }))
}

/** A script for a person. */
export function describeScript(script: Script): string[] {
  const { hash, vms, spare } = script
  return [
    `hash: ${hash}; ${spare < 0 ? `${-spare} frames too few for all pages` : `${spare} spare frames`}`,
    ...vms.map((classes, vm) => `VM ${vm}: pages with contents ${classes.join(' ')}`),
    ...stepsOf(script).flatMap((step, index) => [
      `${index + 1}. ${stepText(step)}`,
      ...step.meddle.map(
        ({ before, vm, gfn, at, value, by }) =>
          `     before your operation ${before}, ${writerText(by)} writes ${value} at byte ${at} of page ${gfn} of VM ${vm}`,
      ),
    ]),
  ]
}
