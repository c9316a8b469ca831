import { describe, expect, it } from 'vitest'
import { SmallHeap } from './small-heap.ts'

const MANY_LOOKS = 100
/** 40 MB, which is more than may grow unseen. */
const NUMBERS = 5_000_000

describe('a small heap', () => {
  it('is collected once it has grown, and not while it has not', async () => {
    const heap = new SmallHeap()
    let large: number[] | undefined = new Array(NUMBERS).fill(0.5)
    const small = new WeakRef({})
    const known = new WeakRef(large)
    await new Promise((resolve) => setTimeout(resolve))
    large = undefined
    for (let i = 0; i < MANY_LOOKS; i++) heap.look()
    expect([known.deref() === undefined, small.deref() === undefined]).toEqual([true, true])
    const kept = new WeakRef({})
    await new Promise((resolve) => setTimeout(resolve))
    for (let i = 0; i < MANY_LOOKS; i++) heap.look()
    expect(kept.deref() === undefined).toBe(false)
  })
})
