/** The corpus: every family's entries, in the order of families. */

import { answers } from './answers.ts'
import { archives } from './archives.ts'
import { denialOfService } from './denial-of-service.ts'
import { earlyExit } from './early-exit.ts'
import { environment } from './environment.ts'
import { escaping } from './escaping.ts'
import { forging } from './forging.ts'
import type { Hostile } from './hostile.ts'
import { injection } from './injection.ts'
import { patching } from './patching.ts'
import { reading } from './reading.ts'
import { repositories } from './repository.ts'
import { time } from './time.ts'
import { tree } from './tree.ts'

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
  ...tree,
  ...repositories,
  ...archives,
  ...injection,
]
