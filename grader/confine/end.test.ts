/** A subject's end: whoever ends what was started, or dies himself, leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { detectConfinement } from './detect.ts'
import type { Layer } from './layer.ts'
import { findTool } from './machine-tools.ts'
import { planLaunch } from './plan-launch.ts'

const report = detectConfinement()
const folder = mkdtempSync(join(tmpdir(), 'trapframe-end-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Says that it runs, then computes for a minute at most. */
const BUSY = `require('node:fs').writeSync(4, 'on'); for (const end = Date.now() + 60_000; Date.now() < end; );`

const limits = { cpuSeconds: 30, heapMegabytes: 64, dataMegabytes: 256, openFiles: 64 }

function plan(layers: readonly Layer[]) {
  const script = join(folder, 'subject.cjs')
  writeFileSync(script, BUSY)
  const sandbox = layers.includes('bubblewrap') ? report.sandbox : undefined
  return planLaunch({ layers, sandbox }, { script, folder, limits })
}

/** All processes below one, as /proc tells. */
function descendants(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  const children = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : []
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** Whether a process is there and is more than a dead one that nobody has asked about. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function allGone(pids: readonly number[]): Promise<readonly number[]> {
  for (let tries = 0; tries < 100 && pids.some(lives); tries++) await sleep(20)
  return pids.filter(lives)
}

const said = (child: ChildProcess, descriptor: number) =>
  new Promise<void>((done) => child.stdio[descriptor]!.once('data', () => done()))

const weaker = report.layers.filter((layer) => layer !== 'bubblewrap' && layer !== 'seccomp')
const CASES: readonly (readonly [string, readonly Layer[]])[] = [
  ['all layers of this machine', report.layers],
  ['no sandbox', weaker],
]
const dies = findTool('setpriv') !== undefined || report.layers.includes('bubblewrap')

describe.skipIf(process.platform !== 'linux').each(CASES)('with %s', (_, layers) => {
  it('killing what was started ends all', async () => {
    const { file, args, env, descriptors } = plan(layers)
    const files = descriptors.map((path) => openSync(path, 'r'))
    const child = spawn(file, args, {
      env,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ignore', 'pipe', ...files],
    })
    for (const each of files) closeSync(each)
    await said(child, 4)
    const all = [child.pid!, ...descendants(child.pid!)]
    child.kill('SIGKILL')
    expect(await allGone(all)).toEqual([])
  })

  it.skipIf(!dies)(`the subject dies with the judge${dies ? '' : ' (skipped: no setpriv)'}`, async () => {
    const { file, args, env, descriptors } = plan(layers)
    const judge = `const fs = require('node:fs')
const files = ${JSON.stringify(descriptors)}.map((path) => fs.openSync(path))
require('node:child_process').spawn(${JSON.stringify(file)}, ${JSON.stringify(args)}, { env: ${JSON.stringify(env)},
  cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ignore', 1, ...files] })
setTimeout(() => {}, 60_000)`
    const child = spawn(process.execPath, ['--eval', judge], { stdio: ['ignore', 'pipe', 'ignore'] })
    await said(child, 1)
    const all = descendants(child.pid!)
    expect(all.length).toBeGreaterThan(0)
    child.kill('SIGKILL')
    expect(await allGone(all)).toEqual([])
  })
})
