/** What the judge's thread and the warden's share, in one `Int32Array` over shared memory. */
import type { SubjectDeath } from '../contract/port.ts'

export const SLOT = {
  /** See {@link PHASE}; the judge waits on it. */
  phase: 0,
  /** Odd while the judge waits for the subject; it grows by one whenever the judge begins or ends to wait. */
  turn: 1,
  /** Grows by one with each law. */
  law: 2,
  /** What the judge wants of the warden: 0 nothing, or {@link CLOSE}, or the {@link deathCode} of what it saw. */
  wish: 3,
  /** Once dead: its {@link deathCode}, or 0 when the judge wished it closed. */
  death: 4,
  /** Processor time of all subjects so far, in ms. */
  cpuMs: 5,
  /** Bytes of `TEXT` that hold why the subject could not be started, or what it printed last. */
  textBytes: 6,
} as const

export const PHASE = { none: 0, starting: 1, running: 2, dead: 3 } as const

export const CLOSE = -1

const DEATHS: readonly SubjectDeath[] = ['timedOut', 'outOfMemory', 'crashed', 'flooded', 'protocolViolation']

/** A death as a number that a slot holds; never 0. */
export function deathCode(death: SubjectDeath): number {
  return 1 + DEATHS.indexOf(death)
}

/** The death of that code; undefined for any other number. */
export function deathOf(code: number): SubjectDeath | undefined {
  return DEATHS[code - 1]
}

export const SLOTS = 8
export const TEXT_BYTES = 4096

/** The shared memory: the slots, then a text in UTF-8. */
export interface SharedState {
  readonly slots: Int32Array
  readonly text: Uint8Array
}

export function sharedState(
  memory = new SharedArrayBuffer(SLOTS * 4 + TEXT_BYTES),
): SharedState & { readonly memory: SharedArrayBuffer } {
  return { memory, slots: new Int32Array(memory, 0, SLOTS), text: new Uint8Array(memory, SLOTS * 4, TEXT_BYTES) }
}
