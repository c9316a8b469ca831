/** A mistake in a program for the assembler, in one sentence. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError'
}
