import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnyLab } from '../contract/lab.ts'
import { gradeSubmission } from '../grade/grade-submission.ts'
import { loadLab } from '../lab/load-lab.ts'
import { loadRubric } from '../rubric/rubric.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { prepareSubmission } from '../submission/prepare.ts'
import { findLeaks } from '../verify/leak-gate.ts'
import { type StarterFiles, starterFiles } from './starter-files.ts'
import { writeStarter } from './write-starter.ts'

let lab: AnyLab
let rubric: Rubric
let starter: StarterFiles
let folder: string

beforeAll(async () => {
  lab = await loadLab('hlt-idle')
  rubric = loadRubric(lab)
  starter = starterFiles(lab, rubric, 'alice')
  folder = mkdtempSync(join(tmpdir(), 'trapframe-starter-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the files of a starter', () => {
  it('hold no part of the solution', () => {
    expect(starter.stripped.length).toBeGreaterThan(10)
    expect(findLeaks(starter.stripped, starter.files)).toEqual([])
  })

  it('hold no hidden suite, no mutant, no test of the machine and no solution of any lab', () => {
    const paths = [...starter.files.keys()]
    expect(
      paths.filter((path) =>
        /hidden|mutants|benign|fixtures|assignments\/[^/]+\/lab\.ts$|idle-variant|reference\/machine/.test(path),
      ),
    ).toEqual([])
    expect(paths.filter((path) => path.startsWith('platform/') && path.endsWith('.test.ts'))).toEqual([])
    for (const [path, text] of starter.files) expect(text, path).not.toMatch(/^\s*\/\/ @(solution|end)\b/m)
  })

  it('import only what the starter holds', () => {
    for (const [path, text] of starter.files) {
      if (!path.endsWith('.ts')) continue
      for (const [, specifier] of text.matchAll(/^(?:import|export|\}) .*from '(\.[^']+)'$/gm)) {
        expect(starter.files.has(posix.join(posix.dirname(path), specifier!)), `${path} imports ${specifier}`).toBe(
          true,
        )
      }
    }
  })

  it('are the same for the same seed, and tell another variant for another', () => {
    expect(starterFiles(lab, rubric, 'alice')).toEqual(starter)
    const readmes = ['a', 'b', 'c', 'd'].map((seed) => starterFiles(lab, rubric, seed).files.get('README.md'))
    expect(new Set(readmes).size).toBe(4)
  })

  it('have a handout in which every place is filled', () => {
    for (let n = 0; n < 12; n++) {
      const readme = starterFiles(lab, rubric, `s${n}`).files.get('README.md')!
      expect(readme).not.toMatch(/\{\{|undefined|\[object/)
      expect(readme).toContain('How marks are made')
    }
  })

  it('have a skeleton that compiles, fails only for what is not written, and scores the baseline', async () => {
    const files = new Map([['src/idle.ts', starter.files.get('src/idle.ts')!]])
    const submission = await prepareSubmission(lab, files)
    expect(submission.diagnostics).toEqual([])
    const result = gradeSubmission(lab, submission, { rubric, variantSeed: 'alice', suites: 'both' })
    expect(new Set(result.laws.map(({ verdict }) => verdict))).toEqual(new Set(['notWritten']))
    expect(result.points).toBe(lab.baseline)
    expect(result.laws[0]?.card?.at).toMatch(/^src\/idle\.ts:\d+$/)
  })

  it('have the points of the public laws and counters alone in their rubric', () => {
    const text = starter.files.get('platform/rubric.ts')!
    expect(text).not.toContain('halt-storm')
    expect(text).toContain('nested-halts')
  })
})

describe('writing a starter', () => {
  it('makes one commit, the same for the same files, whatever the git of the user is set to', async () => {
    const heads = []
    for (const name of ['one', 'two']) {
      await writeStarter(starter.files, join(folder, name), 'Starter')
      const git = (...args: string[]) => execFileSync('git', args, { cwd: join(folder, name), encoding: 'utf8' }).trim()
      expect(git('status', '--porcelain')).toBe('')
      expect(git('rev-list', '--all', '--count')).toBe('1')
      heads.push(git('rev-parse', 'HEAD'))
    }
    expect(heads[0]).toBe(heads[1])
  })

  it('makes the platform read-only, and the rest not', () => {
    const mode = (path: string) => statSync(join(folder, 'one', path)).mode & 0o222
    expect(mode('platform/grade.ts')).toBe(0)
    expect(mode('src/idle.ts')).not.toBe(0)
  })

  it('refuses a folder that is not empty, and a file, and leaves nothing behind', async () => {
    const taken = join(folder, 'one')
    await expect(writeStarter(starter.files, taken, 'Starter')).rejects.toThrow(/one is not empty: name a new folder/)
    writeFileSync(join(folder, 'file'), 'mine')
    await expect(writeStarter(starter.files, join(folder, 'file'), 'Starter')).rejects.toThrow(/is a file/)
    await expect(writeStarter(starter.files, join(folder, 'file', 'inner'), 'Starter')).rejects.toThrow(/Cannot make/)
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('mine')
    expect(readdirSync(folder).sort()).toEqual(['file', 'one', 'two'])
    expect(existsSync(join(taken, 'src/idle.ts'))).toBe(true)
  })
})
