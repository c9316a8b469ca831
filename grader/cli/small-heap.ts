/**
 * Keeps V8's heap small while a machine runs. By itself V8 lets garbage grow to several times what is alive before it
 * collects, and a guest's decoded instructions are garbage whenever the guest writes over its code.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How much the heap may grow between two collections, in bytes. */
const GROWTH_BYTES = 24 << 20
/** Calls between two looks at the heap, each of which costs microseconds. */
const CALLS = 16

export class SmallHeap {
  readonly #collect: () => void
  #limit = 0
  #calls = 0

  constructor() {
    setFlagsFromString('--semi-space-growth-factor=1')
    setFlagsFromString('--expose-gc')
    this.#collect = runInNewContext('gc') as () => void
    this.#limit = getHeapStatistics().used_heap_size + GROWTH_BYTES
  }

  /** To be called now and then: collects when the heap has grown. */
  look(): void {
    if (++this.#calls % CALLS !== 0 || getHeapStatistics().used_heap_size < this.#limit) return
    this.#collect()
    this.#limit = getHeapStatistics().used_heap_size + GROWTH_BYTES
  }
}
