/** Empty directories of the host, for the laws of labs that let student code use one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let own: string | undefined

/** A new empty directory in `parent`, or without one in a directory of this process that goes when the process ends. */
export function emptyDirectory(parent: string | undefined): string {
  return mkdtempSync(join(parent ?? ownParent(), 'case-'))
}

function ownParent(): string {
  if (own === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'trapframe-cases-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    own = made
  }
  return own
}
