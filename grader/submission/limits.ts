/** What a submission may be at most. Whatever is larger is refused by name, before it is read. */

const KIBI = 1024
const MEBI = 1024 * KIBI

export const SUBMISSION_LIMITS = {
  /** Bytes of one file that the lab takes. */
  fileBytes: 256 * KIBI,
  /** Bytes of an archive as it was handed in. */
  archiveBytes: 64 * MEBI,
  /** Files, folders and links that an archive lists, those that are not read included. */
  archiveEntries: 10_000,
  /** Bytes of a compressed tar archive when it is unpacked. */
  unpackedBytes: 256 * MEBI,
  /** Milliseconds for each git command that reads a commit. */
  gitMs: 20_000,
  /** Bytes that git may ask for at once: an object that unpacks to more is not read. */
  gitBytes: 64 * MEBI,
  /** Bytes that a git command may print. */
  gitOutputBytes: MEBI,
  /** Milliseconds of processor time to compile a submission, some ten times what a usual one takes; and of real time. */
  compileCpuMs: 20_000,
  compileMs: 180_000,
  /** MiB of the compiler's heap. */
  compileHeapMebibytes: 1024,
  /** Messages about a submission that are kept, and characters of each. */
  diagnostics: 50,
  messageCharacters: 300,
} as const
