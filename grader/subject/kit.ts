/** The programs of the border as texts: what runs in the subject and in the warden's thread, each bundled into one. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface SubjectKit {
  /** CommonJS text of `main.ts`. */
  readonly main: string
  /** CommonJS text of `bridge.ts`. */
  readonly bridge: string
  /** CommonJS text of `warden.ts`. */
  readonly warden: string
}

let kit: Promise<SubjectKit> | undefined

/** Bundles them, once in this process. */
export function subjectKit(): Promise<SubjectKit> {
  kit ??= bundle()
  return kit
}

async function bundle(): Promise<SubjectKit> {
  const { outputFiles } = await build({
    entryPoints: ['main', 'bridge', 'warden'].map(source),
    bundle: true,
    write: false,
    outdir: 'kit',
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    logLevel: 'silent',
    tsconfigRaw: '{}',
  })
  const text = (name: string) => outputFiles.find(({ path }) => path.endsWith(`${name}.js`))!.text
  return { main: text('main'), bridge: text('bridge'), warden: text('warden') }
}

/** The module beside this one, as it stands: compiled or not. */
function source(name: string): string {
  const path = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  return existsSync(path) ? path : fileURLToPath(new URL(`./${name}.js`, import.meta.url))
}
