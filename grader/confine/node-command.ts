/** Node's own part of the confinement: the permission model, the heap's limit, no addons (Node.js API, "Permissions"). */

import type { SubjectLimits } from './launch.ts'
import { permissionFlags } from './machine-tools.ts'

/**
 * V8's helper threads. One is the least: they collect garbage and compile, and a subject's work is too short to
 * gain from three (docs/confinement.md, "What it costs").
 */
const HELPER_THREADS = 1

/**
 * The environment of a subject: one time zone everywhere, and nothing of the judge's. Node hands the name of its coverage
 * folder on to every child, unless the child's environment says that it has none.
 */
export const SUBJECT_ENVIRONMENT = Object.freeze({ TZ: 'UTC', NODE_V8_COVERAGE: undefined })

/** The arguments of `node` that run `script`, which is where the process sees it. */
export function nodeArguments(options: {
  readonly script: string
  readonly granted?: string | undefined
  readonly limits: SubjectLimits
  readonly permission: boolean
}): string[] {
  const { script, granted, limits, permission } = options
  const grants = granted === undefined ? [] : [`--allow-fs-read=${granted}`, `--allow-fs-write=${granted}`]
  return [
    ...(permission ? [...(permissionFlags() ?? []), `--allow-fs-read=${script}`, ...grants] : []),
    `--max-old-space-size=${limits.heapMegabytes}`,
    `--v8-pool-size=${HELPER_THREADS}`,
    '--no-addons',
    script,
  ]
}
