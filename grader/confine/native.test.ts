/** The seccomp filter against native code, as the kernel applies it: what a subject that has broken out of V8 could do. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { detectConfinement } from './detect.ts'
import { type NativeCall, nativeProgram, readAnswers } from './fixtures/native-program.ts'
import { planLaunch } from './plan-launch.ts'

const report = detectConfinement()

const why =
  process.arch !== 'x64' || process.platform !== 'linux'
    ? 'the program is for x86-64 Linux'
    : report.missing.find(({ layer }) => layer === 'seccomp')?.why
const skipped = why === undefined ? '' : ` (skipped: ${why})`

/** Runs the program where Node would run, or by itself. */
function run(calls: readonly NativeCall[], confined: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'trapframe-native-'))
  const program = join(folder, 'native')
  writeFileSync(program, nativeProgram(calls), { mode: 0o755 })
  const script = join(folder, 'subject.cjs')
  writeFileSync(script, '')
  const limits = { cpuSeconds: 2, heapMegabytes: 64, dataMegabytes: 64, openFiles: 64 }
  const plan = planLaunch(report, { script, folder, limits })
  const node = realpathSync(process.execPath)
  const args = plan.args.map((word) => (word === node ? program : word))
  const files = plan.descriptors.map((path) => openSync(path, 'r'))
  const [file, words] = confined ? [plan.file, args] : [program, []]
  const { status, signal, output } = spawnSync(file, words, {
    env: {},
    stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'pipe', ...files],
    timeout: 5_000,
  })
  for (const each of files) closeSync(each)
  rmSync(folder, { recursive: true, force: true })
  return { status, signal, answers: readAnswers(output[4] ?? new Uint8Array()) }
}

const INET = 2
const STREAM = 1
const UNIX = 1
const SIGKILL = 9
const REFUSED = [-1, -38]

/** Calls that a process may make by itself, which shows that the filter and nothing else refuses them. */
const ORDINARY: Readonly<Record<string, NativeCall>> = {
  socket: { number: 41, args: [INET, STREAM] },
  'unix socket': { number: 41, args: [UNIX, STREAM] },
  ptrace: { number: 101 },
  memfd_create: { number: 319, args: [0x40_0000] },
  personality: { number: 135, args: [0xffff_ffff] },
  inotify_init: { number: 253 },
  timerfd_create: { number: 283, args: [1] },
  'kill, signal 0': { number: 62 },
}

/** Calls that the kernel may refuse without us. */
const OTHERS: Readonly<Record<string, NativeCall>> = {
  fork: { number: 57 },
  'clone, a process': { number: 56, args: [17] },
  'clone, a user namespace': { number: 56, args: [0x1000_0011] },
  clone3: { number: 435 },
  'kill all': { number: 62, args: [-1, SIGKILL] },
  tkill: { number: 200, args: [1, SIGKILL] },
  process_vm_readv: { number: 310, args: [1] },
  mount: { number: 165 },
  unshare: { number: 272, args: [0x1000_0000] },
  setns: { number: 308 },
  bpf: { number: 321 },
  perf_event_open: { number: 298 },
  add_key: { number: 248 },
  keyctl: { number: 250 },
  userfaultfd: { number: 323 },
  io_uring_setup: { number: 425, args: [1] },
  kexec_load: { number: 246 },
  init_module: { number: 175 },
  execveat: { number: 322 },
  chroot: { number: 161 },
  setuid: { number: 105 },
  'x32 getpid': { number: 0x4000_0027 },
  'ioctl TIOCSTI': { number: 16, args: [2, 0x5412] },
  'prctl PR_SET_PDEATHSIG': { number: 157, args: [1] },
}

describe.skipIf(why !== undefined)(`native code under the filter${skipped}`, () => {
  it('gets what is asked for where there is no filter', () => {
    const { status, answers } = run(Object.values(ORDINARY), false)
    const refused = Object.keys(ORDINARY).filter((_, index) => answers[index]! < 0)
    expect([status, refused]).toEqual([0, []])
  })

  it('is refused each call that no subject needs', () => {
    const calls = { ...ORDINARY, ...OTHERS }
    const { status, answers } = run(Object.values(calls), true)
    expect(answers).toHaveLength(Object.keys(calls).length)
    const allowed = Object.keys(calls).filter((_, index) => !REFUSED.includes(answers[index]!))
    expect([status, allowed]).toEqual([0, []])
  })

  it('may ask who it is', () => {
    const getpid = 39
    const [pid] = run([{ number: getpid }], true).answers
    expect(pid).toBeGreaterThan(0)
    expect(pid).toBeLessThan(10)
  })

  it('dies when it calls as 32-bit code', () => {
    const { answers, status } = run([{ number: 20, by32Bit: true }], true)
    expect(answers).toEqual([])
    expect(status).not.toBe(0)
  })
})
