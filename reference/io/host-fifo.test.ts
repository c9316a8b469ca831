import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FifoEnd, HostFifo } from './host-fifo.ts'

const ACCESS = {
  read: constants.O_RDONLY | constants.O_NONBLOCK,
  write: constants.O_WRONLY | constants.O_NONBLOCK,
  readWrite: constants.O_RDWR | constants.O_NONBLOCK,
} as const

type Access = keyof typeof ACCESS
type Step =
  | { readonly do: 'open'; readonly access: Access }
  | { readonly do: 'close'; readonly end: number }
  | { readonly do: 'read'; readonly end: number; readonly count: number }
  | { readonly do: 'write'; readonly end: number; readonly count: number }

const end = fc.nat(3)
/** Sizes around the page's, and a few that fill the whole FIFO. */
const size = fc.oneof(
  fc.nat(40),
  fc.integer({ min: 4_000, max: 4_200 }),
  fc.constantFrom(1, 2048, 4096, 4097, 8192, 12_345, 40_000, 70_000),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      access: fc.constantFrom(...(Object.keys(ACCESS) as Access[])),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), end }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), end, count: size }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), end, count: size }) },
)

/** What a script can be played on: answers are numbers, texts or bytes. */
interface Player<End> {
  open(access: Access): End | string
  close(end: End): void
  read(end: End, count: number): Uint8Array | string
  write(end: End, bytes: Uint8Array): number | string
}

function play<End>(script: readonly Step[], player: Player<End>): unknown[] {
  const ends: { end: End; access: Access }[] = []
  let next = 0
  const seen: unknown[] = []
  for (const step of script) {
    if (step.do === 'open') {
      const opened = player.open(step.access)
      seen.push(typeof opened === 'string' ? opened : 'opened')
      if (typeof opened !== 'string') ends.push({ end: opened, access: step.access })
      continue
    }
    const chosen = ends[step.end]
    if (chosen === undefined) continue
    if (step.do === 'close') {
      player.close(chosen.end)
      ends.splice(step.end, 1)
    } else if (step.do === 'read' && chosen.access !== 'write') {
      const bytes = player.read(chosen.end, step.count)
      seen.push(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('base64'))
    } else if (step.do === 'write' && chosen.access !== 'read') {
      seen.push(
        player.write(
          chosen.end,
          Uint8Array.from({ length: step.count }, () => next++),
        ),
      )
    }
  }
  for (const { end } of ends) player.close(end)
  return seen
}

function modelled(): Player<FifoEnd> {
  const fifo = new HostFifo()
  return {
    open: (access) => fifo.open(access),
    close: (end) => end.close(),
    read: (end, count) => end.read(count),
    write: (end, bytes) => end.write(bytes),
  }
}

/** The answer, or the error's code. */
function orCode<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}

function real(path: string): Player<number> {
  return {
    open: (access) => orCode(() => openSync(path, ACCESS[access])),
    close: closeSync,
    read: (end, count) =>
      orCode(() => {
        const bytes = new Uint8Array(count)
        return bytes.subarray(0, readSync(end, bytes))
      }),
    write: (end, bytes) => orCode(() => writeSync(end, bytes)),
  }
}

describe.runIf(process.platform === 'linux')('HostFifo beside a real one', () => {
  let folder: string
  let path: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trapframe-fifo-'))
    path = join(folder, 'fifo')
    execFileSync('mkfifo', [path])
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('gives the same answer to every call of any script', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (script) => {
        expect(play(script, modelled())).toEqual(play(script, real(path)))
      }),
      { seed: 4, numRuns: 400 },
    )
  })

  it('gives the same answers when small writes and reads fill and empty it again and again', () => {
    const sizes = fc.array(fc.tuple(fc.boolean(), fc.oneof(fc.integer({ min: 1, max: 5_000 }), size)), {
      minLength: 40,
      maxLength: 120,
    })
    fc.assert(
      fc.property(sizes, (sizes) => {
        const script: Step[] = [
          { do: 'open', access: 'read' },
          { do: 'open', access: 'write' },
          ...sizes.map(([reads, count]): Step => ({ do: reads ? 'read' : 'write', end: reads ? 0 : 1, count })),
        ]
        expect(play(script, modelled())).toEqual(play(script, real(path)))
      }),
      { seed: 5, numRuns: 100 },
    )
  })
})

describe('HostFifo', () => {
  it('counts its capacity in bytes with pages of one byte, and writes up to PIPE_BUF whole or not at all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 64 }),
        fc.integer({ min: 1, max: 16 }),
        fc.array(fc.nat(80)),
        (slots, pipeBuf, counts) => {
          const fifo = new HostFifo({ slots, pageBytes: 1, pipeBuf })
          fifo.open('read')
          const writer = fifo.open('write') as FifoEnd
          for (const count of counts) {
            const free = slots - fifo.queued
            const expected = count <= free ? count : count <= pipeBuf || free === 0 ? 'EAGAIN' : free
            expect(writer.write(new Uint8Array(count))).toBe(expected)
            expect(writer.poll().writable).toBe(slots - fifo.queued >= pipeBuf)
          }
        },
      ),
      { seed: 6, numRuns: 200 },
    )
  })

  it('tells of a hang-up only an end that had company, and again and again', () => {
    const fifo = new HostFifo()
    const reader = fifo.open('read') as FifoEnd
    expect(reader.poll()).toEqual({ readable: false, writable: false, hangup: false })
    expect([...(reader.read(5) as Uint8Array)]).toEqual([])
    const writer = fifo.open('write') as FifoEnd
    expect(reader.read(5)).toBe('EAGAIN')
    writer.write(Uint8Array.of(7))
    writer.close()
    expect(reader.poll()).toEqual({ readable: true, writable: false, hangup: true })
    expect([...(reader.read(5) as Uint8Array)]).toEqual([7])
    expect([reader.poll().hangup, reader.poll().hangup]).toEqual([true, true])
    const again = fifo.open('read') as FifoEnd
    expect([again.poll().hangup, reader.poll().hangup]).toEqual([false, true])
    const back = fifo.open('write') as FifoEnd
    expect(reader.poll().hangup).toBe(false)
    reader.close()
    again.close()
    again.close()
    expect([back.poll().hangup, back.write(Uint8Array.of(1)), fifo.open('write')]).toEqual([true, 'EPIPE', 'ENXIO'])
  })
})
