/** Unusual right back ends, each a whole `src/fifo-backend.ts`: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

export const benign: AnyLab['benign'] = [
  {
    id: 'frames-late',
    story: 'A plain queue of items that is framed when it is written, which it is whenever sixteen wait.',
    file: 'frames-late.ts',
  },
  {
    id: 'one-ring',
    story: 'A fixed ring of the pipe’s bytes, with a mark at each that completes one; reads sixteen bytes at a time.',
    file: 'one-ring.ts',
  },
  {
    id: 'own-writer',
    story:
      'Closures; it holds a writer of its own at the input, so that there is no end of file, and never writes before a pause.',
    file: 'own-writer.ts',
  },
  {
    id: 'poll-driven',
    story: 'It writes only when a notice has said that there is room, never from within transmit or flush.',
    file: 'poll-driven.ts',
  },
]
