/** Code that wants to read what it was not given: hidden suites, the solution, the rubric, the machine it runs on. */
import { DOES_NOT_COMPILE, endsIn, type Hostile, IMPORT_REFUSED, inBrief, inFamily, KEEPS_ALL } from './hostile.ts'
import { type Kit, onRight, onWrong, withText } from './kit.ts'

const object = 'export function create(): object {\n  return {}\n}\n'
const importing = (line: string | ((kit: Kit) => string)) =>
  withText((kit) => `${typeof line === 'function' ? line(kit) : line}\n${object}`)

/** The way from `src/` to an absolute path. */
const climbTo = (path: string) => `${'../'.repeat(24)}${path.slice(1)}`

export const reading: readonly Hostile[] = inFamily(
  'reading',
  inBrief([
    {
      id: 'imports-fs',
      tries: 'Imports node:fs/promises to read the suites.',
      submission: importing("import { readdir } from 'node:fs/promises'\nexport const files = readdir('/')"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-fs-by-type',
      tries: 'Imports only a type of node:fs.',
      submission: importing("import type { Stats } from 'fs'\nexport type Mine = Stats"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'requires-fs',
      tries: 'Requires node:fs/promises by its name.',
      submission: importing(
        "declare const require: (name: string) => unknown\nexport const fs = require('node:fs/promises')",
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'requires-a-computed-name',
      tries: 'Requires a module whose name is put together while it runs.',
      submission: onWrong({ create: "globalThis['req' + 'uire']('node:' + 'fs').readdirSync('/')" }),
      expect: endsIn('threw'),
    },
    {
      id: 'imports-a-computed-name',
      tries: 'Imports a module whose name is put together while it runs.',
      submission: importing("export const fs = import('node:' + 'fs')"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-in-eval',
      tries: 'Hides an import from the bundler in eval and in new Function.',
      submission: onWrong({
        create: `const name = 'node:fs'
new Function('name', 'return import(name)')(name).then((fs) => { console.log(fs.readdirSync('/')) }, () => {})
globalThis.eval("import('node:fs')").catch(() => {})
throw new Error('imported')`,
      }),
      expect: endsIn('threw'),
    },
    {
      id: 'imports-the-secret',
      tries: 'Imports a file far outside src/ by a relative path.',
      submission: importing(
        ({ bait }) => `import { secret } from '${climbTo(bait.secretFile)}'\nthrow new Error(secret)`,
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-the-secret-absolutely',
      tries: 'Imports a file by its absolute path and by a file: address.',
      submission: importing(
        ({ bait }) =>
          `import { secret } from '${bait.secretFile}'\nimport * as same from 'file://${bait.secretFile}'\nthrow new Error(secret + same)`,
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-data',
      tries: 'Imports a module from a data: address, whose text no tool looks at.',
      submission: importing("import * as data from 'data:text/javascript,export const x = 1'\nexport const x = data"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-over-http',
      tries: 'Imports a module from a server of its own.',
      submission: importing(({ bait }) => `import 'http://127.0.0.1:${bait.tcpPort}/code.ts'`),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-json',
      tries: 'Imports the package’s own package.json with an import attribute.',
      submission: importing(
        "import pack from '../platform/package.json' with { type: 'json' }\nthrow new Error(String(pack))",
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-the-hidden-suite',
      tries: 'Imports the hidden suite through the platform’s folder.',
      submission: importing(
        ({ lab }) =>
          `import * as hidden from '../platform/assignments/${lab.id}/hidden/laws.ts'\nthrow new Error(String(hidden))`,
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'type-of-a-secret',
      tries: 'Lets the compiler print a secret: the type of a constant in a file far outside, in a message.',
      submission: importing(
        ({ bait }) =>
          `const secret: 1 = null as unknown as typeof import('${climbTo(bait.secretFile)}').secret\nexport { secret }`,
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'reference-path',
      tries: 'Lets the compiler read a file outside by a reference comment.',
      submission: withText(
        ({ bait }) => `/// <reference path="${climbTo(bait.secretFile)}" />\nexport const x: number = 'a'\n${object}`,
      ),
      expect: { ...IMPORT_REFUSED, outcomes: ['importRefused', 'doesNotCompile'] },
    },
    {
      id: 'reference-types',
      tries: 'Asks the compiler for Node’s types by a reference comment, to find out what there is.',
      submission: withText(`/// <reference types="node" />\nexport const x: string = process.env\n${object}`),
      expect: { ...IMPORT_REFUSED, outcomes: ['importRefused', 'doesNotCompile'] },
    },
    {
      id: 'import-meta',
      tries: 'Asks import.meta for the place of its file.',
      submission: importing('export const place: unknown = (import.meta as unknown as { url: unknown }).url'),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'export-from',
      tries: 'Exports again what node:child_process exports.',
      submission: importing("export * from 'node:child_process'"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'import-equals',
      tries: 'Imports in the old way of TypeScript.',
      submission: importing("import fs = require('fs')\nexport const read = fs.readFileSync"),
      expect: { ...IMPORT_REFUSED, outcomes: ['importRefused', 'doesNotCompile'] },
    },
    {
      id: 'another-file',
      tries: 'Imports a file of its own that the lab does not take.',
      submission: (kit) => ({
        kind: 'files',
        files: new Map([
          [kit.entry, "export { create } from './more/hidden.ts'\n"],
          ['src/more/hidden.ts', kit.right.get(kit.entry) ?? ''],
        ]),
      }),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'source-map-comment',
      tries: 'Ends with a source map of its own, which names a secret as its source.',
      submission: (kit) => ({
        kind: 'files',
        files: new Map([
          ...kit.right,
          [
            kit.entry,
            `${kit.right.get(kit.entry)}\n//# sourceMappingURL=file://${kit.bait.secretFile}\n//# sourceURL=${kit.bait.secretFile}\n`,
          ],
        ]),
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'sources-of-functions',
      tries: 'Reads the source text of every function that it can reach, and throws it.',
      submission: onWrong({
        call: `const texts = []
for (const name of Object.getOwnPropertyNames(globalThis)) { const each = globalThis[name]; if (typeof each === 'function') texts.push(String(each)) }
throw new Error(texts.filter((text) => !text.includes('[native code]')).join('\\n').slice(0, 400))`,
      }),
      expect: endsIn('threw'),
    },
    {
      id: 'stack-of-the-host',
      tries: 'Throws the whole stack, with a limit of its own choice, to learn what stands behind it.',
      submission: onWrong({ call: 'Error.stackTraceLimit = Infinity; throw new Error(new Error().stack)' }),
      expect: endsIn('threw'),
    },
    {
      id: 'proc-by-name',
      tries: 'Uses process.binding, which the compiler does not know.',
      submission: withText(`export const fs: unknown = process.binding('fs')\n${object}`),
      expect: DOES_NOT_COMPILE,
    },
    {
      id: 'worker-names',
      tries: 'Looks for what a browser or worker would offer: fetch, Worker, importScripts, XMLHttpRequest.',
      submission: onRight({
        load: `for (const name of ['fetch', 'Worker', 'importScripts', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'require', 'process', 'Deno', 'Bun', 'setTimeout', 'structuredClone']) {
  if (typeof globalThis[name] !== 'undefined') throw new Error(name + ' is here')
}`,
      }),
      expect: KEEPS_ALL,
    },
  ]),
)
