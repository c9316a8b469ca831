/** Bundles programs of this package into texts, for processes and threads that load no package of ours. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

/**
 * The text of each program, in the order of `names`.
 *
 * @param names modules beside the caller, without their endings
 * @param caller the caller's `import.meta.url`
 * @param options `format` at least
 */
export async function bundlePrograms<const Names extends readonly string[]>(
  names: Names,
  caller: string,
  options: Pick<BuildOptions, 'format' | 'packages'>,
): Promise<{ [Index in keyof Names]: string }> {
  const { outputFiles } = await build({
    ...options,
    entryPoints: names.map((name) => modulePath(name, caller)),
    bundle: true,
    write: false,
    outdir: 'programs',
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    logLevel: 'silent',
    tsconfigRaw: '{}',
  })
  const text = (name: string) => outputFiles.find(({ path }) => path.endsWith(`/${name}.js`))!.text
  return names.map(text) as { [Index in keyof Names]: string }
}

/** The module as it stands beside the caller: compiled or not. */
function modulePath(name: string, caller: string): string {
  const source = fileURLToPath(new URL(`./${name}.ts`, caller))
  return existsSync(source) ? source : fileURLToPath(new URL(`./${name}.js`, caller))
}
