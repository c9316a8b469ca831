/** What the judge's thread and the warden's share, in one `Int32Array` over shared memory. */
import type { SubjectDeath } from '../contract/port.ts'

export const SLOT = {
  /** See {@link PHASE}; the judge waits on it. */
  phase: 0,
  /** Odd while the judge waits for the subject; it grows by one whenever the judge begins or ends to wait. */
  turn: 1,
  /** Grows by one with each law. */
  law: 2,
  /** What the judge wants of the warden: 0 nothing, or 1 + the index of the death in {@link DEATHS} that it saw, or {@link CLOSE}. */
  wish: 3,
  /** Once dead: 1 + the index in {@link DEATHS}, or 0 when the judge wished it closed. */
  death: 4,
  /** Processor time of all subjects so far, in ms. */
  cpuMs: 5,
  /** Bytes of `TEXT` that hold why the subject could not be started, or what it printed last. */
  textBytes: 6,
} as const

export const PHASE = { none: 0, starting: 1, running: 2, dead: 3 } as const

export const CLOSE = -1

export const DEATHS: readonly SubjectDeath[] = ['timedOut', 'outOfMemory', 'crashed', 'flooded', 'protocolViolation']

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
