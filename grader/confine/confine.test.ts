/** Real attacks under real layers: what each layer alone stops, and all of them together. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectRoot } from '../project-root.ts'
import { detectConfinement } from './detect.ts'
import { ATTACKS, attackScript, type Targets } from './fixtures/attacks.ts'
import type { SubjectLimits } from './launch.ts'
import type { Layer } from './layer.ts'
import { planLaunch } from './plan-launch.ts'

const LIMITS: SubjectLimits = { cpuSeconds: 10, heapMegabytes: 256, dataMegabytes: 512, openFiles: 64 }

const report = detectConfinement()
let folder: string
let server: Server
let decoy: ChildProcess
let targets: Targets

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trapframe-confine-'))
  chmodSync(folder, 0o755)
  server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  decoy = spawn(process.execPath, ['--eval', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' })
  const file = (name: string, mode: number) => {
    const path = join(folder, name)
    writeFileSync(path, 'secret', { mode })
    return path
  }
  const writable = join(folder, 'writable')
  mkdirSync(writable)
  chmodSync(writable, 0o777)
  targets = {
    port: (server.address() as AddressInfo).port,
    project: join(projectRoot(), 'package.json'),
    neighbour: file('neighbour', 0o644),
    secret: file('secret', 0o600),
    writable,
    decoy: decoy.pid!,
    judge: process.pid,
  }
})

afterAll(() => {
  decoy.kill('SIGKILL')
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  readonly said: string
  readonly stderr: string
  readonly status: number | null
  readonly signal: string | null
}

/** Runs a subject to its end. */
function run(layers: readonly Layer[], text: string, limits: Partial<SubjectLimits> = {}, granted?: string): Ran {
  const place = mkdtempSync(join(tmpdir(), 'trapframe-subject-'))
  const script = join(place, 'subject.cjs')
  writeFileSync(script, text, { mode: 0o600 })
  const plan = planLaunch(
    { layers, sandbox: layers.includes('uid') || report.sandbox !== 'inside' ? report.sandbox : 'user-namespace' },
    { script, folder: place, granted, limits: { ...LIMITS, ...limits } },
  )
  const descriptors = plan.descriptors.map((path) => openSync(path, 'r'))
  try {
    const { output, status, signal } = spawnSync(plan.file, plan.args, {
      env: plan.env,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'pipe', ...descriptors],
      timeout: 20_000,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    })
    return { said: output[4] ?? '', stderr: output[2] ?? '', status, signal }
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
    rmSync(place, { recursive: true, force: true })
  }
}

function attack(layers: readonly Layer[]): Record<string, string> {
  const { said, stderr, status } = run(layers, attackScript(targets))
  if (said === '') throw new Error(`The subject ended with status ${status} and said nothing: ${stderr}`)
  return JSON.parse(said) as Record<string, string>
}

const lack = (layer: Layer) =>
  report.missing.find((missing) => missing.layer === layer)?.why ?? 'the grader is not root'

