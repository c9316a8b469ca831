/**
 * What a starter's methods throw until the student writes them; the grader knows it by name and says so in the
 * report, so an untouched starter fails for the right reason.
 */
export class NotWritten extends Error {
  constructor(method: string, hint: string) {
    super(`${method} is not written yet. ${hint}`)
    this.name = 'NotWritten'
  }
}
