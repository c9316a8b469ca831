/** Unusual right back ends, each a whole `src/fifo-backend.ts`: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

export const benign: AnyLab['benign'] = []
