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

  it('ends a triple fault with a dump of the state, and a reset when it is told not to reboot', async () => {
    // lidt [cs:8000] (limit 0); int3: nothing can be delivered
    const crash = new Uint8Array(0x1_0000)
    crash.set([0x2e, 0x0f, 0x01, 0x1e, 0x00, 0x80, 0xcc], 0xfff0)
    writeFileSync(join(folder, 'crash.bin'), crash)
    const { status, err } = await run(['--bios', 'crash.bin'])
    expect(status).toBe(1)
    expect(err).toMatch(/a triple fault .*\nfaults: .* → #DF.* → shutdown\ninstruction: .*int3\nEAX=/)
    const reset = new Uint8Array(0x1_0000)
    reset.set([0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe], 0xfff0)
    writeFileSync(join(folder, 'reset.bin'), reset)
    expect(await run(['reset.bin', '--no-reboot'])).toEqual({ status: 0, out: '', err: '' })
    expect((await run(['reset.bin', '--mem', '1M', '--max-instructions', '40'])).status).toBe(124)
  })

  it('goes on from a snapshot as if the run had never stopped', async () => {
    const { clock } = guests
    writeFileSync(join(folder, 'clock.bin'), clock!().image)
    const small = ['--mem', '2M']
    const whole = await run(['clock.bin', ...small])
    const first = await run(['clock.bin', ...small, '--max-instructions', '200', '--save', 'half.snap'])
    const second = await run(['--restore', 'half.snap'])
    expect([first.status, second.status]).toEqual([124, whole.status])
    expect(first.out + second.out).toBe(whole.out)
    writeFileSync(join(folder, 'cut.snap'), readFileSync(join(folder, 'half.snap')).subarray(0, 500))
    expect(await run(['--restore', 'cut.snap'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/^trapframe: "cut\.snap" is cut short/),
    })
    expect((await run(['--restore', 'clock.bin'])).err).toBe('trapframe: "clock.bin" is no snapshot of a machine.\n')
  })

  it('saves at a moment of virtual time and goes on; what goes on from there prints the rest', async () => {
    const { clock } = guests
    writeFileSync(join(folder, 'clock.bin'), clock!().image)
    const whole = await run(['clock.bin', '--mem', '2M'])
    const saved = await run(['clock.bin', '--mem', '2M', '--save', 'at.snap', '--save-at', '0.055'])
    expect(saved).toEqual(whole)
    const rest = await run(['--restore', 'at.snap'])
    expect(rest.status).toBe(whole.status)
    expect(rest.out.length).toBeGreaterThan(0)
    expect(rest.out.length).toBeLessThan(whole.out.length)
    expect(whole.out.endsWith(rest.out)).toBe(true)
    const late = await run(['clock.bin', '--mem', '2M', '--save', 'late.snap', '--save-at', '5'])
    expect(late.err).toBe('trapframe: the run ended before --save-at; nothing was saved then.\n')
  })

  it('is a screen and a keyboard, prints the screen at the end, and makes a picture of it', async () => {
    // Shows on the screen what it reads from port 60h, and is off after Esc goes up (81h).
    const rom = new Uint8Array(0x1_0000)
    const setUp = [0xfc, 0xb8, 0x00, 0xb8, 0x8e, 0xc0, 0x31, 0xff, 0xb4, 0x1e]
    const wait = [0xe4, 0x64, 0xa8, 0x01, 0x74, 0xfa, 0xe4, 0x60]
    rom.set([...setUp, ...wait, 0xab, 0x3c, 0x81, 0x75, 0xf3, 0xf4], 0xf000)
    rom.set([0xe9, 0x0d, 0xf0], 0xfff0)
    writeFileSync(join(folder, 'keys.bin'), rom)
    const args = ['--bios', 'keys.bin', '--display', 'terminal', '--screen', 'keys.txt', '--screenshot', 'keys.png']
    const { status, out } = await run(args, 'A\u001b')
    expect(status).toBe(120)
    expect(out).toBe('*▲₧¬☺ü\n')
    expect(readFileSync(join(folder, 'keys.txt'), 'utf8').trimEnd()).toBe(out.trimEnd())
    expect(readFileSync(join(folder, 'keys.png')).subarray(1, 4).toString('latin1')).toBe('PNG')
  })

  it('lets a guest read and write its disk, and leaves the file alone when it is told to', async () => {
    // Waits for the disk, reads sector 0 into memory, adds one to its first byte, writes it back, and is off.
    const rom = new Uint8Array(0x1_0000)
    const setUp = [
      0xba, 0xf2, 0x01, 0xb0, 0x01, 0xee, 0x42, 0xb0, 0x00, 0xee, 0x42, 0xee, 0x42, 0xee, 0x42, 0xb0, 0xe0, 0xee, 0x42,
    ]
    const read = [0xb0, 0x20, 0xee, 0xbf, 0x00, 0x10, 0xb9, 0x00, 0x01, 0xba, 0xf0, 0x01, 0xf3, 0x6d]
    const write = [0xfe, 0x06, 0x00, 0x10, 0xba, 0xf7, 0x01, 0xb0, 0x30, 0xee, 0xbe, 0x00, 0x10, 0xb9, 0x00, 0x01]
    rom.set([0xfc, ...setUp, ...read, ...write, 0xba, 0xf0, 0x01, 0xf3, 0x6f, 0xf4], 0xf000)
    rom.set([0xe9, 0x0d, 0xf0], 0xfff0)
    writeFileSync(join(folder, 'disk-rom.bin'), rom)
    writeFileSync(join(folder, 'disk.img'), new Uint8Array(1024).fill(7))
    expect((await run(['--bios', 'disk-rom.bin', '--disk', 'disk.img,snapshot'])).status).toBe(120)
    expect(readFileSync(join(folder, 'disk.img'))[0]).toBe(7)
    expect((await run(['--bios', 'disk-rom.bin', '--disk', 'disk.img'])).status).toBe(120)
    expect([...readFileSync(join(folder, 'disk.img')).subarray(0, 2)]).toEqual([8, 7])
  })

  it.each([
    [[], /^trapframe: Name a kernel, or a BIOS with --bios FILE/],
    [['hello.bin', '--smp', '16'], /^trapframe: A machine has at most 15 processors\./],
    [['hello.bin', '--cpu', 'z80'], /^trapframe: There is no CPU model "z80"; there are trapframe, pentium/],
    [['hello.bin', '--machine', 'q35'], /^trapframe: There is no machine "q35"; there are isapc and pc\./],
    [['hello.bin', '--disk', 'none.img'], /^trapframe: Cannot open the disk none\.img: /],
    [['hello.bin', '--disk', 'text.txt'], /^trapframe: text\.txt is no disk image: 9 bytes are not a whole number/],
    [['--bios', 'text.txt'], /^trapframe: "text\.txt" is no ROM: it has 9 bytes/],
    [['nowhere.bin'], /^trapframe: Cannot read nowhere\.bin: /],
    [['guest:nobody'], /^trapframe: There is no guest "nobody"; there are hello, clock, echo/],
    [['hello.bin', '--mem', '4'], /^trapframe: A machine needs at least 1 MiB of memory/],
    [['hello.bin', '--mem', 'much'], /A size is a whole number with K, M or G/],
    [['hello.bin', '--serial', 'radio'], /^trapframe: --serial takes stdio, file:PATH, .* or none, not "radio"\./],
    [['hello.bin', '--display', 'wall'], /^trapframe: --display takes none or terminal, not "wall"\./],
    [['hello.bin', '--display', 'terminal', '--serial', 'stdio'], /^trapframe: The terminal is the screen with/],
    [['hello.bin', '--save-at', '1'], /^trapframe: --save-at tells when; name the file with --save FILE\./],
    [['hello.bin', '--save', 'a.snap', '--save-at', 'soon'], /A time is a number of seconds, such as 2\.5\./],
    [['hello.bin', '--screenshot', 'no/such/a.png'], /^trapframe: /],
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
