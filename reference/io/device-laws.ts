/**
 * Laws that every device of this machine obeys, for the tests beside the devices: how time is sliced is invisible,
 * save and restore are invisible, and a device acts by itself only at the times that it announced.
 */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Cycles } from '../sched/virtual-time.ts'
import type { Line, PortDevice, Savable, TimedDevice } from './device.ts'

type Device = PortDevice & Savable<unknown> & Partial<TimedDevice>

/** One access, `after` cycles later than the one before. */
export interface Access {
  readonly after: Cycles
  readonly port: number
  /** The byte to write, or −1 to read. */
  readonly write: number
}

export interface DeviceLaws<D extends Device> {
  /** A fresh device that drives `line`. */
  make(line: Line): D
  accesses: fc.Arbitrary<readonly Access[]>
  /** What the world does to the device before the access number `index`; the same for each run of a script. */
  world?(device: D, index: number, now: Cycles): void
}

interface Manner {
  /** Replaces the device by a restored copy before each access whose number is true here. */
  readonly swaps?: readonly boolean[]
  /** Advances in between at every event and at these fractions of the wait. */
  readonly slices?: readonly number[]
}

/** Runs a script and gives all that can be seen: the values read, the levels of the line and the state at the end. */
function run<D extends Device>(laws: DeviceLaws<D>, script: readonly Access[], manner: Manner): unknown[] {
  const seen: unknown[] = []
  const make = () => laws.make((level) => seen.push(level))
  let device = make()
  let now = 0
  for (const [index, { after, port, write }] of script.entries()) {
    const until = now + after
    if (manner.slices !== undefined) {
      for (const slice of [...manner.slices, 1]) {
        const next = until - after + Math.floor(slice * after)
        advanceByEvents(device, now, next, seen)
        now = next
      }
    }
    now = until
    device.advance?.(now)
    if (manner.swaps?.[index] === true) {
      const copy = make()
      copy.restore(JSON.parse(JSON.stringify(device.save())))
      device = copy
    }
    laws.world?.(device, index, now)
    if (write < 0) seen.push(`read ${device.readPort(port, 1, now)}`)
    else device.writePort(port, 1, write, now)
  }
  seen.push(device.save())
  return seen
}

/** Advances from event to event, and looks just before each one that nothing came early. */
function advanceByEvents(device: Device, from: Cycles, until: Cycles, seen: readonly unknown[]): void {
  if (device.nextEvent === undefined) return
  let now = from
  for (let event = device.nextEvent(now); event <= until; event = device.nextEvent(now)) {
    expect(event).toBeGreaterThanOrEqual(now)
    const before = seen.length
    if (event > now) device.advance?.(event - 1)
    expect(seen.length, 'the line moved before the announced event').toBe(before)
    device.advance?.(event)
    now = event
  }
  const before = seen.length
  device.advance?.(until)
  expect(seen.length, 'the line moved without an announced event').toBe(before)
}

/** States the laws as tests of the current suite. */
export function itObeysTheDeviceLaws<D extends Device>(laws: DeviceLaws<D>): void {
  it('behaves the same when it is saved and restored in mid-stream', () => {
    fc.assert(
      fc.property(laws.accesses, fc.array(fc.boolean(), { maxLength: 60 }), (script, swaps) => {
        expect(run(laws, script, { swaps })).toEqual(run(laws, script, {}))
      }),
    )
  })

  it('behaves the same in many small advances as in one big one, and acts only when announced', () => {
    const slices = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 })
    fc.assert(
      fc.property(laws.accesses, slices, (script, unsorted) => {
        const sorted = [...unsorted].sort((a, b) => a - b)
        expect(run(laws, script, { slices: sorted })).toEqual(run(laws, script, {}))
      }),
    )
  })
}
