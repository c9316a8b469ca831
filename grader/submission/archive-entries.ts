/**
 * Which entries of an archive are the submission's files. Entries are told one by one, as the archive lists them; the
 * choice is made at the end, because only then is it known whether all of them lie in one folder, which then counts as the root.
 */
import { foldersOf, SOURCE_FOLDER } from './layout.ts'
import { SUBMISSION_LIMITS } from './limits.ts'
import { refuseKind, refuseLink, requireSize } from './plain-file.ts'
import { Refused } from './refused.ts'

export interface ArchiveEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly sizeBytes: number
}

/** What macOS adds to archives beside the files: a folder, and files with this start. */
const APPLE_FOLDER = '__MACOSX'
const APPLE_START = '._'

export class ArchiveEntries {
  /** The archive's name in sentences. */
  readonly #archive: string
  readonly #paths: readonly string[]
  readonly #folders: readonly string[]
  #count = 0
  /** The first folder that was seen at the top. */
  #top: string | undefined
  #allBelowTop = true
  /** The entries at the wanted paths and at the folders on the way, by their paths in small letters. */
  readonly #seen = new Map<string, ArchiveEntry>()

  /** @param paths the wanted files, from the submission's root */
  constructor(archive: string, paths: readonly string[]) {
    this.#archive = archive
    this.#paths = paths
    this.#folders = paths.flatMap(foldersOf)
  }

  /**
   * Notes an entry.
   *
   * @returns its path when it may turn out to be a wanted file, small enough to be kept
   * @throws Refused when its name leads out of the folder, or the same name came before, in whatever letters
   */
  add({ name, kind, sizeBytes }: ArchiveEntry): string | undefined {
    this.#count++
    if (this.#count > SUBMISSION_LIMITS.archiveEntries) throw tooManyEntries(this.#archive)
    const parts = this.#partsOf(name)
    const [first] = parts
    if (first === undefined || first === APPLE_FOLDER || parts.at(-1)!.startsWith(APPLE_START)) return undefined
    this.#top ??= first
    if (first !== this.#top || (parts.length === 1 && kind !== 'folder')) this.#allBelowTop = false

    const path = parts.join('/')
    const key = path.toLowerCase()
    if (!this.#isOnTheWay(key, '') && !this.#isOnTheWay(key, `${this.#top}/`)) return undefined
    const before = this.#seen.get(key)
    if (before !== undefined && !(before.kind === 'folder' && kind === 'folder' && before.name === path)) {
      throw new Refused(path, `${path} stands twice in ${this.#archive}, as ${before.name} and as ${path}.`)
    }
    this.#seen.set(key, { name: path, kind, sizeBytes })
    return kind === 'file' && sizeBytes <= SUBMISSION_LIMITS.fileBytes ? path : undefined
  }

  /**
   * The wanted files that the archive holds: by path in the submission, the path that `add` answered with.
   *
   * @throws Refused when one of them, or a folder on the way, is there and is not what it must be
   */
  select(): ReadonlyMap<string, string> {
    const hasTop = this.#allBelowTop && this.#top !== undefined && this.#top !== SOURCE_FOLDER
    const root = hasTop ? `${this.#top}/` : ''
    for (const folder of this.#folders) {
      const entry = this.#at(root + folder)
      if (entry?.kind === 'link') throw refuseLink(folder)
      if (entry !== undefined && entry.kind !== 'folder') throw new Refused(folder, `${folder} is not a folder.`)
    }
    const selected = new Map<string, string>()
    for (const path of this.#paths) {
      const entry = this.#at(root + path)
      if (entry === undefined) continue
      if (entry.kind === 'link') throw refuseLink(path)
      if (entry.kind !== 'file') throw refuseKind(path)
      requireSize(entry.sizeBytes, path)
      selected.set(path, entry.name)
    }
    return selected
  }

  #at(path: string): ArchiveEntry | undefined {
    const entry = this.#seen.get(path.toLowerCase())
    return entry?.name === path ? entry : undefined
  }

  #isOnTheWay(key: string, root: string): boolean {
    return [...this.#paths, ...this.#folders].some((path) => (root + path).toLowerCase() === key)
  }

  #partsOf(name: string): string[] {
    const refuse = (why: string) => new Refused(this.#archive, `${this.#archive} holds a name ${why}.`)
    if (name.includes('\0')) throw refuse('with a NUL byte in it')
    if (name.includes('\\')) throw refuse('with a backslash in it; pack it with a tool that writes / between folders')
    if (name.startsWith('/') || /^[a-z]:/i.test(name)) throw refuse('that starts at the root of a disk')
    const parts = name.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.includes('..')) throw refuse('that leads out of its folder')
    return parts
  }
}

export function tooManyEntries(archive: string): Refused {
  const { archiveEntries } = SUBMISSION_LIMITS
  return new Refused(
    archive,
    `${archive} holds more than ${archiveEntries} files and folders; leave out node_modules and whatever is not the work itself.`,
  )
}

export function damaged(archive: string): Refused {
  return new Refused(archive, `${archive} is damaged: it cannot be unpacked.`)
}
