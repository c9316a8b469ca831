import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteRing } from './byte-ring.ts'
import { RingBackend } from './ring-backend.ts'

const bytes = fc.uint8Array({ maxLength: 24 })

describe('ByteRing', () => {
  it('is a queue that refuses what does not fit', () => {
    const steps = fc.array(fc.oneof(bytes, fc.nat(24)), { maxLength: 40 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), steps, (capacity, script) => {
        const ring = new ByteRing(capacity)
        let queue: number[] = []
        for (const step of script) {
          if (typeof step === 'number') {
            const drop = Math.min(step, queue.length)
            ring.drop(drop)
            queue = queue.slice(drop)
          } else {
            const taken = ring.put(step)
            expect(taken).toBe(Math.min(step.length, capacity - queue.length))
            queue.push(...step.subarray(0, taken))
          }
          const piece = ring.peek()
          expect([ring.count, ring.room]).toEqual([queue.length, capacity - queue.length])
          expect([...piece]).toEqual(queue.slice(0, piece.length))
          expect(piece.length > 0).toBe(queue.length > 0)
        }
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})

describe('RingBackend', () => {
  it('takes everything and keeps the last of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(bytes), (capacity, pieces) => {
        const ring = new RingBackend(capacity)
        for (const piece of pieces) expect(ring.transmit(piece)).toBe(piece.length)
        const all = pieces.flatMap((piece) => [...piece])
        expect([...ring.bytes()]).toEqual(all.slice(Math.max(0, all.length - capacity)))
        expect([...ring.bytes()]).toEqual([...ring.bytes()])
      }),
      { seed: 2, numRuns: 300 },
    )
  })
})
