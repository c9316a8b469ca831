/**
 * Reads a submission that is a commit of a git repository: blobs of plain files, by way of trees, as git stores them.
 * The work tree, the index, settings, attributes, filters and hooks play no part.
 */
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { WrongUse } from '../failures.ts'
import { reasonOf } from '../files.ts'
import { runGit } from './git.ts'
import { foldersOf } from './layout.ts'
import { refuseKind, refuseLink, requireSize } from './plain-file.ts'
import { Refused } from './refused.ts'

/** Modes of tree entries (Documentation/technical/index-format of git). */
const FILE_MODES = ['100644', '100755']
const FOLDER_MODE = '040000'
const LINK_MODE = '120000'
const SUBMODULE_MODE = '160000'

/** Files of a repository that send git to another one for its objects. */
const ELSEWHERE = ['commondir', 'objects/info/alternates', 'objects/info/http-alternates']
const GIT_FOLDER = '.git'

interface Entry {
  readonly mode: string
  readonly object: string
  /** Undefined for what is no blob, and for a blob that the repository does not hold. */
  readonly sizeBytes: number | undefined
}

/**
 * The bytes of those of `paths` that a commit holds.
 *
 * @param revision whatever names a commit to git
 * @throws WrongUse when there is no such repository or commit
 * @throws Refused when one of the paths is there and is no plain file, or the repository's objects are not its own
 */
export async function readFromRepository(
  repository: string,
  revision: string,
  paths: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const gitFolder = findGitFolder(repository)
  requireOwnObjects(gitFolder)
  const commit = await findCommit(repository, gitFolder, revision)
  const folders = new Set(paths.flatMap(foldersOf))
  const entries = await listEntries(gitFolder, commit, [...folders, ...paths])
  for (const folder of folders) {
    const entry = entries.get(folder)
    if (entry !== undefined) requireMode(entry, folder, [FOLDER_MODE])
  }
  const files = new Map<string, Uint8Array>()
  for (const path of paths) {
    const entry = entries.get(path)
    if (entry === undefined) continue
    requireMode(entry, path, FILE_MODES)
    files.set(path, await readBlob(gitFolder, entry, path))
  }
  return files
}

/** The folder with the objects: `.git`, or the repository itself when it is a bare one. */
function findGitFolder(repository: string): string {
  if (!statSync(repository, { throwIfNoEntry: false })?.isDirectory()) {
    throw new WrongUse(`There is no directory ${repository}.`)
  }
  const root = resolve(repository)
  const inner = join(root, GIT_FOLDER)
  const status = lstatSync(inner, { throwIfNoEntry: false })
  if (status?.isDirectory()) return inner
  if (status !== undefined) throw refuseElsewhere(GIT_FOLDER)
  if (existsSync(join(root, 'HEAD')) && existsSync(join(root, 'objects'))) return root
  throw new WrongUse(`${repository} is no git repository.`)
}

/** Git follows links to objects, and a tree may name any object: one of the course's, if it can be had. */
function requireOwnObjects(gitFolder: string): void {
  for (const name of ELSEWHERE) {
    if (lstatSync(join(gitFolder, name), { throwIfNoEntry: false }) !== undefined) {
      throw refuseElsewhere(`${GIT_FOLDER}/${name}`)
    }
  }
  const objects = join(gitFolder, 'objects')
  if (!lstatSync(objects, { throwIfNoEntry: false })?.isDirectory()) throw refuseElsewhere(`${GIT_FOLDER}/objects`)
  try {
    for (const entry of readdirSync(objects, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() && !entry.isDirectory()) throw refuseElsewhere(`${GIT_FOLDER}/objects`)
    }
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new WrongUse(`Cannot read ${objects}: ${reasonOf(error)}.`)
  }
}

function refuseElsewhere(name: string): Refused {
  return new Refused(name, `${name} points out of the repository; a submission's commits must lie in its own objects.`)
}

async function findCommit(repository: string, gitFolder: string, revision: string): Promise<string> {
  const printed = /^[^\0\n]+$/.test(revision)
    ? await runGit(gitFolder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`])
    : undefined
  const commit = printed?.toString('latin1').trim() ?? ''
  if (!/^[0-9a-f]{40,64}$/.test(commit)) throw new WrongUse(`The repository ${repository} has no commit ${revision}.`)
  return commit
}

async function listEntries(
  gitFolder: string,
  commit: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Entry>> {
  const printed = await runGit(gitFolder, ['ls-tree', '-z', '-l', '-t', '--full-tree', commit, '--', ...paths])
  if (printed === undefined) throw new Refused(GIT_FOLDER, `git cannot read the files of the commit ${commit}.`)
  const entries = new Map<string, Entry>()
  for (const line of printed.toString('utf8').split('\0')) {
    const parts = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-|BAD)\t(.*)$/s.exec(line)
    if (parts === null) continue
    const [, mode, object, size, path] = parts as unknown as [string, string, string, string, string]
    if (entries.has(path)) throw new Refused(path, `${path} stands twice in the commit.`)
    entries.set(path, { mode, object, sizeBytes: /^\d+$/.test(size) ? Number(size) : undefined })
  }
  return entries
}

function requireMode({ mode }: Entry, path: string, modes: readonly string[]): void {
  if (modes.includes(mode)) return
  if (mode === LINK_MODE) throw refuseLink(path)
  if (mode === SUBMODULE_MODE) {
    throw new Refused(path, `${path} is a submodule; a submission may hold only plain files.`)
  }
  if (modes.includes(FOLDER_MODE)) throw new Refused(path, `${path} is not a folder.`)
  throw refuseKind(path)
}

async function readBlob(gitFolder: string, { object, sizeBytes }: Entry, path: string): Promise<Uint8Array> {
  if (sizeBytes !== undefined) requireSize(sizeBytes, path)
  const bytes = sizeBytes === undefined ? undefined : await runGit(gitFolder, ['cat-file', 'blob', object])
  if (bytes === undefined || bytes.length !== sizeBytes) {
    throw new Refused(path, `${path} is named by the commit, but the repository does not hold its contents.`)
  }
  return bytes
}
