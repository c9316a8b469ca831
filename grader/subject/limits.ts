/**
 * What a subject may use, and what happens to one that uses more. Time is processor time, so that a busy machine
 * changes no mark; docs/grading.md shows this table.
 */

export interface Limits {
  /** Processor time of one call, in ms: beyond it, the call has timed out. */
  readonly callCpuMs: number
  /** How long one call may take where the system does not tell a process's processor time, in ms. */
  readonly callWallMs: number
  /** Processor time of one law with all its cases, in ms. */
  readonly lawCpuMs: number
  /** How long a subject may sleep in the calls of one law, in ms. */
  readonly lawAsleepMs: number
  /** Processor time of a whole grading, in ms; laws after it count as timed out. */
  readonly gradingCpuMs: number
  /** V8's heap, in MB. */
  readonly heapMb: number
  /** All memory that the subject has written to, in MB. */
  readonly residentMb: number
  /** The longest text of one answer or operation, in bytes. */
  readonly frameBytes: number
  /** Operations that one call may ask of the machine. */
  readonly callOperations: number
  /** What a subject may print to its error stream over its life, in bytes; its standard output leads nowhere. */
  readonly printedBytes: number
}

export const LIMITS: Limits = {
  callCpuMs: 500,
  callWallMs: 10_000,
  lawCpuMs: 4_000,
  lawAsleepMs: 2_000,
  gradingCpuMs: 30_000,
  heapMb: 256,
  residentMb: 512,
  frameBytes: 8 << 20,
  callOperations: 100_000,
  printedBytes: 64 << 10,
}
