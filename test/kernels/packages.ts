/**
 * Debian's packages for the tests here: downloaded with apt into a folder that git ignores, unpacked, never installed.
 *
 * apt works on lists and a status file of its own, so the computer's packages are neither asked nor changed.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The last release with a kernel for 32-bit processors. */
const RELEASE = 'bookworm'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const CACHE = fileURLToPath(new URL('.cache/', import.meta.url))
const APT_TIMEOUT_MS = 300_000

/** Where packages are unpacked, or why they are not there. */
export type Unpacked = { readonly root: string } | { readonly missing: string }

/**
 * @param names with their architectures, such as `busybox-static:i386`
 * @param resolve finds the packages that a meta-package stands for; none unless told
 */
export function unpackPackages(names: readonly string[], resolve?: { meta: string; wanted: RegExp }): Unpacked {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (!isThere(tool)) return { missing: `there is no ${tool} on this computer` }
  }
  if (!existsSync(KEYRING)) return { missing: `the package debian-archive-keyring is not installed (${KEYRING})` }
  try {
    prepareApt()
    const wanted = [...names, ...(resolve === undefined ? [] : dependenciesOf(resolve.meta, resolve.wanted))]
    for (const name of wanted) unpack(name)
  } catch (error) {
    return {
      missing: `Debian's packages cannot be had: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
    }
  }
  return { root: join(CACHE, 'root') }
}

/** Writes apt's own configuration, and gets the lists if there are none. */
function prepareApt(): void {
  for (const folder of ['lists/partial', 'archives/partial', 'debs', 'root']) {
    mkdirSync(join(CACHE, folder), { recursive: true })
  }
  writeFileSync(join(CACHE, 'status'), '')
  writeFileSync(
    join(CACHE, 'sources.list'),
    `deb [signed-by=${KEYRING}] http://deb.debian.org/debian ${RELEASE} main\n`,
  )
  if (!readdirSync(join(CACHE, 'lists')).some((name) => name.includes('Packages'))) apt('apt-get', ['update'])
}

function apt(tool: 'apt-get' | 'apt-cache', args: readonly string[]): string {
  const options = {
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64,i386',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Dir::State': CACHE,
    'Dir::State::lists': join(CACHE, 'lists'),
    'Dir::State::status': join(CACHE, 'status'),
    'Dir::Cache': CACHE,
    'Dir::Etc::sourcelist': join(CACHE, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return execFileSync(tool, [...flags, ...args], {
    cwd: join(CACHE, 'debs'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: APT_TIMEOUT_MS,
  })
}

function dependenciesOf(meta: string, wanted: RegExp): string[] {
  const lines = apt('apt-cache', ['depends', meta]).split('\n')
  return lines.flatMap((line) => /Depends: (\S+)/.exec(line)?.[1] ?? []).filter((name) => wanted.test(name))
}

function unpack(name: string): void {
  const [plain = name] = name.split(':')
  const file = () => readdirSync(join(CACHE, 'debs')).find((each) => each.startsWith(`${plain}_`))
  if (file() === undefined) apt('apt-get', ['download', name])
  const deb = file()
  if (deb === undefined) throw new Error(`apt did not bring ${name}`)
  execFileSync('dpkg-deb', ['-x', join(CACHE, 'debs', deb), join(CACHE, 'root')])
}

function isThere(tool: string): boolean {
  const { PATH = '' } = process.env
  return PATH.split(':').some((folder) => existsSync(join(folder, tool)))
}
