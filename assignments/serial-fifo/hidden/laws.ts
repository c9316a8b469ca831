/** Adversarial cases that mutants taught us: each once killed a wrong back end that the generators missed. */
import { requireInput, requireRules } from '../public/judge.ts'
import { exampleLaw, type FifoLaw } from '../public/laws.ts'
import type { Script, Step, StepName } from '../public/script.ts'

function steps(...list: readonly (readonly [StepName, number] | StepName)[]): Step[] {
  return list.map((entry) => (typeof entry === 'string' ? { do: entry, value: 1 } : { do: entry[0], value: entry[1] }))
}

function script(list: readonly Step[], more: Partial<Script> = {}): Script {
  return {
    guest: { fifos: true, driver: 'interrupts' },
    pipe: { bytes: 24, pipeBuf: 8 },
    first: 0xf0,
    reader: true,
    writer: true,
    steps: list,
    ...more,
  }
}

/** The same steps so many times. */
function times(count: number, list: readonly Step[]): Step[] {
  return Array.from({ length: count }, () => list).flat()
}

export const hiddenLaws: readonly FifoLaw[] = [
  exampleLaw(
    {
      id: 'signal-storm',
      sentence:
        'Signals in every call, a pipe of a few bytes and readers that come and go together lose and double nothing.',
      rules: ['stream', 'late', 'edge'],
    },
    script(
      times(
        12,
        steps(
          ['send', 40],
          ['interrupt', 3],
          'pause',
          ['drain', 7],
          ['interrupt', 2],
          'sleep',
          ['reader', 0],
          'sleep',
          ['reader', 1],
        ),
      ),
    ),
  ),
  exampleLaw(
    {
      id: 'moved-while-full',
      sentence:
        'A back end that moves while everything is full, again and again, resumes the transmitter all the same.',
      rules: ['stream', 'late', 'edge'],
    },
    script(
      times(6, steps(['send', 60], ['send', 60], 'pause', 'migrate', ['drain', 9], 'pause', 'migrate', ['feed', 30])),
      {
        pipe: { bytes: 20, pipeBuf: 4 },
      },
    ),
  ),
  exampleLaw(
    {
      id: 'writer-returns-unseen',
      sentence:
        'A writer that goes and comes back between two looks is heard, and one that brings nothing keeps nobody awake.',
      rules: ['input', 'spins'],
      also: requireInput,
    },
    script(
      times(
        8,
        steps(
          ['feed', 20],
          'writer',
          ['writer', 0],
          ['writer', 1],
          ['feed', 9],
          'pause',
          ['read', 5],
          ['writer', 0],
          'sleep',
          ['writer', 1],
        ),
      ),
      { pipe: { bytes: 64, pipeBuf: 8 } },
    ),
  ),
  exampleLaw(
    {
      id: 'long-haul',
      sentence: 'A line that is used for long is as right at its end as at its beginning, and gives everything back.',
      rules: ['stream', 'late', 'input', 'edge', 'spins', 'bounded', 'pressure'],
      also: (player) => {
        requireInput(player)
        player.close()
        requireRules(player.world, ['leak'])
      },
    },
    script(
      times(
        20,
        steps(['send', 33], ['feed', 21], 'sendBreak', 'pause', ['read', 17], ['drain', 19], 'feedBreak', 'sleep', [
          'read',
          24,
        ]),
      ),
      { pipe: { bytes: 40, pipeBuf: 16 }, guest: { fifos: true, driver: 'polling' } },
    ),
  ),
]
