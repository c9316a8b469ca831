import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { WrongUse } from '../failures.ts'
import { type CounterVariant, counterLab, limit } from '../grade/fixtures/counter-lab.ts'
import { projectRoot } from '../project-root.ts'
import { type Result, resultSchema } from '../result/result.ts'
import { loadRubric, parseRubric } from '../rubric/rubric.ts'
import { zip } from '../submission/fixtures/archives.ts'
import { makeRepository } from '../submission/fixtures/repositories.ts'
import { MANIFEST } from '../submission/starter-manifest.ts'
import { drawVariant } from '../variant.ts'
import { type Captured, runCaptured } from './fixtures/run-captured.ts'
import type { LabSource } from './labs.ts'
import type { Environment } from './terminal.ts'

const RUBRIC = join(projectRoot(), 'grader/grade/fixtures/counter.yaml')
const toyLabs: LabSource = {
  list: () => ['counter'],
  load: async (id) => {
    if (id === 'counter') return counterLab
    throw new WrongUse(`There is no lab "${id}"; the labs are counter.`)
  },
  rubric: (lab) => loadRubric(lab, RUBRIC),
}
const root = mkdtempSync(join(tmpdir(), 'cli-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const SEED = 'abc'
const most = (drawVariant(counterLab, SEED) as CounterVariant).limit
const source = (sum: string) => `import type { Counter } from '../platform/grader/grade/fixtures/counter-port.ts'
class Mine implements Counter {
  sum = 0
  add(amount: number) { this.sum = ${sum} }
  total() { return this.sum }
}
export function create(): Counter { return new Mine() }
`
let made = 0
const submission = (sum: string, manifest: object = { lab: 'counter', seed: SEED }) => {
  const folder = join(root, `dir-${made++}`)
  mkdirSync(join(folder, 'src'), { recursive: true })
  writeFileSync(join(folder, 'src/counter.ts'), source(sum))
  writeFileSync(join(folder, 'trapframe.json'), JSON.stringify(manifest))
  return folder
}
const right = submission(`Math.min(${most}, this.sum + amount)`)
const wrong = submission('this.sum + amount')

const run = (
  args: string[],
  { labs = toyLabs, ...more }: { env?: Environment; labs?: LabSource; ask?: () => Promise<string> } = {},
): Promise<Captured> => runCaptured(args, labs, more)
const grade = async (...args: string[]): Promise<Result> =>
  JSON.parse((await run(['grade', ...args, '--json'])).out) as Result

describe('trapframe grade', () => {
  it('reports the mark, whatever it is, and is done', async () => {
    const good = await run(['grade', right])
    expect([good.status, good.err]).toEqual([0, ''])
    expect(good.out).toMatch(/A saturating counter +100 \/ 100/)
    const bad = await run(['grade', wrong])
    expect([bad.status, bad.err]).toEqual([0, ''])
    expect(bad.out).toMatch(/ 60 \/ 100/)
    expect(bad.out).toContain(limit.sentence)
  })

  it('prints the result document, and writes it and its views whole', async () => {
    const [json, html, markdown] = ['r.json', 'r.html', 'r.md'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ]
    const { status, out } = await run(['grade', wrong, '--json', '--out', json, '--html', html, '--markdown', markdown])
    expect(status).toBe(0)
    expect(resultSchema.parse(JSON.parse(out))).toEqual(JSON.parse(readFileSync(json, 'utf8')))
    expect(readFileSync(html, 'utf8')).toContain('</html>')
    expect(readFileSync(markdown, 'utf8')).toContain('A saturating counter')
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('takes the hidden cases from the course key and the student', async () => {
    const key = join(root, 'course.key')
    writeFileSync(key, 'secret\n')
    const keyed = await grade(wrong, '--key', key)
    const environment = await run(['grade', wrong, '--json'], { env: { TRAPFRAME_COURSE_KEY: 'secret' } })
    expect((JSON.parse(environment.out) as Result).digest).toBe(keyed.digest)
    expect((await grade(wrong)).digest).not.toBe(keyed.digest)
    expect((await grade(wrong, '--key', key, '--student', 'bob')).digest).not.toBe(keyed.digest)
  })

  it('gives an advisory mark from the public suite', async () => {
    expect(await grade(right, '--public-only')).toMatchObject({ kind: 'advisory', points: 90, maxPoints: 90 })
  })

  it('takes lab and seed from the command before those of the manifest', async () => {
    const other = submission(`Math.min(${most}, this.sum + amount)`, { lab: 'nope', seed: 'other' })
    expect(await grade(other, '--lab', 'counter', '--seed', SEED)).toMatchObject({ points: 100 })
    expect((await grade(other, '--lab', 'counter')).points).toBeLessThan(100)
  })

  it('grades code that does not compile, with the compiler’s message and the student’s line', async () => {
    const { status, out } = await run(['grade', submission('this.summ')])
    expect(status).toBe(0)
    expect(out).toContain('src/counter.ts:4:')
    expect(out).toContain("Property 'summ' does not exist on type 'Mine'")
  })

  it('grades a commit, and an upload, exactly as the directory', async () => {
    const { digest } = await grade(right)
    const files = ['src/counter.ts', MANIFEST].map((name) => ({ name, content: readFileSync(join(right, name)) }))
    const upload = join(root, 'upload.zip')
    writeFileSync(upload, zip(files.map((file) => ({ ...file, name: `alice-main/${file.name}` }))))
    expect((await grade(upload)).digest).toBe(digest)
    const repository = makeRepository(join(root, 'repository'))
    const [code, manifest] = files.map(({ content }) => repository.blob(content)) as [string, string]
    const src = repository.tree(['100644', 'counter.ts', code])
    repository.commit(repository.tree(['40000', 'src', src], ['100644', MANIFEST, manifest]))
    expect((await grade(repository.path, '--commit', 'main')).digest).toBe(digest)
  })

  it('grades what cannot be read, with no points and the reason', async () => {
    const empty = mkdtempSync(join(root, 'empty-'))
    const result = await grade(empty, '--lab', 'counter', '--seed', SEED)
    expect(result).toMatchObject({ points: 0, diagnostics: [{ file: 'src/counter.ts', line: 1, column: 1 }] })
    expect(result.diagnostics[0]!.message).toMatch(/^The submission has no src\/counter\.ts/)
  })

  it('colours only where it is wanted', async () => {
    const coloured = async (env: Environment) => (await run(['grade', right], { env })).out.includes('\u001b[')
    expect([await coloured({}), await coloured({ FORCE_COLOR: '1' })]).toEqual([false, true])
    expect(await coloured({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
  })
})

describe('trapframe replay', () => {
  it('runs a card of a result again, and says whether the law holds now', async () => {
    const file = join(root, 'replay.json')
    const { laws } = await grade(wrong, '--out', file)
    const card = laws.find(({ card }) => card !== undefined)!.card!
    const broken = await run(['replay', file, '--card', card.id, '--dir', wrong])
    expect([broken.status, broken.err]).toEqual([1, ''])
    expect(broken.out).toContain(`expected: ${most}`)
    expect(broken.out).toContain(`actual:   ${most + 1}`)
    const repaired = await run(['replay', file, '--card', card.id, '--dir', right])
    expect([repaired.status, repaired.err]).toEqual([0, ''])
    expect(repaired.out).toContain('The law holds for this case.')
    const alone = join(root, 'card.json')
    writeFileSync(alone, JSON.stringify(card))
    expect(await run(['replay', alone, '--dir', wrong])).toEqual(broken)
  })

  it('runs the command that a card prints', async () => {
    const { laws } = await grade(wrong)
    const { replay } = laws.find(({ card }) => card !== undefined)!.card!
    const args = replay
      .split(' ')
      .slice(1)
      .map((word) => word.replaceAll("'", ''))
    expect((await run([...args, '--dir', wrong])).status).toBe(1)
  })

  it('shows steps side by side and marks the first difference', async () => {
    const doubling = submission('this.sum + amount + (this.sum > 4 ? 1 : 0)')
    const { status, out } = await run(['replay', '--law', 'sum', '--case', '[2,3,4,1]', '--dir', doubling])
    expect(status).toBe(1)
    expect(out).toMatch(/^ {2}add\(3\) +5 +5$/m)
    expect(out).toMatch(/^▶ add\(4\) +9 +10$/m)
    expect(out).toMatch(/^✘ add\(1\) +10 +12$/m)
  })

  it('waits before each step for a person who wants it', async () => {
    let asked = 0
    const ask = async () => {
      asked++
      return ''
    }
    const args = ['replay', '--law', 'sum', '--case', '[1,1]', '--dir', right, '--step']
    expect((await run(args, { ask })).status).toBe(0)
    expect(asked).toBe(3)
  })

  it('looks for a case by itself', async () => {
    expect((await run(['replay', '--law', 'limit', '--dir', wrong])).status).toBe(1)
    const held = await run(['replay', '--law', 'limit', '--dir', right])
    expect(held).toMatchObject({ status: 0, out: `${limit.sentence}\nIt holds in all 30 public cases.\n` })
  })
})

describe('the other commands', () => {
  it('lists the labs', async () => {
    expect((await run(['labs'])).out).toBe('counter  A saturating counter  0.0 The engine itself\n')
    expect(JSON.parse((await run(['labs', '--json'])).out)).toEqual([
      { id: 'counter', title: 'A saturating counter', syllabus: '0.0 The engine itself' },
    ])
  })

  it('prints the schema, the version and help', async () => {
    expect(JSON.parse((await run(['schema'])).out)).toMatchObject({ $id: 'trapframe/result/v1' })
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    for (const args of [['--help'], [], ['grade', '--help']]) {
      const { status, out } = await run(args)
      expect(status).toBe(0)
      expect(out).toMatch(/Examples:\n {2}trapframe /)
    }
  })
})

describe('wrong use is one sentence and status 2', () => {
  const missing = join(root, 'none')
  const empty = join(root, 'empty')
  mkdirSync(empty)
  const noCard = join(root, 'no-card.json')
  writeFileSync(noCard, '{}')

  it.each([
    [['nope'], /^trapframe: unknown command 'nope'/],
    [['labz'], /\(Did you mean labs\?\)/],
    [['grade'], /^trapframe: missing required argument 'submission'/],
    [['grade', right, '--nope'], /^trapframe: unknown option '--nope'/],
    [['grade', right, '--require-confinement', 'much'], /Allowed choices are process, sandbox\./],
    [['grade', missing], /^trapframe: There is no directory or archive .*none\.$/],
    [['grade', right, '--commit', 'main'], /^trapframe: .* is no git repository\.$/],
    [['grade', empty], /^trapframe: .*empty has no trapframe\.json that says which lab it is: name it with --lab\.$/],
    [['grade', empty, '--lab', 'counter'], /says which variant it is: name its seed with --seed\.$/],
    [['grade', right, '--lab', 'nope'], /^trapframe: There is no lab "nope"; the labs are counter\.$/],
    [['grade', right, '--seed', 'a b'], /^trapframe: A seed is 1 to 64 letters/],
    [
      ['grade', right, '--out', join(missing, 'r.json')],
      /^trapframe: Cannot write .*r\.json: there is no such file or folder\.$/,
    ],
    [['grade', right, '--html', root], /: it is a folder\.$/],
    [['grade', right, '--key', missing], /^trapframe: Cannot read the course key .*none: there is no such file\.$/],
    [['replay'], /^trapframe: Name what to replay: a result\.json, a card, or a law with --law\.$/],
    [['replay', missing], /^trapframe: Cannot read .*none: there is no such file or folder\.$/],
    [['replay', noCard, '--dir', right], /is neither a card nor a result document \(trapframe\/result\/v1\)\.$/],
    [['replay', '--law', 'nope', '--dir', right], /has no law "nope"; its laws are sum, limit, independence\.$/],
    [['replay', '--law', 'sum', '--case', '[', '--dir', right], /--case is no JSON: \[$/],
  ])('%j', async (args, message) => {
    const { status, out, err } = await run(args)
    expect([status, out]).toEqual([2, ''])
    expect(err).toMatch(
      message instanceof RegExp ? new RegExp(message.source.replace(/\$$/, '\n$'), message.flags) : message,
    )
  })

  it('says it of a rubric that does not add up, too', async () => {
    const text = readFileSync(RUBRIC, 'utf8').replace('points: 50', 'points: 40')
    const labs = { ...toyLabs, rubric: () => parseRubric(counterLab, text, 'rubrics/counter.yaml') }
    expect(await run(['grade', right], { labs })).toEqual({
      status: 2,
      out: '',
      err: 'trapframe: rubrics/counter.yaml:6: item "sums" wants 40 points, but its laws add up to 50: make them equal.\n',
    })
  })

  it('blames the grader, with status 3, for a law that holds for anybody', async () => {
    const idle = { ...limit, check: () => {} }
    const lab = { ...counterLab, suites: { public: [idle], hidden: counterLab.suites.hidden } }
    const labs = { ...toyLabs, load: async () => lab }
    expect(await run(['grade', right], { labs })).toEqual({
      status: 3,
      out: '',
      err: 'trapframe: The grader itself failed, so there is no mark: The law "limit" holds for code that answers nothing, so it can give no points.\n',
    })
  })
})
