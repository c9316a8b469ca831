/** The programs of the machine that put a layer on, and the Node that runs a subject. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** Where a tool lies that the PATH names; relative entries of the PATH are not looked at. */
export function findTool(name: string): string | undefined {
  const { PATH = '' } = process.env
  return PATH.split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The flags that turn on Node's permission model, or undefined when this Node has none (Node.js API, "Permissions"). */
export function permissionFlags(known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags) {
  if (known.has('--permission')) return ['--permission']
  if (known.has('--experimental-permission')) return ['--experimental-permission', '--no-warnings']
  return undefined
}

/** A shared library: where its bytes lie, and where the loader looks for it. */
export interface SharedLibrary {
  readonly source: string
  readonly target: string
}

/**
 * The shared libraries that a program is linked with, the loader among them, as `ldd` tells (ld.so(8)).
 *
 * @throws Error when `ldd` is not there or does not know the program
 */
export function sharedLibraries(program: string): readonly SharedLibrary[] {
  const ldd = findTool('ldd')
  if (ldd === undefined) throw new Error('there is no ldd on the PATH')
  const listed = execFileSync(ldd, [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const targets = [...listed.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((match) => match[1]!)
  return targets.map((target) => ({ source: realpathSync(target), target }))
}

/**
 * Megabytes of address space that this Node has reserved for machine code and that the kernel counts as data:
 * 512 from Node 24 on, none before. A limit of data must leave room for it.
 */
export function codeRangeMegabytes(maps = readMaps()): number {
  const writableCode = [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rwxp /gm)]
  const bytes = writableCode.reduce(
    (sum, [, from, to]) => sum + Number.parseInt(to!, 16) - Number.parseInt(from!, 16),
    0,
  )
  return Math.ceil(bytes / 2 ** 20)
}

function readMaps(): string {
  try {
    return readFileSync('/proc/self/maps', 'utf8')
  } catch {
    return ''
  }
}
