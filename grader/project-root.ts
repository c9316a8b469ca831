/** Where the package lies on disk: assets that are read as files (rubrics, handouts, sources) are named from here. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGE_NAME = 'trapframe'

let known: string | undefined

/**
 * The absolute path of the folder that holds the package's `package.json`, whether this runs from sources or from `dist/`.
 *
 * @throws Error when no folder above this file is the package
 */
export function projectRoot(): string {
  known ??= findRoot(dirname(fileURLToPath(import.meta.url)))
  return known
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest) && readManifest(manifest).name === PACKAGE_NAME) return folder
    if (dirname(folder) === folder) throw new Error(`No folder above ${start} holds the package ${PACKAGE_NAME}.`)
  }
}

/** The package's version, as its manifest says. */
export function packageVersion(): string {
  const { version } = readManifest(join(projectRoot(), 'package.json'))
  return typeof version === 'string' ? version : 'unknown'
}

function readManifest(path: string): { readonly name?: unknown; readonly version?: unknown } {
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return typeof manifest === 'object' && manifest !== null ? manifest : {}
}
