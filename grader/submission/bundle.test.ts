import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { projectRoot } from '../project-root.ts'
import { type Bundle, bundleSubmission } from './bundle.ts'
import { listing, makeTrees } from './fixtures/trees.ts'

const trees = makeTrees()
afterAll(() => trees.remove())
const SECRET = 'nobody may read this'
const secret = trees.file('secret.ts', `export const secret = '${SECRET}'\n`)
const fromSource = relative(join(projectRoot(), 'src'), secret)
const data = 'data:text/javascript,export const a = 1'

const bundle = (text: string, more: Readonly<Record<string, string>> = {}) =>
  bundleSubmission(counterLab, new Map(Object.entries({ 'src/counter.ts': text, ...more })))
const isBundle = (result: object): result is Bundle => 'code' in result

describe('bundleSubmission, even when nothing was checked before', () => {
  it.each([
    secret,
    fromSource,
    `./${fromSource}`,
    `file://${secret}`,
    data,
    'http://example.org/a.js',
    'https://example.org/a.js',
    '../../../../etc/passwd',
    '../package.json',
    '../grader/seeds.ts',
    '../platform/grader/seeds.ts',
    '../platform/grader/grade/fixtures/counter.ts',
    '../platform/../grader/seeds.ts',
    './counter.ts?x',
    '#secret',
    'node:fs',
    'zod',
    'fs/promises',
    '.',
    '..',
    '',
  ])('reads nothing for an import of %s', async (specifier) => {
    const quoted = JSON.stringify(specifier)
    for (const text of [
      `import * as a from ${quoted}; console.log(a)`,
      `export * from ${quoted}`,
      `console.log(await import(${quoted}))`,
      `console.log(require(${quoted}))`,
    ]) {
      const result = await bundle(text)
      if (isBundle(result)) throw new Error(`it was bundled: ${result.code}`)
      expect(result[0]).toMatchObject({ file: 'src/counter.ts', line: 1 })
      expect(JSON.stringify(result)).not.toContain(SECRET.slice(0, 12))
    }
  })

  it('obeys no settings and no packages of the submission, and writes nothing', async () => {
    const before = listing(trees.root)
    const settings = {
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '*': [secret] } } }),
      'src/tsconfig.json': JSON.stringify({ extends: secret }),
      'package.json': JSON.stringify({ imports: { '#secret': secret }, browser: { './counter.ts': secret } }),
      'node_modules/zod/index.js': `export const secret = '${SECRET}'`,
      'platform/grader/grade/fixtures/counter-port.ts': `export const secret = '${SECRET}'`,
    }
    for (const specifier of ['#secret', 'zod', 'secret']) {
      expect(isBundle(await bundle(`import '${specifier}'`, settings))).toBe(false)
    }
    const result = await bundle(`export const create = () => 1`, settings)
    expect(isBundle(result) && result.code).not.toContain(SECRET)
    expect(listing(trees.root)).toEqual(before)
  })

  it('reads no map that a comment names', async () => {
    writeFileSync(`${secret}.map`, JSON.stringify({ version: 3, sources: [secret], names: [], mappings: 'AAAA' }))
    const result = await bundle(`export const create = () => 1\n//# sourceMappingURL=${secret}.map`)
    expect(isBundle(result) && result.map).not.toContain(secret)
  })

  it('leaves to the subject what a platform module takes from Node', async () => {
    const lab = { ...counterLab, platform: [...counterLab.platform, 'grader/files.ts'] }
    const text = "export * from '../platform/grader/files.ts'"
    const made = await bundleSubmission(lab, new Map([['src/counter.ts', text]]))
    expect(isBundle(made) && made.code).toContain('require("node:fs")')
  })
})
