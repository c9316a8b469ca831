/** Unusual right idle monitors, each a whole `src/idle.ts`: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

export const benign: AnyLab['benign'] = [
  {
    id: 'settles-everybody',
    story: 'Every call first brings the accounts of all vcpus up to date, as one clock tick for all.',
    file: 'settles-everybody.ts',
  },
  {
    id: 'state-machine',
    story: 'Each vcpu is in one of five named states, and a table says where the time of each goes.',
    file: 'state-machine.ts',
  },
  {
    id: 'numbers-since-attach',
    story: 'Times are plain numbers since the beginning, exact below 2^53; idle time is what is left of the elapsed.',
    file: 'numbers-since-attach.ts',
  },
  {
    id: 'cautious-delivery',
    story:
      'Asks for a window whenever it may not deliver, and delivers NMIs in the shadow of STI, as some processors do.',
    file: 'cautious-delivery.ts',
  },
]
