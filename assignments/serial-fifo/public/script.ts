/** The cases of the lab: a guest, a pipe, and what happens step by step. Plain data, so that a card can hold them. */
import * as fc from 'fast-check'
import type { GuestKind } from './guest.ts'
import type { PipeSize } from './host-world.ts'
import type { Variant } from './variant.ts'
import { itemText } from './wire.ts'

export type StepName =
  | 'send'
  | 'sendBreak'
  | 'read'
  | 'pause'
  | 'sleep'
  | 'drain'
  | 'feed'
  | 'feedBreak'
  | 'reader'
  | 'writer'
  | 'interrupt'
  | 'migrate'
  | 'loop'
  | 'resetTransmitter'
  | 'resetReceiver'
  | 'divisor'

/** `value`: how many bytes or calls; for what comes and goes, or is on and off, odd is there or on. */
export interface Step {
  readonly do: StepName
  readonly value: number
}

export interface Script {
  readonly guest: GuestKind
  readonly pipe: PipeSize
  /** The first byte that each side sends; each one after it is greater by one. */
  readonly first: number
  /** Whether somebody has the far ends from the start. */
  readonly reader: boolean
  readonly writer: boolean
  readonly steps: readonly Step[]
}

export interface ScriptShape {
  readonly steps: readonly StepName[]
  readonly maxSteps?: number
  readonly reader?: boolean
  readonly writer?: boolean
  /** Room in the pipe; small unless told. */
  readonly roomy?: boolean
  readonly guest?: Partial<GuestKind>
}

const LIMITS: Readonly<Record<StepName, number>> = {
  send: 60,
  sendBreak: 1,
  read: 24,
  pause: 1,
  sleep: 1,
  drain: 40,
  feed: 40,
  feedBreak: 1,
  reader: 1,
  writer: 1,
  interrupt: 3,
  migrate: 1,
  loop: 1,
  resetTransmitter: 1,
  resetReceiver: 1,
  divisor: 255,
}
const COUNTED: readonly StepName[] = ['send', 'read', 'drain', 'feed', 'interrupt']
const DEFAULT_STEPS = 20
const ROOMY = { bytes: 4096, pipeBuf: 512 }

/** Scripts of a shape. Streams begin near the bytes that a framing or a text conversion would trip over. */
export function scripts(shape: ScriptShape, { escapeByte }: Variant): fc.Arbitrary<Script> {
  const step = fc.constantFrom(...shape.steps).chain((name) =>
    fc.record({
      do: fc.constant(name),
      value: fc.integer({ min: COUNTED.includes(name) ? 1 : 0, max: LIMITS[name] }),
    }),
  )
  const small = fc
    .tuple(fc.integer({ min: 1, max: 24 }), fc.nat(40))
    .map(([pipeBuf, more]) => ({ bytes: pipeBuf + more, pipeBuf }))
  return fc.record({
    guest: fc.record({
      fifos: shape.guest?.fifos === undefined ? fc.boolean() : fc.constant(shape.guest.fifos),
      driver:
        shape.guest?.driver === undefined
          ? fc.constantFrom('polling' as const, 'interrupts' as const)
          : fc.constant(shape.guest.driver),
    }),
    pipe: shape.roomy === true ? fc.constant(ROOMY) : small,
    first: fc.oneof(fc.constantFrom(0x41, 0, 0xf8, (escapeByte + 250) % 256), fc.nat(255)),
    reader: shape.reader === undefined ? fc.boolean() : fc.constant(shape.reader),
    writer: shape.writer === undefined ? fc.boolean() : fc.constant(shape.writer),
    steps: fc.array(step, { minLength: 1, maxLength: shape.maxSteps ?? DEFAULT_STEPS }),
  })
}

const DEEDS: Readonly<Record<StepName, (value: number) => string>> = {
  send: (value) => `the guest sends ${value} bytes`,
  sendBreak: () => 'the guest sends a break',
  read: (value) => `the guest reads up to ${value} bytes`,
  pause: () => 'the machine pauses: flush, and what there is to notice',
  sleep: () => 'the machine sleeps: what there is to notice, and alarms, but no flush',
  drain: (value) => `the far side reads up to ${value} bytes`,
  feed: (value) => `the far side writes ${value} bytes`,
  feedBreak: () => 'the far side sends a break',
  reader: (value) => (value % 2 === 1 ? 'somebody opens the pipe to read' : 'the reader closes the pipe'),
  writer: (value) => (value % 2 === 1 ? 'somebody opens the pipe to write' : 'the writer closes the pipe'),
  interrupt: (value) => `signals interrupt the next ${value} calls of the host`,
  migrate: () => 'the machine moves: save, a fresh back end, restore, open',
  loop: (value) => `the guest turns loopback ${value % 2 === 1 ? 'on' : 'off'}`,
  resetTransmitter: () => 'the guest resets its transmitter FIFO',
  resetReceiver: () => 'the guest resets its receiver FIFO',
  divisor: (value) => `the guest writes the divisor latch: ${value}`,
}

/** A step in words. */
export function stepText({ do: name, value }: Step): string {
  return DEEDS[name](value)
}

/** A script for a person. */
export function describeScript({ guest, pipe, first, reader, writer, steps }: Script, variant: Variant): string[] {
  const ends = [reader ? 'a reader' : 'no reader', writer ? 'a writer' : 'no writer'].join(', ')
  return [
    `a guest that sends by ${guest.driver}, FIFOs ${guest.fifos ? 'on' : 'off'}; bytes from ${itemText([first])} on`,
    `a pipe of ${pipe.bytes} bytes, PIPE_BUF ${pipe.pipeBuf}; at the far side ${ends}`,
    ...(variant.framing === 'raw' ? [] : [`framing: ${variant.framing}`]),
    ...steps.map((step, index) => `${index + 1}. ${stepText(step)}`),
  ]
}
