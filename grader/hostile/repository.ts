/** Repositories whose objects, links and settings want git to run something or to fetch somebody else's files. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeTree } from '../files.ts'
import { projectRoot } from '../project-root.ts'
import { gainsNothing, type Hostile, inBrief, inFamily, KEEPS_ALL, NOT_READABLE } from './hostile.ts'
import type { Kit } from './kit.ts'

const MODE = { file: '100644', link: '120000', submodule: '160000', folder: '40000' } as const

const SEARCH_PATH = 'PATH'

/** Git that makes the same commits everywhere, whatever this machine's settings are. */
class Repository {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    this.git(['init', '--quiet', '--initial-branch=main'])
  }

  git(args: readonly string[], input?: string | Uint8Array): string {
    const who = { NAME: 'Student', EMAIL: 'student@example.invalid', DATE: '2026-01-01T00:00:00Z' }
    const people = Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ])
    const env = {
      [SEARCH_PATH]: process.env[SEARCH_PATH],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      HOME: this.#folder,
    }
    return execFileSync('git', ['-C', this.#folder, '-c', 'commit.gpgSign=false', ...args], {
      env: { ...env, ...Object.fromEntries(people) },
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
      ...(input === undefined ? {} : { input }),
    }).trim()
  }

  blob(content: string | Uint8Array): string {
    return this.git(['hash-object', '-w', '--stdin'], content)
  }

  /** Commits an index of these entries: mode, path, and the object that they name. */
  commit(entries: readonly (readonly [mode: string, path: string, object: string])[]): string {
    const listing = entries.map(([mode, path, object]) => `${mode} ${object}\t${path}\0`).join('')
    this.git(['update-index', '-z', '--add', '--index-info'], listing)
    return this.commitTree(this.git(['write-tree']))
  }

  /** Commits a tree, and makes it the branch. */
  commitTree(tree: string): string {
    const commit = this.git(['commit-tree', tree, '-m', 'My work'])
    this.git(['update-ref', 'refs/heads/main', commit])
    return commit
  }

  /** Commits files as they are. */
  commitFiles(files: ReadonlyMap<string, string | Uint8Array>): string {
    return this.commit([...files].map(([path, content]) => [MODE.file, path, this.blob(content)]))
  }

  /** A tree object of these bytes, which git itself would not write. */
  rawTree(entries: readonly (readonly [mode: string, name: string, object: string])[]): string {
    const bytes = Buffer.concat(
      entries.map(([mode, name, object]) =>
        Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, 'hex')]),
      ),
    )
    return this.git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], new Uint8Array(bytes))
  }
}

const repository = (build: (repository: Repository, kit: Kit, folder: string) => string) => (kit: Kit) =>
  ({ kind: 'repository', build: (folder: string) => build(new Repository(folder), kit, folder) }) as const

const EMPTY_OBJECT = '0'.repeat(39)

