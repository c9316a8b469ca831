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
    xorshift: 1000,
    collatz: 600,
    bits: 800,
    division: 250,
    words: 500,
    bytes: 300,
    wide: 360,
    'wide-division': 360,
    mandelbrot: 300,
    bodies: 60,
  }),
  ...family('hash', { sha256: 600, md5: 660, crc32: 1000, fnv: 640, chacha: 320 }),
  ...family('calls', {
    quicksort: 700,
    tree: 260,
    fib: 240,
    ackermann: 600,
    tak: 1000,
    methods: 230,
    switch: 300,
    labels: 600,
  }),
  ...family('memory', { matrix: 700, sieve: 700, list: 560, chase: 100, compress: 400 }),
  ...family('string', { 'rep-movs': 800, 'rep-stos': 600, 'rep-short': 500, 'rep-compare': 800, 'byte-loops': 550 }),
  ...family('paging', { touches: 100, cr3: 300, spaces: 200, faults: 360, invlpg: 360 }),
  ...family('privileged', { int80: 800, user: 500, 'port-in': 800, 'port-out': 800, serial: 1000, flags: 500 }),
  ...family('code', { patched: 1500, repatched: 140, generated: 180, beside: 4000 }),
]
