import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyDirectory } from '../../grader/contract/empty-directory.ts'
import type { Violation } from '../../grader/contract/law.ts'
import { expectVariants } from '../../grader/lab/fixtures/expect-variants.ts'
import { connectInProcess } from '../../grader/port/in-process.ts'
import { loadRubric } from '../../grader/rubric/rubric.ts'
import { starterFiles } from '../../grader/starter/starter-files.ts'
import { findLeaks } from '../../grader/verify/leak-gate.ts'
import type { SerialMachine } from '../../reference/index.ts'
import { create } from '../../reference/io/fifo-backend.ts'
import { FIFO_VARIANT } from '../../reference/io/fifo-variant.ts'
import { hiddenLaws } from './hidden/laws.ts'
import lab from './lab.ts'
import { modelLaws } from './public/laws.ts'
import { fifoPort } from './public/port.ts'
import { realLaws } from './public/real-laws.ts'
import { playScript } from './public/run-script.ts'
import { describeScript, type Script } from './public/script.ts'
import type { Variant } from './public/variant.ts'
import { BREAK_ITEM, WireReader, wireBytes } from './public/wire.ts'

const connect = connectInProcess(fifoPort, (machine) => create(machine as unknown as SerialMachine))

/** Every wiring with every policy and every framing, with different numbers. */
const VARIANTS: readonly Variant[] = (['pair', 'duplex'] as const).flatMap((wiring, w) =>
  (['keep', 'discard'] as const).flatMap((unplugged, u) =>
    (['raw', 'escaped', 'packets'] as const).map((framing, f) => ({
      wiring,
      unplugged,
      framing,
      capacity: [32, 64, 100, 192][(w + u + f) % 4]!,
      resumeAt: ([1, 4, 8, 14] as const)[(2 * w + u + f) % 4]!,
      escapeByte: [0xff, 0x10, 0x1d][f]!,
    })),
  ),
)
const [PLAIN] = VARIANTS as [Variant]

/** The reference back end as this variant asks for it. */
function contextFor(variant: Variant) {
  Object.assign(FIFO_VARIANT, variant)
  return { variant, connect, count: () => {}, directory: () => emptyDirectory(undefined) }
}

describe('the reference back end obeys every law, in every kind of variant', () => {
  it.each([...modelLaws, ...realLaws, ...hiddenLaws].map((law) => [law.sentence, law] as const))('%s', (_, law) => {
    const numRuns = realLaws.includes(law) ? 1 : 8
    const variants = law.id === 'real-full' ? VARIANTS.slice(5, 7) : VARIANTS
    for (const [seed, variant] of variants.entries()) {
      const context = contextFor(variant)
      fc.assert(
        fc.property(law.cases(variant), (testCase) => law.check(testCase, context)),
        { seed, numRuns },
      )
    }
  })
})

/** What happened in the scripts of a law. */
function logOf(id: string, variant: Variant): string {
  const law = modelLaws.find((each) => each.id === id)!
  const context = contextFor(variant)
  return fc
    .sample(law.cases(variant), { seed: 3, numRuns: 40 })
    .flatMap((script) => playScript(script, context).world.log)
    .join('\n')
}