/** Each layer by itself; seccomp comes with the sandbox that puts it on. */
const ALONE: readonly (readonly Layer[])[] = [
  ['process', 'permission'],
  ['process', 'prlimit'],
  ['process', 'uid'],
  ['process', 'bubblewrap'],
  ['process', 'bubblewrap', 'seccomp'],
  ['process', 'uid', 'bubblewrap'],
  ['process', 'uid', 'bubblewrap', 'seccomp'],
]

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  it('every attack works where nothing stops it', () => {
    const results = attack(['process'])
    for (const { id } of ATTACKS) expect(`${id}: ${results[id]}`).toBe(`${id}: got`)
  })

  for (const layers of ALONE) {
    const absent = layers.find((layer) => !report.layers.includes(layer))
    const reason = absent === undefined ? '' : ` (skipped: no ${absent}, as ${lack(absent)})`
    it.skipIf(absent !== undefined)(`${layers.slice(1).join(' with ')} stops what it should${reason}`, () => {
      const results = attack(layers)
      for (const { id, stoppedBy } of ATTACKS) {
        const stops = stoppedBy.some((layer) => layers.includes(layer))
        if (stops) expect(`${id}: ${results[id]}`).not.toBe(`${id}: got`)
      }
    })
  }

  it('all layers of this machine together leave nothing that one of them stops', () => {
    const results = attack(report.layers)
    for (const { id, stoppedBy } of ATTACKS) {
      if (stoppedBy.some((layer) => report.layers.includes(layer)))
        expect(`${id}: ${results[id]}`).not.toBe(`${id}: got`)
    }
    expect(readdirSync(targets.writable).filter((name) => name !== 'written')).toEqual([])
  })

  it('the environment holds the time zone, and the folder where there is a sandbox', () => {
    const { environment: bare } = attack(['process'])
    const { environment: confined } = attack(report.layers)
    expect(bare).toBe('TZ')
    expect(['TZ', 'PWD,TZ']).toContain(confined)
  })

  it('a granted directory can be read and written, and nothing else', () => {
    const granted = join(folder, 'granted')
    mkdirSync(granted)
    writeFileSync(join(granted, 'in'), 'given')
    const text = `const fs = require('node:fs'), at = ${JSON.stringify(granted)}
fs.writeFileSync(at + '/out', fs.readFileSync(at + '/in', 'utf8') + ' back')
fs.renameSync(at + '/out', at + '/moved')
let leak = 'no'
try { fs.writeFileSync(${JSON.stringify(join(folder, 'outside'))}, 'x'); leak = 'written' } catch {}
try { fs.symlinkSync('/etc', at + '/link'); leak = 'linked' } catch {}
fs.writeSync(4, leak)`
    const { said, stderr } = run(report.layers, text, {}, granted)
    expect([said, stderr]).toEqual(['no', ''])
    expect(readdirSync(granted).sort()).toEqual(['in', 'moved'])
  })

  const noLimits = !report.layers.includes('prlimit')
  const limited = noLimits ? ` (skipped: no prlimit, as ${lack('prlimit')})` : ''

  it.skipIf(noLimits).each([
    ['buffers', 'const kept = []; for (let i = 0; i < 2000; i++) kept.push(Buffer.alloc(2 ** 20, 1))'],
    ['shared memory', 'new Uint8Array(new SharedArrayBuffer(2 ** 31)).fill(1)'],
    ['WebAssembly', 'new Uint8Array(new WebAssembly.Memory({ initial: 2 ** 15 }).buffer).fill(1)'],
    ['the heap', 'const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length))'],
  ])(`nobody gets two gigabytes in %s${limited}`, (_, text) => {
    const { said } = run(report.layers, `${text}\nrequire('node:fs').writeSync(4, 'got')`, { heapMegabytes: 128 })
    expect(said).toBe('')
  })

  it.skipIf(noLimits)(`nobody gets more than the processor time allowed${limited}`, () => {
    const loop = `process.on('SIGXCPU', () => {}); for (const end = Date.now() + 15_000; Date.now() < end; );
require('node:fs').writeSync(4, 'got')`
    expect(run(report.layers, loop, { cpuSeconds: 1 }).said).toBe('')
  })

  it.skipIf(noLimits)(`what ordinary code needs fits into the limits${limited}`, () => {
    const text = `const kept = Array.from({ length: 200 }, () => Buffer.alloc(2 ** 20, 1))
new WebAssembly.Memory({ initial: 1024, maximum: 4096, shared: true })
const code = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]); new WebAssembly.Module(code)
for (let i = 0, o = {}; i < 1e5; i++) o['k' + i] = [i]
require('node:fs').writeSync(4, String(kept.length))`
    const { said, stderr } = run(report.layers, text)
    expect([said, stderr]).toEqual(['200', ''])
  })
})
