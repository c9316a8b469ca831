/** Empty directories of the host, for the laws of labs that let student code use one. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let own: string | undefined

/** A new empty directory in `parent`, or without one in a directory of this process that goes when the process ends. */
export function emptyDirectory(parent: string | undefined): string {
  const directory = mkdtempSync(join(parent ?? ownParent(), 'case-'))
  // Student code may run as another user; who gets to the parent is decided there.
  if (parent !== undefined) chmodSync(directory, 0o777)
  return directory
}

function ownParent(): string {
  if (own === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'trapframe-cases-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    own = made
  }
  return own
}
