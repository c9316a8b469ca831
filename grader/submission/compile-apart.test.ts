import { readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { compile } from './compile.ts'
import { compileApart } from './compile-apart.ts'

const ENTRY = 'src/counter.ts'
const apart = (text: string) => compileApart(counterLab, new Map([[ENTRY, text]]), { typeCheck: true })
const RIGHT = 'export const create = (): unknown => ({ add() {}, total: () => 0 })\n'
const depth = (text: string, count: number) => text.repeat(count)
/** These look at processes through /proc. */
const onLinux = it.skipIf(process.platform !== 'linux')
const refused = (why: string) => ({
  kind: 'refused',
  outcome: 'doesNotCompile',
  diagnostics: [{ file: ENTRY, line: 1, column: 1, message: `The code cannot be compiled: ${why}.` }],
})

describe('compileApart', () => {
  it('gives what compile gives', async () => {
    const parts = fc.constantFrom(
      RIGHT,
      'const a: number = ""\n',
      "import 'node:fs'\n",
      'export {\n',
      '// \u{1f600}\n',
      'let b = 1\n',
    )
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(parts, { maxLength: 4 }), async (texts) => {
        const text = texts.join('')
        expect(await apart(text)).toEqual(await compile(counterLab, new Map([[ENTRY, text]]), { typeCheck: true }))
      }),
      { seed: 1, numRuns: 8 },
    )
  })

  it.each([
    ['brackets', depth('[', 262_144)],
    ['parentheses', `export const a = ${depth('(', 100_000)}1${depth(')', 100_000)}`],
    ['blocks', depth('{', 100_000) + depth('}', 100_000)],
    ['operators', `export const a = ${depth('!', 250_000)}1`],
    ['calls', `declare const o: any; export const a = o${depth('()', 120_000)}`],
    ['types', `export type A = ${depth('[', 100_000)}${depth(']', 100_000)}`],
    ['templates', depth('`${', 80_000)],
  ])('refuses nesting without end: %s', async (_, text) => {
    expect(await apart(text)).toEqual(refused('it is nested too deeply'))
  })

  onLinux('ends what would never end, with all its processes', async () => {
    const endless = `export const a = ${depth('1+', 120_000)}1`
    const result = await compileApart(counterLab, new Map([[ENTRY, endless]]), { typeCheck: true }, 1500)
    expect(result).toEqual(refused('it takes the compiler too long'))
    expect(compilers()).toEqual([])
    expect((await apart(RIGHT)).kind).toBe('compiled')
  })

  onLinux('takes a process that is gone for an accident, once', async () => {
    for (const kill of ['idle', 'busy']) {
      await apart(RIGHT)
      const [pid] = compilers()
      if (kill === 'idle') process.kill(pid!, 'SIGKILL')
      const result = apart(depth('/** @a */', 8000) + RIGHT)
      await new Promise((resolve) => setImmediate(resolve))
      if (kill === 'busy') process.kill(pid!, 'SIGKILL')
      expect((await result).kind).toBe('compiled')
      expect(compilers()).not.toContain(pid)
    }
  })

  it('says how much more is wrong, and keeps each message short', async () => {
    const many = await apart(depth('a.b;', 5000))
    if (many.kind !== 'refused') throw new Error('it compiled')
    expect(many.diagnostics).toHaveLength(51)
    expect(many.diagnostics[50]).toMatchObject({ file: ENTRY, line: 1, message: '… and 4950 more' })
    const long = await apart(`import '${depth('\u{1f600}', 60_000)}'`)
    if (long.kind !== 'refused') throw new Error('it compiled')
    expect(long.diagnostics[0]!.message.length).toBeLessThanOrEqual(300)
    expect(long.diagnostics[0]!.message).toMatch(/^imports (?:\u{1f600})+…$/u)
  })

  onLinux(
    'goes on to the next submission in a process that is as good as new, and ends with the one that asked',
    async () => {
      await apart(depth('[', 262_144))
      expect((await apart(RIGHT)).kind).toBe('compiled')
      const [first, second] = await Promise.all([apart(RIGHT), apart('export {')])
      expect([first.kind, second.kind]).toEqual(['compiled', 'refused'])
      expect(compilers().length).toBeLessThanOrEqual(1)
    },
  )

  it('leaves a map that the file names out of account', async () => {
    const map = { version: 3, sources: ['../secret.ts'], names: [], mappings: 'AAAA', sourcesContent: ['x'] }
    const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`
    for (const comment of [
      `//# sourceMappingURL=${url}`,
      `/*# sourceMappingURL=${url} */`,
      '//# sourceMappingURL=/etc/passwd',
    ]) {
      const compiled = await apart(`${RIGHT}${comment}`)
      if (compiled.kind !== 'compiled') throw new Error('it does not compile')
      expect((JSON.parse(compiled.bundle.map) as { sources: string[] }).sources).toEqual([`submission:${ENTRY}`])
    }
  })
})

/** Processes of this one that read their program from standard input. */
function compilers(): number[] {
  return readdirSync('/proc')
    .filter((name) => {
      try {
        const [, parent] = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))!
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8')
        return Number(parent) === process.pid && command.includes('--input-type=module')
      } catch {
        return false
      }
    })
    .map(Number)
}
