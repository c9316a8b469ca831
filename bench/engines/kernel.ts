/**
 * The guest of the comparison: one freestanding multiboot kernel of all sections (`guests/`), compiled when it is asked
 * for with whatever gcc the computer has.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../grader/project-root.ts'

/** Machine code of a 686 without SSE; calls stay calls, and loops are not turned into calls of `memcpy`. */
const FLAGS = [
  ...['-m32', '-O2', '-march=i686', '-std=gnu11', '-Wall', '-Wextra', '-ffreestanding', '-nostdlib', '-static'],
  ...['-no-pie', '-fno-pie', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fcf-protection=none'],
  ...['-fno-tree-loop-distribute-patterns', '-Wl,--build-id=none', '-Wl,-z,noexecstack'],
]

/** Where what is made and what is installed for the comparison lies; git ignores it. */
export function cacheFolder(): string {
  const folder = join(projectRoot(), '.trapframe', 'engines')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** The path of the kernel, or why there is none. */
export function buildKernel(): { readonly path: string } | { readonly missing: string } {
  const sources = join(projectRoot(), 'bench', 'engines', 'guests')
  const path = join(cacheFolder(), 'kernel.elf')
  const files = readdirSync(sources).filter((name) => /\.[cS]$/.test(name))
  try {
    execFileSync('gcc', [...FLAGS, '-Wl,-T,guest.ld', '-o', path, ...files.sort()], {
      cwd: sources,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    const said = error instanceof Error ? error.message.trim().split('\n').slice(0, 4).join('\n') : String(error)
    return { missing: `The guests need a gcc that knows -m32 (Debian: gcc-multilib). ${said}` }
  }
  return { path }
}
