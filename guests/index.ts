/** Our own guests by name: what `trapframe run guest:NAME` boots. */
import { buildClock } from './clock.ts'
import { buildEcho } from './echo.ts'
import { buildFlood } from './flood.ts'
import { buildHello } from './hello.ts'
import { buildIdleTime } from './idle-time.ts'
import { buildPing } from './ping.ts'
import type { Guest } from './support/kernel.ts'

import { buildTickless } from './tickless.ts'

export type { Guest } from './support/kernel.ts'

export const guests: Readonly<Record<string, () => Guest>> = {
  hello: buildHello,
  clock: buildClock,
  echo: buildEcho,
  flood: buildFlood,
  ping: buildPing,
  tickless: buildTickless,
  'idle-time': buildIdleTime,
}
