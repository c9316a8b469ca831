/** Unusual right sharing services, each a whole `src/sharing.ts`: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

export const benign: AnyLab['benign'] = [
  {
    id: 'plain-maps',
    story: 'Everything is in maps, pages know their partners, and the frame table is made only when it is asked for.',
    file: 'plain-maps.ts',
  },
  {
    id: 'protects-first',
    story:
      'Whatever is looked at is read-only before it is hashed, and hints are left behind when the service is replaced.',
    file: 'protects-first.ts',
  },
  {
    id: 'eagerly-private',
    story: 'A page that has lost its last partner is writable again at once, without waiting for a fault.',
    file: 'eagerly-private.ts',
  },
  {
    id: 'hashes-again',
    story: 'A hinted page is hashed anew before it is compared, and the frame of the page that came last is kept.',
    file: 'hashes-again.ts',
  },
]