export const repositories: readonly Hostile[] = inFamily(
  'repository',
  inBrief([
    {
      id: 'commit-honest',
      tries: 'Is an honest commit, with a work tree that says something else: the commit counts.',
      submission: repository((own, kit, folder) => {
        const commit = own.commitFiles(kit.right)
        writeTree(folder, [[kit.entry, 'process.exit(0)\n']])
        return commit
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'commit-symlink',
      tries: 'Commits the entry as a symbolic link to a secret.',
      submission: repository((own, kit) => own.commit([[MODE.link, kit.entry, own.blob(kit.bait.secretFile)]])),
      expect: NOT_READABLE,
    },
    {
      id: 'commit-symlinked-folder',
      tries: 'Commits src as a symbolic link.',
      submission: repository((own, kit) => own.commit([[MODE.link, 'src', own.blob(`${kit.bait.project}/reference`)]])),
      expect: NOT_READABLE,
    },
    {
      id: 'commit-submodule',
      tries: 'Commits src as a submodule that would be fetched by a program of its own choice.',
      submission: repository((own, kit) =>
        own.commit([
          [MODE.submodule, 'src', `${EMPTY_OBJECT}1`],
          [
            MODE.file,
            '.gitmodules',
            own.blob(
              `[submodule "src"]\n\tpath = src\n\turl = ext::sh -c "touch /tmp/${kit.bait.mark}"\n\tupdate = !touch /tmp/${kit.bait.mark}\n`,
            ),
          ],
        ]),
      ),
      expect: NOT_READABLE,
    },
    {
      id: 'commit-entry-submodule',
      tries: 'Commits the entry itself as a submodule.',
      submission: repository((own, kit) => own.commit([[MODE.submodule, kit.entry, `${EMPTY_OBJECT}2`]])),
      expect: NOT_READABLE,
    },
    {
      id: 'settings-that-run',
      tries:
        'Has settings, hooks and attributes that make git run programs: fsmonitor, pager, filters, textconv, aliases.',
      submission: repository((own, kit, folder) => {
        const run = `touch /tmp/${kit.bait.mark}`
        const commit = own.commitFiles(
          new Map<string, string>([...kit.right, ['.gitattributes', '* filter=x diff=x\n']]),
        )
        appendFileSync(
          join(folder, '.git/config'),
          `[core]\n\tfsmonitor = ${run}\n\thooksPath = .git/hooks\n\tpager = ${run}\n\teditor = ${run}\n\talternateRefsCommand = ${run}\n[filter "x"]\n\tsmudge = ${run}\n\tclean = ${run}\n\tprocess = ${run}\n\trequired = true\n[diff "x"]\n\ttextconv = ${run}\n[diff]\n\texternal = ${run}\n[alias]\n\tls-tree = !${run}\n\tcat-file = !${run}\n[gpg]\n\tprogram = ${run}\n[uploadpack]\n\tpackObjectsHook = ${run}\n`,
        )
        for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction']) {
          mkdirSync(join(folder, '.git/hooks'), { recursive: true })
          writeFileSync(join(folder, '.git/hooks', hook), `#!/bin/sh\n${run}\n`, { mode: 0o755 })
        }
        return commit
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'settings-included',
      tries: 'Includes settings from a file of the work tree, and names a work tree far away.',
      submission: repository((own, kit, folder) => {
        const commit = own.commitFiles(kit.right)
        writeFileSync(join(folder, 'more'), `[core]\n\tfsmonitor = touch /tmp/${kit.bait.mark}\n`)
        appendFileSync(join(folder, '.git/config'), '[include]\n\tpath = ../more\n[core]\n\tworktree = /\n')
        return commit
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'alternates',
      tries: 'Borrows its objects from the grader’s own repository, to hand in the solution by its name alone.',
      submission: repository((own, kit, folder) => {
        const commit = own.commitFiles(kit.right)
        mkdirSync(join(folder, '.git/objects/info'), { recursive: true })
        writeFileSync(join(folder, '.git/objects/info/alternates'), `${join(projectRoot(), '.git/objects')}\n`)
        return commit
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'git-file',
      tries: 'Has a file in the place of .git that leads to the grader’s own repository.',
      submission: (kit) => ({
        kind: 'repository',
        build: (folder) => {
          writeTree(folder, kit.wrong)
          writeFileSync(join(folder, '.git'), `gitdir: ${join(projectRoot(), '.git')}\n`)
          return 'HEAD'
        },
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'common-folder',
      tries: 'Shares its objects and references with the grader’s own repository by commondir.',
      submission: repository((own, kit, folder) => {
        const commit = own.commitFiles(kit.right)
        writeFileSync(join(folder, '.git/commondir'), `${join(projectRoot(), '.git')}\n`)
        return commit
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'replaced-objects',
      tries: 'Replaces the wrong entry by a right one through refs/replace, so that two readers see two submissions.',
      submission: repository((own, kit) => {
        const commit = own.commitFiles(kit.wrong)
        own.git(['replace', own.blob(kit.wrong.get(kit.entry) ?? ''), own.blob(kit.right.get(kit.entry) ?? '')])
        return commit
      }),
      expect: gainsNothing(),
    },
    {
      id: 'partial-clone',
      tries: 'Lacks the entry’s object, and promises that a remote of its own will send it.',
      submission: repository((own, kit, folder) => {
        const commit = own.commitFiles(kit.right)
        const object = own.blob(kit.right.get(kit.entry) ?? '')
        rmSync(join(folder, '.git/objects', object.slice(0, 2), object.slice(2)))
        appendFileSync(
          join(folder, '.git/config'),
          `[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = ext::sh -c "touch /tmp/${kit.bait.mark}"\n\tpromisor = true\n\tuploadpack = touch /tmp/${kit.bait.mark}\n`,
        )
        return commit
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'two-entries',
      tries: 'Has a tree object that names the entry twice, which git itself would not write.',
      submission: repository((own, kit) => {
        const name = kit.entry.slice('src/'.length)
        const [wrong, right] = [own.blob(kit.wrong.get(kit.entry) ?? ''), own.blob(kit.right.get(kit.entry) ?? '')]
        const src = own.rawTree([
          ['100644', name, wrong],
          ['100644', name, right],
        ])
        return own.commitTree(own.rawTree([[MODE.folder, 'src', src]]))
      }),
      expect: { outcomes: ['graded', 'notReadable'], points: 'atMostRight' },
    },
    {
      id: 'names-of-the-tree',
      tries: 'Has names in its trees that climb, hold slashes and line ends, or are called .git.',
      submission: repository((own, kit) => {
        const entries = [...kit.right].map(
          ([path, text]) => [MODE.file, path.slice('src/'.length), own.blob(text)] as const,
        )
        const src = own.rawTree(entries)
        const bad = own.blob('x')
        return own.commitTree(
          own.rawTree([
            ['100644', '..', bad],
            ['100644', '.git', bad],
            ['100644', '\n::error::owned', bad],
            ['100644', '\u001b[2J', bad],
            ['100644', 'a/b', bad],
            [MODE.folder, 'src', src],
          ]),
        )
      }),
      expect: { outcomes: ['graded', 'notReadable'], points: 'atMostRight' },
    },
    {
      id: 'tree-without-end',
      tries: 'Has a tree that names itself on each level down to a billion paths, for readers that list all of them.',
      submission: repository((own, kit) => {
        let inner = own.rawTree([['100644', 'x', own.blob('x')]])
        for (let depth = 0; depth < 12; depth++) {
          inner = own.rawTree(Array.from({ length: 10 }, (_, n) => [MODE.folder, `d${n}`, inner] as const))
        }
        const entries = [...kit.right].map(
          ([path, text]) => [MODE.file, path.slice('src/'.length), own.blob(text)] as const,
        )
        return own.commitTree(
          own.rawTree([
            [MODE.folder, 'd', inner],
            [MODE.folder, 'src', own.rawTree(entries)],
          ]),
        )
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'huge-blob',
      tries: 'Commits an entry of 100 MB of zeros, which takes a hundred kilobytes on disk.',
      submission: repository((own, kit) => own.commit([[MODE.file, kit.entry, own.blob(new Uint8Array(100 << 20))]])),
      expect: NOT_READABLE,
    },
    {
      id: 'damaged-object',
      tries: 'Has an entry whose object is garbage.',
      submission: repository((own, kit, folder) => {
        const commit = own.commitFiles(kit.right)
        const object = own.blob(kit.right.get(kit.entry) ?? '')
        const path = join(folder, '.git/objects', object.slice(0, 2), object.slice(2))
        rmSync(path)
        writeFileSync(path, 'garbage')
        return commit
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'pointer-to-large-file',
      tries: 'Commits a pointer of Git LFS in the entry’s place, with a server of its own.',
      submission: repository((own, kit) =>
        own.commitFiles(
          new Map([
            [kit.entry, `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 10\n`],
            ['.lfsconfig', `[lfs]\n\turl = http://127.0.0.1:${kit.bait.tcpPort}/\n`],
            ['.gitattributes', '* filter=lfs\n'],
          ]),
        ),
      ),
      expect: { outcomes: ['doesNotCompile'], points: 'none', verdicts: ['notRun'] },
    },
  ]),
)
