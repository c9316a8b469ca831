/**
 * A lab's port: the interface between the machine and a student's code, as synchronous methods over plain data.
 *
 * A port is declared once, as schemas of what each method takes and gives. Every transport checks both ways against
 * it, so a suite never sees anything but plain data, wherever the student's code runs.
 */
import { z } from 'zod'

/** A method of a port: the schema of its arguments (a tuple) and of its result. */
export interface PortMethod {
  readonly args: z.ZodTuple
  readonly result: z.ZodType
}

/** The methods that the student implements, and the operations that the machine offers to the student. */
export interface Port<Events extends object, Operations extends object = Record<never, never>> {
  readonly events: { readonly [Name in keyof Events]: PortMethod }
  readonly operations: { readonly [Name in keyof Operations]: PortMethod }
}

/** A point or span of virtual time as it crosses a port: unsigned 64-bit cycles. */
export const cyclesSchema = z.bigint().min(0n).max(0xffff_ffff_ffff_ffffn)

/** An unsigned 32-bit number: an address, an instruction pointer, a register. */
export const uint32Schema = z.int().min(0).max(0xffff_ffff)

/** What became of a call into student code that did not come back with a legal answer. */
export type SubjectFailure = 'threw' | 'notWritten' | 'badAnswer' | SubjectDeath

/** Why the process that runs the student's code is no more. */
export type SubjectDeath = 'timedOut' | 'outOfMemory' | 'crashed' | 'flooded' | 'protocolViolation'

/** A call into the student's code failed: it threw, what it gave back is not what the port allows, or it never came back. */
export class SubjectError extends Error {
  readonly failure: SubjectFailure
  /** The method of the port that was called. */
  readonly method: string
  /** Where in the student's file it happened, as `src/idle.ts:12`, when that is known. */
  readonly at: string | undefined

  constructor(failure: SubjectFailure, method: string, message: string, at?: string) {
    super(message)
    this.name = 'SubjectError'
    this.failure = failure
    this.method = method
    this.at = at
  }
}

/**
 * Makes one fresh instance of the student's side of a port. `operations` are what the machine does for that instance, by
 * the names of the port; one that throws makes the call fail that asked for it, with what it threw.
 */
export interface Connect<Events extends object> {
  (operations?: object): Events
  /** The directory of the host that the student's code may use, where it has one of its own. */
  readonly directory?: string
}

/** Checks a port's declaration against its interface and gives it back. */
export function definePort<Events extends object, Operations extends object = Record<never, never>>(
  port: Port<Events, Operations>,
): Port<Events, Operations> {
  return port
}
