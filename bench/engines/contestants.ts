/**
 * Who runs the guests: Trapframe by its command line, v86 in Node (installed beside the project when it is asked for), and
 * QEMU with TCG when the computer has it.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageVersion, projectRoot } from '../../grader/project-root.ts'
import { cacheFolder } from './kernel.ts'

const MEMORY_MIB = 128
const V86_VERSION = '0.5.462'
const INSTALL_TIMEOUT_MS = 120_000

export const CONTESTANT_NAMES = ['trapframe', 'v86', 'qemu', 'interpreter'] as const
export type ContestantName = (typeof CONTESTANT_NAMES)[number]

export interface Contestant {
  readonly name: ContestantName
  readonly version: string
  /** The whole command for a kernel and its command line. Trapframe writes counters to `stats`. */
  readonly command: (kernel: string, commandLine: string, stats: string) => readonly string[]
  /** What of a section's work is enough, where less than all. */
  readonly share: number
}

/** A contestant, or why it cannot take part. */
export function enter(name: ContestantName): Contestant | { readonly missing: string } {
  if (name === 'v86') return enterV86()
  if (name === 'qemu') return enterQemu()
  return enterTrapframe(name)
}

function enterTrapframe(name: 'trapframe' | 'interpreter'): Contestant {
  const engine = name === 'trapframe' ? 'wasm' : 'interpreter'
  const main = join(projectRoot(), 'dist', 'grader', 'cli', 'main.js')
  return {
    name,
    version: packageVersion(),
    share: name === 'trapframe' ? 1 : 1 / 10,
    command: (kernel, line, stats) => [
      ...[process.execPath, main, 'run', kernel, '--append', line, '--mem', `${MEMORY_MIB}M`],
      ...['--engine', engine, '--stats', stats],
    ],
  }
}

function enterV86(): Contestant | { readonly missing: string } {
  const prefix = join(cacheFolder(), 'v86')
  const folder = join(prefix, 'node_modules', 'v86')
  const manifest = join(folder, 'package.json')
  try {
    if (!existsSync(manifest)) {
      const what = ['install', '--prefix', prefix, '--no-audit', '--no-fund', `v86@${V86_VERSION}`]
      execFileSync('npm', what, { stdio: ['ignore', 'ignore', 'pipe'], timeout: INSTALL_TIMEOUT_MS, encoding: 'utf8' })
    }
  } catch (error) {
    return { missing: `npm cannot install it: ${error instanceof Error ? error.message.split('\n')[0] : error}` }
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  const runner = join(projectRoot(), 'dist', 'bench', 'engines', 'v86-runner.js')
  return {
    name: 'v86',
    version,
    share: 1,
    command: (kernel, line) => [process.execPath, runner, join(folder, 'build'), kernel, line, String(MEMORY_MIB)],
  }
}

function enterQemu(): Contestant | { readonly missing: string } {
  const qemu = 'qemu-system-i386'
  let version: string
  try {
    const told = execFileSync(qemu, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    version = /version ([\d.]+)/.exec(told)?.[1] ?? 'unknown'
  } catch {
    return { missing: `there is no ${qemu} (Debian: qemu-system-x86)` }
  }
  return {
    name: 'qemu',
    version,
    share: 1,
    command: (kernel, line) => [
      ...[qemu, '-kernel', kernel, '-append', line, '-m', String(MEMORY_MIB), '-accel', 'tcg', '-nodefaults'],
      ...['-display', 'none', '-no-reboot', '-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
    ],
  }
}
