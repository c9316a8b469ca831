import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue } from './event-queue.ts'

describe('the agenda', () => {
  it('gives events by time, equal times in the order of their entry, and nothing before its time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), fc.nat({ max: 25 }), (times, now) => {
        const queue = new EventQueue()
        const done: [number, number][] = []
        times.forEach((at, i) => {
          queue.add(at, () => done.push([at, i]))
        })
        for (let event = queue.take(now); event !== undefined; event = queue.take(now)) event.action(now)
        const expected = times.map((at, i): [number, number] => [at, i]).filter(([at]) => at <= now)
        expect(done).toEqual(expected.sort(([a, i], [b, j]) => a - b || i - j))
        expect(queue.nextAt).toBe(Math.min(Number.POSITIVE_INFINITY, ...times.filter((at) => at > now)))
      }),
      { seed: 1 },
    )
  })

  it('lets an action add events', () => {
    const queue = new EventQueue()
    const done: string[] = []
    queue.add(1, () => {
      done.push('first')
      queue.add(1, () => done.push('third'))
    })
    queue.add(1, () => done.push('second'))
    for (let event = queue.take(1); event !== undefined; event = queue.take(1)) event.action(1)
    expect(done).toEqual(['first', 'second', 'third'])
  })
})
