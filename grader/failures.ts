/** The two ways in which a command ends without its result: the person's mistake, and our own. */

/** Exit statuses of the command line. */
export const EXIT_STATUS = { done: 0, notHeld: 1, wrongUse: 2, graderFailed: 3 } as const

/** The command was used wrongly; the message is one sentence that says what was wrong and what to do. Status 2. */
export class WrongUse extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'WrongUse'
  }
}

/** The grader itself failed, so there is no mark: never a pass, never a zero. Status 3. */
export class GraderFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GraderFailure'
  }
}