describe('the scripts reach what their laws are about', () => {
  const framedVariant: Variant = { ...PLAIN, framing: 'escaped', escapeByte: 0xff }
  it.each<[string, string, RegExp, Variant]>([
    ['order', 'a short write', /write\(\d+, .*\) → [1-9]\d*; pipe/, PLAIN],
    ['order', 'a full pipe', /write\(\d+, .*\) → EAGAIN/, PLAIN],
    ['interrupted', 'an interrupted write', /write\(\d+, .*\) → EINTR/, PLAIN],
    ['interrupted', 'an interrupted read', /read\(\d+, .*\) → EINTR/, PLAIN],
    ['unplugged', 'a pipe without a reader', /open\(.*, write, nonblock\) → ENXIO/, PLAIN],
    ['unplugged', 'a reader that left', /→ EPIPE/, PLAIN],
    ['unplugged', 'a lost peer of a duplex pipe', /→ EPIPE/, { ...PLAIN, wiring: 'duplex' }],
    ['timely', 'an alarm', /you: alarmed/, PLAIN],
    ['back-pressure', 'a refusal', /you take 0 of/, PLAIN],
    ['back-pressure', 'a part taken', /you take ([1-9]|1[0-5]) of 16/, PLAIN],
    ['resumes', 'a transmitter resumed', /you resume the transmitter/, PLAIN],
    ['input', 'a guest that takes a part', /you hand the guest .*; it takes [1-9]\n/, PLAIN],
    ['writers-return', 'an end of file', /→ end of file/, PLAIN],
    ['framing', 'a break sent', /you: transmit a break/, framedVariant],
    ['framing', 'a break received', /you hand the guest a break; it takes it/, framedVariant],
    ['framing', 'an escaped byte', /write\(\d+, (.* )?ff ff/, framedVariant],
    ['guest-side', 'loopback', /the guest turns loopback on/, PLAIN],
    ['migration', 'a machine that moves', /you: restore/, PLAIN],
  ])('%s: %s', (id, _, wanted, variant) => {
    expect(logOf(id, variant)).toMatch(wanted)
  })
})

describe('a script', () => {
  it('runs the same way each time', () => {
    const context = contextFor(PLAIN)
    for (const script of fc.sample(modelLaws[0]!.cases(PLAIN), { seed: 11, numRuns: 20 })) {
      expect(playScript(script, context).world.log).toEqual(playScript(script, context).world.log)
    }
  })

  it('is told to a person line by line, and is plain data', () => {
    for (const law of [...modelLaws, ...realLaws, ...hiddenLaws]) {
      for (const script of fc.sample(law.cases(PLAIN), { seed: 5, numRuns: 3 })) {
        expect(JSON.parse(JSON.stringify(script))).toEqual(script)
        expect(law.describe(script, PLAIN).join('\n')).not.toContain('undefined')
        expect(describeScript(script, PLAIN).length).toBeGreaterThan(2)
      }
    }
  })

  it('marks the first byte that a wrong back end loses, with the way that led to it', () => {
    const forgetful = connectInProcess(fifoPort, (operations) => {
      const machine = operations as unknown as SerialMachine
      return create({
        ...machine,
        write: (fd, bytes) => (typeof machine.write(fd, bytes) === 'number' ? bytes.length : 'EAGAIN'),
      })
    })
    const order = modelLaws.find(({ id }) => id === 'order')!
    const script: Script = {
      guest: { fifos: true, driver: 'polling' },
      pipe: { bytes: 8, pipeBuf: 4 },
      first: 0x41,
      reader: true,
      writer: false,
      steps: [
        { do: 'send', value: 20 },
        { do: 'pause', value: 0 },
        { do: 'drain', value: 8 },
        { do: 'send', value: 4 },
      ],
    }
    let thrown: unknown
    try {
      order.check(script, { ...contextFor(PLAIN), connect: forgetful })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({
      difference: {
        what: 'what the pipe gets next',
        expected: '49, number 9 of the stream',
        actual: '55, number 21 of the stream (lost)',
      },
    })
    const { trace } = thrown as Violation
    expect(trace.at(-1)).toBe('▶ lost: the pipe gets 55, number 21 of the stream; expected 49, number 9 of the stream')
    expect(trace.join('\n')).toContain('(20)) → 8; pipe holds 8')
  })
})

describe('the wire', () => {
  it('reads back what was written, however it is cut, in every framing', () => {
    const items = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 0x10, 0xff, BREAK_ITEM)), { maxLength: 300 })
    fc.assert(
      fc.property(items, fc.constantFrom(...VARIANTS), (items, variant) => {
        const reader = new WireReader(variant)
        const expected = variant.framing === 'raw' ? items.filter((item) => item !== BREAK_ITEM) : items
        expect(wireBytes(items, variant).flatMap((byte) => reader.read(byte))).toEqual(expected)
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})

describe('the variants', () => {
  it('are what the schema allows, and a seed can reach every value', () => {
    expectVariants(lab, { wiring: 2, capacity: 6, unplugged: 2, resumeAt: 4, framing: 3, escapeByte: 4 })
  })
})

describe('the starter', () => {
  it('holds no part of the solution', () => {
    const { files, stripped } = starterFiles(lab, loadRubric(lab), 'lab-test')
    expect(stripped.length).toBeGreaterThan(20)
    expect(findLeaks(stripped, files)).toEqual([])
  })
})
