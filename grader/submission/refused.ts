/** A submission that cannot be read: the submitter's doing, so it is graded as what it is, with no points and this sentence. */
export class Refused extends Error {
  /** The file of the submission that is at fault, as `src/idle.ts`, or the archive's name. */
  readonly file: string

  /** @param message one sentence that names the file */
  constructor(file: string, message: string) {
    super(message)
    this.name = 'Refused'
    this.file = file
  }
}
