/**
 * The sandbox: bubblewrap with no network, no other processes, and a file system of Node, its libraries and the one
 * script, all read-only (bwrap(1)). There is no /proc, /dev or /tmp in it.
 */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { becomeNobody } from './identity.ts'
import type { SandboxPolicy } from './layer.ts'
import { type SharedLibrary, sharedLibraries } from './machine-tools.ts'
import { SUBJECT_ENVIRONMENT } from './node-command.ts'

/** Where the sandbox has Node, the script and `setpriv`. */
export const SANDBOX_NODE = '/node'
export const SANDBOX_SCRIPT = '/subject.cjs'
const SANDBOX_SETPRIV = '/setpriv'

export interface Sandbox {
  readonly bwrap: string
  readonly setpriv: string | undefined
  readonly policy: SandboxPolicy
  readonly script: string
  readonly granted: string | undefined
  /** The child's descriptor that holds the seccomp filter, if there is one. */
  readonly filterDescriptor: number | undefined
}

/** The words that stand before Node's arguments; the last is Node. */
export function sandboxCommand(sandbox: Sandbox): string[] {
  const { bwrap, setpriv, policy, script, granted, filterDescriptor } = sandbox
  const dropsInside = policy === 'inside' && setpriv !== undefined
  const mounts: readonly Mount[] = [
    ...programMounts(process.execPath, SANDBOX_NODE),
    ...(dropsInside ? programMounts(setpriv, SANDBOX_SETPRIV) : []),
    { source: realpathSync(script), target: SANDBOX_SCRIPT },
    ...(granted === undefined ? [] : [{ source: granted, target: granted, writable: true }]),
  ]
  return [
    ...(policy === 'before' && setpriv !== undefined ? becomeNobody(setpriv) : []),
    bwrap,
    ...namespaces(policy),
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    ...Object.entries(SUBJECT_ENVIRONMENT).flatMap(([name, value]) =>
      value === undefined ? [] : ['--setenv', name, value],
    ),
    ...foldersOf(mounts).flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...mounts.flatMap(({ source, target, writable }) => [writable === true ? '--bind' : '--ro-bind', source, target]),
    '--remount-ro',
    '/',
    ...(filterDescriptor === undefined ? [] : ['--seccomp', String(filterDescriptor)]),
    '--',
    ...(dropsInside ? becomeNobody(SANDBOX_SETPRIV) : []),
    SANDBOX_NODE,
  ]
}

function namespaces(policy: SandboxPolicy): string[] {
  const named = ['--hostname', 'subject', '--cap-drop', 'ALL']
  if (policy !== 'inside') return ['--unshare-all', ...named]
  const unshared = ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try']
  return [...unshared, ...named, '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID']
}

interface Mount {
  readonly source: string
  readonly target: string
  readonly writable?: boolean
}

const known = new Map<string, readonly SharedLibrary[]>()

/** A program and its libraries, each where the loader looks for it. */
function programMounts(program: string, target: string): readonly Mount[] {
  const libraries = known.get(program) ?? sharedLibraries(program)
  known.set(program, libraries)
  return [{ source: realpathSync(program), target }, ...libraries]
}

/** The folders above the mounts, outer before inner: bwrap makes them for their owner alone, who is root. */
function foldersOf(mounts: readonly Mount[]): readonly string[] {
  const folders = new Set<string>()
  for (const { target } of mounts) {
    for (let at = dirname(target); at !== '/'; at = dirname(at)) folders.add(at)
  }
  return [...folders].sort((a, b) => a.length - b.length)
}
