/**
 * The layers that confine a subject, strongest last, and the levels that a grading may demand of them
 * (docs/confinement.md). A layer that a machine lacks is left out and reported; it never stops a grading by itself.
 */

/** What stands between a student's code and the machine, in the order in which the layers are put on. */
export const LAYERS = ['process', 'permission', 'prlimit', 'uid', 'bubblewrap', 'seccomp'] as const
export type Layer = (typeof LAYERS)[number]

/** A layer that this machine lacks: why, and how to get it, each as the end of a sentence. */
export interface MissingLayer {
  readonly layer: Layer
  readonly why: string
  readonly get: string
}

/**
 * How the sandbox gets rid of root's power:
 * `user-namespace`: an ordinary user needs a user namespace to build the sandbox, and has no power to give up;
 * `inside`: root builds it without one, and `setpriv` becomes nobody within;
 * `before`: root may not build it (a container), so `setpriv` becomes nobody first and then does as a user does.
 */
export type SandboxPolicy = 'user-namespace' | 'inside' | 'before'

/** What this machine was found to have. */
export interface ConfinementReport {
  readonly layers: readonly Layer[]
  /** How `bubblewrap` works here, where it does. */
  readonly sandbox?: SandboxPolicy | undefined
  /** Layers that are in neither list are not needed here: `uid`, where the grader is not root. */
  readonly missing: readonly MissingLayer[]
}

/** What each layer protects from. */
export const PROTECTS: Readonly<Record<Layer, string>> = {
  process: "the judge's memory, its environment and the rest of the grading",
  permission: 'reading and writing files, starting processes, threads and native code from JavaScript',
  prlimit: 'using processor time, memory and files without end, even if the watchdog fails',
  uid: "reading root's files and signalling its processes",
  bubblewrap: 'the network, other processes, and every file but Node and the bundle',
  seccomp: 'the kernel: system calls that Node does not need, new processes, sockets',
}

/** Names of the levels, weakest first. */
export const LEVELS = ['process', 'sandbox'] as const
export type Level = (typeof LEVELS)[number]

/** The layers that each level stands on. */
export const LEVEL_LAYERS: Readonly<Record<Level, readonly Layer[]>> = {
  process: ['process', 'permission'],
  sandbox: LAYERS,
}

/** The layers of `level` that this machine lacks; empty when the machine reaches it. */
export function missingFor(report: ConfinementReport, level: Level): readonly MissingLayer[] {
  return report.missing.filter(({ layer }) => LEVEL_LAYERS[level].includes(layer))
}

/** The strongest level that this machine reaches, or undefined when it reaches none. */
export function reachedLevel(report: ConfinementReport): Level | undefined {
  return LEVELS.findLast((level) => missingFor(report, level).length === 0)
}
