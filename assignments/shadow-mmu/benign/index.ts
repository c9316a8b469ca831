/** Unusual right shadow MMUs, each a whole `src/shadow.ts`: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

export const benign: AnyLab['benign'] = [
  {
    id: 'flushes-more',
    story: 'INVLPG flushes the whole TLB, and each fault the page that it was about.',
    file: 'flushes-more.ts',
  },
  {
    id: 'emulates-first',
    story: 'The first write to a table is done for the guest; after it the guest writes unseen until it flushes.',
    file: 'emulates-first.ts',
  },
  {
    id: 'compares-more',
    story: 'Whole tables are compared where one entry would do.',
    file: 'compares-more.ts',
  },
  {
    id: 'wp-by-emulation',
    story: 'With CR0.WP = 0 the kernel’s writes to read-only pages are done for it, one by one.',
    file: 'wp-by-emulation.ts',
  },
]
