/** The corpus: every family's entries, in the order of families. */

import { answers } from './answers.ts'
import { archives } from './archives.ts'
import { denialOfService } from './denial-of-service.ts'
import { earlyExit } from './early-exit.ts'
import { environment } from './environment.ts'
import { escaping } from './escaping.ts'
import { forging } from './forging.ts'
import type { Hostile } from './hostile.ts'
import { patching } from './patching.ts'
import { reading } from './reading.ts'
import { time } from './time.ts'

export const CORPUS: readonly Hostile[] = [
  ...denialOfService,
  ...earlyExit,
  ...patching,
  ...forging,
  ...reading,
  ...escaping,
  ...environment,
  ...time,
  ...answers,
  ...archives,
]
