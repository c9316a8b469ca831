import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guests } from '../../../guests/index.ts'
import { projectRoot } from '../../project-root.ts'

/** What the guest `hello` prints. */
const HELLO = 'Hello from the guest.\r\n'
const ECHO_PROMPT = 'Type; Ctrl-D ends.\r\n'

function helloImage(): Uint8Array {
  const { hello } = guests
  return hello!().image
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trapframe-run-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The built command line, as a user runs it. */
function run(args: readonly string[], input = ''): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const main = join(projectRoot(), 'dist/grader/cli/main.js')
    const child = execFile(process.execPath, [main, 'run', ...args], { cwd: folder }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
    child.stdin?.end(input)
  })
}

describe('trapframe run', () => {
  it('shows what the guest prints, and ends with its debug-exit status', async () => {
    expect(await run(['guest:hello'])).toEqual({ status: 1, out: HELLO, err: '' })
    expect((await run(['guest:clock'])).out).toMatch(/^\.{10}\r?\n$/)
  })

  it('gives the guest what stands on stdin', async () => {
    expect(await run(['guest:echo'], 'trap frame\u0004')).toMatchObject({
      status: 1,
      out: expect.stringMatching(/TRAP FRAME(\r\n)?$/),
    })
  })

  it('ends when the guest sleeps and nothing can wake it', async () => {
    const { status, out, err } = await run(['guest:echo'], 'ab')
    expect({ status, out }).toEqual({ status: 120, out: `${ECHO_PROMPT}AB` })
    expect(err).toMatch(
      /^trapframe: the guest sleeps, and nothing can wake it any more \(EIP [0-9a-f]+h, \d+ instructions\)\.\n$/,
    )
  })

  it('boots a kernel from a file, writes its serial port and counters to files, and JSON on request', async () => {
    writeFileSync(join(folder, 'hello.bin'), helloImage())
    const args = ['hello.bin', '--serial', 'file:serial.txt', '--stats', 'stats.json', '--mem', '2M']
    expect(await run(args)).toEqual({ status: 1, out: '', err: '' })
    expect(readFileSync(join(folder, 'serial.txt'), 'utf8')).toBe(HELLO)
    expect(JSON.parse(readFileSync(join(folder, 'stats.json'), 'utf8'))).toMatchObject({
      ending: 'debugExit',
      status: 1,
    })
    const { out } = await run(['hello.bin', '--json'])
    expect(JSON.parse(out)).toMatchObject({ serial: HELLO, status: 1 })
  })

  it('stops at the limit of instructions, and starts a ROM at the reset vector', async () => {
    const rom = new Uint8Array(0x1_0000).fill(0x90)
    rom.set([0xeb, 0xfe], 0xfff0)
    writeFileSync(join(folder, 'rom.bin'), rom)
    const { status, err } = await run(['rom.bin', '--max-instructions', '1000'])
    expect(status).toBe(124)
    expect(err).toContain('EIP fff0h, 1000 instructions')
  })

  it.each([
    [['nowhere.bin'], /^trapframe: Cannot read nowhere\.bin: /],
    [['guest:nobody'], /^trapframe: There is no guest "nobody"; there are hello, clock, echo/],
    [['hello.bin', '--mem', '4'], /^trapframe: A machine needs at least 1 MiB of memory/],
    [['hello.bin', '--mem', 'much'], /A size is a whole number with K, M or G/],
    [['hello.bin', '--serial', 'radio'], /^trapframe: --serial takes stdio, file:PATH, .* or none, not "radio"\./],
    [['hello.bin', '--stats', 'no/such/folder/stats.json'], /^trapframe: /],
    [['text.txt'], /^trapframe: "text\.txt" is no multiboot kernel/],
  ])('%j is refused in one sentence', async (args, message) => {
    writeFileSync(join(folder, 'hello.bin'), helloImage())
    writeFileSync(join(folder, 'text.txt'), 'no kernel')
    const { status, err } = await run(args)
    expect(status).toBe(2)
    expect(err).toMatch(message)
  })
})
