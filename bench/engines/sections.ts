/** The sections of the guest, with the work that makes each last about a second on v86. */

export type Family = 'integer' | 'hash' | 'calls' | 'memory' | 'string' | 'paging' | 'privileged' | 'code'

export interface Section {
  readonly name: string
  readonly family: Family
  /** How often its unit is done: at least 20, so that a twentieth is something. */
  readonly work: number
}

function family(name: Family, works: Readonly<Record<string, number>>): Section[] {
  return Object.entries(works).map(([section, work]) => ({ name: section, family: name, work }))
}

export const SECTIONS: readonly Section[] = [
  ...family('integer', {
    xorshift: 600,
    collatz: 600,
    bits: 400,
    division: 200,
    words: 400,
    bytes: 400,
    wide: 400,
    'wide-division': 400,
    mandelbrot: 100,
    bodies: 100,
  }),
  ...family('hash', { sha256: 400, md5: 400, crc32: 400, fnv: 400, chacha: 400 }),
  ...family('calls', {
    quicksort: 400,
    tree: 300,
    fib: 300,
    ackermann: 300,
    tak: 300,
    methods: 200,
    switch: 400,
    labels: 400,
  }),
  ...family('memory', { matrix: 400, sieve: 400, list: 400, chase: 400, compress: 400 }),
  ...family('string', { 'rep-movs': 100, 'rep-stos': 100, 'rep-short': 40, 'rep-compare': 100, 'byte-loops': 300 }),
  ...family('paging', { touches: 100, cr3: 60, spaces: 60, faults: 60, invlpg: 60 }),
  ...family('privileged', { int80: 100, user: 60, 'port-in': 100, 'port-out': 60, serial: 60, flags: 60 }),
  ...family('code', { patched: 40, repatched: 40, generated: 40, beside: 20 }),
]
