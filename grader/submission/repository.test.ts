import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { WrongUse } from '../failures.ts'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { gitFolderOf, makeRepository, type Repository } from './fixtures/repositories.ts'
import { listing, makeTrees } from './fixtures/trees.ts'
import { readSubmission } from './read-submission.ts'

const trees = makeTrees()
afterAll(() => trees.remove())
const ENTRY = 'src/counter.ts'
const PLAIN = '100644'
const FOLDER = '40000'

const make = (options?: { bare: boolean }): Repository => makeRepository(trees.make({}), options)
const read = ({ path }: Repository, revision = 'main') => readSubmission(counterLab, { repository: path, revision })
/** A repository whose commit has this entry as `src/counter.ts`. */
const withEntry = (mode: string, object: (repository: Repository) => string): Repository => {
  const repository = make()
  const folder = repository.tree([mode, 'counter.ts', object(repository)])
  repository.commit(repository.tree([FOLDER, 'src', folder]))
  return repository
}
const plain = (text: string) => withEntry(PLAIN, ({ blob }) => blob(text))
const refusal = async (repository: Repository): Promise<string> => {
  const result = await read(repository)
  if (result.kind === 'read') throw new Error('it was read')
  return `${result.reason.file}: ${result.reason.message}`
}

describe('a submission in a commit', () => {
  it('is the allowed blobs as they were stored, and nothing is written to the repository', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), async (text) => {
        fc.pre(!text.includes('\0') && !text.startsWith('\ufeff'))
        const repository = plain(text)
        const before = listing(repository.path)
        expect(await read(repository)).toEqual({ kind: 'read', files: new Map([[ENTRY, text]]) })
        expect(listing(repository.path)).toEqual(before)
      }),
      { seed: 1, numRuns: 8 },
    )
  })

  it('is that commit, whatever the work tree and the index hold', async () => {
    const repository = plain('first')
    const first = repository.git(['rev-parse', 'main'])
    const folder = repository.tree(
      ['100755', 'counter.ts', repository.blob('second')],
      [PLAIN, 'x', repository.blob('')],
    )
    repository.commit(repository.tree([FOLDER, 'src', folder]))
    mkdirSync(join(repository.path, 'src'))
    writeFileSync(join(repository.path, ENTRY), 'third')
    for (const [revision, text] of [
      ['main', 'second'],
      ['HEAD', 'second'],
      [first, 'first'],
      ['main~0', 'second'],
    ] as const) {
      expect(await read(repository, revision)).toEqual({ kind: 'read', files: new Map([[ENTRY, text]]) })
    }
  })

  it('may lie in a bare repository, and in packs', async () => {
    const repository = make({ bare: true })
    const folder = repository.tree([PLAIN, 'counter.ts', repository.blob('x')])
    repository.commit(repository.tree([FOLDER, 'src', folder]))
    repository.git(['repack', '-adq'])
    expect((await read(repository)).kind).toBe('read')
  })

  it.each([
    [
      'no entry',
      () => plainTree([]),
      'src/counter.ts: The submission has no src/counter.ts, which the lab counter asks for.',
    ],
    [
      'a link',
      () => withEntry('120000', ({ blob }) => blob('/etc/passwd')),
      /^src\/counter\.ts: .* is a symbolic link;/,
    ],
    ['a submodule', () => withEntry('160000', () => '1'.repeat(40)), /: src\/counter\.ts is a submodule; /],
    ['a folder as entry', () => withEntry(FOLDER, ({ tree }) => tree()), /: src\/counter\.ts is not a plain file\.$/],
    ['a link as src', () => plainTree(['120000', 'src']), /^src: src is a symbolic link;/],
    ['a submodule as src', () => plainTree(['160000', 'src']), /^src: src is a submodule;/],
    ['a file as src', () => plainTree([PLAIN, 'src']), 'src: src is not a folder.'],
    ['bytes that are no text', () => withEntry(PLAIN, ({ blob }) => blob(Uint8Array.of(0xff))), /is not UTF-8 text\.$/],
    ['NUL', () => plain('a\0'), /holds a NUL byte/],
    ['too large a blob', () => plain('x'.repeat(262_145)), /has 262145 bytes; it may have 262144\.$/],
    [
      'a blob that is not there',
      () => withEntry(PLAIN, () => '1'.repeat(40)),
      /the repository does not hold its contents\.$/,
    ],
    ['a name twice', twice, 'src/counter.ts: src/counter.ts stands twice in the commit.'],
  ])('refuses %s', async (_, repository, message) => {
    expect(await refusal(repository())).toMatch(message)
  })

  it('refuses objects that come from elsewhere', async () => {
    const course = plain('the solution')
    const solution = course.git(['rev-parse', `main:${ENTRY}`])
    const steal = () => withEntry(PLAIN, () => solution)
    const alternates = steal()
    writeFileSync(join(gitFolderOf(alternates), 'objects/info/alternates'), `${gitFolderOf(course)}/objects\n`)
    expect(alternates.git(['cat-file', 'blob', solution])).toBe('the solution')
    expect(await refusal(alternates)).toMatch(/^\.git\/objects\/info\/alternates: .* points out of the repository;/)

    const linkedObject = steal()
    const [start, rest] = [solution.slice(0, 2), solution.slice(2)]
    mkdirSync(join(gitFolderOf(linkedObject), 'objects', start), { recursive: true })
    symlinkSync(
      join(gitFolderOf(course), 'objects', start, rest),
      join(gitFolderOf(linkedObject), 'objects', start, rest),
    )
    expect(await refusal(linkedObject)).toMatch(/^\.git\/objects: /)

    const linkedFolder = make()
    rmSync(join(gitFolderOf(linkedFolder), 'objects'), { recursive: true })
    symlinkSync(join(gitFolderOf(course), 'objects'), join(gitFolderOf(linkedFolder), 'objects'))
    expect(await refusal(linkedFolder)).toMatch(/^\.git\/objects: /)

    const worktree = make()
    rmSync(gitFolderOf(worktree), { recursive: true })
    writeFileSync(gitFolderOf(worktree), `gitdir: ${gitFolderOf(course)}\n`)
    expect(await refusal(worktree)).toMatch(/^\.git: /)

    const linked = make()
    rmSync(gitFolderOf(linked), { recursive: true })
    symlinkSync(gitFolderOf(course), gitFolderOf(linked))
    expect(await refusal(linked)).toMatch(/^\.git: /)

    const common = make()
    writeFileSync(join(gitFolderOf(common), 'commondir'), gitFolderOf(course))
    expect(await refusal(common)).toMatch(/^\.git\/commondir: /)
  })

  it('runs nothing that the repository’s settings, hooks or attributes name, and fetches nothing', async () => {
    const repository = withEntry(PLAIN, () => '1'.repeat(40))
    const proof = join(trees.root, 'ran')
    const program = trees.file('program', `#!/bin/sh\ntouch ${proof}\n`)
    chmodSync(program, 0o755)
    for (const [key, value] of [
      ['core.fsmonitor', program],
      ['core.pager', program],
      ['core.sshCommand', program],
      ['core.hooksPath', join(trees.root, 'hooks')],
      ['core.worktree', trees.root],
      ['filter.evil.smudge', program],
      ['diff.evil.textconv', program],
      ['alias.ls-tree', `!${program}`],
      ['alias.cat-file', `!${program}`],
      ['protocol.ext.allow', 'always'],
      ['protocol.allow', 'always'],
      ['core.repositoryFormatVersion', '1'],
      ['extensions.partialClone', 'origin'],
      ['remote.origin.url', `ext::${program}`],
      ['remote.origin.promisor', 'true'],
      ['credential.helper', `!${program}`],
    ] as const) {
      repository.git(['config', key, value])
    }
    mkdirSync(join(gitFolderOf(repository), 'info'), { recursive: true })
    writeFileSync(join(gitFolderOf(repository), 'info/attributes'), '* filter=evil diff=evil\n')
    expect(await refusal(repository)).toMatch(/the repository does not hold its contents\.$|cannot read the files/)
    expect(existsSync(proof)).toBe(false)
  })

  it('leaves to the caller what the caller named wrongly', async () => {
    const repository = plain('x')
    for (const revision of ['none', '--help', '-1', '', 'main:src', 'a\0b', 'a\nb', '--output=/tmp/x']) {
      await expect(read(repository, revision)).rejects.toThrow(WrongUse)
    }
    await expect(read(repository, 'none')).rejects.toThrow(/^The repository .* has no commit none\.$/)
    const at = (path: string) => readSubmission(counterLab, { repository: path, revision: 'main' })
    await expect(at(join(trees.root, 'nowhere'))).rejects.toThrow(/^There is no directory /)
    await expect(at(trees.make({}))).rejects.toThrow(/is no git repository\.$/)
  })

  it('is found by a path from the current folder', async () => {
    const repository = plain('x')
    const path = relative(process.cwd(), repository.path)
    expect((await readSubmission(counterLab, { repository: path, revision: 'main' })).kind).toBe('read')
  })
})

/** A repository whose root has one entry, or none, that stands for a file's contents. */
function plainTree([mode, name]: readonly string[]): Repository {
  const repository = make()
  const object = mode === '160000' ? '1'.repeat(40) : repository.blob('elsewhere')
  repository.commit(mode === undefined ? repository.tree() : repository.tree([mode, name!, object]))
  return repository
}

/** A repository whose `src/` holds the entry file twice. */
function twice(): Repository {
  const repository = make()
  const [one, other] = [repository.blob('one'), repository.blob('other')]
  const folder = repository.tree([PLAIN, 'counter.ts', one], [PLAIN, 'counter.ts', other])
  repository.commit(repository.tree([FOLDER, 'src', folder]))
  return repository
}
