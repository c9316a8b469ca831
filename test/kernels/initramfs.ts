/** A RAM disk for Linux: a cpio archive in the `newc` format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). */

const MAGIC = '070701'
const ALIGNMENT = 4
const END_ALIGNMENT = 512
const END_NAME = 'TRAILER!!!'

const TYPE_CHARACTER_DEVICE = 0o020_000
const TYPE_FOLDER = 0o040_000
const TYPE_FILE = 0o100_000
const TYPE_LINK = 0o120_000

export type Entry =
  | { readonly folder: string }
  | { readonly file: string; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly link: string; readonly target: string }
  | { readonly device: string; readonly major: number; readonly minor: number }

export function cpioArchive(entries: readonly Entry[]): Uint8Array {
  const parts = entries.map((entry, i) => entryBytes(entry, i + 1))
  parts.push(record({ name: END_NAME, inode: 0, mode: 0, bytes: new Uint8Array(0), major: 0, minor: 0 }))
  return padded(Buffer.concat(parts), END_ALIGNMENT)
}

/** What a kernel needs to come up to a shell on its first serial port. */
export function busyboxInitramfs(busybox: Uint8Array): Uint8Array {
  const init = `#!/bin/sh
mount -t proc none /proc
echo Welcome to the initramfs
exec /bin/sh </dev/ttyS0 >/dev/ttyS0 2>&1
`
  return cpioArchive([
    ...['bin', 'dev', 'proc'].map((folder) => ({ folder })),
    { device: 'dev/console', major: 5, minor: 1 },
    { device: 'dev/ttyS0', major: 4, minor: 64 },
    { device: 'dev/null', major: 1, minor: 3 },
    { file: 'bin/busybox', bytes: busybox, mode: 0o755 },
    ...['sh', 'mount', 'cat', 'uname', 'poweroff'].map((name) => ({ link: `bin/${name}`, target: 'busybox' })),
    { file: 'init', bytes: new TextEncoder().encode(init), mode: 0o755 },
  ])
}

function entryBytes(entry: Entry, inode: number): Uint8Array {
  const none = { inode, bytes: new Uint8Array(0), major: 0, minor: 0 }
  if ('folder' in entry) return record({ ...none, name: entry.folder, mode: TYPE_FOLDER | 0o755 })
  if ('file' in entry) return record({ ...none, name: entry.file, mode: TYPE_FILE | entry.mode, bytes: entry.bytes })
  if ('link' in entry) {
    return record({ ...none, name: entry.link, mode: TYPE_LINK | 0o777, bytes: new TextEncoder().encode(entry.target) })
  }
  const { major, minor } = entry
  return record({ ...none, name: entry.device, mode: TYPE_CHARACTER_DEVICE | 0o600, major, minor })
}

interface Record {
  readonly name: string
  readonly inode: number
  readonly mode: number
  readonly bytes: Uint8Array
  readonly major: number
  readonly minor: number
}

function record({ name, inode, mode, bytes, major, minor }: Record): Uint8Array {
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, major, minor, name.length + 1, 0]
  const header = MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join('')
  return Buffer.concat([padded(new TextEncoder().encode(`${header}${name}\0`), ALIGNMENT), padded(bytes, ALIGNMENT)])
}

function padded(bytes: Uint8Array, alignment: number): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / alignment) * alignment)
  whole.set(bytes)
  return whole
}
