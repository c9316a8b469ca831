import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Activity, Ledger } from './ledger.ts'

const activities = fc.constantFrom<Activity>('busy', 'steal', 'idle')

describe('the ledger', () => {
  it('gives each cycle to the activity that was entered last before it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 5 }), activities), { minLength: 1 }),
        fc.nat({ max: 5 }),
        (steps, tail) => {
          const ledger = new Ledger()
          const cycles: Activity[] = []
          let now = 0
          let doing: Activity = 'steal'
          ledger.enter(doing, 0)
          for (const [gap, activity] of steps) {
            for (let i = 0; i < gap; i++) cycles.push(doing)
            now += gap
            doing = activity
            ledger.enter(activity, now)
          }
          for (let i = 0; i < tail; i++) cycles.push(doing)
          for (let at = 0; at <= now + tail; at++) {
            const past = cycles.slice(0, at)
            const count = (which: Activity) => past.filter((each) => each === which).length
            expect(ledger.totals(at)).toEqual({ idle: count('idle'), busy: count('busy'), steal: count('steal') })
          }
        },
      ),
      { seed: 1, numRuns: 60 },
    )
  })

  it('keeps no interval without length, and no two alike in a row', () => {
    const ledger = new Ledger()
    ledger.enter('steal', 0)
    ledger.enter('busy', 10)
    ledger.enter('steal', 10)
    ledger.enter('steal', 20)
    expect(ledger.intervals).toEqual([{ from: 0, activity: 'steal' }])
  })
})
