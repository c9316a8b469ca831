import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findImports } from './find-imports.ts'

const PATH = 'src/a.ts'
const found = (text: string) => findImports(PATH, text).map(({ specifier, other }) => other ?? specifier)

describe('findImports', () => {
  const spellings: readonly ((quoted: string) => string)[] = [
    (name) => `import ${name}`,
    (name) => `import a from ${name}`,
    (name) => `import * as a from ${name}`,
    (name) => `import { type A } from ${name}`,
    (name) => `import type { A } from ${name}`,
    (name) => `import a = require(${name})`,
    (name) => `export import a = require(${name})`,
    (name) => `export * from ${name}`,
    (name) => `export * as a from ${name}`,
    (name) => `export { a } from ${name}`,
    (name) => `export type { A } from ${name}`,
    (name) => `const a = await import(${name})`,
    (name) => `import(${name}).then(() => 1)`,
    (name) => `import(${name}, { with: { type: 'json' } })`,
    (name) => `const a = require(${name})`,
    (name) => `require(${name} )`,
    (name) => `type A = import(${name}).T`,
    (name) => `let a: typeof import(${name})`,
    (name) => `function f<T extends import(${name}).T>() {}`,
    (name) => `class A { async m() { return [\`\${await import(${name})}\`] } }`,
  ]

  it('finds an import in whatever spelling, quotes, escapes and surroundings, and where it stands', () => {
    const names = fc.constantFrom('node:fs', './b.ts', '../../x', 'data:text/javascript,1')
    const quotes = fc.constantFrom(
      (name: string) => `'${name}'`,
      (name: string) => JSON.stringify(name),
      (name: string) => `'${[...name].map((letter) => `\\u{${letter.codePointAt(0)!.toString(16)}}`).join('')}'`,
    )
    const around = fc.constantFrom(
      '',
      '// import "x"\n',
      '/* import "x" */ ',
      'const s = "import \'x\'"\n',
      ';/import "x"/\n',
    )
    fc.assert(
      fc.property(fc.constantFrom(...spellings), names, quotes, around, around, (spell, name, quote, before, after) => {
        const text = `${before}${spell(quote(name))}\n${after}`
        const imports = findImports(PATH, text)
        expect(imports.map(({ specifier }) => specifier)).toEqual([name])
        expect(text.slice(imports[0]!.position)).toMatch(/^['"]/)
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  it.each([
    ['import(name)', [undefined]],
    ['import()', [undefined]],
    ["import('a' + b)", [undefined]],
    [`import(\`a\${b}\`)`, [undefined]],
    ['import(`a`)', ['a']],
    ['require(name)', [undefined]],
    ['type A = import(T).B', [undefined]],
    ["import a from './a.json' with { type: 'json' }", ['imports something with attributes']],
    ["export * from './a.ts' with {}", ['imports something with attributes']],
    ['import.meta.url', ['uses import.meta']],
    ['/// <reference path="/etc/passwd" />', ['refers to /etc/passwd']],
    ['/// <reference types="node" />', ['refers to node']],
    ['/// <reference lib="dom" />', ['refers to dom']],
    ['/// <amd-dependency path="x" />', ['refers to x']],
    ["declare const require: (name: string) => void; require('a')", ['a']],
    ["require('a'); import b from 'b'", ['a', 'b']],
  ])('finds in %s', (text, expected) => {
    expect(found(text)).toEqual(expected)
  })

  it.each([
    'export {}',
    'export const a = 1',
    'const s = \'import "x"\'',
    'const s = `import("x")`',
    '// require("x")',
    'const o = { import: (x: string) => x, require() {} }; o.import("x"); o.require()',
    'const require = (condition: boolean) => condition; require(true)',
    'function require(condition: boolean) {} require(true)',
    'new.target',
  ])('finds nothing in %s', (text) => {
    expect(found(text)).toEqual([])
  })

  it('takes no longer for the longest text, and says so when that is nested too deeply', () => {
    expect(findImports(PATH, 'require("a");'.repeat(19_000))).toHaveLength(19_000)
    expect(findImports(PATH, `1${'+1'.repeat(120_000)}`)).toEqual([])
    expect(() => findImports(PATH, '['.repeat(250_000))).toThrow(RangeError)
  })
})
