/** Adversarial cases that mutants taught us: each once killed a wrong shadow MMU that the generators missed. */
import { everyBit } from '../public/every-bit.ts'
import { ALL_RULES, exampleLaw } from '../public/laws.ts'
import { INNER_TABLE, LARGE_GFN } from '../public/memory.ts'
import { A, D, P, PS, U, W } from '../public/oracle.ts'
import type { Script, Step } from '../public/script.ts'
import { FIRST_DATA, TABLES } from '../public/words.ts'

const ALL = P | W | U | A | D
const LARGE = P | W | U | PS
const RULES = ALL_RULES.filter((rule) => rule !== 'flush')

function script(steps: readonly Step[], more: Partial<Script> = {}): Script {
  return { wp: true, pse: true, pge: true, bits: W | A | D, global: true, steps, ...more }
}

function touch(region: number, page: number, write = false, user = true): Step {
  return { do: 'touch', region, page, write, user }
}

/** Tables are numbered as in `ALL_TABLES`: 3 is table 1, 8 is table 6. */
function entry(table: number, index: number, gfn: number, bits = ALL, by: 'entry' | 'device' = 'entry'): Step {
  return { do: by, table, index, gfn, bits }
}

/** The same steps so many times. */
function times(count: number, steps: (n: number) => readonly Step[]): Step[] {
  return Array.from({ length: count }, (_, n) => steps(n)).flat()
}

export const hiddenLaws = [
  everyBit,
  exampleLaw(
    {
      id: 'stale-writers',
      sentence: 'A frame that becomes a table is not written to by a translation that only the TLB still knows.',
      rules: RULES,
    },
    script([
      entry(3, 0, TABLES[5]!),
      touch(0, 0, true),
      entry(3, 0, FIRST_DATA, ALL, 'device'),
      entry(0, 2, TABLES[5]!),
      touch(2, 0),
      touch(0, 0, true),
      entry(8, 1, FIRST_DATA + 3),
      { do: 'invlpg', region: 2, page: 1 },
      touch(2, 1),
      { do: 'load', directory: 1 },
      { do: 'load', directory: 0 },
    ]),
  ),
  exampleLaw(
    {
      id: 'large-lives',
      sentence: 'A page of 4 MiB that is written to, cleaned, moved and flushed, with a table in it, stays right.',
      rules: RULES,
    },
    script([
      entry(0, 3, LARGE_GFN, LARGE),
      { do: 'load', directory: 0 },
      touch(3, 0),
      touch(3, 0, true),
      touch(3, 1, true),
      { do: 'clear', table: 0, index: 3, bits: D },
      { do: 'invlpg', region: 3, page: 0 },
      touch(3, 0),
      touch(3, 1),
      entry(0, 3, 0, LARGE),
      { do: 'invlpg', region: 3, page: 0 },
      touch(3, 1),
      entry(0, 3, LARGE_GFN, LARGE),
      { do: 'load', directory: 0 },
      entry(0, 2, INNER_TABLE),
      touch(2, 0),
      touch(3, 2, true),
      touch(3, 0, true),
      entry(0, 2, TABLES[1]!),
      entry(0, 3, LARGE_GFN, LARGE | D),
      { do: 'load', directory: 0 },
      touch(3, 0, true),
      entry(0, 2, INNER_TABLE),
      touch(2, 0),
      touch(3, 2, true),
      { do: 'mode', wp: true, pse: false, pge: true },
      entry(0, 2, TABLES[3]!, ALL | PS),
      touch(2, 0),
      { do: 'mode', wp: true, pse: true, pge: true },
      touch(2, 0),
    ]),
  ),
  exampleLaw(
    {
      id: 'recycled-writers',
      sentence: 'What a recycled shadow page allowed is not allowed by the TLB when its frame becomes a table.',
      rules: RULES,
    },
    script([
      entry(3, 0, TABLES[5]!),
      touch(0, 0, true),
      ...times(4, (n) => [
        entry(0, 2, TABLES[1 + n]!),
        entry(0, 3, TABLES[4]!, n % 2 === 0 ? ALL : P | A),
        touch(2, n),
        touch(3, n),
        touch(1, n),
      ]),
      entry(0, 2, TABLES[5]!),
      touch(2, 0),
      touch(0, 0, true),
      entry(8, 1, FIRST_DATA + 3),
      { do: 'invlpg', region: 2, page: 1 },
      touch(2, 1),
    ]),
  ),
  exampleLaw(
    {
      id: 'process-storm',
      sentence: 'Processes that come, write to their tables and go, for long, leave everything right behind them.',
      rules: RULES,
    },
    script(
      times(16, (n) => [
        { do: 'load', directory: n % 3 },
        entry(3 + (n % 3), n % 6, FIRST_DATA + (n % 4)),
        touch(0, n % 6, n % 2 === 0),
        entry(n % 3, 2, TABLES[(n + 1) % 6]!, n % 4 === 0 ? P | U | A : ALL),
        touch(2, (n + 1) % 6, true),
        { do: 'clear', table: 3 + (n % 3), index: (n + 2) % 6, bits: n % 2 === 0 ? D : W },
        { do: 'mode', wp: n % 5 !== 0, pse: true, pge: n % 7 !== 0 },
        touch(0, (n + 2) % 6, true, n % 5 !== 0),
      ]),
    ),
  ),
]
