/** Who a subject runs as: never root, and never again more than it is (setpriv(1), prctl(2) `PR_SET_NO_NEW_PRIVS`). */
import { chmodSync, chownSync } from 'node:fs'

/** The user and group that own nothing (Linux `Documentation/admin-guide/sysctl/fs.rst`, `overflowuid`). */
export const NOBODY = 65_534

/** Whether the grader runs as root, so that a subject must not. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0
}

/** The words that make the rest of the command run as nobody, without any capability, for ever. */
export function becomeNobody(setpriv: string): string[] {
  const id = String(NOBODY)
  return [
    ...keepPrivileges(setpriv),
    ...['--reuid', id, '--regid', id, '--clear-groups'],
    ...['--inh-caps=-all', '--ambient-caps=-all'],
  ]
}

/** The words that keep the rest of the command from gaining privileges, by a set-user-ID program for one. */
export function keepPrivileges(setpriv: string): string[] {
  return [setpriv, '--no-new-privs']
}

/** What follows `setpriv` for a command that is to die with the thread that started it; bubblewrap does so by itself. */
export const DIE_WITH_PARENT = ['--pdeathsig', 'KILL']

/** Lets nobody write in a folder that root made for it. */
export function giveToNobody(folder: string): void {
  chownSync(folder, NOBODY, NOBODY)
}

/** Lets nobody read a file of a private folder: whoever knows its name. */
export function openToNobody(folder: string, file: string): void {
  chmodSync(folder, 0o711)
  chmodSync(file, 0o644)
}
