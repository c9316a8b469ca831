/** Unusual right sharing services, each a whole `src/sharing.ts`: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

export const benign: AnyLab['benign'] = []
