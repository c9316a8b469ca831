/** How a subject is started: the words that planning and detecting confinement share. */

/** What one subject may use. */
export interface SubjectLimits {
  /** CPU time of the process, in seconds: a backstop behind the judge's own limits. */
  readonly cpuSeconds: number
  /** V8's old generation, in megabytes. */
  readonly heapMegabytes: number
  /** Heap, buffers and Wasm memory together, in megabytes, over what an idle Node needs. */
  readonly dataMegabytes: number
  /** Descriptors that may be open at a time, among them the dozen of Node's own. */
  readonly openFiles: number
}

/** What a subject consists of. */
export interface SubjectPlace {
  /** Absolute path of the one JavaScript file, a CommonJS module. */
  readonly script: string
  /** The private directory that holds it. */
  readonly folder: string
  /** A directory of the host that the lab grants: read and written under the same path. */
  readonly granted?: string | undefined
  readonly limits: SubjectLimits
}

/**
 * What to spawn. The child's descriptors: 0, 1 nothing, 2 a pipe, 3 and 4 the frames, from 5 on `descriptors`.
 * Start it as the leader of a process group of its own (`detached`); killing `file`'s process ends all.
 */
export interface Launch {
  readonly file: string
  readonly args: readonly string[]
  /** Files to open for reading, at descriptors 5, 6, … of the child. */
  readonly descriptors: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The first of the child's descriptors that `Launch.descriptors` name. */
export const FIRST_FREE_DESCRIPTOR = 5
