/**
 * v86 as a command: boots a multiboot kernel, prints what it sends over COM1, and ends when it has sent its checksum (what
 * v86 does at its debug-exit port is to throw). `v86-runner.js BUILD-FOLDER KERNEL COMMAND-LINE MEBIBYTES`
 */
import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What `trapframe run` and QEMU end with when the guest writes 8 to the debug-exit port, and 9. */
const STATUS_DONE = 17
const STATUS_WRONG = 19

interface V86Module {
  readonly V86: new (options: object) => { add_listener(event: string, listener: (byte: number) => void): void }
}

const [build = '', kernel = '', commandLine = '', mebibytes = '128'] = process.argv.slice(2)
const { V86 } = (await import(pathToFileURL(join(build, 'libv86.mjs')).href)) as V86Module
const image = Uint8Array.from(readFileSync(kernel))
const emulator = new V86({
  wasm_path: join(build, 'v86.wasm'),
  memory_size: Number(mebibytes) << 20,
  multiboot: { buffer: image.buffer },
  cmdline: commandLine,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
})

let printed = ''
emulator.add_listener('serial0-output-byte', (byte) => {
  printed += String.fromCharCode(byte)
  if (!printed.endsWith('\n')) return
  const last = printed.slice(printed.lastIndexOf('\n', printed.length - 2) + 1)
  if (!/^(checksum|unexpected|page fault|no such)/.test(last)) return
  writeSync(process.stdout.fd, printed)
  process.exit(last.startsWith('checksum') ? STATUS_DONE : STATUS_WRONG)
})
