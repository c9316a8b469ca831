import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { floodLine } from '../../../guests/flood.ts'
import { projectRoot } from '../../project-root.ts'

const HELLO = 'Hello from the guest.\r\n'
const PROMPT = 'Type; Ctrl-D ends.\r\n'
const CTRL_D = '\u0004'
const MAIN = join(projectRoot(), 'dist/grader/cli/main.js')

let folder: string
let running: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trapframe-serial-'))
})
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running = []
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly status: number
  readonly out: string
  readonly err: string
}

/** A run of the built command line, as a user starts it. */
function run(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  let child: ChildProcess | undefined
  const ended = new Promise<Ended>((resolve) => {
    child = execFile(process.execPath, [MAIN, 'run', ...args], { cwd: folder }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
    running.push(child)
    child.stdin?.end()
  })
  return { child: child!, ended }
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let i = 0; i < 1000; i++) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('It never happened.')
}

const pipe = (name: string) => join(folder, name)

/** The reader of a pipe, as `cat` is: what it has read so far. */
function cat(name: string) {
  const child = spawn('cat', [pipe(name)], { stdio: ['ignore', 'pipe', 'ignore'] })
  running.push(child)
  const reader = { child, text: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    reader.text += chunk.toString('latin1')
  })
  return reader
}

/** What `printf TEXT > pipe` does. */
async function type(name: string, text: string): Promise<void> {
  const fd = await until(() => {
    try {
      return openSync(pipe(name), constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {
      return undefined
    }
  })
  writeSync(fd, Buffer.from(text, 'latin1'))
  closeSync(fd)
}

describe('trapframe run --serial', () => {
  it('fifo: makes the pipes on request, and waits at its end for whoever reads', async () => {
    const { ended } = run('guest:hello', '--serial', 'fifo:com1', '--create')
    await until(() => (statSync(pipe('com1.out'), { throwIfNoEntry: false })?.isFIFO() ? true : undefined))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const reader = cat('com1.out')
    expect((await ended).status).toBe(1)
    await until(() => (reader.text === HELLO ? true : undefined))
  })

  it('fifo: talks to readers and writers that come and go, and sleeps in between', async () => {
    execFileSync('mkfifo', [pipe('com1.in'), pipe('com1.out')])
    const { child, ended } = run('guest:echo', '--serial', 'fifo:com1')
    await type('com1.in', 'trap ')
    const first = cat('com1.out')
    await until(() => (first.text === `${PROMPT}TRAP ` ? true : undefined))
    const gone = once(first.child, 'exit')
    first.child.kill()
    await gone
    await type('com1.in', 'frame')
    const second = cat('com1.out')
    await until(() => (second.text === 'FRAME' ? true : undefined))
    if (process.platform === 'linux') {
      const ticks = () => execFileSync('cut', ['-d', ' ', '-f', '14,15', `/proc/${child.pid}/stat`]).toString()
      const before = ticks()
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(ticks()).toBe(before)
    }
    await type('com1.in', CTRL_D)
    expect(await ended).toEqual({ status: 1, out: '', err: '' })
    await until(() => (second.text === 'FRAME\r\n' ? true : undefined))
  })

  it('fifo: keeps every byte of a long stream for a slow reader, and for the next when one leaves', async () => {
    execFileSync('mkfifo', [pipe('com1.in'), pipe('com1.out')])
    const { ended } = run('guest:flood', '--serial', 'fifo:com1')
    let got = ''
    const read = (fd: number) => {
      const bytes = Buffer.alloc(50_000)
      try {
        return bytes.toString('latin1', 0, readSync(fd, bytes))
      } catch {
        return ''
      }
    }
    const open = () => openSync(pipe('com1.out'), constants.O_RDONLY | constants.O_NONBLOCK)
    let fd = open()
    const wanted = Array.from({ length: 16_384 }, (_, line) => floodLine(line)).join('')
    for (let turn = 0; got.length < wanted.length && turn < 3000; turn++) {
      got += read(fd)
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (turn !== 10) continue
      // While both are open nothing is lost: what the pipe holds is the host's, and goes to the next reader.
      const next = open()
      closeSync(fd)
      fd = next
    }
    closeSync(fd)
    expect(got === wanted).toBe(true)
    expect((await ended).status).toBe(1)
  })

  it('fifo-peer: joins two machines by one pair of pipes, and the guest of one answers that of the other', async () => {
    execFileSync('mkfifo', [pipe('com1.in'), pipe('com1.out')])
    const server = run('guest:echo', '--serial', 'fifo:com1')
    const client = run('guest:ping', '--serial', 'fifo-peer:com1')
    expect(await client.ended).toEqual({ status: 1, out: '', err: '' })
    const reader = cat('com1.out')
    expect((await server.ended).status).toBe(1)
    await until(() => ('\r\n'.endsWith(reader.text) ? true : undefined))
  })

  it('unix: one machine waits at a socket, another joins it', async () => {
    const server = run('guest:echo', '--serial', 'unix:port', '--create')
    await until(() => (statSync(pipe('port'), { throwIfNoEntry: false })?.isSocket() ? true : undefined))
    const client = run('guest:ping', '--serial', 'unix:port')
    expect((await client.ended).status).toBe(1)
    server.child.kill()
    await server.ended
  })

  it.each([
    [
      'fifo:nowhere',
      /^trapframe: There is no named pipe nowhere\.in; --create makes it, or: mkfifo nowhere\.in nowhere\.out$/m,
    ],
    ['fifo:plain', /^trapframe: plain\.in is no named pipe but a file; name another path\.$/m],
    ['fifo:folder', /^trapframe: folder\.in is no named pipe but a folder; name another path\.$/m],
    ['unix:nowhere', /^trapframe: Nobody listens at nowhere; --create makes the socket and waits for a peer\.$/m],
    ['file:no/such/file', /^trapframe: Cannot write no\/such\/file: there is no such file or folder\.$/m],
    [
      'fifo:',
      /^trapframe: --serial takes stdio, file:PATH, fifo:PATH, fifo-peer:PATH, unix:PATH or none, not "fifo:"\.$/m,
    ],
  ])('%s is refused in one sentence', async (serial, message) => {
    writeFileSync(pipe('plain.in'), '')
    mkdirSync(pipe('folder.in'))
    const { status, err } = await run('guest:hello', '--serial', serial).ended
    expect(err).toMatch(message)
    expect(status).toBe(2)
  })

  it.runIf(process.getuid?.() !== 0)('a pipe that may not be written is refused in one sentence', async () => {
    execFileSync('mkfifo', [pipe('com1.in'), pipe('com1.out')])
    chmodSync(pipe('com1.out'), 0)
    const { status, err } = await run('guest:hello', '--serial', 'fifo:com1').ended
    expect(err).toMatch(/^trapframe: The named pipe com1\.out cannot be written: permission denied\.$/m)
    expect(status).toBe(2)
  })
})
