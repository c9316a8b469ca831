import { describe, expect, it } from 'vitest'
import { SubjectError } from '../contract/port.ts'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import type { Counter } from '../grade/fixtures/counter-port.ts'
import type { PreparedSubmission } from '../grade/prepared-submission.ts'
import { drawVariant } from '../variant.ts'
import { identify } from './identify.ts'
import { prepareSubmission } from './prepare.ts'
import { benignFiles, mutantFiles, solutionFiles } from './solution-files.ts'

const prepare = (text: string, typeCheck = true) =>
  prepareSubmission(counterLab, new Map([['src/counter.ts', text]]), { typeCheck, trusted: true })
const connect = (submission: PreparedSubmission) => submission.open().load()() as Counter
const failureOf = (run: () => unknown): SubjectError => {
  try {
    run()
  } catch (error) {
    if (error instanceof SubjectError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
const object = (total: string, before = '') =>
  `${before}\nexport const create = (): unknown => ({ add() {}, total: () => ${total} })\n`

describe('prepareSubmission', () => {
  it('identifies a tree by its paths and contents, in whatever order they come', () => {
    const files = [
      ['src/a.ts', 'ä'],
      ['src/b.ts', ''],
    ] as const
    const one = identify(new Map(files))
    expect(one).toEqual(identify(new Map([...files].reverse())))
    expect(one.files[0]).toMatchObject({ path: 'src/a.ts', sizeBytes: 2 })
    expect(identify(new Map([['src/a.ts', 'a']])).treeHash).not.toBe(one.treeHash)
  })

  it.each([
    [`import fs from 'node:fs'`, 'imports node:fs, which this lab does not allow'],
    [`import type { Stats } from 'node:fs'`, 'imports node:fs, which this lab does not allow'],
    [`export * from 'zod'`, 'imports zod, which this lab does not allow'],
    [`const x = await import('child_process')`, 'imports child_process, which this lab does not allow'],
    [
      `declare const require: (name: string) => unknown; require('node:fs')`,
      'imports node:fs, which this lab does not allow',
    ],
    [`import x from '../../../etc/passwd'`, 'imports ../../../etc/passwd, which this lab does not allow'],
    [`import '/etc/passwd'`, 'imports /etc/passwd, which this lab does not allow'],
    [
      `import { x } from './help.ts'`,
      /^imports \.\/help\.ts, but the submission has no src\/help\.ts; a lab takes only src\/counter\.ts$/,
    ],
    [`import '../platform/grader/seeds.ts'`, /, but this lab's platform has no grader\/seeds\.ts$/],
    [`import '../platform/grader/grade/fixtures/counter.ts'`, /, but this lab's platform has no /],
    [`import '../platform/grader/grade/fixtures/counter-variant.ts'`, /, but this lab's platform has no /],
    [`import 'file:///etc/passwd'`, 'imports file:///etc/passwd, which this lab does not allow'],
    [`import 'http://example.org/a.js'`, 'imports http://example.org/a.js, which this lab does not allow'],
    [`import 'data:text/javascript,1'`, 'imports data:text/javascript,1, which this lab does not allow'],
    [`type T = import('node:fs').Stats`, 'imports node:fs, which this lab does not allow'],
    [`await import(String(1))`, /^imports a name that is only known when it runs, which this lab does not allow: /],
    [`import.meta.url`, 'uses import.meta, which this lab does not allow'],
    [`import '../platform/../grader/seeds.ts'`, /which this lab does not allow$/],
  ])('refuses %s, with its line', async (line, message) => {
    const { diagnostics } = await prepare(object('0', `// first\n\n${line}`))
    expect(diagnostics).toMatchObject([{ file: 'src/counter.ts', line: 3 }])
    expect(diagnostics[0]!.message).toMatch(message)
  })

  it('reports what the compiler says, at the student’s line, strictly, and nothing about unused names', async () => {
    const text = `import type { Counter } from '../platform/grader/grade/fixtures/counter-port.ts'
const unused = [1]
export function create(): Counter {
  const first: number = unused[0]
  console.log(first)
  return { add(amount) { amount.length }, total: () => 0 }
}
`
    const { diagnostics } = await prepare(text)
    expect(diagnostics.map(({ line, column, message }) => `${line}:${column} ${message.slice(0, 7)}`)).toEqual([
      '4:9 TS2322:',
      '6:33 TS2339:',
    ])
  })

  it('reports a syntax error, with and without the type check', async () => {
    for (const typeCheck of [true, false]) {
      const { diagnostics } = await prepare('export function create( {\n', typeCheck)
      expect(diagnostics[0]).toMatchObject({ file: 'src/counter.ts', message: expect.any(String) as unknown })
      expect(diagnostics[0]!.line).toBeGreaterThan(0)
    }
  })

  it('gives code no clock, no chance, no host, and a quiet console', async () => {
    for (const expression of [
      'Math.random()',
      'Date.now()',
      'new Date().getTime()',
      'performance.now()',
      'process.pid',
    ]) {
      const submission = await prepare(object(expression), false)
      expect(failureOf(() => connect(submission).total()).failure).toBe('threw')
    }
    expect(connect(await prepare(object('(console.log(1), 4)'))).total()).toBe(4)
  })

  it('keeps what code patches away from the grader, and from the next law', async () => {
    const submission = await prepare(
      object('calls()', 'let count = 0\nArray.prototype.map = () => []\nconst calls = () => ++count'),
    )
    expect(connect(submission).total()).toBe(1)
    expect([1, 2].map((value) => value * 2)).toEqual([2, 4])
    const running = submission.open()
    const connectTo = running.load() as () => Counter
    expect([connectTo().total(), connectTo().total()]).toEqual([1, 2])
    expect((running.load() as () => Counter)().total()).toBe(1)
  })

  it('names code that cannot be loaded, and the line that throws', async () => {
    const noCreate = await prepare('export const x = 1\n')
    expect(failureOf(() => connect(noCreate))).toMatchObject({
      method: 'create',
      message: 'TypeError: the entry file does not export a function create()',
    })
    const thrower = await prepare(`${object('0')}\nthrow new Error('at load')\n`)
    expect(failureOf(() => connect(thrower))).toMatchObject({ method: 'create', at: 'src/counter.ts:4' })
  })
})

describe('solutionFiles', () => {
  const variant = drawVariant(counterLab, 'abc')

  it('lays the solution out as a submission, with its variant', () => {
    const files = solutionFiles(counterLab, variant)
    expect([...files.keys()]).toEqual(['src/counter.ts', 'src/counter-variant.ts'])
    expect(files.get('src/counter.ts')).toContain("from '../platform/grader/grade/fixtures/counter-port.ts'")
    expect(files.get('src/counter.ts')).toContain("from './counter-variant.ts'")
    expect(files.get('src/counter-variant.ts')).toContain('= 146')
  })

  it('refuses a mutant whose text does not stand exactly once in the solution', () => {
    const [mutant] = counterLab.mutants
    for (const find of ['this.#sum', 'nothing of the kind']) {
      const edits = [{ ...mutant!.edits[0]!, find }]
      expect(() => mutantFiles(counterLab, variant, { ...mutant!, edits })).toThrow(/stands there \d+ times, not once/)
    }
  })

  it('makes a benign variant of the solution by edits, each of a text that stands there once', () => {
    const benign = { id: 'other', story: 'It has another field.' }
    const text = solutionFiles(counterLab, variant).get('src/counter.ts')!
    const field = /#sum = 0\n/.exec(text)![0]
    const edited = benignFiles(counterLab, variant, { ...benign, edits: [[field, '#sum = -0\n']] })
    expect(edited.get('src/counter.ts')).toBe(text.replace(field, '#sum = -0\n'))
    expect([...edited.keys()].sort()).toEqual(['src/counter-variant.ts', 'src/counter.ts'])
    const twice = { ...benign, edits: [['this.#sum', '']] as const }
    expect(() => benignFiles(counterLab, variant, twice)).toThrow(/stands there \d+ times, not once/)
  })
})
